"""What allocation says to others: facts of figures on the bus, messages to families through notify."""

from sqlmodel import Session

from libs.contracts import offers as events
from libs.contracts.card import Card
from libs.contracts.card import Period as Days
from libs.contracts.messages import Template
from libs.contracts.notify import Subject
from libs.servicekit import messages, outbox
from libs.servicekit.outbox import Entry
from services.offers.allocation import queries
from services.offers.allocation.domain import PeriodSlot, PeriodStatus
from services.offers.allocation.models import Activity, Period, Wishlist

FACTS: dict[str, type[events.PeriodFact]] = {
    PeriodStatus.OPEN: events.PeriodOpened,
    PeriodStatus.CLOSED: events.PeriodClosed,
    PeriodStatus.ALLOCATED: events.PeriodAllocated,
}


def tell(session: Session, period: Period) -> None:
    """Say the period's present state on the bus."""
    fact = fact_of(period, queries.activities(session, period.id))
    outbox.add(session, fact, thing_id=period.id, version=period.version)


def fact_of(period: Period, activities: list[Activity]) -> events.PeriodFact:
    """A period's present state as a fact."""
    slots = period.slotted
    return FACTS[period.status](
        board=period.board,
        title=period.title,
        slots=[events.PeriodSlot(**slot.model_dump()) for slot in slots],
        offers=list(dict.fromkeys(each.offer_id for each in activities)),
        wishes_from=period.wishes_from,
        wishes_until=period.wishes_until,
        places=sum(each.places for each in activities),
        commitment=period.commitment,
        seed=period.revealed,
        card=_card(period, slots),
        **period.figures,
    )


def _card(period: Period, slots: list[PeriodSlot]) -> Card:
    days = Days(start=min(slot.start for slot in slots), end=max(slot.end for slot in slots))
    listed = period.status == PeriodStatus.OPEN
    return Card(kind="period", board=period.board, title=period.title, period=days, listed=listed)


def write_to(session: Session, period: Period, wishlist: Wishlist, template: Template) -> None:
    """Ask for a message to a family."""
    messages.request(session, wishlist.recipient_id, template, _about(period))


def message(period: Period, wishlist: Wishlist, template: Template) -> Entry:
    """A message to a family, on its way into the outbox."""
    return messages.entry(wishlist.recipient_id, template, _about(period))


def _about(period: Period) -> Subject:
    return Subject(kind="period", id=period.id, board=period.board)
