"""Lets offers age: what is due on each board, a batch at a time, one process at a time."""

import asyncio

from libs.httpkit.app import Kit
from libs.servicekit.db import Database, now
from libs.servicekit.lease import Lease
from services.offers.boards import queries as boards
from services.offers.boards.domain import Declaration
from services.offers.freshness import commands
from services.offers.links import Links, links_of

EVERY_SECONDS = 300.0


async def age(kit: Kit) -> None:
    """Ask for checks, mark what nobody checked, hide what stays unchecked; until cancelled."""
    lease, links = Lease(kit.database, "offers.age"), links_of(kit.settings)
    while True:
        for board in await asyncio.to_thread(_boards, kit.database):
            while await asyncio.to_thread(lease.hold) and await asyncio.to_thread(
                _age_some, kit.database, board, links
            ):
                pass
        await asyncio.sleep(EVERY_SECONDS)


def _boards(db: Database) -> list[Declaration]:
    with db.reading() as session:
        return [board.declared for board in boards.all_open(session)]


def _age_some(db: Database, board: Declaration, links: Links) -> bool:
    with db.transaction() as session:
        return commands.age(session, board, now(), links) > 0
