"""Rows of an uploaded file, read as a stream: the stored parts enter, rows with their line numbers leave.

A line that cannot be read becomes a row with a fault; it never ends the reading.
"""

import csv
import io
import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

MAX_LINE = 256 * 1024


@dataclass
class Row:
    """One record: the line it starts on and its values, or what is wrong with it as a whole."""

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    fault: str | None = None


class Parts(io.RawIOBase):
    """Stored parts of an upload as one readable stream, so that memory stays flat."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._rest = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer from the next part."""
        while not self._rest:
            self._rest = next(self._parts, b"")
            if not self._rest:
                return 0
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

    def __init__(self, stream: Iterable[str]) -> None:
        self._fresh = iter(stream)
        self._again: deque[str] = deque()
        self._record: list[str] = []
        self._number = 0

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        """The next line."""
        line = self._again.popleft() if self._again else next(self._fresh)
        self._record.append(line)
        self._number += 1
        return line

    def begin_record(self) -> int:
        """Forget the lines before; the number of the line that comes next."""
        self._record.clear()
        return self._number + 1

    def give_back(self) -> None:
        """All lines of the record but its first are to be read once more."""
        self._again.extendleft(reversed(self._record[1:]))
        self._number -= len(self._record[1:])


def headings(stream: io.TextIOWrapper, delimiter: str) -> list[str]:
    """The first record of a CSV file."""
    try:
        return [name.strip() for name in next(csv.reader(stream, delimiter=delimiter), [])]
    except csv.Error:
        return []


def csv_rows(stream: io.TextIOWrapper, delimiter: str) -> Iterator[Row]:
    """The records of a CSV file behind its headings."""
    csv.field_size_limit(MAX_LINE)
    lines = Lines(stream)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    names = [name.strip() for name in next(reader, [])]
    while True:
        line = lines.begin_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.give_back()
            yield Row(line, fault=str(error))
            continue
        if len(cells) == len(names):
            yield Row(line, dict(zip(names, cells, strict=True)))
        elif cells:
            yield Row(line, fault=f"has {len(cells)} cells, the headings are {len(names)}")


def json_rows(stream: io.TextIOWrapper) -> Iterator[Row]:
    """The objects of a JSON Lines file."""
    line = 0
    while text := stream.readline(MAX_LINE):
        line += 1
        if len(text) == MAX_LINE and not text.endswith("\n"):
            _skip_line(stream)
            yield Row(line, fault=f"is longer than {MAX_LINE} characters")
        elif text.strip():
            yield _object(line, text)


def _object(line: int, text: str) -> Row:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Row(line, fault=f"is not JSON: {error}"[:300])
    if not isinstance(value, dict):
        return Row(line, fault="is not a JSON object")
    return Row(line, cast("dict[str, Any]", value))


def _skip_line(stream: io.TextIOWrapper) -> None:
    while (rest := stream.readline(MAX_LINE)) and not rest.endswith("\n"):
        pass
