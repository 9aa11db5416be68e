"""What waits is told: notices that are due become messages, one each or an overview; what is no longer so is dropped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from libs.cardquery.matching import Matching, Subject
from libs.servicekit.db import now
from services.notify.addresses.domain import after_quiet
from services.notify.addresses.models import Recipient
from services.notify.deliveries import commands as deliveries
from services.notify.deliveries.content import Content, Item
from services.notify.deliveries.models import Delivery
from services.notify.subscriptions import queries
from services.notify.subscriptions.domain import WARN_BEFORE, Cadence, NoticeStatus
from services.notify.subscriptions.filters import follow_of
from services.notify.subscriptions.matching import Told, match
from services.notify.subscriptions.models import Follower, Notice
from services.notify.subscriptions.naming import why
from services.notify.texts.catalogue import Texts
from services.notify.things import queries as things
from services.notify.things.commands import News
from services.notify.things.domain import Change
from services.notify.things.models import Thing
from services.notify.vault import Vault

Due = tuple[Notice, Follower, Recipient]


@dataclass(frozen=True)
class Teller:
    """Whose words are used, what seals messages, and how cards are compared."""

    vault: Vault
    texts: Texts
    matching: Matching


def tell(session: Session, teller: Teller) -> int:
    """Make messages of some of what is due; returns how many notices that were."""
    found, subjects = queries.due(session, now()), dict[str, tuple[Thing, Subject] | None]()
    done = set[str]()
    for each in found:
        notice, follower, recipient = each
        if notice.id in done:
            continue
        together = [each]
        if follower.cadence != Cadence.AT_ONCE:
            together = queries.digest(session, recipient.id, now())
        done.update(other[0].id for other in together)
        quiet_until = after_quiet(now(), recipient.quiet_hours, ZoneInfo(recipient.timezone))
        if quiet_until > now():
            _wait(session, together, quiet_until)
            continue
        _send(session, teller, together, subjects)
    return len(found)


def _wait(session: Session, some: Sequence[Due], until: datetime) -> None:
    for notice, _, _ in some:
        notice.due_at = until
        session.add(notice)


def _send(
    session: Session, teller: Teller, some: Sequence[Due], subjects: dict[str, tuple[Thing, Subject] | None]
) -> None:
    true = [each for each in some if _still(session, teller, each, subjects)]
    for notice, _, _ in some:
        notice.status = NoticeStatus.DROPPED
        session.add(notice)
    if not true:
        return
    delivery, content = _message(session, teller, sorted(true, key=lambda each: each[0].at, reverse=True))
    if deliveries.add(session, teller.vault, true[0][2], delivery, content):
        for notice, _, _ in true:
            notice.status, notice.delivery_id, notice.told_at = NoticeStatus.TOLD, delivery.id, now()


def _still(
    session: Session, teller: Teller, each: Due, subjects: dict[str, tuple[Thing, Subject] | None]
) -> bool:
    """Whether it is still so, and still wanted."""
    notice, follower, _ = each
    if notice.thing_key not in subjects:
        thing = things.by_key(session, notice.thing_key)
        subjects[notice.thing_key] = (thing, teller.matching.subject(thing.shown)) if thing else None
    known = subjects[notice.thing_key]
    if known is None or notice.change not in follower.changes:
        return False
    thing, subject = known
    if thing.listed == (notice.change == Change.CANCELLED):
        return False
    return follow_of(follower.filter, teller.matching.silent).answers(subject, thing.thing_id)


def _message(session: Session, teller: Teller, some: Sequence[Due]) -> tuple[Delivery, Content]:
    notice, follower, recipient = some[0]
    followers = list({each.id: each for _, each, _ in some}.values())
    alone = follower.cadence == Cadence.AT_ONCE
    delivery = Delivery(
        recipient_id=recipient.id,
        fact_id=notice.fact_id if alone else f"digest-{notice.id}",
        template="news" if alone else "digest",
        # One click ends what this message is about: a subscription, or all that came together.
        subscription_id=follower.id if len(followers) == 1 else recipient.id,
        due_at=now(),
        traceparent=notice.traceparent if alone else None,
    )
    items = [Item(key=n.thing_key, change=n.change, fact_id=n.fact_id, at=n.at) for n, _, _ in some]
    return delivery, Content(
        kind="news", items=items, why=why(session, teller.texts, recipient.language, followers)
    )


def warn(session: Session, matching: Matching) -> int:
    """Tell those who want to know of some deadlines that are near; returns how many deadlines that were."""
    near = queries.near(session, now(), now() + WARN_BEFORE)
    for row in near:
        row.told = True
        session.add(row)
        thing = things.by_key(session, row.thing_key)
        if thing and thing.listed:
            told = Told(f"deadline-{thing.thing_id[:36]}-{int(row.at.timestamp())}", now())
            match(session, matching, News(thing, thing.shown, Change.DEADLINE), told, WARN_BEFORE * 0)
    return len(near)
