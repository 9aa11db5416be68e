"""Posting to an address that somebody else gave us: an attempt enters, what it came to leaves. Bounded in time and in what is read."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

import httpx2

from services.notify.targets import Refused, Target, resolve

TIMEOUT_SECONDS = 15.0
MAX_ANSWER_BYTES = 4096
GONE = 410
MOST_HOSTS = 500


class Result(NamedTuple):
    """What an attempt came to: the answer's status if there was one, and what went wrong."""

    status: int | None
    detail: str

    @property
    def taken(self) -> bool:
        """Whether the endpoint has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the endpoint wants nothing more."""
        return self.status == GONE


@dataclass(frozen=True)
class Attempt:
    """A body for one URL, with its headers."""

    url: str
    body: bytes
    headers: dict[str, str]


class Poster:
    """Posts side by side over kept connections. `anywhere` allows addresses that are not public, and http."""

    def __init__(self, *, anywhere: bool) -> None:
        self._anywhere = anywhere
        # One for each host: connections are kept by address, and a certificate is checked for one name only.
        self._clients: OrderedDict[str, httpx2.AsyncClient] = OrderedDict()

    async def post(self, attempt: Attempt) -> Result:
        """One attempt; never raises but when cancelled."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._post(attempt, await resolve(attempt.url, anywhere=self._anywhere))
        except Refused as refused:
            return Result(None, f"the address {refused}")
        except TimeoutError:
            return Result(None, f"no answer within {TIMEOUT_SECONDS:.0f} s")
        except Exception as error:  # a name, a URL or an answer that some library cannot take
            return Result(None, plain(f"{type(error).__name__}: {error}"))

    async def _post(self, attempt: Attempt, target: Target) -> Result:
        url = httpx2.URL(attempt.url).copy_with(host=target.address)
        headers = {**attempt.headers, "Host": _host(attempt.url)}
        # The certificate must be the name's, though the connection goes to an address.
        extensions = {"sni_hostname": target.host}
        client = await self._of(target.host)
        request = client.build_request(
            "POST", url, content=attempt.body, headers=headers, extensions=extensions
        )
        answer = await client.send(request, stream=True)
        try:
            # Read, whatever it is: a connection whose answer is left unread is not used again.
            said = await _beginning(answer)
        finally:
            await answer.aclose()
        return Result(answer.status_code, "" if 200 <= answer.status_code < 300 else said)

    async def close(self) -> None:
        """End all connections."""
        for client in self._clients.values():
            await client.aclose()

    async def _of(self, host: str) -> httpx2.AsyncClient:
        if host not in self._clients:
            limits = httpx2.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=30)
            # No proxy from the environment: it would look the name up again.
            self._clients[host] = httpx2.AsyncClient(
                timeout=TIMEOUT_SECONDS, limits=limits, follow_redirects=False, trust_env=False
            )
        self._clients.move_to_end(host)
        if len(self._clients) > MOST_HOSTS:
            _, oldest = self._clients.popitem(last=False)
            await oldest.aclose()
        return self._clients[host]


def _host(url: str) -> str:
    return httpx2.URL(url).netloc.decode("ascii")


async def _beginning(answer: httpx2.Response) -> str:
    content = b""
    async for chunk in answer.aiter_raw():
        content += chunk
        if len(content) >= MAX_ANSWER_BYTES:
            break
    return plain(content[:MAX_ANSWER_BYTES].decode(errors="replace"))


def plain(text: str) -> str:
    """A line that any database and page can hold: no control characters, at most 200 characters."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())[:200]
