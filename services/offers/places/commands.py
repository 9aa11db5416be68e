"""What is done with places. `taken` moves by one conditional UPDATE, never by reading first and writing then."""

from collections.abc import Mapping

from sqlalchemy import CursorResult, Integer, Update, bindparam, case, or_, update
from sqlmodel import Session, col

from libs.servicekit.db import UtcDateTime, insert_into, now
from libs.servicekit.errors import Conflict, FieldError, Invalid, check_version
from libs.servicekit.principal import Principal
from services.offers.boards import queries as boards
from services.offers.offers import commands as offers
from services.offers.offers.models import Offer
from services.offers.places import queries
from services.offers.places.domain import Provision, as_of
from services.offers.places.models import Stock

# Made once: every booking moves places.
BY = bindparam("by", type_=Integer)
MOVE = (
    update(Stock)
    .where(col(Stock.id) == bindparam("stock"))
    .values(
        taken=col(Stock.taken) + BY,
        as_of=case(
            (col(Stock.stated_free).is_not(None), Stock.as_of), else_=bindparam("at", type_=UtcDateTime)
        ),
        version=col(Stock.version) + 1,
    )
)
COUNTED_ENOUGH = or_(col(Stock.max).is_(None), col(Stock.taken) + BY <= col(Stock.max))
TAKE = MOVE.values(stated_free=col(Stock.stated_free) - BY).where(
    or_(col(Stock.stated_free) >= BY, col(Stock.stated_free).is_(None) & COUNTED_ENOUGH)
)
# What is stated is not raised: only the provider knows whether his figure still held this booking.
GIVE_BACK = MOVE.where(col(Stock.taken) + BY >= 0)


def provide(session: Session, actor: Principal, offer_id: str, expected: int, provision: Provision) -> Stock:
    """Say how many places an offer has as a whole, and how many are free if that is stated; the offer is retold."""
    offer = offers.held_for(session, actor, offer_id)
    rules = boards.declaration(session, offer.board).booking
    if provision.free is not None and rules and rules.slots:
        reason = "what is booked by slot is counted by the quarter of an hour: say max"
        raise Invalid(FieldError(field="free", reason=reason))
    stock = queries.own(session, offer_id)
    check_version(expected, stock.version if stock else 0)
    if stock is None:
        stock = Stock(id=offer_id, offer_id=offer_id, unit=unit_of(session, offer), version=0)
        session.add(stock)
    if provision.free is None and provision.max is not None and provision.max < stock.taken:
        raise Conflict(f"{stock.taken} places are taken already.", code="places-taken", taken=stock.taken)
    stock.unit = provision.unit or stock.unit
    stock.max, stock.stated_free = provision.max, provision.free
    stock.as_of, stock.version = as_of(provision, now()), stock.version + 1
    session.flush()
    offers.retell(session, offer)
    return stock


def unit_of(session: Session, offer: Offer) -> str:
    """What places of this offer's board are counted in."""
    return boards.declaration(session, offer.board).places.unit


def ensure_whole(session: Session, offer: Offer) -> None:
    """Make the places of the offer as a whole countable; what its content states as free is counted down from now on."""
    _ensure(session, offer, {offer.id: None}, offer.said.free_places)


def ensure(session: Session, offer: Offer, maxima: Mapping[str, int | None]) -> None:
    """Make the places of an offer or of its sessions countable, with these maxima; what is there stays as it is."""
    _ensure(session, offer, maxima, None)


def _ensure(session: Session, offer: Offer, maxima: Mapping[str, int | None], stated: int | None) -> None:
    said = {"offer_id": offer.id, "unit": unit_of(session, offer), "taken": 0, "as_of": now(), "version": 1}
    said["stated_free"] = stated
    rows = [{"id": stock_id, "max": maximum, **said} for stock_id, maximum in maxima.items()]
    session.execute(insert_into(session, Stock).values(rows).on_conflict_do_nothing(index_elements=["id"]))


def resize(session: Session, stock_id: str, maximum: int | None) -> None:
    """A session has another number of places; Conflict when more are taken already. Without bookings nothing happens."""
    stock = session.get(Stock, stock_id, populate_existing=True, with_for_update=True)
    if stock is None:
        return
    if maximum is not None and maximum < stock.taken:
        raise Conflict(f"{stock.taken} places are taken already.", code="places-taken", taken=stock.taken)
    stock.max, stock.version = maximum, stock.version + 1
    session.flush()


def take(session: Session, offer: Offer, wanted: Mapping[str, int]) -> bool:
    """Take places of stocks of an offer, of all or of none, and retell it; False when there are not enough.

    Whoever moves places holds the offer first: in one order, nobody waits for each other.
    """
    done = dict[str, int]()
    for stock_id in sorted(wanted):
        if not _move(session, TAKE, stock_id, wanted[stock_id]):
            _return(session, done)
            return False
        done[stock_id] = wanted[stock_id]
    offers.retell(session, offer)
    return True


def give_back(session: Session, offer: Offer, held: Mapping[str, int]) -> None:
    """Return places of stocks of an offer, which is held, and retell it."""
    _return(session, held)
    offers.retell(session, offer)


def _return(session: Session, held: Mapping[str, int]) -> None:
    for stock_id in sorted(held):
        _move(session, GIVE_BACK, stock_id, -held[stock_id])


def _move(session: Session, statement: Update, stock_id: str, count: int) -> bool:
    values = {"stock": stock_id, "by": count, "at": now()}
    result = session.execute(statement, values, execution_options={"synchronize_session": False})
    assert isinstance(result, CursorResult)  # noqa: S101 - what an UPDATE gives
    return result.rowcount == 1
