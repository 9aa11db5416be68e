"""What is done with imports: accept an upload, work it off in chunks of one transaction each, prune.

An import that is interrupted goes on behind its last finished chunk: `rows_done` is kept with the chunk's rows.
"""

from datetime import date
from typing import BinaryIO

from sqlalchemy import delete, insert, update
from sqlmodel import Session, col, select

from libs.contracts import offers as events
from libs.servicekit import telemetry
from libs.servicekit.db import Database, leave_work, now
from libs.servicekit.errors import TooMany
from services.offers.boards.domain import Declaration
from services.offers.imports import queries
from services.offers.imports.chunks import Line, Told, gather, tell, write
from services.offers.imports.models import Import, ImportFinding, ImportPart, ImportStatus
from services.offers.offers.domain import RELEASED, OfferStatus
from services.offers.offers.facts import fact_of
from services.offers.offers.models import Offer
from services.offers.providers.models import Provider

PART_BYTES = 1024 * 1024
MAX_QUEUED = 20
PRUNE_AT_ONCE = 200
PRUNED = "no longer in the source"


def accept(session: Session, order: Import, upload: BinaryIO) -> Import:
    """Keep an upload for working it off; TooMany when too many wait already."""
    if queries.open_count(session) >= MAX_QUEUED:
        told = f"{MAX_QUEUED} imports wait already."
        raise TooMany(told, retry_after=30, code="too-many-imports", most=MAX_QUEUED)
    order.traceparent = telemetry.traceparent()
    session.add(order)
    session.flush()
    for number, part in enumerate(iter(lambda: upload.read(PART_BYTES), b"")):
        session.execute(insert(ImportPart), [{"import_id": order.id, "number": number, "body": part}])
        order.bytes += len(part)
    leave_work(session)
    return order


def begin(session: Session, import_id: str, rows_total: int) -> None:
    """Note that the import runs, and how far it will have to go."""
    order = queries.one(session, import_id)
    order.status, order.rows_total = ImportStatus.RUNNING, rows_total


def end(session: Session, import_id: str, error: str | None = None) -> None:
    """Close an import, well or badly; the uploaded bytes are no longer needed."""
    order = queries.one(session, import_id)
    order.status = ImportStatus.FAILED if error else ImportStatus.DONE
    order.error, order.finished_at = error and error[:500], now()
    session.execute(delete(ImportPart).where(col(ImportPart.import_id) == import_id))


def work(session: Session, import_id: str, board: Declaration, lines: list[Line], today: date) -> Import:
    """Take one chunk of rows into the board; the session's transaction makes it whole."""
    order = queries.one(session, import_id)
    good = [line.draft for line in lines if not line.draft.broken]
    write(session, gather(session, order, board, good, today))
    _report(session, order, lines)
    return order


def _report(session: Session, order: Import, lines: list[Line]) -> None:
    order.rows_done += len(lines)
    order.broken += sum(line.draft.broken for line in lines)
    order.keyless = order.keyless or any(line.draft.key is None for line in lines)
    found = [
        {
            "import_id": order.id,
            "line": line.number,
            "column": finding.column and _printable(finding.column),
            "severity": finding.severity,
            "reason": _printable(finding.reason, 500),
            "value": finding.value and _printable(finding.value),
        }
        for line in lines
        for finding in line.draft.findings
    ]
    if found:
        session.execute(insert(ImportFinding), found)
    # The offer of a broken row is not gone from its source: `prune` must leave it alone.
    keys = [line.draft.key for line in lines if line.draft.broken and line.draft.key]
    if keys:
        where = (
            col(Offer.board) == order.board,
            col(Offer.source) == order.source,
            col(Offer.external_id).in_(keys),
        )
        session.execute(update(Offer).where(*where).values(import_id=order.id))


def _printable(value: str, length: int = 200) -> str:
    """What stands in a broken file as the report can store and show it."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in value[:length])


def prune_some(session: Session, import_id: str, board: Declaration) -> int:
    """Withdraw public offers of the source that this import did not see; returns how many, at most `PRUNE_AT_ONCE`."""
    order = queries.one(session, import_id)
    query = select(Offer).where(
        Offer.board == order.board,
        Offer.source == order.source,
        col(Offer.status).in_(RELEASED),
        col(Offer.import_id).is_distinct_from(order.id),
    )
    gone = session.exec(query.limit(PRUNE_AT_ONCE).with_for_update()).all()
    facts: list[Told] = []
    for offer in gone:
        offer.status, offer.pruned = OfferStatus.WITHDRAWN, True
        offer.version, offer.changed_at = offer.version + 1, now()
        provider = session.get(Provider, offer.provider_id) if offer.provider_id else None
        title = provider.content["title"] if provider else None
        fact = fact_of(offer.stand, offer.said, board, title, events.OfferWithdrawn, PRUNED)
        facts.append((fact, offer.id, offer.version))
    order.withdrawn += len(gone)
    tell(session, facts)
    return len(gone)


def rehearse(db: Database, import_id: str, board: Declaration, lines: list[Line], today: date) -> None:
    """Work a chunk of a dry run: everything is tried, only the counts and the report are kept."""
    with db.reading() as session:
        order = work(session, import_id, board, lines, today)
        counts = order.model_dump(
            include={"rows_done", "created", "changed", "unchanged", "broken", "keyless"}
        )
        session.rollback()
    with db.transaction() as session:
        kept = queries.one(session, import_id)
        before = kept.rows_done
        _report(session, kept, lines)
        kept.sqlmodel_update(counts)
        assert kept.rows_done == before + len(lines)  # noqa: S101 - nobody else works on this import
