"""What operators ask of a service: whether it lives, whether it is ready and what is missing, and its figures."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from hmac import compare_digest

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from libs.contracts.topology import STREAMS, Listener
from libs.httpkit.rate_limit import is_local
from libs.publishing import ahead
from libs.servicekit import disk
from libs.servicekit.errors import Unauthenticated, Unavailable
from libs.servicekit.kit import Kit

Check = Callable[[], Awaitable[str | None]]


class Health(BaseModel):
    """A service's answer about itself; `warnings` are for operators and keep nobody from using it."""

    status: str
    service: str
    warnings: list[str] = []


def operations(kit: Kit, listeners: Sequence[Listener], checks: Sequence[Check]) -> APIRouter:
    """The routes; readiness asks for all streams and for these listeners' durables."""
    router = APIRouter(tags=["operations"])
    status = Health(status="ok", service=kit.settings.service)

    @router.get("/health/live")
    async def check_live() -> Health:
        """The process answers."""
        return status

    @router.get("/health/ready")
    async def check_ready() -> Health:
        """Everything the service needs is there; 503 names what is not."""
        if kit.failure:
            raise Unavailable(f"start ({kit.failure})")
        missing = [name async for name in _missing(kit, listeners, checks)]
        if missing:
            raise Unavailable(", ".join(missing))
        return status.model_copy(update={"warnings": await asyncio.to_thread(_warnings, kit)})

    @router.get("/metrics", response_class=Response)
    def get_metrics(request: Request) -> Response:
        """Figures for Prometheus: for this machine, and for whoever shows COBURG_METRICS_TOKEN."""
        token = kit.settings.metrics_token
        shown = request.headers.get("Authorization", "").encode()
        if not is_local(request) and not (token and compare_digest(shown, f"Bearer {token}".encode())):
            raise Unauthenticated("Figures are for this machine, or need the token set for them.")
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


async def _missing(kit: Kit, listeners: Sequence[Listener], checks: Sequence[Check]) -> AsyncIterator[str]:
    if kit.connection:
        for name in await kit.connection.missing(STREAMS if kit.db or listeners else [], listeners):
            yield name
    for check in checks:
        if absent := await check():
            yield absent
    if await kit.missing_database():
        yield "database"
    if full := disk.shortage(kit.settings.home):
        yield full
    for name in sorted(kit.preparing):
        yield name.replace("_", " ")


def _warnings(kit: Kit) -> list[str]:
    things = ahead.noted(kit.db) if kit.db else 0
    return [f"the bus knows newer versions of {things} things: ./coburg audit"] if things else []
