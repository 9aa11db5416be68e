"""What following costs: facts matched per second among ever more subscriptions, memory, and whether search agrees.

The larger towns have the same followers of what is told, and many more of everything else. Run as a module with a
folder and a number it measures one town and prints the figures: memory is only honest in a process of its own.
"""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import func, insert, text
from sqlmodel import select
from starlette.datastructures import QueryParams
from uuid_utils import uuid7

from benchmarks.report import Figure, Row
from benchmarks.stack import INDEX, administrator, client, documents, filled, resident_mb, stack
from cli.home import ROOT
from libs.cardquery.matching import Matching
from libs.cardquery.params import query
from libs.cardquery.vocabulary import Vocabulary
from libs.contracts.card import Card
from libs.contracts.event import Envelope, envelope
from libs.contracts.offers import OfferPublished
from libs.language.folding import words
from libs.servicekit.db import Database, now
from libs.town.calendar import read
from services.notify.addresses.models import Recipient
from services.notify.subscriptions.anchors import filed, words_of
from services.notify.subscriptions.filters import checked, follow_of
from services.notify.subscriptions.matching import Told, match
from services.notify.subscriptions.models import Anchor, FollowedWord, Follower, Notice
from services.notify.things.commands import learn

CITY = ROOT / "city"
MIGRATIONS = ROOT / "services" / "notify" / "migrations"
SIZES = (10_000, 100_000, 1_000_000)
COST, AGREEMENT = 3.0, 0.99
FACTS, AT_ONCE = 200, 100
FOLLOWERS = 200  # of what is told, in every town
QUESTIONS = 400
WORDS, DISTINCT = 30_000, 20_000
EACH = 5  # subscriptions of one person
Prepared = tuple[str, set[str]]
CHUNK = 5_000
FILTERS = (
    "board=kita",
    "district=Mitte",
    "free=true",
    "age=4",
    "weekday=mo",
    "near=52.52,13.40&radius=3000",
    "price_max=500",
)


def run(folder: Path) -> tuple[list[Row], list[Figure]]:
    """Measure each town in a process of its own, then ask search the same questions."""
    found = {size: _measured(folder / str(size), size) for size in SIZES}
    small, large = found[SIZES[0]], found[SIZES[-1]]
    cost = large["seconds"] / small["seconds"]
    rows = [
        Row(
            "cost per fact at 1,000,000 subscriptions against 10,000",
            large["seconds"] * 1000,
            small["seconds"] * 1000,
            cost,
            COST,
            at_least=False,
            unit="ms",
        ),
    ]
    figures = []
    for size, one in found.items():
        figures += [
            Figure(
                f"facts matched, {size:,} subscriptions ({one['notices']:.0f} notices)",
                1 / one["seconds"],
                "per second",
            ),
            Figure(f"memory of matching, {size:,} subscriptions", one["memory"], "MB"),
        ]
    return [*rows, *agreement(folder / "search")], figures


def _measured(folder: Path, size: int) -> dict[str, float]:
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "benchmarks.following", str(folder), str(size)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    found: dict[str, float] = json.loads(said.splitlines()[-1])
    return found


def measure(folder: Path, size: int) -> dict[str, float]:
    """Seconds per fact, memory while matching, and how many notices came of it, which is the same in every town."""
    db = Database(f"sqlite:///{folder / 'notify.db'}")
    db.migrate(MIGRATIONS)
    matching = Matching(read(CITY), Vocabulary.of(CITY))
    cards = _demo()
    _fill(db, matching, cards, size)
    events = [_event(card) for card in cards[:FACTS]]
    for event in events[:AT_ONCE]:  # a running service knows its words
        _matched(db, matching, [_event(event.data.card)])
    with db.reading() as session:
        before = session.exec(select(func.count()).select_from(Notice)).one()
    begun = time.perf_counter()
    for start in range(0, len(events), AT_ONCE):
        _matched(db, matching, events[start : start + AT_ONCE])
    seconds = (time.perf_counter() - begun) / len(events)
    with db.reading() as session:
        notices = session.exec(select(func.count()).select_from(Notice)).one() - before
    return {"seconds": seconds, "memory": resident_mb(_pid()), "notices": notices}


def _pid() -> int:
    import os  # noqa: PLC0415 - only the measured process asks

    return os.getpid()


def _matched(db: Database, matching: Matching, events: list[Envelope[Any]]) -> None:
    with db.transaction() as session:
        for event in events:
            if news := learn(session, event):
                match(session, matching, news, Told(event.id, event.time), timedelta(minutes=30))


def _demo() -> list[Card]:
    """The demo town's offers as cards, in a random order."""
    rows = [
        json.loads(line) | {"board": file.stem}
        for file in sorted((CITY / "demo").glob("*.jsonl"))
        for line in file.open(encoding="utf-8")
    ]
    random.Random(1).shuffle(rows)
    names = ("title", "summary", "text", "tags", "place", "board")
    return [
        Card.model_validate(
            {"kind": "offer", **{name: row[name] for name in names if name in row}}, strict=False
        )
        for row in rows
    ]


def _event(card: Card) -> Envelope[Any]:
    fact = OfferPublished(board=card.board or "kita", changed_at=datetime.now(UTC), card=card)
    return envelope(
        fact, event_id=uuid4().hex, subject=uuid4().hex, version=1, time=now(), prefix="de.coburg",
        schema_base="http://offers/v1/events", traceparent=None,
    )  # fmt: skip


def _fill(db: Database, matching: Matching, cards: list[Card], size: int) -> None:
    seed = random.Random(2)
    own = [_prepared(matching, _about(seed, cards)) for _ in range(FOLLOWERS)]
    others = [_prepared(matching, _elsewhere(seed)) for _ in range(DISTINCT)]
    _learn(db, [*own, *others])
    _file(db, own)
    for start in range(FOLLOWERS, size, CHUNK):
        _file(db, seed.choices(others, k=min(CHUNK, size - start)))
    with db.transaction() as session:
        session.execute(text("ANALYZE"))


def _prepared(matching: Matching, said: dict[str, Any]) -> Prepared:
    kept = checked(said)
    return kept, filed(follow_of(kept, matching.silent), matching)


def _learn(db: Database, some: list[Prepared]) -> None:
    known = words_of(set().union(*(names for _, names in some)))
    with db.transaction() as session:
        session.execute(insert(FollowedWord), [{"word": word} for word in sorted(known)])


def _file(db: Database, some: list[Prepared]) -> None:
    people = [_person() for _ in range(len(some) // EACH + 1)]
    same = {"changes": ["new"], "cadence": "daily", "version": 1, "since": now(), "created_at": now()}
    rows = [
        {"id": str(uuid7()), "recipient_id": people[at // EACH]["id"], "filter": kept, **same}
        for at, (kept, _) in enumerate(some)
    ]
    anchors = [
        {"name": name, "subscription_id": row["id"]}
        for row, (_, names) in zip(rows, some, strict=True)
        for name in names
    ]
    with db.transaction() as session:
        session.execute(insert(Recipient), people)
        session.execute(insert(Follower), rows)
        session.execute(insert(Anchor), anchors)


def _person() -> dict[str, Any]:
    person = Recipient(
        channel="mail", address=b"-", key_id="-", mark=uuid4().hex, language="de", timezone="Europe/Berlin"
    )
    return person.model_dump()


def _about(seed: random.Random, cards: list[Card]) -> dict[str, Any]:
    """Somebody who follows a word of what is told."""
    card = seed.choice(cards)
    return {"q": seed.choice(words(next(iter(card.title.values())))), "board": card.board}


def _elsewhere(seed: random.Random) -> dict[str, Any]:
    """Somebody who follows something else: a thing, a provider, invented words, or a place elsewhere."""
    word = (
        "".join(seed.choice("bdfgklmnprst") + seed.choice("aeiou") for _ in range(5))
        if seed.random() < 0.02
        else ""
    )
    kind = seed.randrange(5)
    if kind == 0:
        return {"thing": uuid4().hex}
    if kind == 1:
        return {"provider": f"provider-{seed.randrange(50_000)}"}
    if kind == 2:
        return {"near": f"{seed.uniform(51, 54):.4f},{seed.uniform(8, 13):.4f}", "radius": 2000}
    if kind == 3:
        return {"q": word or f"zq{seed.randrange(WORDS)}x", "board": "sport"}
    return {"board": "markt", "district": f"Bezirk {seed.randrange(20_000)}"}


def agreement(folder: Path) -> list[Row]:
    """The share of what search or matching finds that both find, over title words and filters of the Berlin register."""
    with ExitStack() as running:
        town = running.enter_context(stack(folder)).start()
        offers = running.enter_context(client(town, "offers", "editor"))
        search = running.enter_context(client(town, "search"))
        filled(offers, search)
        held = documents(administrator(town), INDEX)
        both, either = 0, 0
        for found, matched in _answers(search, [each for each in held if each["listed"]]):
            both, either = both + len(found & matched), either + len(found | matched)
    share = both / max(either, 1)
    return [Row("matching agrees with search", both, either, share, AGREEMENT, at_least=True, unit="things")]


def _answers(search: Any, held: list[dict[str, Any]]) -> Iterator[tuple[set[str], set[str]]]:
    matching = Matching(read(CITY), Vocabulary.of(CITY))
    subjects = {each["id"]: matching.subject(Card.model_validate(each, strict=False)) for each in held}
    for asked in _questions(held):
        prepared = matching.asked(query(QueryParams(asked)))
        matched = {key for key, subject in subjects.items() if subject.answers(prepared)}
        yield _found(search, asked), matched


def _found(search: Any, asked: str) -> set[str]:
    found, total = set[str](), 1
    while len(found) < total:
        page = search.get(f"/v1/search?{asked}&limit=100&offset={len(found)}").json()
        if page["relaxed"] or not page["items"]:
            break
        found, total = found | {item["id"] for item in page["items"]}, page["total"]
    return found


def _questions(held: list[dict[str, Any]]) -> Iterator[str]:
    seed = random.Random(3)
    titles = [each["title"]["de"] for each in held if "de" in each["title"]]
    for number in range(QUESTIONS):
        title = [word for word in words(seed.choice(titles)) if len(word) > 3] or ["kita"]
        some = title[:2] if number % 3 == 0 else [seed.choice(title)]
        asked = "q=" + "+".join(_mistyped(seed, word) if number % 5 == 0 else word for word in some)
        yield f"{asked}&{seed.choice(FILTERS)}" if number % 4 == 0 else asked
    yield from FILTERS


def _mistyped(seed: random.Random, word: str) -> str:
    at = seed.randrange(1, len(word))
    return word[:at] + word[at + 1 :]


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]))))
