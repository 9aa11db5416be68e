"""The app factory: FastAPI with health, readiness, metrics, problems, limits and docs around a running service.

A service's `app.py` lists what the service is made of and hands it to `create_app`. The app answers from the first
moment; what it depends on may come later and may come and go.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import Response
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import Scope

from libs.bus.connection import Bus
from libs.contracts.topology import Listener
from libs.httpkit import docs, problem_handlers
from libs.httpkit.auth import Verifier
from libs.httpkit.headers import AnswerHeaders
from libs.httpkit.idempotency import Replayed
from libs.httpkit.operations import Check, operations
from libs.httpkit.problems import MEDIA_TYPE, ProblemDetails
from libs.httpkit.rate_limit import RateLimitMiddleware
from libs.httpkit.words import Words, catalogue
from libs.openapi import document
from libs.publishing import jobs as publishing
from libs.servicekit import retention
from libs.servicekit.db import Database
from libs.servicekit.kit import Job, Kit
from libs.servicekit.outbox import Publisher
from libs.servicekit.periodic import periodic
from libs.servicekit.principal import Principal
from libs.servicekit.runtime import Parts, running
from libs.servicekit.settings import Settings
from libs.servicekit.subscriptions import Subscription
from libs.telemetry.setup import setup

CLEAN_EVERY_SECONDS = 3600.0
UNTRACED = ("/health", "/metrics", "/docs", "/assets")

EnrichPrincipal = Callable[[Kit, Principal], Principal]


def create_app(
    service: str,
    *,
    title: str,
    routers: Sequence[APIRouter],
    migrations: Path | None = None,
    subscriptions: Sequence[Subscription] = (),
    listeners: Sequence[Listener] = (),
    preparations: Sequence[Job] = (),
    jobs: Sequence[Job] = (),
    checks: Sequence[Check] = (),
    closers: Sequence[Callable[[], Awaitable[None]]] = (),
    enrich_principal: EnrichPrincipal | None = None,
    costs: Mapping[str, int] | None = None,
    bus: bool = True,
    settings: Settings | None = None,
) -> FastAPI:
    """Assemble a service. `migrations` gives it a database and an outbox; `bus=False` is one that neither listens nor
    publishes. `subscriptions` need both, `listeners` are those it handles in a way of its own; `preparations` end before the service is ready, `jobs` go on; `checks` name
    what is missing, or None; `closers` are called at its end; `enrich_principal` adds to a caller what the service knows of them.
    """
    settings = settings or Settings.load(service)
    setup(service, settings.traces, settings.log_format)
    kit = Kit(settings, Bus(settings.nats_url, service) if bus else None)
    kit.preparing = {job.__name__ for job in preparations}
    if migrations:
        _add_database(kit)
        own = [periodic(f"{service}.clean", _clean, every=CLEAN_EVERY_SECONDS)]
        jobs = [*jobs, *own, *(publishing.jobs() if bus else ())]
    parts = Parts(migrations, subscriptions, preparations, jobs, closers)
    app = FastAPI(
        title=title,
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=lambda _app: running(kit, parts),
        telemetry={"operation_spans": False, "logs": False, "exclude": _untraced},
        responses=document.RESPONSES,
        generate_unique_id_function=document.operation_id,
    )
    app.state.kit, app.state.verifier = kit, Verifier(settings)
    app.state.enrich_principal = enrich_principal or _as_the_token_says
    words = Words(settings)
    problem_handlers.install(app, words)
    document.install(app, _about(settings))
    app.add_exception_handler(Replayed, _replayed)
    _add_middleware(app, settings, costs or {})
    listeners = [*listeners, *(each.listener for each in subscriptions)]
    for router in [
        operations(kit, listeners, checks),
        docs.event_reference(service),
        catalogue(words),
        *routers,
    ]:
        app.include_router(router)
    docs.serve_docs(app)
    return app


def _add_database(kit: Kit) -> None:
    settings = kit.settings
    schemas_at = f"{settings.public_url}/v1/events"
    publisher = Publisher(settings.service, settings.town["event_prefix"], schemas_at, settings.portal)
    kit.db, kit.migrated = Database(settings.database_url, publisher if kit.connection else None), False


def _about(settings: Settings) -> document.About:
    return document.About(settings.public_url, ProblemDetails, MEDIA_TYPE, settings.town.get("contact"))


def _clean(kit: Kit) -> Iterator[None]:
    retention.clean(kit.database)
    yield


def _as_the_token_says(_kit: Kit, caller: Principal) -> Principal:
    return caller


def _untraced(scope: Scope) -> bool:
    return str(scope.get("path", "")).startswith(UNTRACED)


async def _replayed(_request: Request, replay: Exception) -> Response:
    assert isinstance(replay, Replayed)  # noqa: S101 - registered for this type
    return replay.response


def _add_middleware(app: FastAPI, settings: Settings, costs: Mapping[str, int]) -> None:
    # The last one added is the outermost.
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=settings.max_body_bytes)
    app.add_middleware(problem_handlers.BodyLimit)
    if settings.rate_limit:
        app.add_middleware(RateLimitMiddleware, limit=settings.rate_limit, costs=costs)
    app.add_middleware(AnswerHeaders)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=[origin.strip() for origin in settings.cors_origins.split(",")],
            allow_methods=["*"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "If-Match",
                "If-None-Match",
                "Idempotency-Key",
                "Link-Token",
                "Recipient-Token",
                "traceparent",
            ],
            expose_headers=["ETag", "Location", "Retry-After"],
        )
