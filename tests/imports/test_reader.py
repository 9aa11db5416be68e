"""Reading uploads: whatever stands in them becomes rows or faults, in flat memory, and never an exception."""

import csv
import io
import json
import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from libs.imports.layout import Layout
from libs.imports.mapper import Mapper
from libs.imports.reader import MAX_LINE, Row, Table, json_rows, named, text
from services.offers.boards.commands import read_declarations
from services.offers.imports.drafts import Checker
from services.offers.imports.targets import Targets, native

COURSE = read_declarations(Path(__file__).parents[1] / "offers" / "city" / "boards")[0]


def rows_of(layout: Layout, parts: Iterable[bytes]) -> Iterator[Row]:
    """The rows behind the headings of a table that is read once."""
    records = Table(layout, lambda: parts).records()
    first = next(records, None)
    return named(records, list(first.cells) if first else [], ragged=False)


def read_csv(content: bytes, size: int = 7, delimiter: str = ";") -> list[Row]:
    parts = [content[at : at + size] for at in range(0, len(content), size)]
    return list(rows_of(Layout("csv", delimiter=delimiter), parts))


def read_json(content: bytes, size: int = 7) -> list[Row]:
    parts = [content[at : at + size] for at in range(0, len(content), size)]
    return list(json_rows(text(parts, "utf-8-sig")))


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\n;"'), max_size=20)


@given(st.lists(st.tuples(cells, cells), min_size=1), st.integers(1, 40))
def test_rows_are_read_as_they_were_written(rows: list[tuple[str, str]], size: int) -> None:
    """Parts may cut a character, a quote or a line end in two."""
    written = io.StringIO()
    csv.writer(written, delimiter=";").writerows([("a", "b"), *rows])
    found = read_csv(written.getvalue().encode("utf-8-sig"), size)
    assert [(row.values["a"], row.values["b"]) for row in found] == [
        row for row in rows if any(map(str.strip, row))
    ]


@given(st.binary(max_size=300), st.integers(1, 20))
def test_any_bytes_end_as_rows_or_faults(content: bytes, size: int) -> None:
    for rows in (read_csv(b"a;b\n" + content, size), read_json(content, size)):
        assert all(row.fault or isinstance(row.values, dict) for row in rows)


def test_lines_are_counted_as_an_editor_shows_them() -> None:
    rows = read_csv(b'a;b\n1;"two\nlines"\n3;4\n\n5;6\n')
    assert [row.line for row in rows] == [2, 4, 6]


def test_a_row_of_another_width_is_a_fault_of_that_row() -> None:
    rows = read_csv(b"a;b\n1;2\n1\n1;2;3\n1;2\n")
    assert [bool(row.fault) for row in rows] == [False, True, True, False]


def test_a_cell_too_large_is_a_fault_and_the_next_row_is_read() -> None:
    rows = read_csv(b"a;b\n" + b"x" * (MAX_LINE + 1) + b";1\n2;3\n", 50_000)
    assert rows[0].fault
    assert rows[-1].values == {"a": "2", "b": "3"}


def test_a_quote_that_is_never_closed_takes_no_other_row_with_it() -> None:
    rows = read_csv(b'a;b\n1;2\n3;"4\n5;6\n7;8\n"9";"10"\n11;"12\n13;14')
    assert [(row.line, bool(row.fault)) for row in rows] == [
        (2, False),
        (3, True),
        (4, False),
        (5, False),
        (6, False),
        (7, True),
        (8, False),
    ]
    assert rows[-1].values == {"a": "13", "b": "14"}


def test_text_behind_a_closing_quote_is_a_fault() -> None:
    rows = read_csv(b'a;b\n1;"2"x\n3;4\n')
    assert [row.fault is None for row in rows] == [False, True]


def test_objects_line_by_line() -> None:
    good: dict[str, Any] = {"key": "a", "title": {"de": "Grüße 🏰"}}
    lines = [
        json.dumps(good).encode(),
        b"",
        b"{",
        b"[1]",
        b"nul",
        b"7",
        b'"x"',
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps(good).encode(),
    ]
    rows = read_json(b"\n".join(lines), 1000)
    assert [row.line for row in rows if not row.fault] == [1, 10]
    assert [row.line for row in rows if row.fault] == [3, 4, 5, 6, 7, 8, 9]


def test_a_line_too_long_is_a_fault_and_the_next_is_read() -> None:
    rows = read_json(b'{"key": "' + b"x" * (3 * MAX_LINE) + b'"}\n{"key": "b"}\n', 100_000)
    assert [bool(row.fault) for row in rows] == [True, False]
    assert [row.line for row in rows] == [1, 2]


def peak(rows: int) -> int:
    """The most memory that reading and mapping so many long rows takes, in bytes."""
    lines = (f"k{number},{number:06000},easy\n".encode() for number in range(rows))
    source = native(COURSE, ["key", "title.de", "fields.level"])
    mapper, check = Mapper(source, Targets(COURSE, {})), Checker(COURSE)
    tracemalloc.start()
    try:
        for row in rows_of(Layout("csv"), chain([b"key,title.de,fields.level\n"], lines)):
            assert not check.mapped(row.values, mapper, source).broken
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_follow_the_length_of_a_file() -> None:
    peak(50)
    assert peak(2000) < peak(200) * 1.5


def test_a_line_without_end_takes_little_memory_and_no_other_row_with_it() -> None:
    """49 MB in one line, alone and behind a quote that is never closed."""
    for before in (b"", b'"open;x\n'):
        parts = chain([b"a;b\n1;2\n", before], [b"x;" * 2**19] * 49, [b"\n3;4\n"])
        tracemalloc.start()
        rows = list(rows_of(Layout("csv", delimiter=";"), parts))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert [row.fault is None for row in rows] == [True, *([False] if before else []), False, True]
        assert rows[-1].values == {"a": "3", "b": "4"}
        assert most < 12 * 2**20
