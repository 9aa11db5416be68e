"""What an offer's content states as free becomes the stock that bookings count down: one figure, not two."""

from collections.abc import Mapping

from sqlmodel import Session, col, or_, update

from libs.servicekit.db import now
from services.offers.places.models import Stock


def restate(session: Session, offer_id: str, free: int | None) -> None:
    """The provider states anew how many places of the whole are free; while nobody booked there is nothing to count."""
    restate_all(session, {offer_id: free})


def restate_all(session: Session, stated: Mapping[str, int | None]) -> None:
    """The same for many offers."""
    for offer_id, free in stated.items():
        values = {"stated_free": free, "as_of": now(), "version": col(Stock.version) + 1}
        # Where a number of places is set they are counted, whatever the content says.
        theirs = or_(col(Stock.max).is_(None), col(Stock.stated_free).is_not(None))
        query = update(Stock).where(col(Stock.id) == offer_id, theirs).values(values)
        session.execute(query, execution_options={"synchronize_session": False})
