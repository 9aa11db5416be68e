"""What became of a batch is noted while it is handed over, so that little is sent twice after a crash; the lease is kept."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog
from sqlalchemy.exc import SQLAlchemyError

from libs.servicekit.db import Database
from libs.servicekit.lease import Lease
from libs.servicekit.outages import is_database_outage
from services.notify.deliveries import commands
from services.notify.deliveries.batches import Batch, Results

EVERY_SECONDS = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0

log = structlog.get_logger(__name__)


@contextlib.asynccontextmanager
async def noting(db: Database, lease: Lease, batch: Batch) -> AsyncIterator[None]:
    """Beside the block, and at its end."""
    ended, leaving = asyncio.Event(), asyncio.Event()
    keeping = asyncio.create_task(_keep(db, lease, batch, ended, leaving))
    try:
        yield
    except asyncio.CancelledError:
        leaving.set()
        raise
    finally:
        ended.set()
        await keeping


async def _keep(
    db: Database, lease: Lease, batch: Batch, ended: asyncio.Event, leaving: asyncio.Event
) -> None:
    while not ended.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EVERY_SECONDS):
                await ended.wait()
        with contextlib.suppress(SQLAlchemyError):
            await asyncio.to_thread(lease.hold)
        await _note(db, batch.take(), leaving)


async def _note(db: Database, results: Results, leaving: asyncio.Event) -> None:
    """Write it down, however long the database is away: what was sent is not to be sent again."""
    pause = FIRST_PAUSE
    while results:
        try:
            await asyncio.to_thread(_write, db, results)
            results = Results()
        except Exception as error:
            if not is_database_outage(error) or leaving.is_set():
                raise
            log.warning("what was sent cannot be noted yet", count=len(results.tried))
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)


def _write(db: Database, results: Results) -> None:
    with db.transaction() as session:
        commands.note_sent(session, [each.delivery_id for each in results.tried if each.sent])
        for each in results.tried:
            if not each.sent:
                commands.note(session, each.delivery_id, each.outcome, each.mark)
        for delivery_id, reason in results.dropped:
            commands.drop(session, delivery_id, reason)
        for delivery_id, seconds in results.postponed:
            commands.postpone(session, delivery_id, seconds)
