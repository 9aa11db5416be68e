"""Use cases of webhooks: set one up, tell it of facts, send again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete
from sqlmodel import Session, col
from uuid_utils import uuid7

from libs.servicekit.db import Database, insert_into, leave_work, now
from libs.servicekit.errors import Conflict, check_version
from libs.servicekit.principal import Principal
from services.notify.vault import Vault
from services.notify.webhooks import queries
from services.notify.webhooks.domain import MOST, SECRET_OVERLAP, HookStatus
from services.notify.webhooks.models import HookDelivery, Webhook
from services.notify.webhooks.signing import new_secret

AT_ONCE = 500
# SQLite takes 32,766 values in one statement.
ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Wanted:
    """What an endpoint is to be told: types by pattern, and a question to the card."""

    url: str
    types: list[str]
    filter: dict[str, Any]
    description: str


class Told(NamedTuple):
    """An event as it goes to endpoints: its bytes are those that lie on the bus, at its place in the stream."""

    event_id: str
    type: str
    thing: str
    body: bytes
    traceparent: str | None = None
    sequence: int = 0


def create(session: Session, vault: Vault, caller: Principal, wanted: Wanted) -> tuple[Webhook, str]:
    """A new endpoint and its secret, which is shown this once."""
    if len([each for each in queries.of_owner(session, caller) if each.owner == caller.subject]) >= MOST:
        raise Conflict(f"A partner has at most {MOST} webhooks.", code="too-many-webhooks", most=MOST)
    secret = new_secret()
    hook = Webhook(
        owner=caller.subject,
        url=wanted.url,
        types=wanted.types,
        filter=wanted.filter,
        description=wanted.description,
        secret=vault.seal(secret),
        key_id=vault.key_id,
    )
    session.add(hook)
    session.flush()
    return hook, secret


def change(session: Session, caller: Principal, webhook_id: str, expected: int, wanted: Wanted) -> Webhook:
    """Another address or other facts; an endpoint that was disabled is active again."""
    hook = queries.one(session, caller, webhook_id, lock=True)
    check_version(expected, hook.version)
    hook.url, hook.types, hook.filter, hook.description = (
        wanted.url,
        wanted.types,
        wanted.filter,
        wanted.description,
    )
    hook.status, hook.reason, hook.failures, hook.open_until = HookStatus.ACTIVE, None, 0, None
    hook.version += 1
    session.add(hook)
    leave_work(session)
    return hook


def rotate(session: Session, vault: Vault, caller: Principal, webhook_id: str) -> tuple[Webhook, str]:
    """A new secret; for a day the old one signs as well, so that the receiver can change over."""
    hook = queries.one(session, caller, webhook_id, lock=True)
    secret = new_secret()
    hook.old_secret, hook.old_until = hook.secret, now() + SECRET_OVERLAP
    hook.secret, hook.key_id, hook.version = vault.seal(secret), vault.key_id, hook.version + 1
    session.add(hook)
    return hook, secret


def remove(session: Session, caller: Principal, webhook_id: str) -> None:
    """An endpoint goes, with its log."""
    hook = queries.one(session, caller, webhook_id, lock=True)
    session.execute(delete(HookDelivery).where(col(HookDelivery.webhook_id) == hook.id))
    session.delete(hook)


def tell(session: Session, hooks: Iterable[str], told: Told, again: str = "") -> None:
    """Put an event on its way to endpoints, to each once. `again` names a replay."""
    _enter(session, [_row(hook_id, told, again) for hook_id in hooks])


def tell_all(session: Session, wanted: Iterable[tuple[Told, Iterable[str]]]) -> None:
    """Put events on their way, each to its endpoints."""
    _enter(session, [_row(hook_id, told, "") for told, hooks in wanted for hook_id in hooks])


def _enter(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        session.execute(insert_into(session, HookDelivery).values(some).on_conflict_do_nothing())
    if rows:
        leave_work(session)


def _row(hook_id: str, told: Told, again: str) -> dict[str, Any]:
    delivery = HookDelivery(
        webhook_id=hook_id,
        event_id=told.event_id,
        round=again,
        type=told.type,
        thing=told.thing,
        sequence=told.sequence,
        body=told.body,
        traceparent=told.traceparent,
    )
    return delivery.model_dump()


def redeliver(session: Session, caller: Principal, webhook_id: str, delivery_id: str) -> HookDelivery:
    """Send one event of the log again, at once, under the same `webhook-id`."""
    hook = _told(session, caller, webhook_id)
    earlier = queries.delivery(session, hook.id, delivery_id)
    if earlier.body is None:
        raise Conflict("The log has no body of this event any more; replay it instead.", code="body-gone")
    again = HookDelivery(**earlier.model_dump(include=SAME), round=str(uuid7()))
    session.add(again)
    leave_work(session)
    return again


SAME = {"webhook_id", "event_id", "type", "thing", "sequence", "body", "traceparent"}


def _told(session: Session, caller: Principal, webhook_id: str) -> Webhook:
    """An endpoint of the caller that is told things; Conflict for one that is disabled."""
    hook = queries.one(session, caller, webhook_id, lock=True)
    if hook.status == HookStatus.DISABLED:
        raise Conflict("The webhook is disabled; change it to enable it again.", code="webhook-disabled")
    return hook


def try_out(session: Session, caller: Principal, webhook_id: str, told: Told) -> HookDelivery:
    """Send an endpoint something to see whether it listens, at once, also to one that is left alone."""
    hook = _told(session, caller, webhook_id)
    hook.open_until = None
    session.add(hook)
    delivery = HookDelivery.model_validate(_row(hook.id, told, ""))
    session.add(delivery)
    leave_work(session)
    return delivery


def begin_replay(db: Database, caller: Principal, webhook_id: str, sequence: int) -> Webhook:
    """Send everything again from a place in the stream on, beside what is new; one replay at a time."""
    with db.transaction() as session:
        hook = _told(session, caller, webhook_id)
        if hook.replay is not None:
            raise Conflict("A replay is under way; wait for its end.", code="replay-running")
        hook.replay, hook.replay_at = str(uuid7()), sequence
        session.add(hook)
        leave_work(session)
        return hook


def replayed(session: Session, webhook_id: str, name: str, told: Sequence[Told], at: int | None) -> None:
    """Some of the replay of this name is on its way, up to a place in the stream; None when all of it is."""
    hook = session.get(Webhook, webhook_id, with_for_update=True)
    if hook is None or hook.replay != name:
        return
    for each in told:
        tell(session, [hook.id], each, hook.replay)
    hook.replay_at = at
    if at is None:
        hook.replay = None
    session.add(hook)


def reseal(session: Session, vault: Vault) -> int:
    """Seal some secrets with the newest key; returns how many."""
    rows = queries.sealed_otherwise(session, vault.older)
    for hook in rows:
        hook.secret, hook.key_id = vault.seal(vault.open(hook.secret)), vault.key_id
        hook.old_secret = hook.old_secret and vault.seal(vault.open(hook.old_secret))
        session.add(hook)
    return len(rows)


def clean(session: Session, at: datetime) -> int:
    """Forget some of what is long over; returns how much."""
    ids = queries.over(session, at, AT_ONCE)
    session.execute(delete(HookDelivery).where(col(HookDelivery.id).in_(ids)))
    return len(ids)
