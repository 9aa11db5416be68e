"""What is done with every import, whatever is imported: accept an upload, note how far it is, report, close.

An import that is interrupted goes on behind its last finished chunk: `rows_done` is kept with the chunk's rows.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import delete, insert
from sqlmodel import Session, col

from libs.imports import queries
from libs.imports.draft import Line
from libs.imports.findings import Finding, Unreadable, message
from libs.imports.models import Import, ImportFinding, ImportPart, ImportStatus
from libs.servicekit.db import leave_work, now
from libs.servicekit.errors import TooMany
from libs.telemetry import spans

PART_BYTES = 1024 * 1024
MAX_QUEUED = 20


def accept(session: Session, order: Import, upload: BinaryIO) -> Import:
    """Keep an upload for working it off; TooMany when too many wait already."""
    if queries.open_count(session) >= MAX_QUEUED:
        told = f"{MAX_QUEUED} imports wait already."
        raise TooMany(told, retry_after=30, code="too-many-imports", most=MAX_QUEUED)
    order.traceparent = spans.traceparent()
    session.add(order)
    session.flush()
    for number, part in enumerate(iter(lambda: upload.read(PART_BYTES), b"")):
        session.execute(insert(ImportPart), [{"import_id": order.id, "number": number, "body": part}])
        order.bytes += len(part)
    leave_work(session)
    return order


def begin(session: Session, city: Path, import_id: str, rows_total: int, found: Sequence[Finding]) -> None:
    """Note that the import runs, how far it will have to go, and what is to be said of the file as a whole."""
    order = queries.one(session, import_id)
    if order.status == ImportStatus.QUEUED:
        _keep(session, city, order, [(1, finding) for finding in found])
    order.status, order.rows_total = ImportStatus.RUNNING, rows_total


def end(session: Session, import_id: str) -> None:
    """Close an import that came to its end; the uploaded bytes are no longer needed."""
    order = queries.one(session, import_id)
    order.status, order.finished_at = ImportStatus.DONE, now()
    session.execute(delete(ImportPart).where(col(ImportPart.import_id) == import_id))


def fail(session: Session, city: Path, import_id: str, error: Exception) -> None:
    """Close an import that cannot go on, and say why."""
    if isinstance(error, Unreadable):
        say(session, city, import_id, error.code, error.params)
    else:
        say(session, city, import_id, "failed", {})
    end(session, import_id)
    queries.one(session, import_id).status = ImportStatus.FAILED


def say(session: Session, city: Path, import_id: str, code: str, params: Mapping[str, Any]) -> None:
    """What is to be said of the import as a whole."""
    order = queries.one(session, import_id)
    order.error_code, order.error_params = code, dict(params)
    order.error = message(city, code, params).get("en", code)[:500]


def report(session: Session, city: Path, order: Import, lines: Sequence[Line[Any]]) -> None:
    """Count a chunk's rows, and keep what was found in them."""
    order.rows_done += len(lines)
    order.broken += sum(line.draft.broken for line in lines)
    order.keyless = order.keyless or any(line.draft.key is None for line in lines)
    _keep(session, city, order, [(line.number, found) for line in lines for found in line.draft.findings])


def _keep(session: Session, city: Path, order: Import, found: Sequence[tuple[int, Finding]]) -> None:
    if found:
        session.execute(insert(ImportFinding), [_row(city, order, line, finding) for line, finding in found])


def _row(city: Path, order: Import, line: int, found: Finding) -> dict[str, Any]:
    value = found.value and printable(found.value)
    params = {
        name: printable(param, 500)
        if isinstance(param, str)
        else {key: printable(text, 500) for key, text in param.items()}
        for name, param in found.params.items()
    }
    return {
        "import_id": order.id,
        "line": line,
        "column": found.column and printable(found.column),
        "severity": found.severity,
        "code": found.code,
        "params": params,
        "reason": printable(message(city, found.code, params, value).get("en", found.code), 500),
        "value": value,
    }


def printable(value: str, length: int = 200) -> str:
    """What stands in a broken file as the report can store and show it."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in value[:length])
