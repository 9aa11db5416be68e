"""Replaying STATE on a real server: the newest fact of each thing once, whole, and nothing unreadable."""

import pytest
from nats.js import JetStreamContext

from libs.bus import sequences, state
from libs.contracts.event import Envelope
from libs.contracts.offers import ProviderChanged
from tests.servicekit.test_subscriptions import body, publish

pytestmark = pytest.mark.anyio
SUBJECT = "state.offers.provider.*"


async def replayed(js: JetStreamContext) -> list[Envelope[ProviderChanged]]:
    return [event async for batch in state.replay(js, SUBJECT) for event in batch]


async def test_the_newest_of_each_thing_is_replayed_whole_and_once(js: JetStreamContext) -> None:
    for number, thing in enumerate(("a", "b", "a", "a")):
        await publish(js, thing, event_id=str(number))
    await publish(js, "bad", b"{")
    events = await replayed(js)
    assert sorted(event.subject for event in events) == ["a", "b"]
    assert {type(event.data) for event in events} == {ProviderChanged}


async def test_an_empty_state_is_replayed_at_once(js: JetStreamContext) -> None:
    assert await replayed(js) == []


async def test_a_state_that_does_not_follow_is_said(
    js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequences, "LOOKS", sequences.SURE_LOOKS + 5)
    await js.delete_stream("STATE")
    await publish(js, "a")
    await js.add_stream(name="STATE", subjects=["state.>"])
    with pytest.raises(TimeoutError):
        await replayed(js)


async def test_event_of_reads_whole_only_what_is_wanted() -> None:
    assert isinstance(state.event_of(body("a")).data, ProviderChanged)
    assert not isinstance(state.event_of(body("a"), ()).data, ProviderChanged)
