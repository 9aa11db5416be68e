"""HTTP to Meilisearch over kept connections: method, path and body enter, status and body leave.

aiohttp, not Meilisearch's client: a search takes Meilisearch 0.6 ms, the client adds 1.1 ms, aiohttp 0.15 (ADR 52).
Answers are asked for uncompressed: a compressed one comes in two pieces 40 ms apart.
"""

import aiohttp

from services.search.failures import Unavailable

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 30.0
CONNECTIONS = 32


class Wire:
    """Requests to one server, as many at a time as there are callers."""

    def __init__(self, url: str, key: str = "") -> None:
        self._url = url
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._session: aiohttp.ClientSession | None = None

    async def request(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Send and wait for the answer; raises Unavailable."""
        try:
            async with self._open().request(method, f"{self._url}{path}", data=body) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unavailable(f"{self._url}: {error or type(error).__name__}") from error

    def _open(self) -> aiohttp.ClientSession:
        # Made in the loop that uses it, which does not run yet when the service is assembled.
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=CONNECT_SECONDS),
                auto_decompress=False,
            )
        return self._session

    async def close(self) -> None:
        """Drop the kept connections."""
        if self._session is not None:
            await self._session.close()
