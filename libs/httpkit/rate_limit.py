"""Rate limits at the edge: who counts as one client, a limit for one operation, and the limit of all requests together."""

from collections.abc import Mapping
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from fastapi import Depends, Request
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from libs.httpkit import problems
from libs.httpkit.auth import Anyone
from libs.servicekit.errors import TooMany
from libs.servicekit.rate_limit import RateLimit

NETWORK_BITS = 64


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


def rate_limited(limit: str = "60/minute", *named: str) -> Any:
    """A dependency: who has no account does this so often, counted for each thing that the path's `named` parameters
    name. Off where the service's own `rate_limit` is off."""
    rate_limit = RateLimit(limit)

    async def check(request: Request, caller: Anyone) -> None:
        settings = request.app.state.kit.settings
        if caller is None and settings.rate_limit:
            # The route may be a library's, and served by several services.
            things = (request.path_params[name] for name in named)
            await rate_limit.hit(settings.service, client_of(request), *things)

    return Depends(check)


def is_local(connection: HTTPConnection) -> bool:
    """Whether a request comes from this machine itself, and not through a proxy on it."""
    if any(name in connection.headers for name in ("X-Forwarded-For", "Forwarded", "Via")):
        return False
    try:
        return ip_address(connection.client.host if connection.client else "").is_loopback
    except ValueError:
        return True  # a socket in the file system


class RateLimitMiddleware:
    """So many requests per client; 429 with a problem beyond. Under some paths one counts for many, see `costs`; whether
    the process lives, and its figures, cost nothing."""

    def __init__(self, app: ASGIApp, limit: str, costs: Mapping[str, int]) -> None:
        self._app, self._rate_limit, self._costs = app, RateLimit(limit), costs

    def _cost(self, path: str) -> int:
        return max((cost for start, cost in self._costs.items() if path.startswith(start)), default=1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and scope["path"] not in ("/health/live", "/metrics"):
            try:
                await self._rate_limit.hit(client_of(HTTPConnection(scope)), cost=self._cost(scope["path"]))
            except TooMany as limited:
                return await problems.answer(Request(scope), limited)(scope, receive, send)
        return await self._app(scope, receive, send)
