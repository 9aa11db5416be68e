"""Reads of allocation, and who may see what."""

from datetime import date, datetime
from typing import Literal

from sqlmodel import Session, and_, col, func, or_, select

from libs.servicekit.errors import NotFound
from services.offers.allocation.domain import PeriodStatus
from services.offers.allocation.models import Activity, Period, WishingChild, Wishlist

Outcome = Literal["placed", "left-out"]


def periods(session: Session, board: str, limit: int, after: str) -> list[Period]:
    """A board's periods, oldest first; one more than `limit` when there are more."""
    query = select(Period).where(Period.board == board, col(Period.id) > after)
    return list(session.exec(query.order_by(Period.id).limit(limit + 1)))


def period(session: Session, period_id: str) -> Period:
    """A period; NotFound when there is none."""
    found = session.get(Period, period_id)
    if found is None:
        raise NotFound("period")
    return found


def locked(session: Session, period_id: str) -> Period:
    """A period, held until the transaction ends: what changes its wishes or places happens one after the other."""
    query = select(Period).where(Period.id == period_id).with_for_update()
    found = session.exec(query.execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound("period")
    return found


def activities(session: Session, period_id: str) -> list[Activity]:
    """What there is to wish for in a period."""
    return list(session.exec(select(Activity).where(Activity.period_id == period_id).order_by(Activity.id)))


def wishlist(session: Session, wishlist_id: str) -> Wishlist:
    """A wish list as it is now; NotFound when there is none."""
    found = session.get(Wishlist, wishlist_id, populate_existing=True)
    if found is None:
        raise NotFound("wish list")
    return found


def wishlists(session: Session, period_id: str) -> list[Wishlist]:
    """All wish lists of a period."""
    return list(session.exec(select(Wishlist).where(Wishlist.period_id == period_id).order_by(Wishlist.id)))


def children_of(session: Session, wishlist_id: str) -> list[WishingChild]:
    """The children of a wish list."""
    query = select(WishingChild).where(WishingChild.wishlist_id == wishlist_id)
    return list(session.exec(query.order_by(WishingChild.id)))


def children(session: Session, period_id: str) -> list[WishingChild]:
    """All children of a period."""
    query = select(WishingChild).where(WishingChild.period_id == period_id)
    return list(session.exec(query.order_by(WishingChild.id)))


def page_of_children(
    session: Session, period_id: str, limit: int, after: str, outcome: Outcome | None
) -> list[WishingChild]:
    """Children of a period; placed are those with a place, left out those without one in a slot they wished for."""
    query = select(WishingChild).where(WishingChild.period_id == period_id, col(WishingChild.id) > after)
    if outcome is not None:
        query = query.where(col(WishingChild.placed if outcome == "placed" else WishingChild.missed) > 0)
    return list(session.exec(query.order_by(WishingChild.id).limit(limit + 1)))


def child(session: Session, period_id: str, child_id: str) -> WishingChild:
    """A child of a period as it is now; NotFound when there is none."""
    found = session.get(WishingChild, child_id, populate_existing=True)
    if found is None or found.period_id != period_id:
        raise NotFound("child")
    return found


def in_group(session: Session, period_id: str, group: str, except_for: str) -> int:
    """How many children draw with a group, those of one wish list not counted."""
    query = (
        select(func.count())
        .select_from(WishingChild)
        .join(Wishlist, col(Wishlist.id) == WishingChild.wishlist_id)
        .where(Wishlist.period_id == period_id, Wishlist.group == group, Wishlist.id != except_for)
    )
    return session.exec(query).one()


def count_children(session: Session, period_id: str) -> int:
    """How many children take part in a period."""
    query = select(func.count()).select_from(WishingChild).where(WishingChild.period_id == period_id)
    return session.exec(query).one()


def to_erase(session: Session, today: date) -> list[str]:
    """The ids of periods whose children are kept no longer."""
    query = select(Period.id).where(col(Period.erased).is_(False), col(Period.erase_on) < today)
    return list(session.exec(query))


def turning(session: Session, at: datetime) -> list[str]:
    """The ids of periods that are to be opened or closed by now."""
    to_open = and_(col(Period.status) == PeriodStatus.ANNOUNCED, col(Period.wishes_from) <= at)
    to_close = and_(col(Period.status) == PeriodStatus.OPEN, col(Period.wishes_until) <= at)
    return list(session.exec(select(Period.id).where(or_(to_open, to_close)).order_by(Period.id)))


def ordered(session: Session) -> list[str]:
    """The ids of periods whose places are to be given out."""
    return list(
        session.exec(select(Period.id).where(Period.status == PeriodStatus.ALLOCATING).order_by(Period.id))
    )
