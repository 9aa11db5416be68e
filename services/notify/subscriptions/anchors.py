"""Under what a subscription is filed, so that a card finds it without looking at all others.

Of what a filter asks only the rarest condition is filed, with each of its alternatives; what a card says is looked up
in one query. Whatever is found so is compared whole afterwards (ADR 41).
"""

import math
from collections.abc import Iterator, Sequence
from itertools import product

from libs.cardquery.matching import Matching, Subject, facet_form
from libs.cardquery.wording import MOST_TOGETHER
from libs.language.questions import Term
from services.notify.subscriptions.filters import Follow, projects

LONGEST = 120
CELL_DEGREES = 0.05
MOST_CELLS = 16
MOST_ALTERNATIVES = 60
ANY = "*"
ALL = "all"
Alternatives = Sequence[str]


def filed(follow: Follow, matching: Matching) -> set[str]:
    """Under which names a filter is filed: any of them leads to it."""
    boards = [facet_form(board) for board in follow.asked.query.filters.get("board", ())] or [ANY]
    condition = next(
        (each for each in _conditions(follow, matching) if 0 < len(each) <= MOST_ALTERNATIVES), (ALL,)
    )
    if len(boards) * len(condition) > MOST_ALTERNATIVES:
        boards = [ANY]
    return {_name(board, each) for board, each in product(boards, condition)}


def words_of(names: set[str]) -> set[str]:
    """The words among these names."""
    parts = (name.partition("/")[2] for name in names)
    return {part.removeprefix("w:") for part in parts if part.startswith("w:")}


def sought(subject: Subject, thing_id: str, words: set[str]) -> set[str]:
    """Under which names whatever could follow a card is filed; `words` are filed words that its own may mean."""
    card = subject.card
    said = {ALL, f"t:{thing_id}", *(f"w:{word}" for word in words)}
    said.update(f"j:{project}" for project in projects(subject, thing_id))
    if card.provider:
        said.add(f"p:{card.provider.id}")
    for facet in ("kind", "tag", "field", "district", *card.facets):
        said.update(_facet(facet, value) for value in subject.facet(facet))
    if point := subject.values.get("_geo"):
        said.add(_cell(*_square(point["lat"], point["lng"])))
    boards = {ANY, *(facet_form(board) for board in subject.facet("board"))}
    return {_name(board, each) for board, each in product(boards, said)}


def _conditions(follow: Follow, matching: Matching) -> Iterator[Alternatives]:
    """What a filter asks, the rarest first."""
    ids = {"t": follow.thing, "j": follow.project, "p": follow.provider}
    yield from ((f"{kind}:{value}",) for kind, value in ids.items() if value)
    terms = [term for term in follow.asked.words.terms if not term.absent]
    if terms:
        yield [f"w:{word}" for word in _words(terms, matching)]
    yield list(_cells(follow))
    filters = follow.asked.query.filters
    yield from (
        [_facet(name, each) for each in filters[name]]
        for name in sorted(filters, key=_commonness)
        if name != "board"
    )


def _words(terms: list[Term], matching: Matching) -> set[str]:
    """The longest word, and what may stand in its place: equals, and itself as one with its neighbours."""
    at = max(range(len(terms)), key=lambda number: max(map(len, terms[number].words)))
    if terms[at].phrase:
        return {max(terms[at].words, key=len)}
    found = set[str]()
    for size in range(1, MOST_TOGETHER + 1):
        for start in range(max(0, at - size + 1), min(at, len(terms) - size) + 1):
            some = terms[start : start + size]
            if any(term.phrase for term in some):
                continue
            line = " ".join(term.words[0] for term in some)
            found.add(line.replace(" ", ""))
            found.update(other.split()[0] for other in matching.equals.get(line, ()))
    return found


def _commonness(name: str) -> tuple[int, str]:
    order = {"tag": 1, "district": 2, "field": 3, "kind": 4}
    return order.get(name, 0), name


def _cells(follow: Follow) -> Iterator[str]:
    query = follow.asked.query
    if query.near is None or query.radius is None:
        return
    latitude, longitude = query.near
    up = query.radius / 111_000
    aside = up / max(math.cos(math.radians(min(abs(latitude) + up, 89.0))), 0.01)
    (south, west), (north, east) = (
        _square(latitude + sign * up, longitude + sign * aside) for sign in (-1, 1)
    )
    if (north - south + 1) * (east - west + 1) <= MOST_CELLS:
        yield from (_cell(a, b) for a, b in product(range(south, north + 1), range(west, east + 1)))


def _square(latitude: float, longitude: float) -> tuple[int, int]:
    return math.floor(latitude / CELL_DEGREES), math.floor(longitude / CELL_DEGREES)


def _cell(south: int, west: int) -> str:
    return f"g:{south}:{west}"


def _facet(name: str, value: str) -> str:
    return f"f:{name}={facet_form(value)}"


def _name(board: str, condition: str) -> str:
    return f"{board}/{condition}"[:LONGEST]
