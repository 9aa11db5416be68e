"""Reads of deliveries."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from services.notify.addresses.models import Recipient
from services.notify.deliveries.domain import CONFIRMATION, KEPT, NEWS, Status
from services.notify.deliveries.models import Delivery


def due(session: Session, channel: str, at: datetime, limit: int) -> list[tuple[Delivery, Recipient]]:
    """What is to be sent now, with who is to get it: what one person waits for before news, longest due first."""
    first = _due(session, channel, at, limit, col(Delivery.template).not_in(NEWS))
    left = limit - len(first)
    return first + (_due(session, channel, at, left, col(Delivery.template).in_(NEWS)) if left else [])


def _due(
    session: Session, channel: str, at: datetime, limit: int, which: Any
) -> list[tuple[Delivery, Recipient]]:
    query = (
        select(Delivery, Recipient)
        .join(Recipient, col(Recipient.id) == col(Delivery.recipient_id))
        .where(Delivery.status == Status.DUE, col(Delivery.due_at) <= at, Recipient.channel == channel, which)
        .order_by(col(Delivery.due_at), col(Delivery.id))
        .limit(limit)
    )
    return [(delivery, recipient) for delivery, recipient in session.exec(query).all()]


def still_due(session: Session, ids: Sequence[str]) -> set[str]:
    """Those of some deliveries that nobody erased or stopped."""
    query = select(Delivery.id).where(col(Delivery.id).in_(ids), Delivery.status == Status.DUE)
    return set(session.exec(query))


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


def overdue(session: Session, at: datetime) -> list[tuple[str, int, datetime]]:
    """How many messages are overdue on each channel, and since when the longest."""
    query = (
        select(Recipient.channel, func.count(), func.min(Delivery.due_at))
        .join(Recipient, col(Recipient.id) == col(Delivery.recipient_id))
        .where(Delivery.status == Status.DUE, col(Delivery.due_at) <= at)
        .group_by(Recipient.channel)
    )
    return [(channel, count, since) for channel, count, since in session.exec(query).all()]


def not_yet(session: Session, at: datetime) -> dict[str, int]:
    """How many messages wait for something else: a confirmation, another attempt, their hour."""
    later = (col(Delivery.status) == Status.DUE) & (col(Delivery.due_at) > at)
    parts = {
        "held": col(Delivery.status) == Status.HELD,
        "retrying": later & (col(Delivery.attempts) > 0),
        "scheduled": later & (col(Delivery.attempts) == 0),
    }
    return {
        name: session.exec(select(func.count()).select_from(Delivery).where(part)).one()
        for name, part in parts.items()
    }


def sealed_otherwise(session: Session, keys: Sequence[str], limit: int) -> list[Delivery]:
    """Deliveries whose content is sealed with one of these keys."""
    query = select(Delivery).where(col(Delivery.key_id).in_(keys)).limit(limit)
    return list(session.exec(query.with_for_update()))
