"""Server-Sent Events (WHATWG HTML): facts of a question enter, the lines of an open connection leave.

`id` is the fact's place in the stream, so that a reader who comes back goes on where it stopped. A connection on which
nothing was written for a while says up to where there was nothing for it.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from services.notify.feeds.ring import Entry, Question
from services.notify.feeds.tail import Tail

HEARTBEAT_SECONDS = 15.0
RETRY_MS = 3000
LINE_BREAK = re.compile(rb"\r\n|\r|\n")


async def lines(
    tail: Tail, after: int | None, question: Question | None, beat: float = HEARTBEAT_SECONDS
) -> AsyncIterator[bytes]:
    """The bytes of one connection, from behind a place on, or from now on."""
    yield f"retry: {RETRY_MS}\n\n".encode()
    clock, passed = asyncio.get_running_loop().time, after
    written = clock()
    async with aclosing(_beating(tail.follow(after), beat)) as entries:
        async for entry in entries:
            passed = entry.sequence if entry else passed
            if entry and (question is None or entry.answers(question)):
                yield event(entry)
            elif clock() - written >= beat:
                yield still_here(passed)
            else:
                continue
            written = clock()


def event(entry: Entry) -> bytes:
    """One fact: its place, its type, and the CloudEvent as it lies on the bus, line by line."""
    data = b"".join(b"data: %s\n" % line for line in LINE_BREAK.split(entry.body))
    return b"id: %d\nevent: %s\n%s\n" % (entry.sequence, entry.type.encode(), data)


def still_here(passed: int | None) -> bytes:
    """A sign of life, and the place up to which there was nothing."""
    place = "" if passed is None else f"id: {passed}\n"
    return f"{place}: still here\n\n".encode()


async def _beating(entries: AsyncIterator[Entry], beat: float) -> AsyncGenerator[Entry | None]:
    """The entries, and None whenever there was none for a while."""
    coming = asyncio.ensure_future(anext(entries))
    try:
        while True:
            done, _ = await asyncio.wait([coming], timeout=beat)
            if not done:
                yield None
                continue
            yield coming.result()
            coming = asyncio.ensure_future(anext(entries))
    finally:
        coming.cancel()
