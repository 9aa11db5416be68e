"""What the broker holds, read without a durable: nothing here changes what services see."""

from dataclasses import dataclass

import nats
from nats.js import JetStreamContext, api

from libs.contracts.event import Envelope, Fact

BATCH = 500


@dataclass(frozen=True)
class Stored:
    """An event in a stream."""

    subject: str
    event: Envelope[Fact]

    @property
    def thing(self) -> str:
        """What it is about, as STATE names it."""
        _, service, aggregate, *_, thing_id = self.subject.split(".")
        return f"{service}.{aggregate}.{thing_id}"


async def stored(url: str, stream: str) -> list[Stored]:
    """All events of a stream, oldest first."""
    connection = await nats.connect(url)
    try:
        return await _read(connection.jetstream(), stream)
    finally:
        await connection.close()


async def _read(js: JetStreamContext, stream: str) -> list[Stored]:
    count = (await js.stream_info(stream)).state.messages
    config = api.ConsumerConfig(ack_policy=api.AckPolicy.NONE)
    reader = await js.pull_subscribe(">", stream=stream, config=config)
    found: list[Stored] = []
    while len(found) < count:
        for message in await reader.fetch(BATCH, timeout=5):
            found.append(Stored(message.subject, Envelope[Fact].model_validate_json(message.data)))
    return found


async def state(url: str, stream: str) -> api.StreamState:
    """A stream's figures."""
    connection = await nats.connect(url)
    try:
        return (await connection.jetstream().stream_info(stream)).state
    finally:
        await connection.close()
