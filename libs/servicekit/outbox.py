"""The outbox: a fact enters the caller's transaction beside the rows that it speaks of; `libs.publishing` sends it after."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session
from uuid_utils import uuid7

from libs.contracts import topology
from libs.contracts.card import Card
from libs.contracts.event import Fact, envelope
from libs.servicekit.db import now
from libs.servicekit.portal import NO_PORTAL, Portal
from libs.servicekit.tables import outbox
from libs.telemetry import spans


@dataclass(frozen=True)
class Publisher:
    """What an envelope needs to know of its service; travels in `session.info`."""

    service: str
    prefix: str
    schema_base: str
    portal: Portal = NO_PORTAL


class TooLarge(ValueError):  # noqa: N818 - says what it is
    """A fact that no stream takes: what was written is more than fits into an event. `field` is its largest part."""

    def __init__(self, fact: Fact, size: int) -> None:
        self.field, part = _largest(fact.model_dump(mode="json", exclude_none=True))
        self.reason = (
            f"is too long: {part:,} bytes of {size:,}, and the whole may have {topology.MAX_EVENT_BYTES:,}"
        )
        super().__init__(f"{fact.name}: {self.field} {self.reason}")


def _largest(data: Any) -> tuple[str, int]:
    """The path of the part that makes up most of the whole, and its size; a card's parts are the thing's own."""
    path: list[str] = []
    size = _size(data)
    while isinstance(data, dict) and data:
        name = max(data, key=lambda key: _size(data[key]))
        if _size(data[name]) * 2 < size:
            break
        path, data, size = [*path, name], data[name], _size(data[name])
    return ".".join(path).removeprefix("card."), size


def _size(data: Any) -> int:
    return len(json.dumps(data, ensure_ascii=False).encode())


@dataclass(frozen=True)
class Entry:
    """A fact about one thing at one version, on its way into the outbox."""

    fact: Fact
    thing_id: str
    version: int
    traceparent: str | None = None


def add(session: Session, fact: Fact, *, thing_id: str, version: int) -> str:
    """Publish a fact with the caller's transaction; returns the event id."""
    return add_all(session, [Entry(fact, thing_id, version, spans.traceparent())])[0]


def add_all(session: Session, entries: Sequence[Entry]) -> list[str]:
    """Publish many facts with the caller's transaction, in this order; returns the event ids."""
    if not entries:
        return []
    publisher: Publisher = session.info["publisher"]
    rows = [_row(entry, publisher) for entry in entries]
    session.execute(insert(outbox), rows)
    session.info["events"] = session.info.get("events", 0) + len(rows)
    return [str(row["event_id"]) for row in rows]


def _row(entry: Entry, publisher: Publisher) -> dict[str, object]:
    event_id, time = str(uuid7()), now()
    event = envelope(
        _linked(entry, publisher.portal),
        event_id=event_id,
        subject=entry.thing_id,
        version=entry.version,
        time=time,
        prefix=publisher.prefix,
        schema_base=publisher.schema_base,
        traceparent=entry.traceparent,
        source=publisher.service if entry.fact.internal else None,
    )
    body = event.to_bytes()
    if len(body) > topology.MAX_EVENT_BYTES:
        raise TooLarge(entry.fact, len(body))
    return {
        "event_id": event_id,
        "subject": entry.fact.subject(entry.thing_id),
        "thing": f"{entry.fact.part('aggregate')}.{entry.thing_id}",
        "body": body,
        "traceparent": entry.traceparent,
        "created_at": time,
        "version": entry.version,
    }


def _linked(entry: Entry, portal: Portal) -> Fact:
    """The fact, its card with the page of the portal where the thing has none of its own."""
    card: Card | None = getattr(entry.fact, "card", None)
    page = portal.page(card.kind, entry.thing_id) if card else None
    if card is None or page is None or card.url is not None:
        return entry.fact
    return entry.fact.model_copy(update={"card": card.model_copy(update={"url": page})})
