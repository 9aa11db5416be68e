"""How many streams are open: each one is counted from its first to its last byte, for all and for its client."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing

from prometheus_client import Gauge

OPEN = Gauge("notify_open_streams", "Connections that follow the stream")
# This part of the room is for clients that have no stream yet.
RESERVED = 0.1


class Streams:
    """At most `most` at once, and `each` of one client."""

    def __init__(self, most: int, each: int) -> None:
        self._most, self._each = most, each
        self._of = Counter[str]()

    def full(self, client: str) -> bool:
        """Whether there is no room for another one of a client."""
        mine, room = self._of[client], self._most - self._of.total()
        return mine >= self._each or room <= (self._most * RESERVED if mine else 0)

    async def counted(self, client: str, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same content, counted while somebody reads it."""
        self._of[client] += 1
        OPEN.set(self._of.total())
        try:
            async with aclosing(content) as chunks:  # type: ignore[type-var]
                async for chunk in chunks:
                    yield chunk
        finally:
            self._of[client] -= 1
            self._of += Counter()  # forgets who has none
            OPEN.set(self._of.total())
