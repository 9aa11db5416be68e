"""How often one client may do something; beyond, 429 as a problem that says when to come back.

Each process counts for itself, in memory.
"""

import math
import time
from collections.abc import Mapping
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from fastapi import Depends, Request
from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from libs.httpkit import problems
from libs.httpkit.auth import Anyone
from libs.servicekit.errors import TooMany

NETWORK_BITS = 64


class Pace:
    """So often for each key, in the notation of `limits`, such as `60/minute`; an empty limit is none."""

    def __init__(self, limit: str) -> None:
        self._limit = parse(limit) if limit else None
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def hit(self, *key: str, cost: int = 1) -> None:
        """Count once more, or as often as it costs; raises TooMany beyond the limit."""
        if self._limit is None:
            return
        if await self._limiter.hit(self._limit, *key, cost=min(cost, self._limit.amount)):
            return
        again = (await self._limiter.get_window_stats(self._limit, *key)).reset_time
        wait = max(1, math.ceil(again - time.time()))
        raise TooMany(f"At most {self._limit}.", retry_after=wait, limit=self._limit)


def client_of(connection: HTTPConnection) -> str:
    """The address that a request comes from; of IPv6 its network, whose addresses are all one client's."""
    host = connection.client.host if connection.client else "unknown"
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(IPv6Network((int(address), NETWORK_BITS), strict=False))
    return host


def paced(limit: str = "60/minute", *named: str) -> Any:
    """A dependency: who has no account does this so often, counted for each thing that the path's `named` parameters
    name. Off where the service's own `rate_limit` is off."""
    pace = Pace(limit)

    async def check(request: Request, caller: Anyone) -> None:
        if caller is None and request.app.state.kit.settings.rate_limit:
            await pace.hit(client_of(request), *(request.path_params[name] for name in named))

    return Depends(check)


def is_local(connection: HTTPConnection) -> bool:
    """Whether a request comes from this machine itself, and not through a proxy on it."""
    if any(name in connection.headers for name in ("X-Forwarded-For", "Forwarded", "Via")):
        return False
    try:
        return ip_address(connection.client.host if connection.client else "").is_loopback
    except ValueError:
        return True  # a socket in the file system


class RateLimit:
    """So many requests per client; 429 with a problem beyond. Under some paths one counts for many, see `costs`; whether
    the process lives, and its figures, cost nothing."""

    def __init__(self, app: ASGIApp, limit: str, costs: Mapping[str, int]) -> None:
        self._app, self._pace, self._costs = app, Pace(limit), costs

    def _cost(self, path: str) -> int:
        return max((cost for start, cost in self._costs.items() if path.startswith(start)), default=1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and scope["path"] not in ("/health/live", "/metrics"):
            try:
                await self._pace.hit(client_of(HTTPConnection(scope)), cost=self._cost(scope["path"]))
            except TooMany as limited:
                return await problems.answer(Request(scope), limited)(scope, receive, send)
        return await self._app(scope, receive, send)
