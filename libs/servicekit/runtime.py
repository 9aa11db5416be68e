"""A service from its start to its end: migrate, prepare, connect, subscribe, work until it is told to stop.

What it depends on may come later and may come and go. What can never come is said, and the process leaves.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy.exc import SQLAlchemyError

from libs.servicekit import cancelling, subscriptions
from libs.servicekit.kit import Job, Kit
from libs.servicekit.outages import is_database_outage, is_outage
from libs.servicekit.subscriptions import Subscription
from libs.telemetry import setup as telemetry

AGAIN_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 15.0
GOOD_RUN_SECONDS = 60.0
STOP_SECONDS = 5.0
# So long readiness names a failure before the process leaves.
LEAVE_SECONDS = 3.0

log = structlog.get_logger(__name__)
TASKS = Gauge("tasks", "Tasks that the service keeps; grows with requests under way, and with nothing else")
RESTARTS = Counter("job_restarts", "Jobs that failed and were started again", ["job"])


@dataclass(frozen=True)
class Parts:
    """What a service is made of, below HTTP: `preparations` end before it is ready, `jobs` go on, `closers` are called
    at its end."""

    migrations: Path | None = None
    subscriptions: Sequence[Subscription] = ()
    preparations: Sequence[Job] = ()
    jobs: Sequence[Job] = ()
    closers: Sequence[Callable[[], Awaitable[None]]] = ()


@contextlib.asynccontextmanager
async def running(kit: Kit, parts: Parts) -> AsyncIterator[None]:
    """Everything that the service does by itself, beside whatever stands in the block."""
    cancelling.mend()
    loop = asyncio.get_running_loop()
    TASKS.set_function(lambda: len(asyncio.all_tasks(loop)))
    tasks: set[asyncio.Task[None]] = set()
    tasks.add(asyncio.create_task(_start(kit, parts, tasks)))
    try:
        yield
    finally:
        await _end(tasks)
        if kit.connection:
            with contextlib.suppress(
                Exception
            ):  # a broker that is away must not keep the process from ending
                await asyncio.wait_for(kit.connection.stop(), STOP_SECONDS)
        for close in parts.closers:
            await close()
        kit.threads.shutdown(wait=False, cancel_futures=True)
        if kit.db:
            kit.db.dispose()
        telemetry.flush()


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    """Cancelled until they have ended: libraries take a cancellation for a failure now and then, and go on."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            while pending := [task for task in tasks if not task.done()]:
                for task in pending:
                    task.cancel()
                await asyncio.wait(pending, timeout=AGAIN_SECONDS)
            return
    log.error("some tasks do not end", tasks=[repr(task)[:300] for task in tasks if not task.done()])


async def _start(kit: Kit, parts: Parts, tasks: set[asyncio.Task[None]]) -> None:
    try:
        if kit.db and parts.migrations:
            await _migrate(kit, parts.migrations)
        for job in parts.preparations:  # no bus: a service whose broker is late can already take writes
            tasks.add(asyncio.create_task(_prepare(kit, job)))
        for job in filter(_without_bus, parts.jobs):
            tasks.add(asyncio.create_task(keep_running(kit, job)))
        if kit.connection:
            await kit.connection.start()
    except Exception as error:
        await _fail(kit, error)
        return
    listening = [job for each in parts.subscriptions for job in subscriptions.jobs(each)]
    others = [job for job in parts.jobs if not _without_bus(job)]
    for job in [*listening, *others]:
        tasks.add(asyncio.create_task(keep_running(kit, job)))


def _without_bus(job: Job) -> bool:
    return getattr(job, "without_bus", False)


async def _migrate(kit: Kit, folder: Path) -> None:
    while not kit.migrated:
        try:
            await asyncio.to_thread(kit.database.migrate, folder)
            kit.migrated = True
        except (SQLAlchemyError, OSError) as error:
            if not isinstance(error, OSError) and not is_database_outage(error):
                raise
            log.warning("database not ready", error=type(error).__name__, detail=str(error)[:200])
            await asyncio.sleep(1)


async def _fail(kit: Kit, error: Exception) -> None:
    kit.failure = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    log.critical("the service cannot start", reason=kit.failure, exc_info=error)
    await asyncio.sleep(LEAVE_SECONDS)
    kit.leave()


async def _prepare(kit: Kit, job: Job) -> None:
    await keep_running(kit, job)
    kit.preparing.discard(job.__name__)


async def keep_running(kit: Kit, job: Job) -> None:
    """A job that fails is started again, later each time until it runs well: the service goes on, the log says why."""
    clock, pause = asyncio.get_running_loop().time, AGAIN_SECONDS
    while True:
        began = clock()
        try:
            return await job(kit)
        except Exception as error:
            if is_outage(error):
                log.warning("job waits", job=job.__name__, error=repr(error)[:300])
            else:
                log.error("job failed", job=job.__name__, exc_info=error)
        RESTARTS.labels(job.__name__).inc()
        if clock() - began > GOOD_RUN_SECONDS:
            pause = AGAIN_SECONDS
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
