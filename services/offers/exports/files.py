"""The files: chunks of offers enter, pieces of a CSV, JSON Lines, GeoJSON, JSON-LD or iCalendar file leave.

One piece a chunk, so that memory does not follow the length of a file.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from prometheus_client import Counter
from pydantic_core import to_json

from services.offers.exports import calendar, jsonld
from services.offers.exports.domain import PLAIN, Dialect, Shown, at, cell, columns, line, say, values
from services.offers.exports.frame import Frame

Chunks = Iterable[list[Shown]]
S = TypeVar("S")
T = TypeVar("T")

SKIPPED = Counter("offers_exports_skipped", "Things that a file or a page had to leave out")
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Kind:
    """A format: its media type, and how chunks become a file."""

    media: str
    write: Callable[[Frame, Chunks], Iterator[bytes]]


def each(chunk: Iterable[S], write: Callable[[S], T]) -> list[T]:
    """What is written of each thing; one that cannot be written is left out and logged, the others go out."""
    found = list[T]()
    for shown in chunk:
        try:
            found.append(write(shown))
        except Exception as error:  # whatever it is, a file is not for one offer alone
            SKIPPED.inc()
            log.error(
                "export leaves a thing out",
                thing=getattr(shown, "id", None),
                error=type(error).__name__,
                exc_info=True,
            )
    return found


def table(names: list[str], rows: Iterable[Iterable[Any]], *, head: bool, dialect: Dialect = PLAIN) -> bytes:
    """Rows as CSV (RFC 4180, UTF-8)."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=dialect.delimiter)
    if head:
        out.write(dialect.mark)
        writer.writerow(names)
    writer.writerows([cell(value, dialect) for value in row] for row in rows)
    return out.getvalue().encode()


def _csv(frame: Frame, chunks: Chunks) -> Iterator[bytes]:
    names = columns(frame.board.fields if frame.board else None, frame.languages)
    yield table(names, [], head=True, dialect=frame.dialect)
    for chunk in chunks:
        rows = each(chunk, lambda shown: list(_cells(shown, names)))
        yield table(names, rows, head=False, dialect=frame.dialect)


def _cells(shown: Shown, names: list[str]) -> Iterator[Any]:
    for name, value in zip(names, values(shown, names), strict=True):
        yield to_json(value).decode() if name == "fields" and value is not None else value


def _jsonl(_frame: Frame, chunks: Chunks) -> Iterator[bytes]:
    for chunk in chunks:
        yield b"".join(each(chunk, lambda shown: to_json(line(shown)) + b"\n"))


def _geojson(frame: Frame, chunks: Chunks) -> Iterator[bytes]:
    """RFC 7946; offers without coordinates are not on the map."""
    names = columns(frame.board.fields if frame.board else None, frame.languages)
    features = (
        each([shown for shown in chunk if _is_on_the_map(shown)], lambda shown: feature(shown, names))
        for chunk in chunks
    )
    return _array(b'{"type":"FeatureCollection","features":[', features)


def _is_on_the_map(shown: Shown) -> bool:
    return None not in (at(shown.content, "place.lat"), at(shown.content, "place.lon"))


def feature(shown: Shown, names: list[str]) -> dict[str, Any]:
    """An offer on the map; its properties are the columns of the CSV file."""
    said = {name: value for name, value in zip(names, values(shown, names), strict=True) if value is not None}
    point = [said.pop("place.lon"), said.pop("place.lat")]
    geometry = {"type": "Point", "coordinates": point}
    return {"type": "Feature", "id": shown.id, "geometry": geometry, "properties": said}


def _jsonld(frame: Frame, chunks: Chunks) -> Iterator[bytes]:
    graph = (each(chunk, lambda shown: jsonld.thing(frame, shown)) for chunk in chunks)
    return _array(b'{"@context":%b,"@graph":[' % to_json(jsonld.CONTEXT), graph)


def _array(head: bytes, chunks: Iterable[list[Any]]) -> Iterator[bytes]:
    yield head
    first = True
    for chunk in filter(None, chunks):
        yield (b"" if first else b",") + b",\n".join(embeddable(each) for each in chunk)
        first = False
    yield b"]}\n"


def embeddable(value: Any) -> bytes:
    """JSON that can stand in a page as it is: nothing in it ends a script element or begins a comment."""
    return to_json(value).replace(b"<", b"\\u003c").replace(b">", b"\\u003e").replace(b"&", b"\\u0026")


def _ics(frame: Frame, chunks: Chunks) -> Iterator[bytes]:
    head, tail = calendar.cover(frame, say(frame.board.title, frame.spoken) if frame.board else frame.town)
    yield head
    for chunk in chunks:
        yield b"".join(each(chunk, lambda shown: _events(frame, shown)))
    yield tail


def _events(frame: Frame, shown: Shown) -> bytes:
    return b"".join(event.to_ical() for event in calendar.events(frame, shown))


KINDS = {
    "csv": Kind("text/csv; charset=utf-8; header=present", _csv),
    "jsonl": Kind("application/x-ndjson", _jsonl),
    "geojson": Kind("application/geo+json", _geojson),
    "jsonld": Kind("application/ld+json", _jsonld),
    "ics": Kind("text/calendar; charset=utf-8", _ics),
}
