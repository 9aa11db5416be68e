"""Rows of an uploaded file, read as a stream: the stored parts enter, records with their line numbers leave.

A line that cannot be read becomes a record with a fault; it never ends the reading, and memory stays flat however
long a line is.
"""

import csv
import io
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from libs.imports import workbook
from libs.imports.findings import Params
from libs.imports.layout import Layout

MAX_LINE = 256 * 1024
# Stands for a line beyond the limit: a cell that the csv module refuses, wherever the line stands.
_OVERLONG = "x" * (MAX_LINE + 1) + "\n"


@dataclass(frozen=True)
class Fault:
    """What is wrong with a record as a whole."""

    code: str
    params: Params = field(default_factory=dict)


@dataclass
class Row:
    """One record: the line it starts on and its values, or what is wrong with it as a whole."""

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    fault: Fault | None = None


@dataclass
class Record:
    """A record of a table before its cells have names."""

    line: int
    cells: list[str] = field(default_factory=list)
    fault: Fault | None = None


class Parts(io.RawIOBase):
    """Stored parts of an upload as one readable stream, so that memory stays flat."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer from the next part."""
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = memoryview(part)
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def text(parts: Iterable[bytes], encoding: str) -> io.TextIOWrapper:
    """The upload as text; bytes that are none in this encoding show up as faults of their row."""
    return io.TextIOWrapper(
        io.BufferedReader(Parts(parts), 256 * 1024), encoding, "surrogateescape", newline=""
    )


class Lines:
    """Lines that can be read again: a quote that is never closed takes the rows behind it for one cell."""

    def __init__(self, stream: io.TextIOBase, first_line: int = 1) -> None:
        self._stream = stream
        self._again: deque[str] = deque()
        self._record: list[str] = []
        self._number = 0
        for _ in range(first_line - 1):
            next(self)

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        """The next line."""
        line = self._again.popleft() if self._again else self._stream.readline(MAX_LINE)
        if not line:
            raise StopIteration
        self._number += 1
        if len(line) >= MAX_LINE and not line.endswith(("\n", "\r")):
            skip_line(self._stream)
            line = _OVERLONG
        self._record.append(line)
        return line

    def begin_record(self) -> int:
        """Forget the lines before; the number of the line that comes next."""
        self._record.clear()
        return self._number + 1

    def give_back(self) -> None:
        """All lines of the record but its first are to be read once more."""
        self._again.extendleft(reversed(self._record[1:]))
        self._number -= len(self._record[1:])


class Table:
    """The records of a table, to be read as often as need be; a workbook is unpacked once."""

    def __init__(self, layout: Layout, parts: Callable[[], Iterable[bytes]]) -> None:
        self._layout, self._parts = layout, parts
        # Raises Unreadable for a broken workbook.
        self._sheet = workbook.lines(parts()) if layout.kind == "xlsx" else None

    def records(self) -> Iterator[Record]:
        """All records, the headings first; empty ones are left out."""
        found = self._rows() if self._sheet else csv_records(self._text(), self._layout)
        return (each for each in found if each.fault or _says_something(each.cells))

    def _text(self) -> io.TextIOWrapper:
        return text(self._parts(), self._layout.encoding)

    def _rows(self) -> Iterator[Record]:
        assert self._sheet is not None  # noqa: S101 - asked by `records`
        self._sheet.seek(0)
        for number, row in enumerate(self._sheet, 1):
            yield Record(number, json.loads(row))


def _says_something(cells: list[str]) -> bool:
    return bool(cells) and (not (cells[0].isspace() or not cells[0]) or any(map(str.strip, cells)))


def csv_records(stream: io.TextIOWrapper, layout: Layout) -> Iterator[Record]:
    """The records of a CSV file."""
    csv.field_size_limit(MAX_LINE)
    lines = Lines(stream, layout.first_line)
    reader = csv.reader(lines, delimiter=layout.delimiter, strict=True)
    while True:
        line = lines.begin_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.give_back()
            long = "field larger" in str(error)
            yield Record(
                line, fault=Fault("long_line", {"limit": str(MAX_LINE)}) if long else Fault("quotes")
            )
        else:
            yield Record(line, cells)


def named(found: Iterable[Record], names: list[str | None], *, ragged: bool) -> Iterator[Row]:
    """Records as rows; cells without a name are left out. With `ragged` cells may be missing at a row's end."""
    width = len(names)
    for record in found:
        cells, line = record.cells, record.line
        if record.fault:
            yield Row(line, fault=record.fault)
            continue
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            cells = cells[:width]
        if len(cells) < width and ragged:
            cells = cells + [""] * (width - len(cells))
        if len(cells) == width:
            yield Row(line, {name: cell for name, cell in zip(names, cells, strict=True) if name})
        else:
            counts = {"found": str(len(cells)), "wanted": str(width)}
            yield Row(line, fault=Fault("cells", counts))


def json_rows(stream: io.TextIOWrapper) -> Iterator[Row]:
    """The objects of a JSON Lines file."""
    line = 0
    while text := stream.readline(MAX_LINE):
        line += 1
        if len(text) == MAX_LINE and not text.endswith("\n"):
            skip_line(stream)
            yield Row(line, fault=Fault("long_line", {"limit": str(MAX_LINE)}))
        elif text.strip():
            yield _object(line, text)


def _object(line: int, text: str) -> Row:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Row(line, fault=Fault("no_json"))
    if not isinstance(value, dict):
        return Row(line, fault=Fault("no_object"))
    return Row(line, cast("dict[str, Any]", value))


def skip_line(stream: io.TextIOBase) -> None:
    """The rest of a line, whatever its length."""
    while (rest := stream.readline(MAX_LINE)) and not rest.endswith(("\n", "\r")):
        pass
