"""The app factory: FastAPI with health, readiness, metrics, problems, limits, docs, bus and background jobs.

A service's `app.py` lists what the service is made of and hands it to `create_app`. The app answers from the first
moment; what it depends on may come later and may come and go.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import Scope

from libs.contracts import schemas
from libs.contracts.catalogue import INTERNAL, of_service
from libs.contracts.topology import Listener
from libs.httpkit import problems
from libs.httpkit.auth import Principal, Verifier
from libs.httpkit.edge import Replayed
from libs.httpkit.pace import RateLimit
from libs.servicekit import telemetry
from libs.servicekit.broker import Bus
from libs.servicekit.db import Database
from libs.servicekit.inbox import Ear, attach
from libs.servicekit.outbox import Publisher, Relay
from libs.servicekit.settings import Settings

SWAGGER_ASSETS = Path("node_modules/swagger-ui-dist")
UNTRACED = ("/health", "/metrics", "/docs", "/assets")

log = structlog.get_logger(__name__)
Job = Callable[["Kit"], Awaitable[None]]
Recognise = Callable[["Kit", Principal], Principal]
Check = Callable[[], Awaitable[str | None]]


@dataclass
class Kit:
    """What a service has at hand while it runs; `app.state.kit`."""

    settings: Settings
    bus: Bus
    verifier: Verifier
    db: Database | None = None
    migrated: bool = True
    preparing: set[str] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    recognise: "Recognise" = lambda _kit, caller: caller

    @property
    def database(self) -> Database:
        """The database of a service that has one."""
        if self.db is None:
            raise RuntimeError(f"{self.settings.service} was made without migrations, so it has no database")
        return self.db


class Health(BaseModel):
    """A service's answer about itself."""

    status: str
    service: str


def create_app(
    service: str,
    *,
    title: str,
    routers: Sequence[APIRouter],
    migrations: Path | None = None,
    ears: Sequence[Ear] = (),
    listeners: Sequence[Listener] = (),
    preparations: Sequence[Job] = (),
    jobs: Sequence[Job] = (),
    checks: Sequence[Check] = (),
    closers: Sequence[Callable[[], Awaitable[None]]] = (),
    recognise: Recognise | None = None,
    settings: Settings | None = None,
) -> FastAPI:
    """Assemble a service. `migrations` gives it a database and an outbox; `ears` need the database, `listeners` are
    those it hears in a way of its own; `preparations` end before the service is ready, `jobs` go on; `checks` name what is missing, or None; `closers` are called at its end;
    `recognise` adds to a caller what the service itself knows of them."""
    settings = settings or Settings.load(service)
    telemetry.setup(settings)
    kit = Kit(settings, Bus(settings), Verifier(settings))
    kit.preparing = {job.__name__ for job in preparations}
    if recognise:
        kit.recognise = recognise
    if migrations:
        publisher = Publisher(service, settings.town["event_prefix"], f"{settings.public_url}/v1/events")
        kit.db, kit.migrated = Database(settings.database_url, publisher), False
    for ear in ears:
        attach(ear, kit.bus, kit.database)
    app = FastAPI(
        title=title,
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(kit, migrations, preparations, jobs, closers),
        telemetry={"operation_spans": False, "logs": False, "exclude": _untraced},
        responses=problems.RESPONSES,
    )
    app.state.kit = kit
    problems.install(app)
    app.add_exception_handler(Replayed, _replayed)
    _add_middleware(app, settings)
    app.include_router(_operations(kit, [*listeners, *(ear.listener for ear in ears)], checks))
    app.include_router(_event_reference(service))
    for router in routers:
        app.include_router(router)
    _serve_docs(app)
    return app


def _lifespan(
    kit: Kit,
    migrations: Path | None,
    preparations: Sequence[Job],
    jobs: Sequence[Job],
    closers: Sequence[Callable[[], Awaitable[None]]],
) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        start = asyncio.create_task(_start(kit, migrations, preparations, jobs))
        yield
        for task in (start, *kit.tasks):
            task.cancel()
        await asyncio.gather(start, *kit.tasks, return_exceptions=True)
        with contextlib.suppress(Exception):  # a broker that is away must not keep the process from ending
            await asyncio.wait_for(kit.bus.stop(), 5)
        for close in closers:
            await close()
        if kit.db:
            kit.db.dispose()
        telemetry.flush()

    return lifespan


async def _start(kit: Kit, migrations: Path | None, preparations: Sequence[Job], jobs: Sequence[Job]) -> None:
    if kit.db and migrations:
        await _migrate(kit, kit.db, migrations)
    for job in preparations:  # they need no bus: a service whose broker is late can already take writes
        kit.tasks.add(asyncio.create_task(_prepare(kit, job)))
    await kit.bus.start()
    for job in [_relay, *jobs] if kit.db else jobs:
        kit.tasks.add(asyncio.create_task(_keep_running(kit, job)))


async def _migrate(kit: Kit, db: Database, folder: Path) -> None:
    while not kit.migrated:
        try:
            await asyncio.to_thread(db.migrate, folder)
            kit.migrated = True
        except (SQLAlchemyError, OSError) as error:
            log.warning("database not ready", error=type(error).__name__)
            await asyncio.sleep(1)


async def _prepare(kit: Kit, job: Job) -> None:
    await _keep_running(kit, job)
    kit.preparing.discard(job.__name__)


async def _keep_running(kit: Kit, job: Job) -> None:
    """A job that fails is started again: the service goes on, and the log says why."""
    delay = 0.5
    while True:
        try:
            return await job(kit)
        except Exception as error:
            log.error("job failed", job=job.__name__, exc_info=error)
            await asyncio.sleep(delay)
            delay = min(delay * 2, 15)


async def _relay(kit: Kit) -> None:
    relay = Relay(kit.database, kit.bus.js, kit.settings.service)
    kit.bus.on_reconnect(relay.reconnected)
    try:
        await relay.run()
    finally:
        with contextlib.suppress(SQLAlchemyError):
            await relay.release()


def _operations(kit: Kit, listeners: Sequence[Listener], checks: Sequence[Check]) -> APIRouter:
    router = APIRouter(tags=["operations"])
    status = Health(status="ok", service=kit.settings.service)

    @router.get("/health/live")
    async def live() -> Health:
        """The process answers."""
        return status

    @router.get("/health/ready")
    async def ready() -> Health:
        """Everything the service needs is there; 503 names what is not."""
        missing = await kit.bus.missing(listeners)
        missing += [name for check in checks if (name := await check())]
        if kit.db and (not kit.migrated or not await asyncio.to_thread(_answers, kit.db)):
            missing.append("database")
        missing += sorted(name.replace("_", " ") for name in kit.preparing)
        if missing:
            raise problems.unavailable(", ".join(missing))
        return status

    @router.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """Figures for Prometheus."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def _answers(db: Database) -> bool:
    try:
        db.ping()
    except SQLAlchemyError:
        return False
    return True


def _event_reference(service: str) -> APIRouter:
    router = APIRouter(prefix="/v1/events", tags=["events"])
    types = of_service(service)

    @router.get("")
    def catalogue() -> list[str]:
        """The event types this service publishes."""
        return list(types)

    @router.get("/{name}", response_model=None)
    def schema(name: str) -> dict[str, object]:
        """The JSON Schema of one event type: an event's `dataschema`."""
        known = types | INTERNAL  # what it asks of other services has its schema here too
        if name not in known:
            raise problems.not_found("event type")
        return schemas.schema(known[name])

    return router


def _untraced(scope: Scope) -> bool:
    return str(scope.get("path", "")).startswith(UNTRACED)


async def _replayed(_request: Request, replay: Exception) -> Response:
    assert isinstance(replay, Replayed)  # noqa: S101 - registered for this type
    return replay.response


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    # The last one added is the outermost.
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=settings.max_body_bytes)
    app.add_middleware(problems.TooLarge)
    if settings.rate_limit:
        app.add_middleware(RateLimit, limit=settings.rate_limit)
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
