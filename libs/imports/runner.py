"""Works off accepted imports, one after the other, and takes interrupted ones up again."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any

import structlog
from opentelemetry import trace
from sqlmodel import Session

from libs.imports import commands, features, headings, queries, reader
from libs.imports.draft import Draft, Importer, Line
from libs.imports.findings import Finding, Unreadable
from libs.imports.layout import Layout, detect_layout
from libs.imports.models import Import
from libs.servicekit.kit import Kit
from libs.servicekit.outages import is_database_outage
from libs.servicekit.outbox import TooLarge
from libs.telemetry import spans

ROWS_AT_ONCE = 500
COUNTS = {"created", "changed", "unchanged"}

Make = Callable[[Kit, Session, Import], Importer[Any]]
Lines = list[Line[Any]]
log = structlog.get_logger(__name__)
tracer = trace.get_tracer("imports")


def work_off(kit: Kit, make: Make) -> Iterator[None]:
    """Work off what is accepted, chunk by chunk."""
    while True:
        with kit.database.reading() as session:
            order = queries.next_open(session)
        if order is None:
            return
        log.info("import starts", id=order.id, into=order.into, bytes=order.bytes, behind=order.rows_done)
        yield from _import(kit, order, make)
        yield


def _import(kit: Kit, order: Import, make: Make) -> Iterator[None]:
    try:
        yield from _chunks(kit, order, make)
    except Exception as error:
        if is_database_outage(error):
            raise  # the job starts anew and goes on behind the last chunk
        log.warning(
            "import failed", id=order.id, exc_info=not isinstance(error, Unreadable), error=str(error)
        )
        with kit.database.transaction() as session:
            commands.fail(session, kit.settings.city, order.id, error)


def _chunks(kit: Kit, order: Import, make: Make) -> Iterator[None]:
    with kit.database.reading() as session:
        importer = make(kit, session, order)
    count, rows, found = _rows(kit, order, importer)
    with kit.database.transaction() as session:
        commands.begin(session, kit.settings.city, order.id, count, found)
    lines = _lines(rows, importer)
    for _ in islice(lines, order.rows_done):
        pass  # done before an interruption; read again so that repeated keys are still noticed
    while chunk := list(islice(lines, ROWS_AT_ONCE)):
        yield
        with tracer.start_as_current_span("import chunk", spans.context_of(order.traceparent)):
            _chunk(kit, order, importer, chunk)
    yield from _finish(kit, order.id, importer)


def _rows(
    kit: Kit, order: Import, importer: Importer[Any]
) -> tuple[int, Iterator[reader.Row], list[Finding]]:
    """How many rows a file has, the rows, and what is to be said of it as a whole; raises Unreadable."""
    parts = partial(queries.parts, kit.database, order.id)
    if order.format == "geojson":
        importer.begin([])
        return sum(1 for _ in features.rows(parts())), features.rows(parts()), []
    mapping = importer.mapping
    usual = {"encoding": mapping.encoding, "delimiter": mapping.delimiter} if mapping else {}
    layout = detect_layout(parts, order.format, **usual)
    if layout.kind != "jsonl":
        return _table(layout, reader.Table(layout, parts), importer)
    count = sum(1 for _ in reader.json_rows(reader.text(parts(), layout.encoding)))
    importer.begin([])
    return count, reader.json_rows(reader.text(parts(), layout.encoding)), []


def _table(
    layout: Layout, table: reader.Table, importer: Importer[Any]
) -> tuple[int, Iterator[reader.Row], list[Finding]]:
    found = table.records()
    first = next(found, None)
    if first is None or first.fault:
        raise Unreadable("empty_file" if first is None else "broken_headings")
    mapping = importer.mapping
    resolve = headings.known_by(mapping.columns) if mapping else importer.resolve()
    heads = headings.match(first.cells, resolve, all_known=mapping is None)
    headings.require(heads, importer.begin([name for name in heads.names if name]))
    count = sum(1 for _ in found)
    rows = islice(table.records(), 1, None)
    return count, reader.named(rows, heads.names, ragged=layout.kind == "xlsx"), heads.findings


def _lines(rows: Iterator[reader.Row], importer: Importer[Any]) -> Iterator[Line[Any]]:
    first_line: dict[str, int] = {}
    key = importer.mapping.key if importer.mapping else "key"
    for row in rows:
        draft: Draft = _faulty(row.fault) if row.fault else importer.draft(row)
        if draft.key is not None and (earlier := first_line.setdefault(draft.key, row.line)) != row.line:
            draft.findings.append(Finding(key, "repeated_key", draft.key, params={"line": str(earlier)}))
        yield Line(row.line, draft)


def _faulty(fault: reader.Fault) -> Draft:
    return Draft(findings=[Finding(None, fault.code, params=fault.params)])


def _chunk(kit: Kit, order: Import, importer: Importer[Any], lines: Lines) -> None:
    """Take a chunk in; where a row cannot be, it is looked for by halves and reported, and the others are taken."""
    try:
        _take(kit, order, importer, lines)
    except Exception as error:
        if is_database_outage(error) or all(line.draft.broken for line in lines):
            raise
        if len(lines) > 1:
            middle = len(lines) // 2
            _chunk(kit, order, importer, lines[:middle])
            _chunk(kit, order, importer, lines[middle:])
            return
        log.error("import leaves a row out", id=order.id, line=lines[0].number, exc_info=error)
        lines[0].draft.findings.append(_cause(error))
        _take(kit, order, importer, lines)


def _cause(error: Exception) -> Finding:
    if isinstance(error, TooLarge):
        return Finding(error.field, "long_entry")
    return Finding(None, "not_taken")


def _take(kit: Kit, order: Import, importer: Importer[Any], lines: Lines) -> None:
    with kit.database.transaction() as session:
        kept = queries.one(session, order.id)
        if order.dry_run:
            _rehearse(session, kept, importer, lines)
        else:
            importer.write(session, kept, lines)
        commands.report(session, kit.settings.city, kept, lines)


def _rehearse(session: Session, order: Import, importer: Importer[Any], lines: Lines) -> None:
    """Everything is tried and taken back; only the counts stay."""
    tried = session.begin_nested()
    importer.write(session, order, lines)
    counts = order.model_dump(include=COUNTS)
    tried.rollback()
    order.sqlmodel_update(counts)


def _finish(kit: Kit, import_id: str, importer: Importer[Any]) -> Iterator[None]:
    with kit.database.reading() as session:
        order = queries.one(session, import_id)
    # Without its key a row may be any thing, and a file without a single good row is no list of what is left.
    safe = not order.keyless and order.broken < order.rows_done
    if order.prune and not order.dry_run and safe:
        yield from importer.prune()
    with kit.database.transaction() as session:
        if order.prune and not safe:
            commands.say(session, kit.settings.city, import_id, "nothing_withdrawn", {})
        commands.end(session, import_id)
        if not order.dry_run:
            importer.finish(session)
    log.info("import done", id=import_id, rows=order.rows_done, created=order.created, changed=order.changed)
