"""Which facts a stream lost: of each thing the first one, the newest looked for before the rest."""

import pytest
from nats.js import JetStreamContext

from libs.contracts.offers import ProviderChanged
from libs.publishing import lost
from libs.publishing.lost import Lost, Marks
from libs.publishing.relay import Relay
from libs.servicekit import outbox
from libs.servicekit.db import Database, now
from libs.servicekit.lease import Lease
from libs.servicekit.outbox import Entry

pytestmark = pytest.mark.anyio


async def told(db: Database, js: JetStreamContext, facts: list[tuple[str, int]]) -> None:
    """Facts, things with versions, one after the other on the bus."""
    with db.transaction() as session:
        outbox.add_all(session, [Entry(ProviderChanged(title={"de": "x"}), *fact) for fact in facts])
    await Relay(db, js, "offers").drain()


async def found(db: Database, js: JetStreamContext) -> dict[str, int]:
    """Things of which something is lost, with the place of the fact in the order told."""
    search = Lost(db, js, "CITY", "city.offers.>", "lost-test", Lease(db, "lost-test"))
    return await search.find(now(), rest=0)


async def lose(js: JetStreamContext, sequence: int) -> None:
    """As if it had never been on the bus."""
    assert await js.delete_msg("CITY", sequence)


async def test_of_each_thing_the_first_lost_fact_is_found(db: Database, js: JetStreamContext) -> None:
    assert await found(db, js) == {}, "nothing was told yet"
    await told(db, js, [("a", 1), ("b", 1), ("a", 2), ("c", 1), ("a", 3)])
    assert await found(db, js) == {}
    for sequence in (2, 3, 5):
        await lose(js, sequence)
    assert await found(db, js) == {"provider.b": 2, "provider.a": 3}


async def test_a_loss_before_the_newest_is_seen_once_one_of_those_is_lost(
    sqlite: Database, js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost, "TAIL", 2)
    await told(sqlite, js, [("a", 1)])
    await told(sqlite, js, [("b", 1), ("c", 1), ("d", 1)])
    await lose(js, 1)
    assert await found(sqlite, js) == {}, "a broker loses its end, so only that is looked at"
    await lose(js, 4)
    assert await found(sqlite, js) == {"provider.a": 1, "provider.d": 4}


async def test_facts_of_other_services_are_no_concern(sqlite: Database, js: JetStreamContext) -> None:
    await js.publish("city.search.result.rated.v1.r", b"")
    await told(sqlite, js, [("a", 1)])
    await lose(js, 1)
    assert await found(sqlite, js) == {}


def test_marks_take_a_bit_each() -> None:
    marks = Marks()
    for number in (0, 7, 8, 1_000_000):
        marks.add(number)
    assert [number in marks for number in (0, 1, 7, 8, 9, 999_999, 1_000_000, 9_000_000)] == [
        True, False, True, True, False, False, True, False,
    ]  # fmt: skip
