"""Reading uploads: whatever stands in them becomes rows or faults, in flat memory, and never an exception."""

import csv
import io
import json
import tracemalloc
from itertools import chain
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.offers.boards.commands import read_declarations
from services.offers.imports.mapper import Mapper
from services.offers.imports.mapping import native
from services.offers.imports.reader import MAX_LINE, Row, csv_rows, headings, json_rows, text

COURSE = read_declarations(Path(__file__).parent / "city" / "boards")[0]


def read_csv(content: bytes, size: int = 7, delimiter: str = ";") -> list[Row]:
    parts = [content[at : at + size] for at in range(0, len(content), size)]
    return list(csv_rows(text(parts, "utf-8-sig"), delimiter))


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
    assert [(row.values["a"], row.values["b"]) for row in found] == rows


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


def test_headings() -> None:
    assert headings(text(["\ufeff a ;b\n1;2".encode()], "utf-8-sig"), ";") == ["a", "b"]
    assert headings(text([], "utf-8-sig"), ";") == []
    assert headings(text([b"x" * (MAX_LINE * 2)], "utf-8-sig"), ";") in ([], ["x" * (MAX_LINE * 2)])


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
    mapper = Mapper(native("course", ["key", "title.de", "fields.level"]), COURSE)
    tracemalloc.start()
    try:
        for row in csv_rows(text(chain([b"key,title.de,fields.level\n"], lines), "utf-8"), ","):
            assert not mapper.draft(row.values).broken
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_follow_the_length_of_a_file() -> None:
    peak(50)
    assert peak(2000) < peak(200) * 1.5
