"""Reads of slots."""

from sqlmodel import Session, col, select

from services.offers.slots.domain import Slot, Use, quarters, runs
from services.offers.slots.models import SlotUse


def uses(session: Session, resource_id: str, window: Slot) -> list[Use]:
    """When the resource is in use within a window, and by how many."""
    span = quarters(window)
    query = select(SlotUse.quarter, SlotUse.taken).where(
        SlotUse.resource_id == resource_id, col(SlotUse.quarter).between(span.start, span.stop - 1)
    )
    return runs([(quarter, taken) for quarter, taken in session.exec(query.order_by(col(SlotUse.quarter)))])
