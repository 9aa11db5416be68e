"""Use cases of deliveries: take a message on, note what became of it, clean up."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlmodel import Session, col

from libs.contracts import messages
from libs.contracts.notify import MessageRequested
from libs.servicekit.db import insert_into, leave_work, now
from services.notify.addresses.commands import suppress
from services.notify.addresses.domain import Status as RecipientStatus
from services.notify.addresses.models import Recipient
from services.notify.deliveries import queries
from services.notify.deliveries.content import Content
from services.notify.deliveries.domain import (
    CONFIRMATION,
    Outcome,
    Reason,
    Status,
    lasts,
    pause,
    reason_of,
)
from services.notify.deliveries.models import Delivery
from services.notify.vault import Vault

AT_ONCE = 500


def accept(
    session: Session, vault: Vault, request: MessageRequested, fact_id: str, traceparent: str | None
) -> bool:
    """Take a requested message on, once however often it is asked for; False when its recipient is no longer there.

    Raises InvalidTemplate for a request that does not fit the catalogue.
    """
    messages.read(request.template, dict(request.facts))
    # Held against a confirmation at the same moment, which would release what waits and never see this one.
    lock = {"read": True}
    recipient = session.get(Recipient, request.recipient_id, with_for_update=lock)
    if recipient is None:
        return False
    content = Content(about=request.about, facts=dict(request.facts), dates=request.dates)
    delivery = Delivery(
        recipient_id=recipient.id,
        fact_id=fact_id,
        template=request.template,
        due_at=now(),
        send_before=request.send_before,
        traceparent=traceparent,
    )
    return add(session, vault, recipient, delivery, content)


def add(session: Session, vault: Vault, recipient: Recipient, delivery: Delivery, content: Content) -> bool:
    """Enter a delivery, held while the address is not confirmed; False when the fact reached the recipient already."""
    confirmed = recipient.status == RecipientStatus.CONFIRMED or delivery.template == CONFIRMATION
    row = delivery.model_dump() | {
        "content": vault.seal(content.model_dump_json(exclude_defaults=True)),
        "key_id": vault.key_id,
        "status": Status.DUE if confirmed else Status.HELD,
    }
    entry = insert_into(session, Delivery).values(row).on_conflict_do_nothing()
    leave_work(session)
    return session.execute(entry.returning(Delivery.id)).first() is not None


def release(session: Session, recipient_id: str) -> None:
    """The address is confirmed: what waited for that may go."""
    held = (col(Delivery.recipient_id) == recipient_id) & (col(Delivery.status) == Status.HELD)
    session.execute(update(Delivery).where(held).values(status=Status.DUE, due_at=now()))
    leave_work(session)


def note(session: Session, delivery_id: str, outcome: Outcome, mark: str) -> None:
    """What trying in vain came to: later, or never; what the recipient's server does not know is suppressed."""
    if outcome is Outcome.NO_SUCH_ADDRESS:
        suppress(session, mark, "bounced")
    delivery = session.get(Delivery, delivery_id)
    if delivery is None or delivery.status != Status.DUE:
        return  # erased or stopped meanwhile
    delivery.attempts += 1
    if lasts(outcome, delivery.attempts):
        end(session, delivery, Status.FAILED, reason_of(outcome))
    else:
        delivery.due_at = now() + pause(delivery.attempts - 1)
        session.add(delivery)


def note_sent(session: Session, ids: Sequence[str]) -> None:
    """These were handed over; what they said is forgotten."""
    sent = {"status": Status.SENT, "attempts": Delivery.attempts + 1, "ended_at": now()}
    mine = col(Delivery.id).in_(ids) & (col(Delivery.status) == Status.DUE)
    session.execute(update(Delivery).where(mine).values(**sent, content=None, key_id=None))


def postpone(session: Session, delivery_id: str, seconds: float) -> None:
    """It is not its turn yet; no attempt was made."""
    mine = (col(Delivery.id) == delivery_id) & (col(Delivery.status) == Status.DUE)
    session.execute(update(Delivery).where(mine).values(due_at=now() + timedelta(seconds=seconds)))


def end(session: Session, delivery: Delivery, status: Status, reason: Reason | None = None) -> None:
    """A delivery is over; what it said is forgotten."""
    delivery.status, delivery.reason, delivery.ended_at = status, reason, now()
    delivery.content = delivery.key_id = None
    session.add(delivery)


def drop(session: Session, delivery_id: str, reason: Reason) -> None:
    """What is not to be sent any more."""
    delivery = session.get(Delivery, delivery_id)
    if delivery and delivery.status in (Status.DUE, Status.HELD):
        end(session, delivery, Status.DROPPED, reason)


def stop(session: Session, subscription_id: str) -> None:
    """Nothing of a subscription that ended is sent, also what was on its way."""
    mine = (col(Delivery.subscription_id) == subscription_id) & col(Delivery.ended_at).is_(None)
    values = {
        "status": Status.DROPPED,
        "reason": Reason.UNSUBSCRIBED,
        "ended_at": now(),
        "content": None,
        "key_id": None,
    }
    session.execute(update(Delivery).where(mine).values(values))


def clean(session: Session, at: datetime) -> int:
    """Forget some deliveries whose time is over; returns how many."""
    ids = queries.over(session, at, AT_ONCE)
    session.execute(delete(Delivery).where(col(Delivery.id).in_(ids)))
    return len(ids)


def reseal(session: Session, vault: Vault) -> int:
    """Seal with the newest key what some deliveries say; returns how many."""
    rows = queries.sealed_otherwise(session, vault.older, AT_ONCE)
    for row in rows:
        row.content, row.key_id = vault.seal(vault.open(row.content or b"")), vault.key_id
        session.add(row)
    return len(rows)
