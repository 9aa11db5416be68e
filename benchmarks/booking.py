"""Bookings of one sought-after offer, against the bare transaction that each of them needs at least.

The bare one takes a place by the same conditional UPDATE, writes the booking's row and commits. Ours also checks the
board's form and caps, tells the offer's new state and asks for a message to whoever booked.
"""

import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from sqlalchemy import update
from sqlmodel import Session, col, func, select

from benchmarks.report import Row, rate
from benchmarks.stack import OFFERS_MIGRATIONS
from cli.home import ROOT
from libs.servicekit.db import Database, now
from libs.servicekit.outbox import Publisher
from libs.servicekit.principal import Principal
from libs.servicekit.settings import Settings
from services.offers.boards import commands as boards
from services.offers.bookings import commands as bookings
from services.offers.bookings.domain import BookingStatus, Wish
from services.offers.bookings.messages import Desk, desk_of
from services.offers.bookings.models import Booking
from services.offers.offers import commands as offers
from services.offers.offers.domain import OfferContent
from services.offers.places import commands as places
from services.offers.places.domain import Provision
from services.offers.places.models import Stock

BOARD = "gruender"
BOOKINGS = 100
ROUNDS = 7
PLACES = 10_000
GOAL = 0.2
EDITOR = Principal("benchmark", frozenset({"editor"}))
CONTENT = OfferContent(title={"de": "Gründer:Salon"}, fields={"format": "salon", "topic": ["idea"]})


def run(folder: Path) -> list[Row]:
    """Ours and the bare transaction by turns, on SQLite with every commit on the disk."""
    db = Database(f"sqlite:///{folder / 'booking.db'}", Publisher("offers", "de.coburg", "http://localhost"))
    db.migrate(OFFERS_MIGRATIONS)
    desk = desk_of(Settings.load("offers").model_copy(update={"home": folder}))
    ours_id, bare_id = _offer(db), _offer(db)
    try:
        pairs = [
            (
                _per_second(db, lambda session: _book(session, desk, ours_id)),
                _per_second(db, lambda session: _bare(session, bare_id)),
            )
            for _ in range(ROUNDS + 1)
        ][1:]
        _whole(db, ours_id)
    finally:
        db.dispose()
    ours, limit = zip(*pairs, strict=True)
    return [rate("bookings, one after the other", list(ours), list(limit), GOAL, "bookings/s")]


def _offer(db: Database) -> str:
    """A public offer with places for all."""
    with db.transaction() as session:
        boards.follow(session, boards.read_declarations(ROOT / "city" / "boards"))
        session.flush()
        offer = offers.draft(session, EDITOR, BOARD, None, CONTENT)
        offers.make_public(session, offer, now().date())
        session.flush()
        places.provide(session, EDITOR, offer.id, 0, Provision(max=PLACES))
        return offer.id


def _per_second(db: Database, work: Callable[[Session], None]) -> float:
    started = time.perf_counter()
    for _ in range(BOOKINGS):
        with db.transaction() as session:
            work(session)
    return BOOKINGS / (time.perf_counter() - started)


def _book(session: Session, desk: Desk, offer_id: str) -> None:
    booking = bookings.request(session, desk, offer_id, uuid4().hex, Wish(places=1, form={}), may_wait=False)
    if booking.status != BookingStatus.APPROVED:
        raise RuntimeError(f"the booking is {booking.status}")


def _bare(session: Session, offer_id: str) -> None:
    enough = (col(Stock.id) == offer_id) & (col(Stock.taken) + 1 <= col(Stock.max))
    session.execute(update(Stock).where(enough).values(taken=Stock.taken + 1))
    session.add(Booking(board=BOARD, offer_id=offer_id, recipient_id=uuid4().hex, places=1, form={}))


def _whole(db: Database, offer_id: str) -> None:
    """What was counted is what was booked."""
    with db.reading() as session:
        taken = session.exec(select(Stock.taken).where(Stock.id == offer_id)).one()
        booked = session.exec(select(func.sum(Booking.places)).where(Booking.offer_id == offer_id)).one()
        if taken != booked:
            raise RuntimeError("places and bookings differ")
