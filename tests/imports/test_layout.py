"""Files as spreadsheet programs write them: delimiter and encoding are recognised, headings found, causes said once."""

import codecs
import io
import zipfile
from collections.abc import Iterable
from datetime import date, datetime

import pytest
from openpyxl import Workbook

from libs.imports import workbook
from libs.imports.cells import guarded, unguarded
from libs.imports.findings import Unreadable
from libs.imports.headings import known_by, match, require
from libs.imports.layout import Layout, detect_layout
from libs.imports.reader import Table

ROWS = [["key", "Straße"], ["1", "Mühlenstraße 3"], ["2", "Größe; Maß, „voll“"]]


def written(delimiter: str, end: str = "\r\n") -> str:
    return "".join(delimiter.join(f'"{cell}"' if ";" in cell else cell for cell in row) + end for row in ROWS)


FILES = {
    "semicolons, Windows-1252": (written(";").encode("cp1252"), Layout("csv", "cp1252", ";")),
    "semicolons, UTF-8 with a mark": (written(";").encode("utf-8-sig"), Layout("csv", "utf-8-sig", ";")),
    "semicolons, UTF-8 without a mark": (written(";").encode(), Layout("csv", "utf-8-sig", ";")),
    "UTF-16 with tabs": (written("\t").encode("utf-16"), Layout("csv", "utf-16", "\t")),
    "UTF-16 without a mark": (written("\t").encode("utf-16-le"), Layout("csv", "utf-16-le", "\t")),
    "UTF-16, the other way round": (
        codecs.BOM_UTF16_BE + written("\t").encode("utf-16-be"),
        Layout("csv", "utf-16", "\t"),
    ),
    "a line that names the delimiter": (
        ("sep=;\r\n" + written(";")).encode("cp1252"),
        Layout("csv", "cp1252", ";", 2),
    ),
    "bars": (written("|").encode(), Layout("csv", "utf-8-sig", "|")),
    "an old Mac's line ends": (written(";", "\r").encode(), Layout("csv", "utf-8-sig", ";")),
    "commas, blank lines before": (b"\r\n\r\n" + b'a,"b;c;d"\r\n1,2', Layout("csv")),
}


def cut(content: bytes) -> list[bytes]:
    return [content[at : at + 11] for at in range(0, len(content), 11)]


@pytest.mark.parametrize("kind", FILES)
def test_a_file_says_how_it_is_laid_out(kind: str) -> None:
    content, layout = FILES[kind]
    assert detect_layout(lambda: cut(content), "csv") == layout


@pytest.mark.parametrize("kind", [kind for kind in FILES if not kind.startswith("commas")])
def test_whatever_the_layout_the_rows_are_the_same(kind: str) -> None:
    content, layout = FILES[kind]
    assert [record.cells for record in Table(layout, lambda: cut(content)).records()] == ROWS


def test_a_few_bad_bytes_make_no_other_encoding() -> None:
    assert detect_layout(lambda: [("ä" * 5).encode() + b"\xff;b\n"], "csv").encoding == "utf-8-sig"
    assert detect_layout(
        lambda: ["Straße;b".encode("iso-8859-15")], "csv", encoding="iso-8859-15"
    ).encoding == ("iso-8859-15")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b" \r\n ", "empty_file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "old_workbook"),
    ],
)
def test_what_is_no_table_is_said(content: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as said:
        detect_layout(lambda: [content], "csv")
    assert said.value.code == code


def packed(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def unpacked(content: bytes) -> list[list[str]]:
    layout = detect_layout(lambda: cut(content), "csv")
    table = Table(layout, lambda: cut(content))
    assert [record.line for record in table.records()] == [record.line for record in table.records()]
    return [record.cells for record in table.records()]


def test_a_workbook_is_read_as_people_typed_it() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["key", "ja?", "Zahl", "ganz", "Tag", "wann"])
    sheet.append(["007", True, 2.5, 12.0, date(2026, 12, 24), datetime(2026, 12, 24, 16, 30)])
    sheet.append([])
    sheet.append(["ü", False, None, 10**6, None, ""])
    book.create_sheet("Anderes").append(["nicht", "gelesen"])
    found = unpacked(packed(book))
    assert found == [
        ["key", "ja?", "Zahl", "ganz", "Tag", "wann"],
        ["007", "true", "2.5", "12", "2026-12-24", "2026-12-24T16:30:00"],
        ["ü", "false", "", "1000000"],
    ]


def zipped(members: Iterable[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    bomb = zipped([("xl/workbook.xml", b"<x/>"), ("xl/worksheets/sheet1.xml", bytes(workbook.MAX_UNPACKED))])
    assert len(bomb) < 2**20
    with pytest.raises(Unreadable, match="large_workbook"):
        workbook.lines([bomb])


def test_a_claim_that_is_not_true_unpacks_no_more() -> None:
    book = Workbook()
    honest = packed(book)
    bomb = zipped([("xl/workbook.xml", bytes(10**7))])
    # The directory claims eight bytes where ten million are.
    lied = bomb.replace((10**7).to_bytes(4, "little"), (8).to_bytes(4, "little"))
    for content in (lied, honest[: len(honest) // 2], zipped([("a.txt", b"x")])):
        with pytest.raises(Unreadable, match="broken_workbook"):
            workbook.lines([content])


def test_entities_are_not_multiplied() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    sheet = f'<!DOCTYPE x [<!ENTITY l0 "{"ha" * 500}">{laughs}]><worksheet><sheetData><row><c t="inlineStr"><is><t>&l9;</t></is></c></row></sheetData></worksheet>'
    with zipfile.ZipFile(io.BytesIO(packed(Workbook()))) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    evil = zipped((name, sheet.encode() if "sheet1" in name else content) for name, content in members)
    with pytest.raises(Unreadable, match="broken_workbook"):
        workbook.lines([evil])


def test_a_sheet_has_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_ROWS", 2)
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for number in range(4):
        sheet.append([number])
    with pytest.raises(Unreadable, match="many_rows"):
        workbook.lines([packed(book)])


def test_headings_are_found_whatever_their_case() -> None:
    found = match(["  TITEL ", "kEy", "Telefon", ""], known_by(["key", "Titel"]), all_known=True)
    assert found.names == ["Titel", "key", None, None]
    assert [(each.code, each.params) for each in found.findings] == [
        ("unknown_columns", {"columns": "„Telefon“"})
    ]
    require(found, ["key"])
    with pytest.raises(Unreadable) as said:
        require(found, ["key", "Ort"])
    assert said.value.params == {"columns": "„Ort“", "found": "„Titel“, „key“"}


def test_headings_that_say_the_same_are_named() -> None:
    with pytest.raises(Unreadable) as said:
        match(["key", "Titel", "TITEL"], known_by(["key", "Titel"]), all_known=True)
    assert (said.value.code, said.value.params) == ("repeated_columns", {"columns": "„Titel“, „TITEL“"})


@pytest.mark.parametrize("reader", [",", ";", "\t", "|"])
def test_no_reader_finds_a_formula_in_a_guarded_cell(reader: str) -> None:
    evil = ["=1+1", "x;=1+1", "x\n=1+1", "x,@a", "x\t-1", "x|+1", "''=1", ";\r\n=1", "＝1"]
    for text in evil:
        pieces = [piece for line in guarded(text).splitlines() for piece in line.split(reader)]
        assert not [piece for piece in pieces if piece[:1] in tuple("=+-@＝＋－＠")], text
        assert unguarded(guarded(text)) == text
