"""Excel workbooks (.xlsx): the stored parts enter, each row of the first sheet as cells of text leaves, in order.

A workbook is a zip of XML: what it claims to hold is checked before anything is unpacked, and read as a stream.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import date, datetime, time
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

from libs.imports.findings import Unreadable

MAX_UNPACKED = 200 * 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 500
KEPT_IN_MEMORY = 8 * 1024 * 1024


def lines(parts: Iterable[bytes]) -> IO[bytes]:
    """The first sheet as a file of JSON lists, a line for each row; raises Unreadable."""
    with tempfile.SpooledTemporaryFile(KEPT_IN_MEMORY) as packed:
        for part in parts:
            packed.write(part)
        _check(packed)
        return _unpacked(packed)


def _check(packed: IO[bytes]) -> None:
    """The standard library unpacks no more of a member than it claims to hold, so its claim can be believed."""
    try:
        with ZipFile(packed) as archive:
            members = archive.infolist()
    except (BadZipFile, ValueError, OSError):
        raise Unreadable("broken_workbook") from None
    if not any(member.filename == "xl/workbook.xml" for member in members):
        raise Unreadable("broken_workbook")
    if sum(member.file_size for member in members) > MAX_UNPACKED:
        raise Unreadable("large_workbook")


def _unpacked(packed: IO[bytes]) -> IO[bytes]:
    from openpyxl import load_workbook  # noqa: PLC0415 - takes time, and few imports are workbooks

    out = tempfile.SpooledTemporaryFile(KEPT_IN_MEMORY)  # noqa: SIM115 - handed to the caller
    try:
        book = load_workbook(packed, read_only=True, data_only=True, keep_links=False)
        with closing(book):
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what the file says of its size need not be true
            for row in _bounded(sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True)):
                out.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    except Unreadable:
        raise
    except Exception:  # whatever a damaged file makes of a parser: BadZipFile, KeyError, ParseError, …
        raise Unreadable("broken_workbook") from None
    out.seek(0)
    return out


def _bounded(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[str]]:
    for number, row in enumerate(rows):
        if number > MAX_ROWS:
            raise Unreadable("many_rows", rows=str(MAX_ROWS))
        cells = [_text(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        yield cells


def _text(value: Any) -> str:
    """A cell as people would type it: whole numbers without a fraction, days without a time."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 10**15 else repr(value)
    if isinstance(value, datetime):
        return (value.date() if value.time() == time() else value.replace(microsecond=0)).isoformat()
    return value.isoformat() if isinstance(value, date | time) else str(value)
