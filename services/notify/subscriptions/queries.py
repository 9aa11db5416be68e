"""Reads of subscriptions and of what waits to be told."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from libs.servicekit.errors import NotFound
from services.notify.addresses.models import Recipient
from services.notify.deliveries.domain import Status
from services.notify.deliveries.models import Delivery
from services.notify.subscriptions.domain import KEPT, Cadence, NoticeStatus
from services.notify.subscriptions.models import Anchor, Deadline, Follower, Notice

AT_ONCE = 500


def one(session: Session, subscription_id: str, *, lock: bool = False) -> Follower:
    """A subscription; NotFound when there is none, or no longer."""
    query = select(Follower).where(Follower.id == subscription_id)
    found = session.exec(query.with_for_update() if lock else query).first()
    if found is None:
        raise NotFound("subscription")
    return found


def anybody(session: Session) -> bool:
    """Whether anybody follows anything at all."""
    return session.exec(select(Follower.id).limit(1)).first() is not None


def of_recipient(session: Session, recipient_id: str) -> list[Follower]:
    """What a recipient follows, oldest first."""
    query = select(Follower).where(Follower.recipient_id == recipient_id)
    return list(session.exec(query.order_by(col(Follower.id))))


def count(session: Session, recipient_id: str) -> int:
    """How many subscriptions a recipient has."""
    query = select(func.count()).select_from(Follower).where(Follower.recipient_id == recipient_id)
    return int(session.exec(query).one())


def filed_under(session: Session, names: Iterable[str], before: datetime) -> Iterable[Any]:
    """Who could follow something that is looked up under these names, with what is needed to decide and to tell."""
    found = select(Anchor.subscription_id).where(col(Anchor.name).in_(sorted(names))).distinct()
    query = (
        select(
            Follower.id,
            Follower.recipient_id,
            Follower.filter,
            Follower.changes,
            Follower.cadence,
            Recipient.timezone,
            Recipient.quiet,
        )  # type: ignore[call-overload]
        .join(Recipient, col(Recipient.id) == col(Follower.recipient_id))
        .where(col(Follower.id).in_(found), col(Follower.since) <= before)
        .order_by(col(Follower.id))
        .execution_options(yield_per=AT_ONCE)
    )
    found_rows: Iterable[Any] = session.exec(query)
    return found_rows


def open_of_thing(session: Session, key: str) -> list[Notice]:
    """What is still to be told of a thing, also what was put into a message that was not sent yet."""
    unsent = select(Delivery.id).where(col(Delivery.status).in_((Status.DUE, Status.HELD)))
    still = (col(Notice.status) == NoticeStatus.WAITING) | col(Notice.delivery_id).in_(unsent)
    return list(session.exec(select(Notice).where(Notice.thing_key == key, still)))


def told_since(session: Session, key: str, since: datetime) -> dict[str, datetime]:
    """When recipients were last told of a thing."""
    query = select(Notice.recipient_id, func.max(Notice.told_at)).where(
        Notice.thing_key == key, col(Notice.told_at) > since
    )
    return {recipient: at for recipient, at in session.exec(query.group_by(col(Notice.recipient_id))) if at}


def due(session: Session, at: datetime) -> list[tuple[Notice, Follower, Recipient]]:
    """What is to be told now, longest due first."""
    return _with_whom(session, col(Notice.due_at) <= at)


def digest(session: Session, recipient_id: str, at: datetime) -> list[tuple[Notice, Follower, Recipient]]:
    """All that one recipient is to read at once now."""
    mine = (col(Notice.recipient_id) == recipient_id) & (col(Follower.cadence) != Cadence.AT_ONCE)
    return _with_whom(session, (col(Notice.due_at) <= at) & mine, limit=None)


def _with_whom(
    session: Session, condition: Any, limit: int | None = AT_ONCE
) -> list[tuple[Notice, Follower, Recipient]]:
    query = (
        select(Notice, Follower, Recipient)
        .join(Follower, col(Follower.id) == col(Notice.subscription_id))
        .join(Recipient, col(Recipient.id) == col(Notice.recipient_id))
        .where(Notice.status == NoticeStatus.WAITING, condition)
        .order_by(col(Notice.due_at), col(Notice.id))
    )
    return [(notice, follower, recipient) for notice, follower, recipient in session.exec(query.limit(limit))]


def waiting_of(session: Session, subscription_id: str) -> list[Notice]:
    """What waits to be told because of a subscription."""
    query = select(Notice).where(Notice.subscription_id == subscription_id)
    return list(session.exec(query.where(Notice.status == NoticeStatus.WAITING)))


def in_messages(session: Session, subscription_id: str) -> list[str]:
    """Messages that were not sent yet and tell something because of a subscription, possibly beside others."""
    query = (
        select(Delivery.id)
        .join(Notice, col(Notice.delivery_id) == col(Delivery.id))
        .where(Notice.subscription_id == subscription_id, col(Delivery.ended_at).is_(None))
        .distinct()
    )
    return list(session.exec(query))


def of_delivery(session: Session, delivery_id: str) -> list[Notice]:
    """What a message tells."""
    return list(session.exec(select(Notice).where(Notice.delivery_id == delivery_id)))


def near(session: Session, now: datetime, until: datetime) -> Sequence[Deadline]:
    """Deadlines that are to be warned of."""
    query = select(Deadline).where(Deadline.told == False, col(Deadline.at) <= until, col(Deadline.at) > now)  # noqa: E712
    return session.exec(query.order_by(col(Deadline.at)).limit(AT_ONCE)).all()


def over(session: Session, at: datetime) -> list[str]:
    """Notices that nobody needs any more."""
    old = (col(Notice.status) != NoticeStatus.WAITING) & (col(Notice.at) < at - KEPT)
    return list(session.exec(select(Notice.id).where(old).limit(AT_ONCE)))
