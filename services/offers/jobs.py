"""What the service does of its own accord: follow the boards, end and forget what is over, tell how long budgets last."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from libs.httpkit.app import Kit
from libs.servicekit.db import Database
from libs.servicekit.lease import Lease
from services.offers.allocation import runner as allocation
from services.offers.blueprints import commands as blueprints
from services.offers.blueprints import runner as fitting
from services.offers.boards import commands as boards
from services.offers.boards.domain import Declaration
from services.offers.bookings import runner as answering
from services.offers.contact import runner as erasing
from services.offers.freshness import runner as ageing
from services.offers.funding import commands as funding
from services.offers.funding import queries as funding_queries
from services.offers.imports import runner
from services.offers.needs import commands as needs
from services.offers.needs.domain import NeedRules
from services.offers.offers import commands as offers
from services.offers.sessions import commands as sessions

EXPIRE_EVERY_SECONDS = 30.0
TELL_BUDGETS_EVERY_SECONDS = 60.0
OBSERVE_EVERY_SECONDS = 5.0
FORGET_EVERY_SECONDS = 300.0


async def follow_boards(kit: Kit) -> None:
    """Bring the boards to what `city/boards/` declares; a file that is wrong keeps the service from being ready."""
    declarations = boards.read_declarations(kit.settings.city / "boards")
    await asyncio.to_thread(_follow, kit.database, declarations)


def _follow(db: Database, declarations: list[Declaration]) -> None:
    with db.transaction() as session:
        blueprints.follow(session, declarations)


async def expire(kit: Kit) -> None:
    """End offers whose period is over, one process at a time."""
    zone = ZoneInfo(kit.settings.town["timezone"])

    def some(db: Database) -> bool:
        with db.transaction() as session:
            return offers.expire_due(session, datetime.now(zone).date()) > 0

    await _now_and_then(kit.database, "offers.expire", EXPIRE_EVERY_SECONDS, some)


async def forget_past(kit: Kit) -> None:
    """Take dates that have passed off their offers, one process at a time."""

    def some(db: Database) -> bool:
        with db.transaction() as session:
            return sessions.forget_past(session) > 0

    await _now_and_then(kit.database, "offers.forget-past", FORGET_EVERY_SECONDS, some)


async def _now_and_then(db: Database, name: str, pause: float, some: Callable[[Database], bool]) -> None:
    """Do a job bit by bit until nothing is left of it, and look again after a pause in seconds."""
    lease = Lease(db, name)
    while True:
        while await asyncio.to_thread(lease.hold) and await asyncio.to_thread(some, db):
            pass
        await asyncio.sleep(pause)


async def watch_budgets(kit: Kit) -> None:
    """Tell what moved in the budgets and when they run dry, however many bookings that were, one process at a time."""
    lease = Lease(kit.database, "offers.budgets")
    zone = ZoneInfo(kit.settings.town["timezone"])
    while True:
        if await asyncio.to_thread(lease.hold):
            await asyncio.to_thread(tell_budgets, kit.database, datetime.now(zone).date())
        await asyncio.sleep(TELL_BUDGETS_EVERY_SECONDS)


def tell_budgets(db: Database, today: date) -> None:
    """Let every budget say what is new, each in a transaction of its own, so that no booking waits for all of them."""
    with db.reading() as session:
        budgets = funding_queries.to_be_told(session, today)
    for budget in budgets:
        with db.transaction() as session:
            funding.tell_anew(session, budget, today)


async def observe_needs(kit: Kit) -> None:
    """Tell needs that enough people have and forget old ones, one process at a time."""
    rules = NeedRules.model_validate(kit.settings.town.get("needs", {}))
    zone = ZoneInfo(kit.settings.town["timezone"])
    cleaned: date | None = None

    def some(db: Database) -> bool:
        nonlocal cleaned
        today = datetime.now(zone).date()
        with db.transaction() as session:
            if cleaned != today:
                needs.forget(session, rules, today)
            found = needs.observe(session, rules, today)
        cleaned = today
        return found == needs.AT_ONCE

    await _now_and_then(kit.database, "offers.needs", OBSERVE_EVERY_SECONDS, some)


PREPARATIONS = [
    follow_boards,
]
JOBS = [
    expire,
    forget_past,
    watch_budgets,
    ageing.age,
    fitting.run,
    answering.run,
    erasing.erase,
    observe_needs,
    allocation.run,
    runner.run,
]
