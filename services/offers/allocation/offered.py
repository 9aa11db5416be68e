"""What a period gives out: offers, or single dates of theirs, checked and kept as they stood when it was made."""

from datetime import tzinfo

from sqlmodel import Session

from libs.contracts.offers import SessionStatus
from libs.servicekit.errors import FieldError, Invalid
from services.offers.allocation.domain import NewActivity, PeriodSlot
from services.offers.allocation.models import Activity, Period
from services.offers.offers.domain import OfferStatus
from services.offers.offers.models import Offer
from services.offers.sessions.models import OfferSession


def activity_of(
    session: Session, period: Period, number: int, said: NewActivity, slot: PeriodSlot, zone: tzinfo
) -> Activity:
    """An activity for an offer of the board; Invalid when it is not public, or not on these days."""
    offer = session.get(Offer, said.offer_id)
    if offer is None or offer.board != period.board or offer.status != OfferStatus.PUBLISHED:
        raise _wrong(number, "offer_id", "is no published offer of this board")
    if said.session_id is None:
        _overlaps(offer, number, slot)
    else:
        _lies_within(session, said, number, slot, zone)
    content = offer.said
    return Activity(
        period_id=period.id,
        slot=slot.name,
        offer_id=offer.id,
        session_id=said.session_id,
        provider_id=offer.provider_id,
        title=content.title,
        from_months=content.age.from_months if content.age else None,
        to_months=content.age.to_months if content.age else None,
        places=said.places,
    )


def _overlaps(offer: Offer, number: int, slot: PeriodSlot) -> None:
    days = offer.said.period
    if days and ((days.start and days.start > slot.end) or (days.end and days.end < slot.start)):
        raise _wrong(number, "offer_id", f"is not to be had in the slot {slot.name}")


def _lies_within(session: Session, said: NewActivity, number: int, slot: PeriodSlot, zone: tzinfo) -> None:
    date = session.get(OfferSession, said.session_id)
    if date is None or date.offer_id != said.offer_id or date.status != SessionStatus.SCHEDULED:
        raise _wrong(number, "session_id", "is no coming date of this offer")
    first, last = date.starts_at.astimezone(zone).date(), date.ends_at.astimezone(zone).date()
    if first < slot.start or last > slot.end:
        raise _wrong(number, "session_id", f"does not lie within the slot {slot.name}")


def _wrong(number: int, field: str, reason: str) -> Exception:
    return Invalid(FieldError(field=f"activities.{number}.{field}", reason=reason))
