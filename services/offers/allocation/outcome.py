"""What an allocation comes to: lots, ranks, each slot's matching, and for every child what became of every wish.

A slot is decided on its own: only the wishes for it, the confirmed claims and the lots enter. That is why no list for
one slot can help in another (ADR 13). Values in, values out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any

from libs.contracts.card import Text
from services.offers.allocation.domain import Criterion
from services.offers.allocation.matching import Rank, Ranking, cutoffs, match


class Verdict(StrEnum):
    """What became of a wish."""

    PLACED = "placed"
    PRIORITY = "priority"
    LOT = "lot"
    UNNEEDED = "unneeded"


@dataclass(frozen=True)
class Child:
    """A child as it takes part; `group` draws one lot, `confirmed` holds the keys of confirmed claims."""

    id: str
    group: str
    wishes: Mapping[str, Sequence[str]]
    confirmed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Answer:
    """What a child gets in a slot. `lot` of `lots` is its place in the draw; `last_lot` by wish, the last one that got
    in before it; `together` counts others of its group in the same activity; `booking` is what became of the place."""

    slot: str
    lot: int
    lots: int
    activity: str | None
    verdicts: list[tuple[str, Verdict]]
    last_lots: dict[str, int] = field(default_factory=dict)
    together: int = 0
    booking: str | None = None

    @classmethod
    def kept(cls, row: dict[str, Any]) -> "Answer":
        """An answer read back from JSON."""
        verdicts = [(wish, Verdict(verdict)) for wish, verdict in row["verdicts"]]
        return cls(**{**row, "verdicts": verdicts})


def commitment(seed: str) -> str:
    """What is published when a period is announced, so that the seed revealed later cannot have been chosen later."""
    return sha256(seed.encode()).hexdigest()


def draw(seed: str, slot: str, children: Iterable[Child]) -> dict[str, int]:
    """The children's lots in a slot, 1 first: by the digest of `seed:slot:group`, within a group of `seed:slot:child`."""
    groups = {child.group for child in children}
    group_lot = {group: sha256(f"{seed}:{slot}:{group}".encode()).digest() for group in groups}
    ordered = sorted(
        children,
        key=lambda child: (group_lot[child.group], sha256(f"{seed}:{slot}:{child.id}".encode()).digest()),
    )
    return {child.id: lot for lot, child in enumerate(ordered, 1)}


def ranking(criteria: Sequence[Criterion], children: Iterable[Child], lots: Mapping[str, int]) -> Ranking:
    """Where children stand: a child that fulfils the first criterion before one that does not, and so on; then the lot."""
    general: dict[str, Rank] = {}
    special: dict[tuple[str, str], Rank] = {}
    for child in children:
        general[child.id] = (_class(criteria, child.confirmed, None), lots[child.id])
        for activity in {key.partition("@")[2] for key in child.confirmed if "@" in key}:
            special[child.id, activity] = (_class(criteria, child.confirmed, activity), lots[child.id])
    if not special:
        return lambda child, _activity: general[child]
    return lambda child, activity: special.get((child, activity)) or general[child]


def _class(criteria: Sequence[Criterion], confirmed: frozenset[str], activity: str | None) -> int:
    """The unfulfilled criteria as binary digits, the first one the highest."""
    missing = 0
    for criterion in criteria:
        key = f"{criterion.name}@{activity}" if criterion.per_activity else criterion.name
        missing = missing * 2 + (key not in confirmed)
    return missing


def allocate(
    seed: str,
    criteria: Sequence[Criterion],
    places: Mapping[str, Mapping[str, int]],
    children: Iterable[Child],
) -> dict[str, list[Answer]]:
    """Every child's answers, slot by slot; `places` holds the activities' places by slot."""
    by_slot: dict[str, list[Child]] = defaultdict(list)
    for child in children:
        for slot in child.wishes:
            by_slot[slot].append(child)
    answers: dict[str, list[Answer]] = defaultdict(list)
    for slot in places:
        for child_id, answer in _slot(seed, criteria, slot, places[slot], by_slot[slot]):
            answers[child_id].append(answer)
    return dict(answers)


def _slot(
    seed: str, criteria: Sequence[Criterion], slot: str, places: Mapping[str, int], children: list[Child]
) -> Iterable[tuple[str, Answer]]:
    lots = draw(seed, slot, children)
    rank = ranking(criteria, children, lots)
    got = match({child.id: child.wishes[slot] for child in children}, places, rank)
    last = cutoffs(got, places, rank)
    met = Counter((child.group, got[child.id]) for child in children if child.id in got)
    for child in children:
        activity = got.get(child.id)
        verdicts = _verdicts(child, child.wishes[slot], activity, last, rank)
        lost = {wish: last[wish][1] for wish, verdict in verdicts if verdict is Verdict.LOT}
        together = met[child.group, activity] - 1 if activity else 0
        yield child.id, Answer(slot, lots[child.id], len(lots), activity, verdicts, lost, together)


def _verdicts(
    child: Child, wishes: Sequence[str], activity: str | None, last: Mapping[str, Rank], rank: Ranking
) -> list[tuple[str, Verdict]]:
    at = wishes.index(activity) if activity else len(wishes)
    found = [
        (wish, Verdict.PRIORITY if last[wish][0] < rank(child.id, wish)[0] else Verdict.LOT)
        for wish in wishes[:at]
    ]
    if activity:
        found.append((activity, Verdict.PLACED))
    return found + [(wish, Verdict.UNNEEDED) for wish in wishes[at + 1 :]]


def sentence(number: int, answer: Answer, title: Text, places: int) -> Text:
    """What became of the wish of this number, 1 the dearest, for those who wished it."""
    wish, verdict = answer.verdicts[number - 1]
    name = {language: title.get(language) or next(iter(title.values())) for language in ("de", "en")}
    lots = {"lot": answer.lot, "last": answer.last_lots.get(wish), "places": places}
    return {
        language: f"{opening.format(number, name[language])} {_SAID[verdict][language].format(**lots)}"
        for language, opening in (("de", "Wunsch {}, „{}“:"), ("en", "Wish {}, “{}”:"))
    }


_SAID: dict[Verdict, Text] = {
    Verdict.PLACED: {"de": "Platz bekommen.", "en": "place given."},
    Verdict.PRIORITY: {
        "de": "voll. Alle Plätze ({places}) gingen an Kinder mit höherem Vorrang.",
        "en": "full. All places ({places}) went to children of higher priority.",
    },
    Verdict.LOT: {
        "de": "voll. Die Plätze ({places}) gingen an Kinder mit höherem Vorrang oder, bei gleichem, mit kleinerer "
        "Losnummer: gezogen wurde hier {lot}, der letzte Platz ging an {last}.",
        "en": "full. The places ({places}) went to children of higher priority or, where it is equal, with a lower "
        "lot: the lot here is {lot}, the last place went to {last}.",
    },
    Verdict.UNNEEDED: {
        "de": "nicht gebraucht, denn ein Wunsch davor ist erfüllt.",
        "en": "not needed, since a wish before it is fulfilled.",
    },
}
