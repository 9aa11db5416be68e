"""Reading a stream's headers: everything once, oldest first, without bodies; nothing is left behind."""

from datetime import UTC, datetime

import pytest
from nats.js import JetStreamContext

from libs.bus import reading as headers
from libs.bus.reading import MESSAGE_ID, VERSION_HEADER, Held, held

pytestmark = pytest.mark.anyio
SUBJECT = "city.offers.provider.changed.v1"


async def publish(js: JetStreamContext, thing: str, **more: str) -> None:
    """A fact about a thing; its body is of no interest."""
    await js.publish(f"{SUBJECT}.{thing}", b"a body", headers={MESSAGE_ID: thing, **more})


async def read(js: JetStreamContext, since: datetime | None = None) -> list[list[Held]]:
    """All batches."""
    there = held(js, "CITY", "city.offers.>", reader="headers-test", since=since, rest=0)
    return [batch async for batch in there]


async def test_everything_is_read_once_oldest_first(
    js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headers, "BATCH", 10)
    for number in range(25):
        await publish(js, f"t{number}", **{VERSION_HEADER: str(number)})
    await js.publish("city.search.result.rated.v1.r", b"", headers={MESSAGE_ID: "of another service"})
    batches = await read(js)
    seen = [one for batch in batches for one in batch]
    assert max(len(batch) for batch in batches) <= 10
    assert seen == [Held(f"{SUBJECT}.t{number}", f"t{number}", number) for number in range(25)]


async def test_an_empty_stream_has_no_batches(js: JetStreamContext) -> None:
    assert await read(js) == []


async def test_what_was_published_again_keeps_its_id_and_what_notes_no_version_has_none(
    js: JetStreamContext,
) -> None:
    await publish(js, "a", **{MESSAGE_ID: "0195:2"})
    await publish(js, "b", **{VERSION_HEADER: "newest"})
    await js.publish(f"{SUBJECT}.c", b"")
    assert [(one.event_id, one.version) for batch in await read(js) for one in batch] == [
        ("0195", None),
        ("b", None),
        ("", None),
    ]


async def test_it_can_begin_at_an_instant(js: JetStreamContext) -> None:
    await publish(js, "before")
    since = datetime.now(UTC)
    await publish(js, "after")
    assert [one.event_id for batch in await read(js, since) for one in batch] == ["after"]


async def test_a_reader_leaves_nothing_behind_and_takes_the_place_of_one_that_died(
    js: JetStreamContext,
) -> None:
    await publish(js, "a")
    before = {consumer.name for consumer in await js.consumers_info("CITY")}
    dead = headers._config("headers-test", "city.search.>", None)
    await js.add_consumer("CITY", dead)
    assert [one.event_id for batch in await read(js) for one in batch] == ["a"]
    assert {consumer.name for consumer in await js.consumers_info("CITY")} == before
