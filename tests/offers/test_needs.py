"""Unmet needs: noted from the bus and by the exchanges, told once enough people had them, never before."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import nats
import pytest
from sqlmodel import col, func, select

from cli.home import ROOT
from libs.contracts.event import envelope
from libs.contracts.offers import NeedKind
from libs.contracts.search import QueryUnanswered
from libs.selfservice.members.domain import Topic
from libs.selfservice.members.models import Recipient
from libs.servicekit.db import Database
from libs.servicekit.principal import Principal
from libs.servicekit.tables import outbox
from services.offers.boards import commands as boards
from services.offers.needs import commands
from services.offers.needs.domain import NeedRules
from services.offers.needs.models import Need, NeedMark
from services.offers.offers import commands as offers
from services.offers.offers.domain import OfferContent
from services.offers.providers import commands as providers
from services.offers.providers.domain import ProviderContent
from tests.offers.conftest import COURSE, PUBLISHER, Offers
from tests.waiting import until

RULES = NeedRules(threshold=3, window_days=7)
TODAY = date(2026, 3, 9)
MIGRATIONS = ROOT / "services" / "offers" / "migrations"


def searched(service: Offers, *askers: str, words: list[str], board: str | None = "course") -> None:
    """Searches without a hit, as search tells them."""

    async def publish() -> None:
        client = await nats.connect(service.stack.url("nats"))
        for asker in askers:
            fact = QueryUnanswered(words=words, board=board, asker=asker)
            event = envelope(
                fact,
                event_id=uuid4().hex,
                subject=uuid4().hex,
                version=1,
                time=datetime.now(UTC),
                prefix="de.coburg",
                schema_base="http://search/v1/events",
                traceparent=None,
            )
            await client.jetstream().publish(fact.subject(event.subject), event.to_bytes())
        await client.close()

    asyncio.run(publish())


def listed(service: Offers, **asked: str) -> list[dict[str, object]]:
    items: list[dict[str, object]] = service.call(
        "GET", "/v1/needs", params={"limit": "200", **asked}
    ).json()["items"]
    return items


def askers(count: int) -> list[str]:
    return [f"{number:016x}" for number in range(count)]


def test_what_many_search_in_vain_is_told_and_what_few_do_is_not(service: Offers) -> None:
    many, few = uuid4().hex, uuid4().hex
    searched(service, *askers(4), words=[few])
    searched(service, *askers(4), *askers(4), words=[few])  # the same four again
    searched(service, *askers(6), words=["kostenlos", many])

    (need,) = until(lambda: [one for one in listed(service, board="course") if many in str(one["words"])])

    assert (need["kind"], need["board"]) == ("unanswered", "course")
    assert need["asking"] in (5, 6)  # five are enough, and a round may come between the last two
    assert need["words"] == sorted(["kostenlos", many])
    assert not [one for one in listed(service) if few in str(one["words"])]
    facts = service.facts(str(need["id"]), "need")
    assert [fact["type"].split(".")[-2] for fact in facts] == ["observed"]
    assert "asker" not in str(facts) and askers(1)[0] not in str(facts)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A database that no service works on."""
    db = Database(database_url, PUBLISHER)
    db.migrate(MIGRATIONS)
    yield db
    db.dispose()


def asked(db: Database, count: int, day: date) -> None:
    """So many people wait for places, or still do."""
    with db.transaction() as session:
        for number in range(count):
            commands.note_offer(session, "course", NeedKind.WAITING, "o", f"r{number}", day)


def told(db: Database, day: date) -> list[tuple[str, int | None, int]]:
    """The facts so far, after a look on a day."""
    with db.transaction() as session:
        commands.observe(session, RULES, day)
    with db.reading() as session:
        about = outbox.c.subject.startswith("city.offers.need.")
        bodies = session.execute(select(outbox.c.body).where(about).order_by(outbox.c.id)).scalars().all()
    facts = [json.loads(body) for body in bodies]
    return [
        (fact["type"].split(".")[-2], fact["data"].get("asking"), int(fact["sequence"])) for fact in facts
    ]


def test_a_need_grows_is_told_again_and_settles(db: Database) -> None:
    asked(db, 2, TODAY)
    assert told(db, TODAY) == []
    asked(db, 3, TODAY)
    first = [("observed", 3, 1)]
    assert told(db, TODAY) == first
    asked(db, 4, TODAY)
    assert told(db, TODAY) == first
    asked(db, 5, TODAY)
    second = [*first, ("observed", 5, 2)]
    assert told(db, TODAY) == second
    assert told(db, TODAY + timedelta(days=6)) == second
    assert told(db, TODAY + timedelta(days=7)) == [*second, ("settled", None, 3)]


def test_the_boards_organisations_are_told_once_if_they_asked_for_it(db: Database) -> None:
    editor = Principal("editor", frozenset({"editor"}))
    with db.transaction() as session:
        boards.follow(session, boards.read_declarations(Path(__file__).parent / "city" / "boards"))
        session.flush()
        for number, topics in enumerate(([Topic.NEEDS], [Topic.REMINDERS], [Topic.NEEDS])):
            provider = providers.join(session, ProviderContent(title={"de": f"Haus {number}"})).id
            session.flush()
            if number < 2:  # the third has no offer on the board
                content = OfferContent.model_validate(COURSE)
                offers.make_public(session, offers.draft(session, editor, "course", provider, content), TODAY)
            session.add(
                Recipient(provider_id=provider, recipient_id=f"r{number}", topics=topics, created_by="e")
            )
    asked(db, 3, TODAY)
    told(db, TODAY)
    asked(db, 9, TODAY)
    told(db, TODAY)

    with db.reading() as session:
        where = outbox.c.subject.startswith("internal.notify.")
        (body,) = session.execute(select(outbox.c.body).where(where)).scalars().all()
    message = json.loads(body)["data"]
    assert (message["recipient_id"], message["template"]) == ("r0", "need-observed")
    assert (message["about"]["kind"], message["about"]["board"]) == ("need", "course")
    assert message["facts"] == {"asking": 3, "how": "waiting"}


def test_one_who_searches_every_day_is_not_many(db: Database) -> None:
    """His mark is another each day, so days do not add up."""
    for day in range(6):
        on = TODAY + timedelta(days=day)
        with db.transaction() as session:
            for asker in ("a", "b"):
                commands.note_search(session, "course", ["randzeiten"], f"{asker}{day}", on)
        assert told(db, on) == []
    with db.transaction() as session:
        commands.note_search(session, "course", ["randzeiten"], "c5", on)
    assert told(db, on) == [("observed", 3, 1)]


def test_old_marks_are_forgotten_and_what_was_told_keeps_its_version(db: Database) -> None:
    later = TODAY + timedelta(days=8)
    asked(db, 5, TODAY)
    told(db, TODAY)
    with db.transaction() as session:
        commands.note_offer(session, "course", NeedKind.REFUSED, "silent", "r", TODAY)
        commands.forget(session, RULES, later)
        assert session.exec(select(func.count(col(NeedMark.who)))).one() == 0
        assert session.exec(select(Need.offer_id)).all() == ["o"]
    told(db, later)
    asked(db, 3, later)
    assert told(db, later)[-1] == ("observed", 3, 3)
