"""How many streams are open: each one is counted from its first to its last byte."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from prometheus_client import Gauge

OPEN = Gauge("notify_open_streams", "Connections that follow the stream")


class Streams:
    """At most `most` at once."""

    def __init__(self, most: int) -> None:
        self._most, self._open = most, 0

    @property
    def full(self) -> bool:
        """Whether there is no room for another one."""
        return self._open >= self._most

    async def counted(self, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same content, counted while somebody reads it."""
        self._open += 1
        OPEN.set(self._open)
        try:
            async with aclosing(content) as chunks:  # type: ignore[type-var]
                async for chunk in chunks:
                    yield chunk
        finally:
            self._open -= 1
            OPEN.set(self._open)
