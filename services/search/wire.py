"""HTTP/1.1 to one server over kept connections: method, path and body enter, status and body leave.

Why not httpx2 or the SDK on top of it: it spends 1 ms of its own on every call, as much as Meilisearch needs for a
whole search (2.3 against 1.3 ms, measured); and it asks for compressed answers, which Meilisearch sends in two
pieces 40 ms apart. One client for everything means one kind of failure to handle.
"""

import asyncio
import ssl
from urllib.parse import urlsplit

import httptools

from libs.servicekit.broker import Transient

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 30.0
KEPT_CONNECTIONS = 32


class Unavailable(Transient):
    """The server cannot be reached or cannot answer now; trying again later may help."""


class _Answer:
    """Collects one response; the parser calls its methods."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.parts: list[bytes] = []
        self.complete = False

    def on_body(self, part: bytes) -> None:
        self.parts.append(part)

    def on_message_complete(self) -> None:
        self.complete = True

    async def read(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        while not self.complete:
            data = await reader.read(1 << 18)
            if not data:
                raise ConnectionResetError("the server closed the connection")
            self.parser.feed_data(data)
        return self.parser.get_status_code(), b"".join(self.parts)


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Wire:
    """Requests to one server, as many at a time as there are callers."""

    def __init__(self, url: str, key: str = "") -> None:
        self._url = urlsplit(url)
        self._idle: list[Connection] = []
        authorization = f"Authorization: Bearer {key}\r\n" if key else ""
        self._head = f"Host: {self._url.netloc}\r\nContent-Type: application/json\r\n{authorization}"

    async def request(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Send and wait for the answer; raises Unavailable. `path` must be clean, it goes out as it is."""
        head = f"{method} {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n"
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._exchange(head.encode("latin-1") + body)
        except (OSError, TimeoutError, httptools.HttpParserError) as error:
            raise Unavailable(f"{self._url.netloc}: {error or type(error).__name__}") from error

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        while self._idle:
            try:
                return await self._send(self._idle.pop(), request)
            except ConnectionError:  # the server may close what was idle, just when we use it
                continue
        return await self._send(await self._connect(), request)

    async def _send(self, connection: Connection, request: bytes) -> tuple[int, bytes]:
        reader, writer = connection
        answer = _Answer()
        try:
            writer.write(request)
            result = await answer.read(reader)
        except BaseException:  # also when cancelled: the rest of the answer must meet nobody else
            writer.close()
            raise
        if answer.parser.should_keep_alive() and len(self._idle) < KEPT_CONNECTIONS:
            self._idle.append(connection)
        else:
            writer.close()
        return result

    async def _connect(self) -> Connection:
        secure = self._url.scheme == "https"
        port = self._url.port or (443 if secure else 80)
        context = ssl.create_default_context() if secure else None
        async with asyncio.timeout(CONNECT_SECONDS):
            return await asyncio.open_connection(self._url.hostname, port, ssl=context)

    def close(self) -> None:
        """Drop the kept connections."""
        while self._idle:
            self._idle.pop()[1].close()
