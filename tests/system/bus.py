"""What the broker holds, read without a durable: nothing here changes what services see."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import nats
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api

from libs.contracts.event import Envelope, Fact
from libs.contracts.topology import CITY

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


@asynccontextmanager
async def _jetstream(url: str) -> AsyncIterator[JetStreamContext]:
    connection = await nats.connect(url)
    try:
        yield connection.jetstream()
    finally:
        await connection.close()


async def stored(url: str, stream: str) -> list[Stored]:
    """All events of a stream, oldest first."""
    return [
        Stored(message.subject, Envelope[Fact].model_validate_json(message.data))
        for message in await _messages(url, stream)
    ]


async def bodies(url: str, stream: str) -> list[str]:
    """What lies in a stream, be it events or not."""
    return [message.data.decode(errors="replace") for message in await _messages(url, stream)]


async def _messages(url: str, stream: str) -> list[Msg]:
    async with _jetstream(url) as js:
        count = (await js.stream_info(stream)).state.messages
        config = api.ConsumerConfig(ack_policy=api.AckPolicy.NONE)
        reader = await js.pull_subscribe(">", stream=stream, config=config)
        found: list[Msg] = []
        while len(found) < count:
            found += await reader.fetch(BATCH, timeout=5)
        return found


async def state(url: str, stream: str) -> api.StreamState:
    """A stream's figures."""
    async with _jetstream(url) as js:
        return (await js.stream_info(stream)).state


async def delete_consumer(url: str, name: str) -> None:
    """Deletes a durable of CITY."""
    async with _jetstream(url) as js:
        await js.delete_consumer(CITY.name, name)
