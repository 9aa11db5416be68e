"""Facts that the broker does not take: which of them can never be sent, and those that were set aside.

One of them holds up later facts of its own thing for the moment, and nothing else. Set aside it holds up nothing: each
fact carries the whole public state of its thing, so the next one stands for it as well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from nats.errors import BadSubjectError, MaxPayloadError, OutboundBufferLimitError
from nats.js.errors import APIError, NoStreamResponseError
from sqlalchemy import Row, func, select, update

from libs.servicekit.db import Database, now
from libs.servicekit.tables import outbox

# So often, and so long, a fact is tried before it is set aside.
MAX_FAILURES = 5
PATIENCE = timedelta(seconds=10)
# The stream's own word for a message that is larger than it takes.
TOO_LARGE = 10054
REASON_LENGTH = 500


def is_refusal(error: BaseException) -> bool:
    """Whether the broker says that it will not take this fact; otherwise it may only have been slow or away."""
    return isinstance(error, MaxPayloadError | BadSubjectError) or (
        isinstance(error, APIError) and error.err_code == TOO_LARGE
    )


@dataclass
class Troubles:
    """What hinders one pass over the outbox."""

    held: dict[str, BaseException] = field(
        default_factory=dict
    )  # things whose earlier fact could not be sent
    closed: set[str] = field(default_factory=set)  # what begins the subjects of a stream that is not there
    refused: dict[int, str] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    sent: int = 0
    outage: bool = False

    def note(self, row: Row[Any], error: BaseException) -> None:
        """This fact was not taken, and may be later."""
        self.held.setdefault(row.thing, error)
        if isinstance(error, NoStreamResponseError):
            self.closed.add(_space(row))
        elif isinstance(error, OutboundBufferLimitError):
            self.outage = True
        else:
            found = self.refused if is_refusal(error) else self.failed
            found[row.id] = f"{type(error).__name__}: {error}"[:REASON_LENGTH]

    @property
    def theirs(self) -> dict[int, str]:
        """The facts that failed for reasons of their own, and why: while the broker was taking others."""
        return self.refused | (self.failed if self.sent and not self.outage else {})

    def hold(self, row: Row[Any]) -> bool:
        """Whether this fact must wait: behind an earlier one of its thing, or for its stream."""
        if _space(row) in self.closed:
            self.held.setdefault(row.thing, NoStreamResponseError())
        return row.thing in self.held


def _space(row: Row[Any]) -> str:
    return str(row.subject).partition(".")[0]


def count_failures(db: Database, reasons: Mapping[int, str]) -> list[str]:
    """These failed once more; returns why some are set aside now: they are not tried again until an operator says so."""
    with db.transaction() as session:
        for row_id, reason in reasons.items():
            this = update(outbox).where(outbox.c.id == row_id)
            session.execute(this.values(failures=outbox.c.failures + 1))
            often = (outbox.c.failures >= MAX_FAILURES) & (outbox.c.created_at < now() - PATIENCE)
            session.execute(this.where(often).values(refused=reason))
        aside = select(outbox.c.refused).where(outbox.c.id.in_(list(reasons)), _ASIDE)
        return [str(row.refused) for row in session.execute(aside)]


def waiting(db: Database) -> int:
    """How many are set aside."""
    count = select(func.count()).select_from(outbox).where(_ASIDE)
    with db.reading() as session:
        return int(session.execute(count).scalar_one())


def listed(db: Database, limit: int) -> list[Row[Any]]:
    """What is set aside, oldest first."""
    columns = (outbox.c.id, outbox.c.created_at, outbox.c.subject, outbox.c.refused, outbox.c.body)
    with db.reading() as session:
        return list(session.execute(select(*columns).where(_ASIDE).order_by(outbox.c.id).limit(limit)))


def try_again(db: Database, ids: Iterable[int]) -> list[int]:
    """Have these sent after all; returns those that are. A later fact of the same thing that was sent stands instead."""
    later = outbox.alias("later")
    overtaken = select(later.c.id).where(
        later.c.thing == outbox.c.thing, later.c.id > outbox.c.id, later.c.sent_at.is_not(None)
    )
    again = update(outbox).where(_ASIDE, outbox.c.id.in_(list(ids)), ~overtaken.exists())
    with db.transaction() as session:
        found = session.execute(again.values(refused=None, failures=0).returning(outbox.c.id))
        session.info["events"] = 1  # wakes the relay where it runs in this process
        return sorted(row.id for row in found)


def give_up(db: Database, ids: Iterable[int]) -> int:
    """These need not be sent any more; they go with what was sent. Returns how many they were."""
    gone = update(outbox).where(_ASIDE, outbox.c.id.in_(list(ids))).values(sent_at=now())
    with db.transaction() as session:
        return int(session.execute(gone).rowcount)  # type: ignore[attr-defined]


_ASIDE = outbox.c.refused.is_not(None) & outbox.c.sent_at.is_(None)
