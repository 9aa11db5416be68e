"""The app factory: FastAPI with health, readiness, metrics, problems, limits and docs around a running service.

A service's `app.py` lists what the service is made of and hands it to `create_app`. The app answers from the first
moment; what it depends on may come later and may come and go.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from hmac import compare_digest
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import Scope

from libs.contracts import schemas
from libs.contracts.catalogue import INTERNAL, of_service
from libs.contracts.topology import STREAMS, Listener
from libs.httpkit import openapi, problems
from libs.httpkit.auth import Verifier
from libs.httpkit.headers import AnswerHeaders
from libs.httpkit.idempotency import Replayed
from libs.httpkit.rate_limit import RateLimitMiddleware, is_local
from libs.httpkit.words import Words, catalogue
from libs.servicekit import disk, kept, newer, telemetry
from libs.servicekit.broker import Bus
from libs.servicekit.db import Database
from libs.servicekit.errors import NotFound, Unauthenticated, Unavailable
from libs.servicekit.kit import Job, Kit
from libs.servicekit.outbox import Publisher
from libs.servicekit.periodic import periodic
from libs.servicekit.principal import Principal
from libs.servicekit.runtime import Parts, running
from libs.servicekit.settings import Settings
from libs.servicekit.subscriptions import Subscription

SWAGGER_ASSETS = Path("node_modules/swagger-ui-dist")
CLEAN_EVERY_SECONDS = 3600.0
UNTRACED = ("/health", "/metrics", "/docs", "/assets")

EnrichPrincipal = Callable[[Kit, Principal], Principal]
Check = Callable[[], Awaitable[str | None]]


class Health(BaseModel):
    """A service's answer about itself; `warnings` are for operators and keep nobody from using it."""

    status: str
    service: str
    warnings: list[str] = []


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
    settings: Settings | None = None,
) -> FastAPI:
    """Assemble a service. `migrations` gives it a database and an outbox; `subscriptions` need the database, `listeners`
    are those it handles in a way of its own; `preparations` end before the service is ready, `jobs` go on; `checks` name
    what is missing, or None; `closers` are called at its end; `enrich_principal` adds to a caller what the service knows of them.
    """
    settings = settings or Settings.load(service)
    telemetry.setup(settings)
    kit = Kit(settings, Bus(settings))
    kit.preparing = {job.__name__ for job in preparations}
    if migrations:
        schemas_at = f"{settings.public_url}/v1/events"
        publisher = Publisher(service, settings.town["event_prefix"], schemas_at, settings.portal)
        kit.db, kit.migrated = Database(settings.database_url, publisher), False
        jobs = [*jobs, periodic(f"{service}.clean", _clean, every=CLEAN_EVERY_SECONDS)]
    parts = Parts(migrations, subscriptions, preparations, jobs, closers)
    app = FastAPI(
        title=title,
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=lambda _app: running(kit, parts),
        telemetry={"operation_spans": False, "logs": False, "exclude": _untraced},
        responses=openapi.RESPONSES,
        generate_unique_id_function=openapi.operation_id,
    )
    app.state.kit, app.state.verifier = kit, Verifier(settings)
    app.state.enrich_principal = enrich_principal or _as_the_token_says
    words = Words(settings)
    problems.install(app, words)
    openapi.install(app, settings)
    app.add_exception_handler(Replayed, _replayed)
    _add_middleware(app, settings, costs or {})
    app.include_router(_operations(kit, [*listeners, *(each.listener for each in subscriptions)], checks))
    app.include_router(_event_reference(service))
    app.include_router(catalogue(words))
    for router in routers:
        app.include_router(router)
    _serve_docs(app)
    return app


def _clean(kit: Kit) -> Iterator[None]:
    kept.clean(kit.database)
    yield


def _as_the_token_says(_kit: Kit, caller: Principal) -> Principal:
    return caller


def _operations(kit: Kit, listeners: Sequence[Listener], checks: Sequence[Check]) -> APIRouter:
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
        missing = await kit.bus.missing(STREAMS if kit.db or listeners else [], listeners)
        missing += [name for check in checks if (name := await check())]
        if await kit.missing_database():
            missing.append("database")
        if full := disk.shortage(kit.settings.home):
            missing.append(full)
        missing += sorted(name.replace("_", " ") for name in kit.preparing)
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


def _warnings(kit: Kit) -> list[str]:
    things = newer.noted(kit.db) if kit.db else 0
    return [f"the bus knows newer versions of {things} things: ./coburg audit"] if things else []


def _event_reference(service: str) -> APIRouter:
    router = APIRouter(prefix="/v1/events", tags=["events"])
    types = of_service(service)

    @router.get("")
    def list_event_types() -> list[str]:
        """The event types this service publishes."""
        return list(types)

    @router.get("/{name}", response_model=None)
    def get_event_schema(name: str) -> dict[str, object]:
        """The JSON Schema of one event type: an event's `dataschema`."""
        known = types | INTERNAL  # what it asks of other services has its schema here too
        if name not in known:
            raise NotFound("event type")
        return schemas.schema(known[name])

    return router


def _untraced(scope: Scope) -> bool:
    return str(scope.get("path", "")).startswith(UNTRACED)


async def _replayed(_request: Request, replay: Exception) -> Response:
    assert isinstance(replay, Replayed)  # noqa: S101 - registered for this type
    return replay.response


def _add_middleware(app: FastAPI, settings: Settings, costs: Mapping[str, int]) -> None:
    # The last one added is the outermost.
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=settings.max_body_bytes)
    app.add_middleware(problems.BodyLimit)
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


def _serve_docs(app: FastAPI) -> None:
    """/docs from our own host: no page contacts a public CDN."""
    if not SWAGGER_ASSETS.is_dir():
        return
    app.mount("/assets/swagger-ui", StaticFiles(directory=SWAGGER_ASSETS), name="swagger-ui")

    @app.get("/docs", include_in_schema=False)
    def docs() -> Response:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=app.title,
            swagger_js_url="/assets/swagger-ui/swagger-ui-bundle.js",
            swagger_css_url="/assets/swagger-ui/swagger-ui.css",
            swagger_favicon_url="/assets/swagger-ui/favicon-32x32.png",
        )
