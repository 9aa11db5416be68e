"""How a file is laid out: its bytes enter, and which kind, encoding and delimiter it has leaves.

Files are as spreadsheet programs write them: with or without a byte order mark, in UTF-8, UTF-16 or Windows-1252,
with semicolons, commas, tabs or bars, perhaps with a line `sep=;` before the headings.
"""

import codecs
import csv
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from libs.imports.findings import Unreadable

Parts = Callable[[], Iterable[bytes]]
HEAD_BYTES = 64 * 1024
DELIMITERS = (",", ";", "\t", "|")
_SEP = re.compile(r"sep=(.)\r?\n?\Z", re.IGNORECASE)
# What an old .xls, or a workbook under a password, begins with.
_OLE = b"\xd0\xcf\x11\xe0"
_BEYOND = re.compile("[\udc80-\udcff]")
_NATIONAL = re.compile("[\u0080-\ud7ff\ue000-\U0010ffff]+")


@dataclass(frozen=True)
class Layout:
    """`first_line` is the line on which the file's own text begins."""

    kind: Literal["csv", "jsonl", "xlsx"]
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    first_line: int = 1


def detect_layout(parts: Parts, kind: str, *, encoding: str = "cp1252", delimiter: str = ",") -> Layout:
    """The layout of a file; `encoding` and `delimiter` are those expected when the file itself does not tell.

    Raises Unreadable for what is no table at all.
    """
    head = _head(parts())
    if not head.strip():
        raise Unreadable("empty_file")
    if head.startswith(b"PK\x03\x04"):
        return Layout("xlsx")
    if head.startswith(_OLE):
        raise Unreadable("old_workbook")
    found = _encoding(head, parts, encoding)
    if kind == "jsonl":
        return Layout("jsonl", found)
    first, *more = head.decode(found, "replace").splitlines(keepends=True)
    if marked := _SEP.match(first):
        return Layout("csv", found, marked[1], 2)
    return Layout("csv", found, _delimiter([first, *more], delimiter))


def _head(parts: Iterable[bytes]) -> bytes:
    """The beginning of a file, not cut within a line if there is a choice."""
    head = b""
    for part in parts:
        head += part[: HEAD_BYTES - len(head)]
        if len(head) >= HEAD_BYTES:
            break
    return head


def _encoding(head: bytes, parts: Parts, usual: str) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 2 > len(head) * 0.6:
        return "utf-16-be" if even > odd else "utf-16-le"
    return "utf-8-sig" if _is_utf8(parts()) else "cp1252" if usual.startswith("utf-8") else usual


def _is_utf8(parts: Iterable[bytes]) -> bool:
    """Whether more of the file's national letters are UTF-8 than are not; a few bad bytes are faults of their rows."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    for part in chain(parts, [b""]):
        text = decoder.decode(part, final=not part)
        if not text.isascii():
            good += sum(map(len, _NATIONAL.findall(text)))
            bad += len(_BEYOND.findall(text))
    return good >= bad


def _delimiter(head: list[str], usual: str) -> str:
    """The one that cuts the headings into most cells."""
    lines = [line for line in head if line.strip()]

    def cells(delimiter: str) -> tuple[int, bool]:
        try:
            found = next(csv.reader(lines, delimiter=delimiter))
        except (csv.Error, StopIteration):
            return 0, False
        # Half a quoted heading was cut by something that stands in it.
        return 0 if any(cell.count('"') % 2 for cell in found) else len(found), delimiter == usual

    return max(DELIMITERS, key=cells)
