"""What of an offer can still be booked, until when, and how many places are left of each date."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from libs.contracts import card as cards
from libs.contracts.offers import SessionStatus
from services.offers.bookings.domain import BookingRules, bookable_until
from services.offers.places.models import Stock
from services.offers.sessions.models import OfferSession


@dataclass(frozen=True)
class Opening:
    """A date as somebody who books sees it; `until` is null where it cannot be booked, or not by itself."""

    free: int | None = None
    until: datetime | None = None


def opening(
    rules: BookingRules | None,
    fields: Mapping[str, Any],
    row: OfferSession,
    stocks: Mapping[str, Stock],
    zone: tzinfo,
) -> Opening:
    """How a date can be booked under rules (None: not here), with the offer's stocks by their ids."""
    whole, own = stocks.get(row.offer_id), stocks.get(row.id)
    if row.status == SessionStatus.CANCELLED or (whole and whole.limited):
        return Opening()  # an offer with places of its own is booked as a whole
    free = own.free if own else row.places_max
    return Opening(free, bookable_until(rules, fields, row.starts_at, zone) if rules else None)


def span(row: OfferSession, found: Opening) -> cards.Span:
    """A date as the card carries it."""
    return cards.Span(
        start=row.starts_at, end=row.ends_at, id=row.id, free_places=found.free, bookable_until=found.until
    )


def last_call(spans: Iterable[cards.Span]) -> datetime | None:
    """The last instant at which one of these dates that is not full can be booked; of full ones, if all are."""
    dates = [(span.free_places != 0, span.bookable_until) for span in spans if span.bookable_until]
    return max(dates)[1] if dates else None


def openings(
    rules: BookingRules | None,
    fields: Mapping[str, Any],
    rows: Iterable[OfferSession],
    stocks: Iterable[Stock],
    zone: tzinfo,
) -> dict[str, Opening]:
    """How each of an offer's dates can be booked, by its id."""
    by_id = {stock.id: stock for stock in stocks}
    return {row.id: opening(rules, fields, row, by_id, zone) for row in rows}
