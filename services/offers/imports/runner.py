"""Works off accepted imports, one after the other, and takes interrupted ones up again."""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from opentelemetry import trace

from libs.httpkit.rounds import in_batches
from libs.servicekit import telemetry
from libs.servicekit.db import Database, is_outage
from libs.servicekit.kit import Kit
from services.offers.accessibility import known_facts
from services.offers.blueprints import spreading as blueprints
from services.offers.boards import queries as boards
from services.offers.boards.domain import Declaration
from services.offers.imports import commands, queries, reader
from services.offers.imports.chunks import Line
from services.offers.imports.drafts import Draft, Finding, native_draft
from services.offers.imports.mapper import Mapper
from services.offers.imports.mapping import Mapping, native, read
from services.offers.imports.models import Import

ROWS_AT_ONCE = 200

log = structlog.get_logger(__name__)
tracer = trace.get_tracer("offers.imports")


class Impossible(ValueError):  # noqa: N818 - says what the import is
    """The file as a whole cannot be imported; the message says why."""


def mappings(city: Path) -> dict[str, Mapping]:
    """The town's mappings by name; raises ValueError naming a file that is wrong."""
    return {file.stem: read(file) for file in sorted((city / "imports").glob("*.toml"))}


def work_off(kit: Kit) -> Iterator[None]:
    """Work off what is accepted, chunk by chunk."""
    while True:
        with kit.database.reading() as session:
            order = queries.next_open(session)
        if order is None:
            return
        log.info("import starts", id=order.id, board=order.board, bytes=order.bytes, behind=order.rows_done)
        yield from _import(kit, order)
        yield


def _import(kit: Kit, order: Import) -> Iterator[None]:
    try:
        yield from _chunks(kit, order)
    except Exception as error:
        if is_outage(error):
            raise  # the job starts anew and goes on behind the last chunk
        log.warning(
            "import failed", id=order.id, exc_info=not isinstance(error, Impossible), error=str(error)
        )
        with kit.database.transaction() as session:
            commands.end(session, order.id, str(error) or type(error).__name__)


def _chunks(kit: Kit, order: Import) -> Iterator[None]:
    db, today = kit.database, datetime.now(ZoneInfo(kit.settings.town["timezone"])).date()
    with db.reading() as session:
        board = boards.declaration(session, order.board)
    mapping = _mapping(db, order, kit.settings.city)
    with db.transaction() as session:
        commands.begin(session, order.id, sum(1 for _ in _rows(db, order, mapping)))
    lines = _lines(_rows(db, order, mapping), mapping, board, known_facts(kit.settings.town))
    for _ in islice(lines, order.rows_done):
        pass  # done before an interruption; read again so that repeated keys are still noticed
    while chunk := list(islice(lines, ROWS_AT_ONCE)):
        yield
        with tracer.start_as_current_span("import chunk", telemetry.context_of(order.traceparent)):
            _chunk(db, order, board, chunk, today)
    yield from _finish(db, order.id, board)


def _chunk(db: Database, order: Import, board: Declaration, chunk: list[Line], today: date) -> None:
    if order.dry_run:
        commands.rehearse(db, order.id, board, chunk, today)
        return
    with db.transaction() as session:
        commands.work(session, order.id, board, chunk, today)


def _finish(db: Database, import_id: str, board: Declaration) -> Iterator[None]:
    with db.reading() as session:
        order = queries.one(session, import_id)
    # Without its key a row may be any offer, and a file without a single good row is no list of what is left.
    safe = not order.keyless and order.broken < order.rows_done
    if order.prune and not order.dry_run and safe:
        yield from in_batches(db, lambda session: commands.prune_some(session, import_id, board))
    refused = order.prune and not safe
    with db.transaction() as session:
        commands.end(session, import_id)
        if not order.dry_run and boards.declaration(session, order.board) != board:
            blueprints.fit_offers(session, board)  # its rows were read by what the board declared before
        if refused:
            queries.one(
                session, import_id
            ).error = "nothing was withdrawn: some rows have no key, or all are broken"
    log.info("import done", id=import_id, rows=order.rows_done, created=order.created, changed=order.changed)


def _mapping(db: Database, order: Import, city: Path) -> Mapping | None:
    """The mapping of an import; None for JSON rows that are offers already. Raises Impossible."""
    if order.mapping is None and order.format == "jsonl":
        return None
    parts = queries.parts(db, order.id)
    if order.mapping is None:
        columns = reader.headings(reader.text(parts, "utf-8-sig"), ",")
        mapping = native(order.board, columns)
    else:
        mapping = mappings(city)[order.mapping]
        columns = reader.headings(reader.text(parts, mapping.encoding), mapping.delimiter)
    if order.format == "csv" and (missing := mapping.columns.difference(columns)):
        raise Impossible(f"the file lacks the columns {', '.join(sorted(missing))}")
    return mapping


def _rows(db: Database, order: Import, mapping: Mapping | None) -> Iterator[reader.Row]:
    stream = reader.text(queries.parts(db, order.id), mapping.encoding if mapping else "utf-8-sig")
    if order.format == "jsonl":
        return reader.json_rows(stream)
    return reader.csv_rows(stream, mapping.delimiter if mapping else ",")


def _lines(
    rows: Iterator[reader.Row], mapping: Mapping | None, board: Declaration, facts: list[str]
) -> Iterator[Line]:
    mapper = Mapper(mapping, board, facts) if mapping else None
    first_line: dict[str, int] = {}
    for row in rows:
        draft = _draft(row, mapper, board, facts)
        if draft.key is not None and (earlier := first_line.setdefault(draft.key, row.line)) != row.line:
            draft.findings.append(
                Finding(mapping.key if mapping else "key", f"stands in line {earlier} already", draft.key)
            )
        yield Line(row.line, draft)


def _draft(row: reader.Row, mapper: Mapper | None, board: Declaration, facts: list[str]) -> Draft:
    if row.fault:
        return Draft(findings=[Finding(None, row.fault)])
    if mapper is None:
        return native_draft(row.values, board, facts)
    return mapper.draft(
        {name: value if isinstance(value, str) else str(value) for name, value in row.values.items()}
    )
