"""What notify adds on the way to many: open streams against plain subscribers of the broker, webhooks against bare posts."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import httpx2
import nats
from uuid_utils import uuid7

from benchmarks.report import Row, latency, rate
from benchmarks.stack import sample_fact
from libs.contracts.event import envelope
from tests.notify.endpoint import listening
from tests.stack import Stack

# So many as one process serves besides its other work, and twice as many, which a town may have on a busy day.
STREAMS = (1000, 2000)
FACTS = 60
DELIVERIES = 10_000  # a second, however many readers there are
HOOK_FACTS = 400
SUBJECT = "city.offers.offer.published.v1"


def run(folder: Path) -> list[Row]:
    """Measure both on a stack of our own."""
    with Stack(folder, COBURG_RATE_LIMIT="", COBURG_NOTIFY_STREAMS_EACH="100000") as stack:
        stack.start("nats", "mailbox").provision()
        stack.launch("notify")
        streams = [asyncio.run(_streams(stack, count)) for count in STREAMS]
        return [*streams, asyncio.run(_hooks(stack))]


def _event() -> tuple[str, str, bytes]:
    thing, event_id = str(uuid7()), str(uuid7())
    event = envelope(
        sample_fact(),
        event_id=event_id,
        subject=thing,
        version=1,
        time=datetime.now(UTC),
        prefix="de.coburg",
        schema_base="http://localhost/v1/events",
        traceparent=None,
    )
    return f"{SUBJECT}.{thing}", event_id, event.to_bytes()


async def _streams(stack: Stack, count: int) -> Row:
    """p99 from the publication until a reader has it, with so many readers of either kind."""
    ours = await _spread(stack, count, lambda seen: _sse(stack.url("notify"), seen))
    limit = await _spread(stack, count, lambda seen: _plain(stack.url("nats"), seen))
    return latency(f"stream: fact → {count:,} readers, p99", ours, limit, 2.0, at=0.99)


Seen = Callable[[bytes], None]


async def _spread(stack: Stack, count: int, reader: Callable[[Seen], Awaitable[None]]) -> list[float]:
    published, waits = dict[bytes, float](), list[float]()

    def seen(event_id: bytes) -> None:
        if event_id in published:
            waits.append(time.perf_counter() - published[event_id])

    readers = [asyncio.ensure_future(reader(seen)) for _ in range(count)]
    await asyncio.sleep(5)  # until all of them are connected
    client = await nats.connect(stack.url("nats"))
    js = client.jetstream()
    for _ in range(FACTS):
        subject, event_id, body = _event()
        published[event_id.encode()] = time.perf_counter()
        await js.publish(subject, body, headers={"Nats-Msg-Id": event_id})
        await asyncio.sleep(count / DELIVERIES)
    await asyncio.sleep(3)
    for each in readers:
        each.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    await client.close()
    if len(waits) < count * FACTS * 0.999:
        raise RuntimeError(f"{len(waits)} of {count * FACTS} arrived")
    return waits


def _ids(line: bytes, seen: Seen) -> None:
    at = line.find(b'"id":"')
    if at >= 0:
        seen(line[at + 6 : at + 42])


async def _sse(url: str, seen: Seen) -> None:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=2**20)
    with closing(writer):  # left open, it would go on costing the service what is measured next
        writer.write(f"GET /v1/stream HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        while line := await reader.readline():
            if line.startswith(b"data:"):
                _ids(line, seen)


async def _plain(url: str, seen: Seen) -> None:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=2**20)
    with closing(writer):
        await _subscribed(reader, writer, address, seen)


async def _subscribed(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: SplitResult, seen: Seen
) -> None:
    hello = {"verbose": False, "pedantic": False, "user": address.username, "pass": address.password}
    writer.write(f"CONNECT {json.dumps(hello)}\r\nSUB city.> 1\r\nPING\r\n".encode())
    while line := await reader.readline():
        if line.startswith(b"PING"):
            writer.write(b"PONG\r\n")
        elif line.startswith((b"MSG", b"HMSG")):
            _ids(await reader.readexactly(int(line.split()[-1]) + 2), seen)


async def _hooks(stack: Stack) -> Row:
    """Facts that an endpoint has per second, against posts of the same bodies by a bare client."""
    with listening() as endpoint, listening() as bare:
        headers = stack.headers("partner")
        created = httpx2.post(
            f"{stack.url('notify')}/v1/webhooks", json={"url": endpoint.url}, headers=headers
        )
        created.raise_for_status()
        events = [_event() for _ in range(HOOK_FACTS)]
        client = await nats.connect(stack.url("nats"))
        js = client.jetstream()
        began = time.perf_counter()
        await asyncio.gather(*(js.publish(s, b, headers={"Nats-Msg-Id": i}) for s, i, b in events))
        while len(endpoint.taken) < HOOK_FACTS:
            await asyncio.sleep(0.01)
        ours = HOOK_FACTS / (time.perf_counter() - began)
        await client.close()
        limit = await _posts(bare.url, [body for _, _, body in events])
    return rate("webhooks: fact → endpoint", [ours], [limit], 0.6, "events/s")


async def _posts(url: str, bodies: list[bytes]) -> float:
    turns = asyncio.Semaphore(10)
    async with httpx2.AsyncClient(timeout=30) as client:

        async def post(body: bytes) -> None:
            async with turns:
                await client.post(url, content=body)

        began = time.perf_counter()
        await asyncio.gather(*map(post, bodies))
        return len(bodies) / (time.perf_counter() - began)
