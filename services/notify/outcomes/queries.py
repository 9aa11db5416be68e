"""Reads of outcomes: a fact's id, the beginning of one, or the newest fact of all enters; one line per way leaves."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from services.notify.addresses.models import Recipient
from services.notify.deliveries.models import Delivery
from services.notify.outcomes.views import Outcome
from services.notify.subscriptions.models import Notice
from services.notify.webhooks.models import HookDelivery

MOST = 1000
OF_MESSAGE = {"status", "template", "reason", "attempts", "ended_at"}


def of_fact(session: Session, fact: str) -> list[Outcome]:
    """Whom it reached, how and when, or why not; oldest first."""
    fact = (_newest(session) or "") if fact == "last" else fact
    found = [*_messages(session, fact), *_notices(session, fact), *_hooks(session, fact)] if fact else []
    return sorted(found, key=lambda each: each.created_at)[:MOST]


def _newest(session: Session) -> str | None:
    by_person = select(Delivery.fact_id, Delivery.created_at).order_by(col(Delivery.id).desc()).limit(1)
    by_hook = (
        select(HookDelivery.event_id, HookDelivery.created_at).order_by(col(HookDelivery.id).desc()).limit(1)
    )
    rows = [row for query in (by_person, by_hook) for row in session.exec(query)]
    return max(rows, key=lambda row: row[1])[0] if rows else None


def _begins(column: Any, fact: str) -> ColumnElement[bool]:
    # A range, which an index answers in any collation of these letters; `~` sorts behind all of them.
    begins: ColumnElement[bool] = (col(column) >= fact) & (col(column) < f"{fact}~")
    return begins


def _messages(session: Session, fact: str) -> Iterator[Outcome]:
    query = (
        select(Delivery, Recipient.channel)
        .join(Recipient, col(Recipient.id) == col(Delivery.recipient_id))
        .where(_begins(Delivery.fact_id, fact))
        .limit(MOST)
    )
    for delivery, channel in session.exec(query):
        yield Outcome(**delivery.model_dump(), channel=channel)


def _notices(session: Session, fact: str) -> Iterator[Outcome]:
    """What followers were to be told: it waits for its hour, was dropped, or went with others in one message."""
    query = (
        select(Notice, Delivery, Recipient.channel)
        .join(Recipient, col(Recipient.id) == col(Notice.recipient_id))
        .join(Delivery, col(Delivery.id) == col(Notice.delivery_id), isouter=True)
        .where(_begins(Notice.fact_id, fact))
        .limit(MOST)
    )
    for notice, delivery, channel in session.exec(query):
        if delivery is not None and delivery.fact_id == notice.fact_id:
            continue  # told by itself: it stands among the messages
        told = delivery.model_dump(include=OF_MESSAGE) if delivery else {"status": notice.status}
        yield Outcome(**notice.model_dump(exclude=OF_MESSAGE), **told, channel=channel, created_at=notice.at)


def _hooks(session: Session, fact: str) -> Iterator[Outcome]:
    query = select(HookDelivery).where(_begins(HookDelivery.event_id, fact)).limit(MOST)
    for each in session.exec(query):
        reason = " ".join(filter(None, (str(each.answer or ""), each.detail or "")))
        yield Outcome(
            **each.model_dump(),
            fact_id=each.event_id,
            channel="webhook",
            reason=reason or None,
            due_at=each.next_at,
        )
