"""Spreadsheets as people make them, through the service: what is understood, what is said, and what goes back in."""

import io
from datetime import date
from typing import Any

import pytest
from openpyxl import Workbook

from services.offers.imports.api import XLSX
from tests.offers.conftest import COURSE, Offers
from tests.offers.test_imports import figures, offers_of

HEADS = ["Schlüssel", "TITEL", "Niveau", "Themen", "Plätze", "Stunden", "Online", "Beginn", "Kursplan"]
CELLS = [
    "a1",
    "Töpfern für Große",
    "leicht",
    "Kunst; Sport",
    "12",
    "2,5",
    "WAHR",
    "24.12.2026",
    "https://fuß.de/@plan",
]
FIELDS = {
    "level": "easy",
    "topics": ["art", "sport"],
    "size": 12,
    "hours_total": 2.5,
    "online": True,
    "begins": "2026-12-24",
    "plan": "https://xn--fu-hia.de/@plan",
}


def german(*rows: list[str], delimiter: str = ";") -> str:
    return "".join(
        delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row) + "\r\n" for row in rows
    )


def workbook() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADS)
    sheet.append([*CELLS[:4], 12, 2.5, True, date(2026, 12, 24), CELLS[8]])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


FILES: dict[str, tuple[bytes, str]] = {
    "cp1252": (german(HEADS, CELLS).encode("cp1252"), "text/csv"),
    "utf-8": (german(HEADS, CELLS).encode("utf-8-sig"), "application/vnd.ms-excel"),
    "utf-16": (german(HEADS, CELLS, delimiter="\t").encode("utf-16"), "text/csv"),
    "sep": (b"sep=,\r\n" + german(HEADS, CELLS, delimiter=",").encode(), "text/csv"),
    "xlsx": (workbook(), XLSX),
    "emptied": (german(HEADS, [""] * 9, CELLS, [" "] * 9).encode("cp1252"), "text/csv"),
}


def said(service: Offers, done: dict[str, Any]) -> list[tuple[int, str, str | None, str]]:
    return [
        (each["line"], each["code"], each["column"], each["severity"]) for each in service.report(done["id"])
    ]


@pytest.mark.parametrize("kind", FILES)
def test_a_file_as_german_excel_writes_it_is_understood(lone: Offers, kind: str) -> None:
    content, media = FILES[kind]
    done = lone.imported(content, kind=media, source=f"excel-{kind}")
    assert (done["status"], figures(done)) == ("done", {"created": 1}), (done, lone.report(done["id"]))
    assert lone.report(done["id"]) == []
    offer = offers_of(lone, f"excel-{kind}")["a1"]["id"]
    content_ = lone.get(offer).json()["content"]
    assert (content_["title"], content_["fields"]) == ({"de": CELLS[1]}, FIELDS)


def test_what_concerns_the_file_is_said_once(lone: Offers) -> None:
    rows = [
        ["key", "title.de", "fields.level", "Telefon", ""],
        *([f"k{n}", "T", "easy", "0", ""] for n in range(5)),
    ]
    done = lone.imported(german(*rows).encode(), source="once")
    assert figures(done) == {"created": 5}
    (only,) = lone.report(done["id"])
    assert (only["line"], only["code"], only["severity"]) == (1, "unknown_columns", "notice")
    assert "„Telefon“" in only["message"]["de"]
    assert "„Telefon“" in only["message"]["en"]


@pytest.mark.parametrize(
    ("content", "code", "named"),
    [
        (b"key;title.de;TITLE.DE;fields.level\r\n1;a;b;easy", "repeated_columns", "TITLE.DE"),
        (b"title.de;fields.level\r\na;easy", "missing_columns", "key"),
        (b"key;title.de\r\n1;a", "missing_columns", "fields.level"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "old_workbook", ".xlsx"),
        (b"PK\x03\x04" + bytes(100), "broken_workbook", "Excel"),
        (b"\r\n;;\r\n", "empty_file", "leer"),
    ],
)
def test_why_a_file_cannot_be_imported_is_said_in_german_and_english(
    lone: Offers, content: bytes, code: str, named: str
) -> None:
    done = lone.imported(content, source="whole")
    assert (done["status"], done["error_code"]) == ("failed", code)
    assert named in done["message"]["de"]
    assert done["error"] == done["message"]["en"]


WRONG: dict[str, tuple[int, str, str]] = {
    "choice": (2, "mittel", "leicht, schwer"),
    "choice ": (3, "Kunst, Tanz", "Kunst, Sport"),
    "whole_number": (4, "zwölf", "ganze Zahl"),
    "number": (5, "1.2.3", "2,5"),
    "yes_no": (6, "vielleicht", "„ja“"),
    "day": (7, "31.2.2027", "24.12.2026"),
    "address_scheme": (8, "www.beispiel.de", "https://"),
    "no_key": (0, "", "Schlüssel"),
    "required": (1, "", "fehlt"),
}


@pytest.mark.parametrize("code", WRONG)
def test_what_is_wrong_with_a_cell_is_said_in_an_editors_words(lone: Offers, code: str) -> None:
    column, cell, named = WRONG[code]
    cells = [cell if number == column else good for number, good in enumerate(CELLS)]
    done = lone.imported(
        german(HEADS, cells, ["b2", *CELLS[1:]]).encode("cp1252"), source="wrong", dry_run=True
    )
    assert figures(done) == {"created": 1, "broken": 1}
    found = lone.report(done["id"])[0]
    assert (found["line"], found["code"]) == (2, code.strip())
    assert named in found["message"]["de"]
    for words in found["message"].values():
        assert "{" not in words
        assert "Input should" not in words


def test_letters_that_were_decoded_twice_are_noticed_once_a_column(lone: Offers) -> None:
    twice = "Mühlenstraße".encode().decode("cp1252")
    rows = [["key", "title.de", "fields.level"], *([f"k{n}", twice, "easy"] for n in range(3))]
    done = lone.imported(german(*rows).encode(), source="twice")
    assert said(lone, done) == [(2, "decoded_twice", "title.de", "notice")]
    assert "„Mühlenstraße“" in lone.report(done["id"])[0]["message"]["de"]


@pytest.mark.parametrize("form", ["csv", "jsonl", "excel"])
def test_an_export_goes_back_in_as_itself_whoever_made_it(service: Offers, form: str) -> None:
    """Things of editors, of a provider and of an import, exported, one of them corrected, and imported."""
    provider = service.call(
        "POST",
        "/v1/providers",
        {"title": {"en": f"Pottery {form}", "de": f"Töpferei {form}"}, "kind": "Verein"},
        "editor",
    ).json()["id"]
    content = COURSE | {"title": {"de": "Töpfern", "tr": "Çömlek"}, "place": {"lat": 50.25, "lon": 10.964}}
    made = [service.draft(content, provider, publish=True) for _ in range(2)]
    made.append(service.draft(COURSE | {"title": {"de": "Ohne Träger"}}, publish=True))
    kind, query = ("csv", {"for": "excel"}) if form == "excel" else (form, {})
    answer = service.call("GET", f"/v1/exports/offers.{kind}", None, params={"board": "course", **query})
    ids = [each.encode() for each in made]
    lines = answer.content.splitlines(keepends=True)
    rows = lines[:1] if kind == "csv" else []
    rows += [line for line in lines if any(each in line for each in ids)]
    corrected = b"".join(row.replace("Ohne Träger".encode(), b"Berichtigt") for row in rows)
    before = service.http.get("/v1/exports/providers.jsonl").content
    media = {"jsonl": "application/x-ndjson"}.get(form, "text/csv")
    done = service.imported(corrected, kind=media)
    assert service.report(done["id"]) == []
    assert figures(done) == {"changed": 1, "unchanged": 2}
    assert service.get(made[2]).json()["content"]["title"] == {"de": "Berichtigt"}
    assert service.get(made[0]).json()["provider_id"] == provider
    assert service.http.get("/v1/exports/providers.jsonl").content == before
    assert [service.get(each).json()["version"] for each in made] == [1, 1, 2]


def test_rows_of_another_board_are_refused(lone: Offers) -> None:
    text = "key,title.de,fields.level,board\nx1,T,easy,course\nx2,T,easy,kita\n"
    done = lone.imported(text.encode(), source="other")
    assert figures(done) == {"created": 1, "broken": 1}
    assert said(lone, done) == [(3, "other_board", "board", "error")]
