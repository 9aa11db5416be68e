"""Server-Sent Events (WHATWG HTML): facts of a question enter, the lines of an open connection leave.

`id` is the fact's place in the stream, so that a reader who comes back goes on where it stopped. A quiet connection
says now and then up to where there was nothing for it.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from libs.cardquery.matching import Asked
from services.notify.feeds.tail import Entry, Tail

HEARTBEAT_SECONDS = 15.0
RETRY_MS = 3000


async def lines(tail: Tail, after: int, asked: Asked | None) -> AsyncIterator[bytes]:
    """The bytes of one connection, from behind a place on."""
    yield f"retry: {RETRY_MS}\n\n".encode()
    passed = after
    async with aclosing(_beating(tail.follow(after))) as entries:
        async for entry in entries:
            if entry is None:
                yield f"id: {passed}\n: still here\n\n".encode()
                continue
            passed = entry.sequence
            if _answers(entry, asked):
                yield event(entry)


def event(entry: Entry) -> bytes:
    """One fact: its place, its type, and the CloudEvent as it lies on the bus."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (entry.sequence, entry.type.encode(), entry.body)


def _answers(entry: Entry, asked: Asked | None) -> bool:
    return asked is None or (entry.subject is not None and entry.subject.answers(asked))


async def _beating(entries: AsyncIterator[Entry]) -> AsyncGenerator[Entry | None]:
    """The entries, and None whenever there was none for a while."""
    coming = asyncio.ensure_future(anext(entries))
    try:
        while True:
            done, _ = await asyncio.wait([coming], timeout=HEARTBEAT_SECONDS)
            if not done:
                yield None
                continue
            yield coming.result()
            coming = asyncio.ensure_future(anext(entries))
    finally:
        coming.cancel()
