"""Use cases of recipients: register, confirm, change, export, erase."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col
from uuid_utils import uuid7

from libs.servicekit import erasure
from libs.servicekit.db import Database, leave_work, now
from libs.servicekit.errors import FieldError, Invalid, TooMany, check_version
from services.notify.addresses import queries as addresses
from services.notify.addresses.domain import (
    ASKED_KEPT,
    CONFIRM_WITHIN,
    MOST_ATTEMPTS,
    Channel,
    QuietHours,
    Status,
    asked_at,
    hashed,
    matches,
    new_code,
)
from services.notify.addresses.models import AskedAddress, Recipient
from services.notify.deliveries import commands as deliveries
from services.notify.deliveries import queries as delivery_queries
from services.notify.deliveries.content import Content
from services.notify.deliveries.domain import CONFIRMATION
from services.notify.deliveries.models import Delivery
from services.notify.texts.catalogue import Texts
from services.notify.vault import Vault


@dataclass(frozen=True)
class Registration:
    """Who is to be reached how. `mark` and `address` are of the same address."""

    channel: Channel
    address: str
    mark: str
    language: str
    timezone: str
    quiet: QuietHours | None = None


def register(session: Session, vault: Vault, said: Registration, patience: timedelta) -> Recipient:
    """A new recipient, always: whether the address is known is nobody's business. After `patience` its owner is asked."""
    recipient = Recipient(
        channel=said.channel,
        address=vault.seal(said.address),
        key_id=vault.key_id,
        mark=said.mark,
        language=said.language,
        timezone=said.timezone,
        quiet=said.quiet.model_dump() if said.quiet else None,
    )
    if said.channel is Channel.PUSH:  # a browser hands its subscription over itself, with its user's consent
        recipient.status, recipient.confirmed_at = Status.CONFIRMED, now()
        recipient.proof = {"at": now().isoformat(), "text": "web-push-permission"}
    else:
        earlier = addresses.asked(session, said.mark, now() - ASKED_KEPT)
        recipient.ask_at = asked_at(now() + patience, earlier)
    session.add(recipient)
    leave_work(session)
    return recipient


def ask(session: Session, vault: Vault, texts: Texts, recipient_id: str) -> None:
    """Send the owner of an address the mail that asks for a confirmation and says what waits for it."""
    recipient = addresses.one(session, recipient_id, lock=True)
    if recipient.status == Status.CONFIRMED or recipient.ask_at is None or recipient.ask_at > now():
        return
    session.add(recipient)
    if addresses.suppressed(session, recipient.mark):
        recipient.ask_at = None
        return
    earlier = addresses.asked(session, recipient.mark, now() - ASKED_KEPT)
    recipient.ask_at = asked_at(recipient.ask_at, earlier)
    if recipient.ask_at <= now():
        _send_code(session, vault, texts, recipient)


def _send_code(session: Session, vault: Vault, texts: Texts, recipient: Recipient) -> None:
    code, recipient.attempts = new_code(), 0
    recipient.code, recipient.asked_at, recipient.ask_at = hashed(code), now(), None
    session.add(AskedAddress(mark=recipient.mark))
    waiting = delivery_queries.waiting(session, recipient.id)
    named = [texts.word("template", each.template, recipient.language) for each in waiting]
    facts: dict[str, Any] = {
        "code": code,
        "recipient": recipient.id,
        "waiting": "\n".join(dict.fromkeys(named)),
    }
    delivery = Delivery(
        recipient_id=recipient.id,
        fact_id=f"confirm-{uuid7()}",
        template=CONFIRMATION,
        due_at=now(),
        send_before=now() + CONFIRM_WITHIN,
    )
    deliveries.add(session, vault, recipient, delivery, Content(facts=facts))


def ask_again(session: Session, recipient_id: str) -> None:
    """The mail did not arrive: another one, later where there were some already."""
    recipient = addresses.one(session, recipient_id, lock=True)
    if recipient.status == Status.UNCONFIRMED and recipient.ask_at is None:
        earlier = addresses.asked(session, recipient.mark, now() - ASKED_KEPT)
        recipient.ask_at = asked_at(now(), earlier)
        session.add(recipient)
        leave_work(session)


def confirm(session: Session, recipient_id: str, code: str, text: str) -> Recipient:
    """The owner of the address read the code: what waited may go. `text` names the words that were agreed to.

    Raises Invalid for a wrong code, TooMany after too many of them.
    """
    recipient = addresses.one(session, recipient_id, lock=True)
    if recipient.status == Status.CONFIRMED:
        return recipient
    if recipient.attempts >= MOST_ATTEMPTS:
        raise TooMany("Too many wrong codes; ask for a new mail.", retry_after=600, code="too-many-codes")
    if not matches(code, recipient.code):
        raise WrongCode()
    recipient.status, recipient.confirmed_at, recipient.code = Status.CONFIRMED, now(), None
    recipient.proof = {"at": now().isoformat(), "text": text, "asked_at": _iso(recipient.asked_at)}
    recipient.version += 1
    session.add(recipient)
    session.flush()
    deliveries.release(session, recipient.id)
    return recipient


class WrongCode(Invalid):
    """The code is not the one that was sent."""

    code = "wrong-code"

    def __init__(self) -> None:
        super().__init__(FieldError(field="code", reason="is not the one in the mail", code="wrong-code"))


def confirmed(db: Database, recipient_id: str, code: str, text: str) -> Recipient:
    """`confirm` in a transaction of its own; a wrong code is counted in another, for the one that failed keeps nothing."""
    try:
        with db.transaction() as session:
            return confirm(session, recipient_id, code, text)
    except WrongCode:
        with db.transaction() as session:
            recipient = addresses.one(session, recipient_id, lock=True)
            recipient.attempts += 1
            session.add(recipient)
        raise


def change(
    session: Session, recipient_id: str, expected: int, language: str, timezone: str, quiet: QuietHours | None
) -> Recipient:
    """Another language, zone or quiet hours."""
    recipient = addresses.one(session, recipient_id, lock=True)
    check_version(expected, recipient.version)
    recipient.language, recipient.timezone = language, timezone
    recipient.quiet = quiet.model_dump() if quiet else None
    recipient.version += 1
    session.add(recipient)
    return recipient


def erase(session: Session, recipient_id: str) -> None:
    """Everything that is kept of a recipient goes, also messages that wait; what follows it goes by foreign key."""
    addresses.one(session, recipient_id, lock=True)
    session.execute(delete(Recipient).where(col(Recipient.id) == recipient_id))
    erasure.forget(session, recipient_id)


def forget(session: Session, at: datetime) -> int:
    """Erase some of those who never confirmed; returns how many."""
    ids = addresses.never_confirmed(session, at, CONFIRM_WITHIN)
    for recipient_id in ids:
        erase(session, recipient_id)
    old = delete(AskedAddress).where(col(AskedAddress.at) < at - ASKED_KEPT)
    session.execute(old)
    return len(ids)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
