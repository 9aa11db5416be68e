"""Use cases of what came of attempts: had, later or never; when an endpoint is left alone, and when it is disabled."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col

from libs.servicekit.db import now
from services.notify.posting import Result
from services.notify.webhooks import queries
from services.notify.webhooks.domain import (
    GIVE_UP_AFTER,
    TRIPS_AFTER,
    HookStatus,
    Status,
    breaker_pause,
    pause,
)
from services.notify.webhooks.models import HookDelivery, Webhook

GONE = "410 Gone"
AT_ONCE = 500


def note(session: Session, webhook_id: str, results: Sequence[tuple[str, Result]]) -> Webhook | None:
    """What attempts at an endpoint came to: had, later or never; an endpoint that fails is left alone for a while.

    Returns the endpoint, or None for one that is gone.
    """
    hook = session.get(Webhook, webhook_id, with_for_update=True)
    if hook is None:
        return None
    _note_taken(session, results)
    for delivery_id, result in results:
        if not result.taken and (delivery := session.get(HookDelivery, delivery_id)):
            _note_failed(session, delivery, result)
    if results:
        _count(hook, [result for _, result in results])
    session.add(hook)
    session.flush()
    if any(result.gone for _, result in results):
        _end(session, hook)
    return hook


def _note_taken(session: Session, results: Sequence[tuple[str, Result]]) -> None:
    """What an endpoint has, of each answer in one statement."""
    by_answer = dict[int, list[str]]()
    for delivery_id, result in results:
        if result.taken and result.status is not None:
            by_answer.setdefault(result.status, []).append(delivery_id)
    for answer, ids in by_answer.items():
        due = col(HookDelivery.id).in_(ids) & (col(HookDelivery.status) == Status.DUE)
        had = {
            "status": Status.SENT,
            "ended_at": now(),
            "answer": answer,
            "detail": None,
            "attempts": HookDelivery.attempts + 1,
        }
        session.execute(update(HookDelivery).where(due).values(had))


def _note_failed(session: Session, delivery: HookDelivery, result: Result) -> None:
    if delivery.status != Status.DUE:
        return
    delivery.attempts += 1
    delivery.answer, delivery.detail = result.status, result.detail or None
    if now() - delivery.created_at > GIVE_UP_AFTER:
        delivery.status, delivery.ended_at = Status.FAILED, now()
    else:
        delivery.next_at = now() + pause(delivery.attempts)
    session.add(delivery)


def _count(hook: Webhook, results: Sequence[Result]) -> None:
    """Attempts that went out together count once: ten at an endpoint that is away for a second tell no more than one."""
    hook.failures = 0 if any(result.taken for result in results) else hook.failures + 1
    alone = breaker_pause(hook.failures)
    hook.open_until = now() + alone if alone else None


def _end(session: Session, hook: Webhook) -> None:
    """An endpoint wants nothing more: neither what waits for it nor the rest of a replay."""
    hook.status, hook.reason, hook.replay, hook.replay_at = HookStatus.DISABLED, GONE, None, None
    waiting = (col(HookDelivery.webhook_id) == hook.id) & (col(HookDelivery.status) == Status.DUE)
    over = {"status": Status.FAILED, "ended_at": now(), "detail": GONE}
    session.execute(update(HookDelivery).where(waiting).values(over))


def leave_alone(session: Session, webhook_id: str) -> None:
    """Nothing could be sent to an endpoint, for reasons of ours: it is tried again after the breaker's pause."""
    hook = session.get(Webhook, webhook_id, with_for_update=True)
    if hook:
        hook.failures = max(hook.failures + 1, TRIPS_AFTER)
        hook.open_until = now() + breaker_pause(hook.failures)
        session.add(hook)


def give_up(session: Session, at: datetime) -> int:
    """Some of what waits for disabled endpoints longer than anything is tried has had its time; returns how much."""
    ids = queries.waiting_in_vain(session, at, AT_ONCE)
    over = {"status": Status.FAILED, "ended_at": at, "detail": "the webhook is disabled"}
    session.execute(update(HookDelivery).where(col(HookDelivery.id).in_(ids)).values(over))
    return len(ids)


def disable(session: Session, webhook_id: str, version: int, reason: str) -> None:
    """An endpoint cannot be told anything as it is set up; unless it was changed meanwhile."""
    hook = session.get(Webhook, webhook_id, with_for_update=True)
    if hook and hook.version == version:
        hook.status, hook.reason = HookStatus.DISABLED, reason[:200]
        session.add(hook)
