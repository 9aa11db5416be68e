"""Deletes what people wrote to each other when its time is over, one process at a time."""

import asyncio

from libs.httpkit.app import Kit
from libs.servicekit.db import Database, now
from libs.servicekit.lease import Lease
from services.offers.contact import commands

EVERY_SECONDS = 600.0


async def erase(kit: Kit) -> None:
    """Delete what is due, until cancelled."""
    lease = Lease(kit.database, "offers.contact")
    while True:
        while await asyncio.to_thread(lease.hold) and await asyncio.to_thread(_erase_some, kit.database):
            pass
        await asyncio.sleep(EVERY_SECONDS)


def _erase_some(db: Database) -> bool:
    with db.transaction() as session:
        return commands.erase_due(session, now()) > 0
