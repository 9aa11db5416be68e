"""CITY's sequences: how far STATE has come, the gap that a loss leaves, whose event is the newest."""

import pytest
from nats.js import JetStreamContext

from libs.bus import sequences
from libs.bus.reading import MESSAGE_ID
from libs.contracts.topology import CITY

pytestmark = pytest.mark.anyio
SUBJECT = "city.offers.provider.changed.v1"


async def publish(js: JetStreamContext, count: int) -> None:
    """Facts of as many things."""
    for number in range(count):
        await js.publish(f"{SUBJECT}.t{number}", b"{}", headers={MESSAGE_ID: f"t{number}"})


async def last(js: JetStreamContext) -> int:
    """CITY's newest sequence."""
    return (await js.stream_info(CITY.name)).state.last_seq


async def test_state_is_followed_through_city(js: JetStreamContext) -> None:
    assert await sequences.followed(js) == 0
    assert await sequences.state_follows(js), "there is nothing to follow"
    await publish(js, 400)
    assert await sequences.state_follows(js)
    assert await sequences.followed(js) == 400


async def test_a_gap_is_filled_to_where_state_has_been_with_what_is_known(
    js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequences, "AT_ONCE", 2)
    await publish(js, 5)
    assert await sequences.state_follows(js)
    await anew(js)
    suffixes: list[str] = []

    async def fill(suffix: str) -> object:
        suffixes.append(suffix)
        return await js.publish(f"{SUBJECT}.t0", b"{}", headers={MESSAGE_ID: f"t0:{suffix}"})

    assert await sequences.fill_gap(js, fill) == 5
    assert suffixes == [f"gap-{number}" for number in range(1, 6)]
    assert await last(js) == 5
    assert await sequences.fill_gap(js, fill) == 5
    assert len(suffixes) == 5, "there is no gap any more"


async def anew(js: JetStreamContext) -> None:
    """A CITY that forgot everything, also where it was, while STATE has not."""
    config = (await js.stream_info(CITY.name)).config
    await js.delete_stream(CITY.name)
    await js.add_stream(config)


async def test_the_newest_event_of_a_service_is_known_by_its_id(js: JetStreamContext) -> None:
    assert await sequences.last_of(js, "offers") is None
    await publish(js, 2)
    await js.publish("city.search.result.rated.v1.r", b"", headers={MESSAGE_ID: "rating"})
    assert await sequences.last_of(js, "offers") == "t1"
    await js.publish(f"{SUBJECT}.t0", b"{}", headers={MESSAGE_ID: "t0:gap-4"})
    assert await sequences.last_of(js, "offers") == "t0"
