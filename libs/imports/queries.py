"""Reads of imports."""

from collections.abc import Iterator

from sqlmodel import Session, col, func, select

from libs.imports.models import Import, ImportFinding, ImportPart, ImportStatus
from libs.servicekit.db import Database
from libs.servicekit.errors import NotFound


def one(session: Session, import_id: str) -> Import:
    """An import; NotFound when there is none."""
    found = session.get(Import, import_id)
    if found is None:
        raise NotFound("import")
    return found


def next_open(session: Session) -> Import | None:
    """The oldest import that is not over."""
    open_ = col(Import.status).in_([ImportStatus.QUEUED, ImportStatus.RUNNING])
    return session.exec(select(Import).where(open_).order_by(Import.id).limit(1)).first()


def open_count(session: Session) -> int:
    """How many imports wait or run."""
    open_ = col(Import.status).in_([ImportStatus.QUEUED, ImportStatus.RUNNING])
    return session.exec(select(func.count()).select_from(Import).where(open_)).one()


def findings(session: Session, import_id: str, limit: int, after: int) -> list[ImportFinding]:
    """The report, in the order of the file; one more than `limit` when there are more."""
    query = select(ImportFinding).where(ImportFinding.import_id == import_id, col(ImportFinding.id) > after)
    return list(session.exec(query.order_by(col(ImportFinding.id)).limit(limit + 1)))


def parts(db: Database, import_id: str) -> Iterator[bytes]:
    """The uploaded bytes, part by part, each read when it is asked for."""
    number = 0
    while True:
        with db.reading() as session:
            part = session.get(ImportPart, (import_id, number))
        if part is None:
            return
        yield part.body
        number += 1
