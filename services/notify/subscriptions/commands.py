"""Use cases of subscriptions: follow something, follow something else, stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import delete
from sqlmodel import Session, col

from libs.cardquery.matching import Matching
from libs.servicekit.db import insert_into, leave_work, now
from libs.servicekit.errors import Conflict, check_version
from services.notify.addresses import queries as addresses
from services.notify.deliveries import commands as deliveries
from services.notify.deliveries.domain import Reason
from services.notify.subscriptions import queries
from services.notify.subscriptions.anchors import filed, words_of
from services.notify.subscriptions.domain import MOST_PER_RECIPIENT, Cadence, NoticeStatus, due
from services.notify.subscriptions.filters import follow_of
from services.notify.subscriptions.models import Anchor, FollowedWord, Follower, Notice


@dataclass(frozen=True)
class Wanted:
    """What somebody wants to hear of, and how often."""

    filter: str
    changes: Sequence[str]
    cadence: Cadence
    name: str | None = None


def follow(session: Session, matching: Matching, recipient_id: str, wanted: Wanted) -> Follower:
    """A new subscription; NotFound without its recipient, Conflict when there are enough."""
    addresses.one(session, recipient_id, lock=True)
    if queries.count(session, recipient_id) >= MOST_PER_RECIPIENT:
        raise Conflict(
            f"A recipient has at most {MOST_PER_RECIPIENT} subscriptions.",
            code="too-many-subscriptions",
            most=MOST_PER_RECIPIENT,
        )
    row = Follower(
        recipient_id=recipient_id,
        filter=wanted.filter,
        changes=list(wanted.changes),
        cadence=wanted.cadence,
        name=wanted.name,
    )
    session.add(row)
    session.flush()
    file(session, matching, [row])
    return row


def file(session: Session, matching: Matching, rows: Sequence[Follower]) -> None:
    """File subscriptions under what finds them."""
    names = {row.id: filed(follow_of(row.filter, matching.silent), matching) for row in rows}
    entries = [{"name": name, "subscription_id": key} for key, some in names.items() for name in some]
    session.execute(insert_into(session, Anchor).values(entries))
    if words := words_of(set().union(*names.values())):
        known = insert_into(session, FollowedWord).values([{"word": word} for word in sorted(words)])
        session.execute(known.on_conflict_do_nothing())


def change(
    session: Session, matching: Matching, subscription_id: str, expected: int, wanted: Wanted
) -> Follower:
    """Follow something else, or at another pace. What waits is told only if it still fits, and when it now should."""
    row = queries.one(session, subscription_id, lock=True)
    check_version(expected, row.version)
    if row.filter != wanted.filter:
        row.filter, row.since = wanted.filter, now()
        session.execute(delete(Anchor).where(col(Anchor.subscription_id) == row.id))
        file(session, matching, [row])
    row.changes, row.cadence, row.name = list(wanted.changes), wanted.cadence, wanted.name
    row.version += 1
    session.add(row)
    _pace(session, row)
    return row


def _pace(session: Session, row: Follower) -> None:
    _recall(session, row)
    recipient = addresses.one(session, row.recipient_id)
    zone, quiet = ZoneInfo(recipient.timezone), recipient.quiet_hours
    for notice in queries.waiting_of(session, row.id):
        notice.due_at = due(Cadence(row.cadence), now(), zone, quiet, None)
        session.add(notice)
    leave_work(session)


def stop(session: Session, subscription_id: str) -> None:
    """End a subscription: nothing of it is told any more, also not what is on its way; NotFound when it is over."""
    row = queries.one(session, subscription_id, lock=True)
    _recall(session, row)
    deliveries.stop(session, row.id)
    session.delete(row)


def stop_by_link(session: Session, thing_id: str) -> None:
    """End what the link of a message ends: a subscription, or all that come as one overview to a recipient."""
    rows = [row for row in queries.of_recipient(session, thing_id) if row.cadence != Cadence.AT_ONCE]
    for each in [row.id for row in rows] or [thing_id]:
        stop(session, each)
    if rows:
        deliveries.stop(session, thing_id)


def _recall(session: Session, row: Follower) -> None:
    """Take back messages that were not sent and tell something because of a subscription; the rest is told anew."""
    for delivery_id in queries.in_messages(session, row.id):
        recall(session, delivery_id)


def recall(session: Session, delivery_id: str) -> None:
    """Take back a message that was not sent: what it tells waits again."""
    deliveries.drop(session, delivery_id, Reason.SUPERSEDED)
    for notice in queries.of_delivery(session, delivery_id):
        notice.status, notice.delivery_id, notice.told_at = NoticeStatus.WAITING, None, None
        notice.due_at = now()
        session.add(notice)
    leave_work(session)


def clean(session: Session, at: datetime) -> int:
    """Forget some notices whose time is over; returns how many."""
    ids = queries.over(session, at)
    session.execute(delete(Notice).where(col(Notice.id).in_(ids)))
    return len(ids)
