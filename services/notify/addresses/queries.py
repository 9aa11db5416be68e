"""Reads of recipients."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from libs.servicekit.errors import NotFound
from services.notify.addresses.domain import Status
from services.notify.addresses.models import AskedAddress, Recipient, Suppression

AT_ONCE = 200


def one(session: Session, recipient_id: str, *, lock: bool = False) -> Recipient:
    """A recipient; NotFound when there is none, or no longer."""
    query = select(Recipient).where(Recipient.id == recipient_id)
    found = session.exec(query.with_for_update() if lock else query).first()
    if found is None:
        raise NotFound("recipient")
    return found


def suppressed(session: Session, mark: str) -> bool:
    """Whether nothing may be sent to an address."""
    return session.get(Suppression, mark) is not None


def asked(session: Session, mark: str, since: datetime) -> list[datetime]:
    """When the owner of an address was asked for a confirmation, whoever asked, newest first."""
    query = select(AskedAddress.at).where(AskedAddress.mark == mark, col(AskedAddress.at) > since)
    return list(session.exec(query.order_by(col(AskedAddress.at).desc())))


def to_be_asked(session: Session, at: datetime) -> list[str]:
    """The recipients whose confirmation is due, longest first."""
    due = (col(Recipient.status) == Status.UNCONFIRMED) & (col(Recipient.ask_at) <= at)
    return list(session.exec(select(Recipient.id).where(due).order_by(col(Recipient.ask_at)).limit(AT_ONCE)))


def never_confirmed(session: Session, at: datetime, within: timedelta) -> list[str]:
    """Those who did not confirm in time."""
    old = (col(Recipient.status) == Status.UNCONFIRMED) & (col(Recipient.created_at) < at - within)
    return list(session.exec(select(Recipient.id).where(old).limit(AT_ONCE)))


def sealed_otherwise(session: Session, keys: Sequence[str]) -> list[Recipient]:
    """Recipients whose address is sealed with one of these keys."""
    query = select(Recipient).where(col(Recipient.key_id).in_(keys)).limit(AT_ONCE)
    return list(session.exec(query.with_for_update()))


def counts(session: Session) -> dict[str, int]:
    """How many recipients there are in each status."""
    return dict(session.exec(select(Recipient.status, func.count()).group_by(Recipient.status)).all())


def suppressions(session: Session) -> dict[str, int]:
    """How many addresses nothing is sent to, by the reason."""
    return dict(session.exec(select(Suppression.reason, func.count()).group_by(Suppression.reason)).all())
