"""Fits offers to boards that changed: a bounded batch at a time, one process at a time, going on where it stopped."""

import asyncio

import structlog

from libs.httpkit.app import Kit
from libs.servicekit.db import Database
from libs.servicekit.lease import Lease
from services.offers.blueprints import commands, queries

POLL_SECONDS = 1.0

log = structlog.get_logger(__name__)


async def run(kit: Kit) -> None:
    """Work off what changed boards have left to do, as long as the service runs."""
    lease = Lease(kit.database, "offers.fit")
    while True:
        while await asyncio.to_thread(lease.hold) and await asyncio.to_thread(_fit_some, kit.database):
            pass
        await asyncio.sleep(POLL_SECONDS)


def _fit_some(db: Database) -> bool:
    with db.reading() as session:
        work = queries.next_migration(session)
    if work is None:
        return False
    with db.transaction() as session:
        if not commands.fit_some(session, work.id):
            log.info("offers follow their board", board=work.board, offers=work.seen, flagged=work.flagged)
    return True
