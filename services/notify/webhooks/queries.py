"""Reads of webhooks."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from libs.servicekit.errors import NotFound
from libs.servicekit.principal import Principal
from services.notify.webhooks.domain import GIVE_UP_AFTER, LOG_KEPT, HookStatus, Status
from services.notify.webhooks.models import HookDelivery, Webhook


def one(session: Session, caller: Principal, webhook_id: str, *, lock: bool = False) -> Webhook:
    """A webhook of the caller, or any for an operator; NotFound otherwise: nobody learns of another's."""
    query = select(Webhook).where(Webhook.id == webhook_id)
    found = session.exec(query.with_for_update() if lock else query).first()
    if found is None or (found.owner != caller.subject and not caller.is_any("operator")):
        raise NotFound("webhook")
    return found


def of_owner(session: Session, caller: Principal) -> list[Webhook]:
    """The caller's webhooks, or all of them for an operator, oldest first."""
    query = select(Webhook).order_by(col(Webhook.id))
    if not caller.is_any("operator"):
        query = query.where(Webhook.owner == caller.subject)
    return list(session.exec(query))


def active(session: Session) -> list[Webhook]:
    """Every endpoint that is told anything."""
    return list(session.exec(select(Webhook).where(Webhook.status == HookStatus.ACTIVE)))


def ready(session: Session, at: datetime) -> list[Webhook]:
    """Active endpoints that may be asked now and have something that may go now, as `next_of` would find it."""
    calm = or_(col(Webhook.open_until).is_(None), col(Webhook.open_until) <= at)
    waiting = select(HookDelivery.id).where(HookDelivery.webhook_id == Webhook.id, *_may_go(at))
    query = select(Webhook).where(Webhook.status == HookStatus.ACTIVE, calm, waiting.exists())
    return list(session.exec(query))


def _may_go(at: datetime) -> tuple[ColumnElement[bool], ...]:
    """What is due and the head of its thing: nothing before it waits, be that due or not."""
    ahead = aliased(HookDelivery)
    earlier = select(ahead.id).where(
        ahead.webhook_id == HookDelivery.webhook_id,
        ahead.status == Status.DUE,
        ahead.thing == HookDelivery.thing,
        tuple_(ahead.sequence, ahead.id) < tuple_(HookDelivery.sequence, HookDelivery.id),
    )
    return col(HookDelivery.status) == Status.DUE, col(HookDelivery.next_at) <= at, ~earlier.exists()


def next_of(session: Session, webhook_id: str, at: datetime, limit: int) -> list[HookDelivery]:
    """What may go to an endpoint now: of each thing the oldest event that it does not have, if that is due."""
    query = select(HookDelivery).where(HookDelivery.webhook_id == webhook_id, *_may_go(at))
    return list(session.exec(query.order_by(col(HookDelivery.sequence), col(HookDelivery.id)).limit(limit)))


def waiting(session: Session, webhook_id: str) -> int:
    """How many events wait for an endpoint."""
    due = (HookDelivery.webhook_id == webhook_id) & (HookDelivery.status == Status.DUE)
    return session.exec(select(func.count()).select_from(HookDelivery).where(due)).one()


def log(webhook_id: str, after: str, limit: int) -> SelectOfScalar[HookDelivery]:
    """Deliveries of an endpoint, newest first, in pages."""
    query = select(HookDelivery).where(HookDelivery.webhook_id == webhook_id)
    if after:
        query = query.where(col(HookDelivery.id) < after)
    return query.order_by(col(HookDelivery.id).desc()).limit(limit + 1)


def page(session: Session, webhook_id: str, after: str, limit: int) -> list[HookDelivery]:
    """One page of the log."""
    return list(session.exec(log(webhook_id, after, limit)))


def delivery(session: Session, webhook_id: str, delivery_id: str) -> HookDelivery:
    """One delivery of an endpoint; NotFound for another's."""
    found = session.get(HookDelivery, delivery_id)
    if found is None or found.webhook_id != webhook_id:
        raise NotFound("delivery")
    return found


def over(session: Session, at: datetime, limit: int) -> list[str]:
    """Deliveries whose time in the log is over."""
    query = select(HookDelivery.id).where(col(HookDelivery.ended_at) < at - LOG_KEPT).limit(limit)
    return list(session.exec(query))


def waiting_in_vain(session: Session, at: datetime, limit: int) -> list[str]:
    """Deliveries that disabled endpoints did not come back for in time."""
    disabled = select(Webhook.id).where(Webhook.status == HookStatus.DISABLED)
    query = select(HookDelivery.id).where(
        col(HookDelivery.webhook_id).in_(disabled),
        HookDelivery.status == Status.DUE,
        col(HookDelivery.created_at) < at - GIVE_UP_AFTER,
    )
    return list(session.exec(query.limit(limit)))


def replaying(session: Session) -> list[Webhook]:
    """Active endpoints with a replay under way."""
    under_way = col(Webhook.replay_at).is_not(None) & (Webhook.status == HookStatus.ACTIVE)
    return list(session.exec(select(Webhook).where(under_way)))


def sealed_otherwise(session: Session, keys: Sequence[str]) -> list[Webhook]:
    """Some whose secrets are sealed with one of these keys."""
    return list(
        session.exec(select(Webhook).where(col(Webhook.key_id).in_(keys)).limit(100).with_for_update())
    )


def states(session: Session, at: datetime) -> dict[str, int]:
    """How many endpoints are active, left alone for now, and disabled."""
    found = {"active": 0, "open": 0, "disabled": 0}
    for hook in session.exec(select(Webhook)):
        left_alone = hook.open_until is not None and hook.open_until > at
        found["disabled" if hook.status == HookStatus.DISABLED else "open" if left_alone else "active"] += 1
    return found
