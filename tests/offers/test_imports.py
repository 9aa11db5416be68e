"""Imports of whole files: every row is taken or reported, nothing is doubled, nothing told that did not change."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cli.home import ROOT
from libs.imports.api import MAX_UPLOAD_BYTES
from tests.offers.conftest import Offers
from tests.service import problem
from tests.waiting import until

REGISTER = Path(ROOT).parent / "shared" / "data" / "kitas-berlin.csv"
NAMES = ("key", "title.de", "fields.level", "fields.size", "place.lat", "place.lon", "url", "provider")


def sheet(rows: Iterable[tuple[str, ...]], names: tuple[str, ...] = NAMES) -> bytes:
    """Rows as a CSV file of offers' own names; missing cells at the end are empty."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([(*row, *[""] * (len(names) - len(row))) for row in rows])
    return out.getvalue().encode()


def courses(count: int, **changes: str) -> bytes:
    """So many good rows; `changes` gives some keys another title."""
    keys = [f"k{number}" for number in range(count)]
    return sheet(
        (key, changes.get(key, f"Kurs {key}"), "easy", "12", "50.2", "10.9", "", "Verein") for key in keys
    )


def figures(done: dict[str, Any]) -> dict[str, int]:
    """What an import counted, without zeros."""
    names = ("created", "changed", "unchanged", "withdrawn", "broken")
    return {name: done[name] for name in names if done[name]}


def offers_of(service: Offers, source: str) -> dict[str, dict[str, Any]]:
    """The rows of a source by key."""
    with service.db.reading() as session:
        found = session.execute(
            text("SELECT external_id, id, status, version FROM offer WHERE source = :source"),
            {"source": source},
        )
        return {row.external_id: dict(row._mapping) for row in found}


def told(service: Offers, source: str) -> int:
    """How many facts there are about the offers of a source and whoever offers them."""
    query = text("SELECT id, provider_id FROM offer WHERE source = :source")
    with service.db.reading() as session:
        own = {each for row in session.execute(query, {"source": source}) for each in row}
    return sum(fact["subject"] in own for fact in service.facts())


@pytest.fixture
def source(request: pytest.FixtureRequest) -> str:
    """A source of the test's own."""
    return f"s{abs(hash(request.node.nodeid)) % 10**12}"


def test_a_first_import_creates_and_tells_every_row(service: Offers, source: str) -> None:
    done = service.imported(courses(250), source=source)
    assert (done["status"], done["rows_total"], done["rows_done"]) == ("done", 250, 250)
    assert figures(done) == {"created": 250}
    assert service.report(done["id"]) == []
    assert told(service, source) == 251, "one provider stands behind all"
    offer = offers_of(service, source)["k7"]
    (fact,) = service.facts(offer["id"])
    assert fact["data"]["card"]["title"] == {"de": "Kurs k7"}
    assert service.get(offer["id"]).json()["content"]["fields"] == {"level": "easy", "size": 12}


def test_a_row_too_large_for_the_bus_is_reported_and_the_others_are_taken(
    service: Offers, source: str
) -> None:
    languages = ["de", "en", "fr", "es", "it", "pl", "cs", "nl", "da", "sv", "uk", "tr"]
    names = ("key", "title.de", "fields.level", *(f"text.{language}" for language in languages))
    rows: list[tuple[str, ...]] = [(f"k{number}", f"Kurs k{number}", "easy") for number in range(5)]
    rows[2] = (*rows[2], *["😀" * 11_000] * len(languages))
    done = service.imported(sheet(rows, names), source=source)
    assert (done["status"], figures(done)) == ("done", {"created": 4, "broken": 1})
    (finding,) = service.report(done["id"])
    assert (finding["line"], finding["column"]) == (4, "text")
    assert offers_of(service, source).keys() == {"k0", "k1", "k3", "k4"}


def test_the_same_file_again_changes_and_tells_nothing(service: Offers, source: str) -> None:
    service.imported(courses(220), source=source)
    before, rows = told(service, source), offers_of(service, source)
    assert figures(service.imported(courses(220), source=source)) == {"unchanged": 220}
    assert told(service, source) == before
    assert offers_of(service, source) == rows


def test_a_changed_row_changes_one_offer(service: Offers, source: str) -> None:
    service.imported(courses(30), source=source)
    before = told(service, source)
    done = service.imported(courses(30, k3="Neu"), source=source)
    assert figures(done) == {"changed": 1, "unchanged": 29}
    assert told(service, source) == before + 1
    assert service.told(offers_of(service, source)["k3"]["id"]) == [("published", 1), ("changed", 2)]


def test_prune_withdraws_what_is_gone_and_it_may_come_back(service: Offers, source: str) -> None:
    service.imported(courses(10), source=source)
    offer = offers_of(service, source)["k9"]["id"]
    assert figures(service.imported(courses(9), source=source)) == {"unchanged": 9}
    assert service.get(offer).status_code == 200, "nothing is withdrawn unless asked for"
    done = service.imported(courses(9), source=source, prune=True)
    assert figures(done) == {"unchanged": 9, "withdrawn": 1}
    problem(service.get(offer), 404)
    assert service.facts(offer)[-1]["data"]["reason"] == "no longer in the source"
    assert figures(service.imported(courses(10), source=source, prune=True)) == {"changed": 1, "unchanged": 9}
    assert service.told(offer) == [("published", 1), ("withdrawn", 2), ("published", 3)]


def test_what_an_editor_withdrew_stays_withdrawn(service: Offers, source: str) -> None:
    service.imported(courses(3), source=source)
    offer = offers_of(service, source)["k1"]["id"]
    service.move(offer, "withdraw", 1, "editor")
    service.imported(courses(3, k1="Neu"), source=source)
    problem(service.get(offer), 404)
    assert service.told(offer) == [("published", 1), ("withdrawn", 2)]


def test_prune_spares_other_sources_broken_rows_and_files_without_keys(service: Offers, source: str) -> None:
    service.imported(courses(4), source=f"{source}b")
    service.imported(courses(4), source=source)
    broken = sheet([("k0", "Kurs k0", "easy"), ("k1", "Kurs k1", "impossible")])
    done = service.imported(broken, source=source, prune=True)
    assert figures(done) == {"changed": 1, "broken": 1, "withdrawn": 2}, "k1 is still named by its source"
    keyless = sheet([("k0", "Kurs k0", "easy"), ("", "ohne", "easy")])
    done = service.imported(keyless, source=source, prune=True)
    assert done["withdrawn"] == 0
    assert "nothing was withdrawn" in done["error"]
    done = service.imported(sheet([("k0", "x", "impossible")]), source=source, prune=True)
    assert done["withdrawn"] == 0
    assert {row["status"] for row in offers_of(service, f"{source}b").values()} == {"published"}


BROKEN: dict[str, tuple[bytes, str | None]] = {
    "a word for a number": (b"b1,T,easy,many,,,,", "fields.size"),
    "half a number": (b"b1,T,easy,1.5,,,,", "fields.size"),
    "a number too large": (b"b1,T,easy," + b"9" * 40 + b",,,,", "fields.size"),
    "more digits than anyone reads": (b"b1,T,easy," + b"9" * 5000 + b",,,,", "fields.size"),
    "infinity": (b"b1,T,easy,1,inf,10,,", "place.lat"),
    "no number": (b"b1,T,easy,1,nan,10,,", "place.lat"),
    "beyond the pole": (b"b1,T,easy,1,91,10,,", "place.lat"),
    "an unknown word": (b"b1,T,impossible,1,,,,", "fields.level"),
    "a missing word": (b"b1,T,,1,,,,", "fields.level"),
    "no title": (b"b1,,easy,1,,,,", "title"),
    "no address": (b"b1,T,easy,1,,,me@example.org,", "url"),
    "a script": (b"b1,T,easy,1,,,javascript:alert(1),", "url"),
    "too few cells": (b"b1,T,easy", None),
    "too many cells": (b"b1,T,easy,1,,,,,,,more", None),
    "no key": (b",T,easy,1,,,,", "key"),
    "a key too long": (b"k" * 201 + b",T,easy,1,,,,", "key"),
    "a key that was there": (b"good0,T,easy,1,,,,", "key"),
    "bytes of another encoding": (b"b1,T\xe4\xff,easy,1,,,,", "title.de"),
    "bytes that are no key": (b"b\xff,T,easy,1,,,,", "key"),
    "NUL": (b"b1,T\x00x,easy,1,,,,", None),
    "a control character": (b"b1,T\x1bx,easy,1,,,,", "title.de"),
    "a title too long": (b"b1," + b"x" * 30_000 + b",easy,1,,,,", "title.de"),
    "a huge cell": (b"b1," + b"x" * 300_000 + b",easy,1,,,,", None),
    "a provider that is no text": (b"b1,T,easy,1,,,,\x07", None),
    "quotes inside": (b'b1,"T"x"y,"z,easy,1,,,,,,', None),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_row_is_reported_and_never_stops_the_rest(lone: Offers, source: str, kind: str) -> None:
    row, column = BROKEN[kind]
    head, *good = sheet([(f"good{number}", "Güte", "easy") for number in range(4)]).splitlines()
    done = lone.imported(b"\n".join([head, *good[:2], row, *good[2:]]), source=source)
    assert done["status"] == "done", done["error"]
    assert figures(done) == {"created": 4, "broken": 1}
    found = [finding for finding in lone.report(done["id"]) if finding["severity"] == "error"]
    assert {finding["line"] for finding in found} == {4}
    assert all(finding["reason"] for finding in found)
    if column:
        assert any((finding["column"] or "").startswith(column) for finding in found), found


def test_all_that_is_wrong_in_one_file(service: Offers, source: str) -> None:
    """One file with every kind of broken row, and a quote that is never closed at its end."""
    head, *good = sheet([(f"good{number}", "Güte", "easy") for number in range(300)]).splitlines()
    bad = [row for row, _ in BROKEN.values()]
    mixed = [head, *good[:150], *bad, *good[150:], b'last,"T,easy,1,,,,', b"behind,T,easy,1,,,,"]
    done = service.imported(b"\n".join(mixed), source=source)
    assert done["status"] == "done"
    assert figures(done) == {"created": 301, "broken": len(bad) + 1}
    lines = {finding["line"] for finding in service.report(done["id"]) if finding["severity"] == "error"}
    assert lines == {*range(152, 152 + len(bad)), 302 + len(bad)}


JSON_ROWS: dict[str, str] = {
    "no JSON": '{"key": "b1", ',
    "no object": "[1, 2]",
    "a number": "7",
    "no number": '{"key": "b1", "title": {"de": "T"}, "fields": {"level": "easy", "size": NaN}}',
    "half a character": '{"key": "b1", "title": {"de": "\\ud800"}, "fields": {"level": "easy"}}',
    "NUL": '{"key": "b1", "title": {"de": "a\\u0000b"}, "fields": {"level": "easy"}}',
    "NUL in a field": '{"key": "b1", "title": {"de": "T"}, "fields": {"level": "easy", "note": "a\\u0000b"}}',
    "NUL in the key": '{"key": "b\\u0000", "title": {"de": "T"}, "fields": {"level": "easy"}}',
    "half a key": '{"key": "\\udfff", "title": {"de": "T"}, "fields": {"level": "easy"}}',
    "a key that is no text": '{"key": {"a": 1}, "title": {"de": "T"}, "fields": {"level": "easy"}}',
    "a text for a number": '{"key": "b1", "title": {"de": "T"}, "fields": {"level": "easy", "size": "3"}}',
    "too deep": '{"key": "b1", "title": ' + "[" * 5000 + "]" * 5000 + "}",
    "an unknown name": '{"key": "b1", "title": {"de": "T"}, "fields": {"level": "easy"}, "mail": "a@b.example"}',
    "a provider that is none": '{"key": "b1", "title": {"de": "T"}, "fields": {"level": "easy"}, "provider": 3}',
    "a huge number": '{"key": "b1", "title": {"de": "T"}, "fields": {"level": "easy", "size": '
    + "9" * 400
    + "}}",
    "very many digits": '{"key": "b1", "title": {"de": "T"}, "fields": {"level": "easy", "size": '
    + "9" * 5000
    + "}}",
    "fields that are none": '{"key": "b1", "title": {"de": "T"}, "fields": ["level"]}',
}


@pytest.mark.parametrize("kind", JSON_ROWS)
def test_a_broken_object_is_reported_and_never_stops_the_rest(lone: Offers, source: str, kind: str) -> None:
    good = [
        json.dumps({"key": f"good{n}", "title": {"de": "Güte"}, "fields": {"level": "easy"}})
        for n in range(3)
    ]
    content = "\n".join([good[0], JSON_ROWS[kind], *good[1:]]).encode()
    done = lone.imported(content, source=source, kind="application/x-ndjson")
    assert done["status"] == "done", done["error"]
    assert figures(done) == {"created": 3, "broken": 1}
    assert {finding["line"] for finding in lone.report(done["id"])} == {2}


def test_objects_carry_whatever_an_offer_has(service: Offers, source: str) -> None:
    row = {
        "key": "full",
        "provider": {"title": {"de": "Verein"}},
        "title": {"de": "Alles", "en": "All"},
        "period": {"start": "2026-01-01", "end": "2099-01-01"},
        "dates": ["2027-01-01T10:00:00+01:00"],
        "age": {"from_months": 12},
        "price_cents": 0,
        "fields": {"level": "hard", "topics": ["art"], "begins": "2026-05-01"},
    }
    done = service.imported(json.dumps(row).encode(), source=source, kind="application/x-ndjson")
    assert figures(done) == {"created": 1}, service.report(done["id"])
    content = service.get(offers_of(service, source)["full"]["id"]).json()["content"]
    assert content["fields"] == row["fields"]
    assert content["period"] == row["period"]


def test_a_row_says_of_places_what_the_town_knows(service: Offers, source: str) -> None:
    good = {"title": {"de": "T"}, "fields": {"level": "easy"}}
    places = [{"accessibility": [fact]} for fact in ("lift", "elevator")]
    rows = [good | {"key": f"own{n}", "place": place} for n, place in enumerate(places)]
    rows.append(good | {"key": "other", "provider": {"title": {"de": "Verein"}, "place": places[1]}})
    lines = b"\n".join(json.dumps(row).encode() for row in rows)
    done = service.imported(lines, source=source, kind="application/x-ndjson")
    assert figures(done) == {"created": 1, "broken": 2}
    report = {finding["line"]: finding for finding in service.report(done["id"])}
    assert {line: found["column"] for line, found in report.items()} == {
        2: "place.accessibility",
        3: "provider.place.accessibility",
    }
    assert (report[2]["code"], report[2]["value"]) == ("choice", "elevator")
    assert "With a lift" in report[2]["reason"]
    cells = b"key,title.de,fields.level,place.accessibility\nsheet,T,easy,elevator"
    done = service.imported(cells, source=source)
    assert service.report(done["id"])[0]["column"] == "place.accessibility"


def test_what_is_over_is_kept_without_a_word(service: Offers, source: str) -> None:
    row = {"key": "old", "title": {"de": "Alt"}, "fields": {"level": "easy"}, "period": {"end": "2020-01-01"}}
    service.imported(json.dumps(row).encode(), source=source, kind="application/jsonl")
    offer = offers_of(service, source)["old"]
    assert offer["status"] == "expired"
    assert service.told(offer["id"]) == []


def test_a_rehearsal_reports_and_writes_nothing(service: Offers, source: str) -> None:
    service.imported(courses(5), source=source)
    before, rows = told(service, source), offers_of(service, source)
    content = courses(8, k1="Neu") + b"b1,T,impossible,1,,,,\n"
    done = service.imported(content, source=source, dry_run=True, prune=True)
    assert figures(done) == {"created": 3, "changed": 1, "unchanged": 4, "broken": 1}
    assert [finding["column"] for finding in service.report(done["id"])] == ["fields.level"]
    assert (told(service, source), offers_of(service, source)) == (before, rows)
    assert figures(service.imported(content, source=source)) == figures(done)


def test_a_mapping_reads_a_sources_own_layout(service: Offers) -> None:
    lines = [
        "Nr;Titel;Niveau;Plätze;Breite;Länge;Web;Träger",
        "1;Töpfern – für alle;leicht;12;50,25;10,96;https://a.example/;Verein",
        "2;Malen;schwer;-;-;-;keine;Verein",
        "3;Singen;mittel;1;;;;",
    ]
    done = service.imported("\r\n".join(lines).encode("cp1252"), mapping="courses")
    assert figures(done) == {"created": 2, "broken": 1}
    report = {finding["line"]: finding for finding in service.report(done["id"])}
    assert (report[3]["severity"], report[3]["column"], report[3]["value"]) == ("notice", "Web", "keine")
    assert (report[4]["severity"], report[4]["column"], report[4]["value"]) == ("error", "Niveau", "mittel")
    offer = service.get(offers_of(service, "courses")["1"]["id"]).json()
    assert offer["content"]["title"] == {"de": "Töpfern – für alle"}
    assert offer["content"]["place"]["lat"] == 50.25
    assert offer["content"]["fields"] == {"level": "easy", "size": 12}
    assert service.http.get(f"/v1/providers/{offer['provider_id']}").json()["title"] == {"de": "Verein"}


def test_a_file_of_another_layout_fails_as_a_whole(service: Offers) -> None:
    done = service.imported(b"a;b\n1;2\n", mapping="courses")
    assert done["status"] == "failed"
    assert "Niveau" in done["error"]
    assert service.imported(b"", source="empty")["status"] == "failed"


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"board": "none"}, 404),
        ({"mapping": "none"}, 422),
        ({"mapping": "kitas-berlin"}, 422),
        ({"source": "Not A Source"}, 422),
        ({"dry_run": "perhaps"}, 422),
        ({"kind": "application/pdf"}, 415),
        ({"kind": ""}, 415),
    ],
)
def test_an_order_that_does_not_fit_is_refused(service: Offers, order: dict[str, Any], status: int) -> None:
    problem(service.upload(courses(1), **order), status)


def test_an_upload_beyond_the_limit_is_refused(service: Offers) -> None:
    problem(service.upload(b"x" * (MAX_UPLOAD_BYTES + 1)), 413)

    def pieces() -> Iterable[bytes]:
        for _ in range(MAX_UPLOAD_BYTES // 2**20 + 1):
            yield b"x" * 2**20

    headers = service.stack.headers("editor") | {"Content-Type": "text/csv"}
    problem(service.http.post("/v1/imports?board=course", content=pieces(), headers=headers), 413)


def test_an_upload_is_taken_once_under_one_key(service: Offers, source: str) -> None:
    headers = {"Idempotency-Key": source}
    first = service.upload(courses(2), source=source, headers=headers)
    second = service.upload(courses(2), source=source, headers=headers)
    assert first.headers["Location"] == second.headers["Location"]
    problem(service.upload(courses(3), source=source, headers=headers), 422)
    assert figures(service.finished(first.headers["Location"])) == {"created": 2}


def test_the_sources_are_listed(service: Offers) -> None:
    listed = {item["name"]: item["board"] for item in service.http.get("/v1/mappings").json()["items"]}
    assert listed == {"courses": "course", "kitas-berlin": "kita"}


@pytest.mark.skipif(not REGISTER.is_file(), reason="the Berlin register is not here")
def test_the_berlin_register_is_taken_completely(lone: Offers) -> None:
    content = REGISTER.read_bytes()
    with REGISTER.open(encoding="utf-8-sig", newline="") as file:
        keys = [row["Einrichtungsnummer"] for row in csv.DictReader(file, delimiter=";")]
    done = lone.imported(content, board="kita", mapping="kitas-berlin")
    assert figures(done) == {"created": len(keys)}
    assert set(offers_of(lone, "kitas-berlin")) == set(keys)
    before = told(lone, "kitas-berlin")
    assert figures(lone.imported(content, board="kita", mapping="kitas-berlin")) == {"unchanged": len(keys)}
    assert told(lone, "kitas-berlin") == before
    facts = lone.facts(kind="offer")
    kitas = Counter(fact["subject"] for fact in facts if fact["data"]["board"] == "kita")
    assert len(kitas) == len(keys)
    assert set(kitas.values()) == {1}


def test_an_import_goes_on_behind_its_last_chunk_after_a_kill(lone: Offers) -> None:
    location = lone.upload(courses(3000), source="killed").headers["Location"]

    def under_way() -> int:
        found = lone.call("GET", location, None, "editor").json()
        assert found["status"] != "done", "the import was over before it could be interrupted"
        return int(found["rows_done"])

    assert until(under_way) < 3000
    lone.stack.kill9("offers")
    with lone.db.reading() as session:
        kept = session.execute(text("SELECT count(*) FROM offer WHERE source = 'killed'")).scalar_one()
        assert (
            session.execute(text("SELECT rows_done FROM import WHERE source = 'killed'")).scalar_one() == kept
        ), "a chunk is whole"
    lone.stack.launch("offers")
    done = lone.finished(location)
    assert figures(done) == {"created": 3000}
    assert len(offers_of(lone, "killed")) == 3000
    facts = Counter(fact["subject"] for fact in lone.facts(kind="offer"))
    assert {facts[row["id"]] for row in offers_of(lone, "killed").values()} == {1}
    with lone.db.reading() as session:
        providers = text("SELECT count(*) FROM provider WHERE source = 'killed'")
        assert session.execute(providers).scalar_one() == 1
