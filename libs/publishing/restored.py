"""The ways out for a service whose database was restored from an older copy: the bus knows newer versions of its things.

`go_above` keeps what the database says, at a version above the bus's; what the database does not know is told as gone.
`take_bus` takes back what the bus says, where a fact holds all that the service needs to know of a thing.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nats.js import JetStreamContext
from pydantic import ValidationError
from sqlalchemy import delete, func, insert, select, update
from sqlmodel import Session
from uuid_utils import uuid7

from libs.contracts.event import SEQUENCE_DIGITS, Envelope, Fact
from libs.contracts.topology import STATE
from libs.servicekit.db import Database, now
from libs.servicekit.delivery import parse
from libs.servicekit.tables import ahead, outbox

Json = dict[str, Any]


@dataclass(frozen=True)
class Restorable:
    """One kind of thing: where its id and its versions stand, by which fact it ends, and how a fact is taken back."""

    aggregate: str
    id: Any
    versions: tuple[Any, ...]
    gone: type[Fact] | None = None
    take: Callable[[Session, Envelope[Any]], None] | None = None


class WayOut:
    """Settles what the last audit found newer on the bus; each thing in a transaction of its own."""

    def __init__(self, db: Database, js: JetStreamContext, service: str, kinds: Sequence[Restorable]) -> None:
        self._db, self._js, self._service = db, js, service
        self._kinds = {kind.aggregate: kind for kind in kinds}

    async def go_above(self) -> tuple[int, list[str]]:
        """Keep the database's state; returns how many things are settled, and those that are not."""
        return await self._settle(self._raise)

    async def take_bus(self) -> tuple[int, list[str]]:
        """Take the bus's state; returns how many things are settled, and those that are not."""
        return await self._settle(self._take)

    async def _settle(self, way: Callable[[Session, str, Restorable, Json], bool]) -> tuple[int, list[str]]:
        done, left = 0, []
        for thing in await asyncio.to_thread(self._things):
            message = await self._js.get_last_msg(STATE.name, f"state.{self._service}.{thing}")
            body = json.loads(message.data or b"{}")
            if await asyncio.to_thread(self._one, way, thing, body):
                done += 1
            else:
                left.append(thing)
        return done, left

    def _things(self) -> list[str]:
        with self._db.reading() as session:
            return list(session.execute(select(ahead.c.thing).order_by(ahead.c.thing)).scalars())

    def _one(self, way: Callable[[Session, str, Restorable, Json], bool], thing: str, body: Json) -> bool:
        kind = self._kinds.get(thing.partition(".")[0])
        if kind is None:
            return False
        with self._db.transaction() as session:
            if not way(session, thing, kind, body):
                return False
            session.execute(delete(ahead).where(ahead.c.thing == thing))
            session.info["events"] = 1
        return True

    def _raise(self, session: Session, thing: str, kind: Restorable, theirs: Json) -> bool:
        told = self._told(session, thing) or _ended(kind, theirs)
        if told is None:
            return False
        thing_id = thing.partition(".")[2]
        version = self._above(session, kind, thing_id, int(theirs["sequence"]))
        event_id = str(uuid7())
        told |= {"id": event_id, "sequence": f"{version:0{SEQUENCE_DIGITS}d}", "time": now().isoformat()}
        told.pop("traceparent", None)
        _replace_unsent(session, thing, told, sent=False)
        raised = update(kind.id.class_).where(kind.id == thing_id)
        session.execute(raised.values(dict.fromkeys(kind.versions, version)))
        return True

    def _above(self, session: Session, kind: Restorable, thing_id: str, theirs: int) -> int:
        ours = select(*kind.versions).where(kind.id == thing_id)
        return max(theirs, *(session.execute(ours).first() or (0,))) + 1

    def _told(self, session: Session, thing: str) -> Json | None:
        """What the database told last, sent or not."""
        last = select(outbox.c.body).where(outbox.c.thing == thing, outbox.c.subject.like("city.%"))
        body = session.execute(last.order_by(outbox.c.id.desc()).limit(1)).scalar()
        return json.loads(body) if body else None

    def _take(self, session: Session, thing: str, kind: Restorable, theirs: Json) -> bool:
        if kind.take is None:
            return False
        event = parse(json.dumps(theirs).encode(), _subject(theirs))
        kind.take(session, event)
        _replace_unsent(session, thing, theirs, sent=True)
        return True


def _ended(kind: Restorable, theirs: Json) -> Json | None:
    """The thing as the bus has it, told as gone; None where there is no such fact, or too little is known for it."""
    if kind.gone is None:
        return None
    data = dict(theirs["data"])
    if data.get("card"):
        data["card"] = data["card"] | {"listed": False}
    prefix, schemas = theirs["type"].rsplit(".", 4)[0], theirs["dataschema"].rpartition("/")[0]
    ended = theirs | {
        "type": f"{prefix}.{kind.gone.name}",
        "dataschema": f"{schemas}/{kind.gone.name}",
        "data": data,
    }
    try:
        kind.gone.model_validate_json(json.dumps(data))
    except ValidationError:
        return None
    return ended


def _replace_unsent(session: Session, thing: str, event: Json, *, sent: bool) -> None:
    session.execute(delete(outbox).where(outbox.c.thing == thing, outbox.c.sent_at.is_(None)))
    known = select(func.count()).select_from(outbox).where(outbox.c.event_id == event["id"])
    if session.execute(known).scalar_one():
        return
    row = {
        "event_id": event["id"],
        "subject": _subject(event),
        "thing": thing,
        "body": json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode(),
        "created_at": now(),
        "sent_at": now() if sent else None,
        "version": int(event["sequence"]),
    }
    session.execute(insert(outbox).values(row))


def _subject(event: Json) -> str:
    name = ".".join(event["type"].split(".")[-4:])
    return f"city.{name}.{event['subject']}"
