"""The partners' streams on a broker, made, removed and looked at by the librarian of their account."""

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import nats
from nats.aio.client import Client
from nats.js.api import ConsumerInfo
from nats.js.errors import APIError, NotFoundError

from libs.provision.partners import Partner, stream_configurations

INBOX = "_INBOX.librarian"  # all that this user may listen to
ANSWER_SECONDS = 15.0
# Until there were streams for each partner, all read these two.
SUPERSEDED = ("CITY", "STATE")


@dataclass(frozen=True)
class Reading:
    """How far one consumer of a partner has come; `pending` counts what it has not been sent yet."""

    stream: str
    consumer: str
    pending: int
    unacknowledged: int
    last_active: datetime | None


@asynccontextmanager
async def librarian(url: str) -> AsyncIterator[Client]:
    """A connection to the partners' account; raises nats errors and OSError."""
    client = await nats.connect(
        url, connect_timeout=5, allow_reconnect=False, inbox_prefix=INBOX, error_cb=_quiet
    )
    try:
        yield client
    finally:
        await client.close()


async def _quiet(_error: Exception) -> None:
    """What goes wrong is raised where it was asked for."""


async def make(client: Client, partner: Partner) -> None:
    """Create or update a partner's streams."""
    replicas = int(os.environ.get("COBURG_NATS_REPLICAS", "1"))
    for config in stream_configurations(partner, replicas):
        try:
            await _ask(client, "UPDATE", config["name"], config)
        except NotFoundError:
            await _ask(client, "CREATE", config["name"], config)


async def remove(client: Client, *streams: str) -> None:
    """Delete streams with all their consumers; fine if they are not there."""
    for stream in streams:
        try:
            await _ask(client, "DELETE", stream)
        except NotFoundError:
            continue


async def readings(client: Client, partner: Partner) -> list[Reading]:
    """All consumers of a partner; none where its streams are not there."""
    found = []
    for stream in partner.streams:
        try:
            consumers = await client.jetstream(timeout=ANSWER_SECONDS).consumers_info(stream)
        except NotFoundError:
            continue
        found += [_reading(each) for each in consumers]
    return found


def _reading(info: ConsumerInfo) -> Reading:
    ends = (info.delivered, info.ack_floor)
    moments = [end.last_active for end in ends if end and end.last_active]
    return Reading(
        info.stream_name,
        info.name,
        info.num_pending or 0,
        info.num_ack_pending or 0,
        max(moments, default=None),
    )


async def _ask(client: Client, verb: str, stream: str, config: Mapping[str, Any] | None = None) -> None:
    """A request that the client library has no fields for (`consumer_limits`)."""
    body = json.dumps(config).encode() if config else b""
    answer = await client.request(f"$JS.API.STREAM.{verb}.{stream}", body, timeout=ANSWER_SECONDS)
    if error := json.loads(answer.data).get("error"):
        APIError.from_error(error)  # raises what fits
