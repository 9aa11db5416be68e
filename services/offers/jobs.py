"""What the service does of its own accord: follow the boards, age, end and forget what is over, answer what is due."""

import asyncio
from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from zoneinfo import ZoneInfo

import structlog

from libs.servicekit.db import Database, now
from libs.servicekit.kit import Kit
from libs.servicekit.links import links_of
from libs.servicekit.periodic import in_batches, one_by_one, periodic
from services.offers.allocation import runner as allocation
from services.offers.blueprints import commands as blueprints
from services.offers.blueprints import queries as blueprint_queries
from services.offers.boards import commands as boards
from services.offers.boards import queries as board_queries
from services.offers.boards.domain import Declaration
from services.offers.bookings import runner as bookings
from services.offers.contact import commands as contact
from services.offers.freshness import commands as freshness
from services.offers.funding import commands as funding
from services.offers.funding import queries as funding_queries
from services.offers.imports import runner as imports
from services.offers.needs import commands as needs
from services.offers.needs.domain import NeedRules
from services.offers.offers import commands as offers
from services.offers.sessions import commands as sessions

log = structlog.get_logger(__name__)


async def follow_boards(kit: Kit) -> None:
    """Bring the boards to what `city/boards/` declares; a file that is wrong keeps the service from being ready."""
    declarations = boards.read_declarations(kit.settings.city / "boards")
    await asyncio.to_thread(_follow, kit.database, declarations)


def _follow(db: Database, declarations: list[Declaration]) -> None:
    with db.transaction() as session:
        blueprints.follow(session, declarations)


def _today(kit: Kit) -> date:
    return datetime.now(ZoneInfo(kit.settings.town["timezone"])).date()


def expire(kit: Kit) -> Iterator[None]:
    """End offers whose period is over."""
    return in_batches(kit.database, lambda session: offers.expire_due(session, _today(kit)))


def forget_past(kit: Kit) -> Iterator[None]:
    """Take dates that have passed off their offers."""
    return in_batches(kit.database, sessions.forget_past)


def erase_letters(kit: Kit) -> Iterator[None]:
    """Delete what people wrote to each other when its time is over."""
    return in_batches(kit.database, lambda session: contact.erase_due(session, now()))


def age(kit: Kit) -> Iterator[None]:
    """Ask for checks, mark what nobody checked, hide what stays unchecked."""
    with kit.database.reading() as session:
        declared = [board.declared for board in board_queries.all_open(session)]
    links = links_of(kit.settings)
    for board in declared:
        yield from in_batches(kit.database, partial(freshness.age, board=board, at=now(), links=links))


def fit_offers(kit: Kit) -> Iterator[None]:
    """Fit offers to boards that changed, going on where it stopped."""
    while True:
        with kit.database.reading() as session:
            work = blueprint_queries.next_migration(session)
        if work is None:
            return
        with kit.database.transaction() as session:
            if not blueprints.fit_some(session, work.id):
                log.info(
                    "offers follow their board", board=work.board, offers=work.seen, flagged=work.flagged
                )
        yield


def watch_budgets(kit: Kit) -> Iterator[None]:
    """Tell what moved in the budgets and when they run dry, however many bookings that were."""
    return tell_budgets(kit.database, _today(kit))


def tell_budgets(db: Database, today: date) -> Iterator[None]:
    """Let every budget say what is new."""
    with db.reading() as session:
        budgets = funding_queries.to_be_told(session, today)
    return one_by_one(db, budgets, lambda session, budget: funding.tell_anew(session, budget, today))


def observe_needs(kit: Kit) -> Iterator[None]:
    """Tell needs that enough people have, and those that are over."""
    rules, today = _need_rules(kit), _today(kit)
    return in_batches(kit.database, lambda session: needs.observe(session, rules, today))


def forget_needs(kit: Kit) -> Iterator[None]:
    """Delete what was needed before the window."""
    with kit.database.transaction() as session:
        needs.forget(session, _need_rules(kit), _today(kit))
    yield


def _need_rules(kit: Kit) -> NeedRules:
    return NeedRules.model_validate(kit.settings.town.get("needs", {}))


PREPARATIONS = [
    follow_boards,
]
JOBS = [
    periodic("offers.expire", expire, every=30),
    periodic("offers.forget-past", forget_past, every=300),
    periodic("offers.budgets", watch_budgets, every=60),
    periodic("offers.age", age, every=300),
    periodic("offers.fit", fit_offers, every=1, idle_interval=5),
    periodic("offers.bookings", bookings.answer_due, every=5),
    periodic("offers.contact", erase_letters, every=600),
    periodic("offers.needs", observe_needs, every=5),
    periodic("offers.needs-forget", forget_needs, every=3600),
    periodic("offers.allocation", allocation.allocate, every=1, idle_interval=5),
    periodic("offers.import", imports.work_off, every=0.2, idle_interval=5),
]
