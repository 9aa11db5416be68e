"""What a service that publishes does by itself: facts go out as soon as they are committed, and are compared."""

import pytest
from nats.js import JetStreamContext

from libs.publishing import jobs
from libs.publishing.audit import COMPARED
from tests.servicekit.conftest import Probe
from tests.waiting import eventually

pytestmark = pytest.mark.anyio


def test_there_is_a_relay_and_an_audit_for_each_service() -> None:
    assert [job.__name__ for job in jobs.jobs()] == ["relay", "audit"]


async def test_a_fact_goes_out_by_itself_and_is_compared(start: Probe, js: JetStreamContext) -> None:
    COMPARED.set(-1)
    client = start()
    assert client.post("/v1/notes", json={"text": "a"}).status_code == 201

    async def told() -> object:
        return (await js.stream_info("STATE")).state.messages

    assert await eventually(told) == 1

    async def compared() -> bool:
        return bool(COMPARED._value.get() >= 0)

    assert await eventually(compared)
