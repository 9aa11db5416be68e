"""Reads of deliveries."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from services.notify.addresses.models import Recipient
from services.notify.deliveries.domain import CONFIRMATION, KEPT, Status
from services.notify.deliveries.models import Delivery


def due(session: Session, at: datetime, limit: int) -> list[tuple[Delivery, Recipient]]:
    """What is to be sent now, longest due first, with who is to get it."""
    query = (
        select(Delivery, Recipient)
        .join(Recipient, col(Recipient.id) == col(Delivery.recipient_id))
        .where(Delivery.status == Status.DUE, col(Delivery.due_at) <= at)
        .order_by(col(Delivery.due_at), col(Delivery.id))
        .limit(limit)
    )
    return [(delivery, recipient) for delivery, recipient in session.exec(query).all()]


def of_fact(session: Session, fact_id: str) -> list[Delivery]:
    """What became of one fact, for whom."""
    return list(session.exec(select(Delivery).where(Delivery.fact_id == fact_id).order_by(col(Delivery.id))))


def waiting(session: Session, recipient_id: str) -> list[Delivery]:
    """What waits for a recipient to confirm the address, oldest first."""
    query = select(Delivery).where(Delivery.recipient_id == recipient_id, Delivery.status == Status.HELD)
    return list(session.exec(query.where(Delivery.template != CONFIRMATION).order_by(col(Delivery.id))))


def of_recipient(session: Session, recipient_id: str) -> list[Delivery]:
    """Everything that is kept of a recipient's messages, oldest first."""
    query = select(Delivery).where(Delivery.recipient_id == recipient_id)
    return list(session.exec(query.order_by(col(Delivery.id))))


def over(session: Session, at: datetime, limit: int) -> list[str]:
    """Rows whose time is over."""
    query = select(Delivery.id).where(col(Delivery.ended_at) < at - KEPT).limit(limit)
    return list(session.exec(query))


def backlog(session: Session, at: datetime) -> tuple[int, float]:
    """How many messages are overdue, and for how many seconds the oldest is."""
    query = select(func.count(), func.min(Delivery.due_at)).where(
        Delivery.status == Status.DUE, col(Delivery.due_at) <= at
    )
    count, oldest = session.exec(query).one()
    return count, (at - oldest).total_seconds() if oldest else 0.0
