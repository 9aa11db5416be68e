"""Imports against the real offers service, from the command line to the report."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from cli.budgets import fund
from cli.dates import by_title, schedule
from cli.gateway import Gateway, gateway
from cli.periods import announce
from tests.cli.conftest import Coburg
from tests.stack import Stack

GOOD = {
    "key": "k1",
    "provider": {"title": {"de": "Sonnenschein e.V."}},
    "title": {"de": "Kita Sonnenschein"},
    "summary": {"de": "Eine Kita am Markt."},
    "fields": {"facility": "daycare"},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """One good row and one that is no JSON."""
    path = tmp_path / "kita.jsonl"
    path.write_text(json.dumps(GOOD) + "\n{broken\n")
    return path


def counts(printed: str) -> dict[str, int]:
    """The table of counts, by its headings."""
    headings, numbers = (line.split() for line in printed.splitlines()[:2])
    return dict(zip(headings[2:], map(int, numbers[-6:]), strict=True))


def test_good_rows_are_imported_and_broken_ones_reported(stack: Stack, coburg: Coburg, file: Path) -> None:
    first = coburg(stack.home.environ, "import", "kita", str(file))
    again = coburg(stack.home.environ, "import", "kita", str(file), "--strict")

    assert first.returncode == 0, first.stderr
    assert counts(first.stdout) == {
        "rows": 2,
        "created": 1,
        "changed": 0,
        "unchanged": 0,
        "withdrawn": 0,
        "broken": 1,
    }
    assert "is not JSON" in first.stdout
    assert counts(again.stdout)["unchanged"] == 1
    assert again.returncode == 1


def test_a_dry_run_changes_nothing(stack: Stack, coburg: Coburg, file: Path) -> None:
    path = file.with_name("new.jsonl")
    path.write_text(json.dumps(GOOD | {"key": "another"}))

    result = coburg(stack.home.environ, "import", "kita", str(path), "--dry-run")

    assert result.returncode == 0, result.stderr
    assert "(dry run)" in result.stdout
    real = coburg(stack.home.environ, "import", "kita", str(path))
    assert counts(real.stdout)["created"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere", "{file}"), "refused with 404"),
        (("kita", "{file}", "--mapping", "nosuch"), "mapping"),
        (("kita", "pyproject.toml"), "neither a table, nor JSON lines"),
    ],
)
def test_refusals_are_one_clear_line(
    stack: Stack, coburg: Coburg, file: Path, words: tuple[str, ...], said: str
) -> None:
    result = coburg(stack.home.environ, "import", *(word.format(file=file) for word in words))

    assert result.returncode == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_offers_get_their_dates_once(stack: Stack, coburg: Coburg, file: Path) -> None:
    coburg(stack.home.environ, "import", "kita", str(file))
    year = date.today().year + 1
    day, later = ({"starts_at": f"{year}-03-0{n}T10:00", "ends_at": f"{year}-03-0{n}T11:00"} for n in (1, 2))
    over = {"starts_at": "2020-03-01T10:00", "ends_at": "2020-03-01T11:00"}
    entries = [
        {"title": "Kita Sonnenschein", "sessions": [over, day, later]},
        {"title": "Keine", "sessions": [day]},
    ]
    (dates := file.with_name("dates")).mkdir()
    (dates / "kita.jsonl").write_text("\n".join(json.dumps(entry) for entry in entries))
    with gateway(stack.home, "offers", stack.url("offers"), "editor") as offers:
        assert [schedule(offers, dates / "kita.jsonl") for _ in range(2)] == [1, 0]
        offer = by_title(offers, "kita")["Kita Sonnenschein"]
        assert len(offers.get(f"/v1/offers/{offer}/sessions")["items"]) == 2


def test_boards_get_a_budget_where_nobody_set_one(stack: Stack, tmp_path: Path) -> None:
    (file := tmp_path / "budgets.toml").write_text("kita = 70_000\nraum = 50_000\n")
    with gateway(stack.home, "offers", stack.url("offers"), "editor") as offers:
        own = {"amount_cents": 12, "reason": "council"}
        path = f"/v1/boards/raum/budgets/{date.today().year}"
        offers.ask("PUT", path, json=own, headers={"If-Match": '"0"'})
        assert [fund(offers, file) for _ in range(2)] == [3, 0], "for this period and the next"
        assert offers.get(path)["amount_cents"] == 12
        kita = offers.get("/v1/boards/kita/budgets")["items"]
        assert [budget["amount_cents"] for budget in kita] == [70_000, 70_000]
        (entry,) = offers.get(f"/v1/boards/kita/budgets/{kita[0]['period']}/ledger")["items"]
        assert entry["reason"] == "Demo"


def test_a_period_of_wishes_is_announced_once(stack: Stack, tmp_path: Path) -> None:
    monday = date.today() + timedelta(weeks=10, days=-date.today().weekday())
    friday, other = monday + timedelta(days=4), monday + timedelta(weeks=1)
    (file := tmp_path / "ferien.toml").write_text(f"""
        title = {{ de = "Ferien (Demo)" }}
        wishes_from = 2026-01-01T08:00:00+01:00
        wishes_until = {datetime.now(UTC) + timedelta(weeks=1):%Y-%m-%dT%H:%M:%SZ}
        slots = [{{ name = "week", title = {{ de = "Woche" }}, start = {monday}, end = {friday} }}]
    """)
    with gateway(stack.home, "offers", stack.url("offers"), "editor") as offers:
        assert not announce(offers, file), "there is nothing to wish for yet"
        weeks = [care(offers, day, places) for day, places in ((monday, 7), (other, 7), (monday, None))]
        assert [announce(offers, file) for _ in range(2)] == [True, False]
        (period,) = offers.get("/v1/boards/ferien/periods")["items"]
        assert (period["status"], period["title"]) == ("open", {"de": "Ferien (Demo)"})
        (activity,) = offers.get(f"/v1/periods/{period['id']}")["activities"]
        assert (activity["offer_id"], activity["places"]) == (weeks[0], 7)
        file.write_text(file.read_text().replace("Ferien", "Winter").replace("until = 20", "until = 19"))
        assert not announce(offers, file), "its time is over"


def care(offers: Gateway, monday: date, places: int | None) -> str:
    """A week of holiday care with its date; its offer's id."""
    friday = str(monday + timedelta(days=4))
    content = {
        "title": {"de": f"Woche {monday} {places}"},
        "period": {"start": str(monday), "end": friday},
        "fields": {"holiday": "summer", "activity": ["play"]},
    }
    body = {"board": "ferien", "publish": True, "content": content}
    offer = str(offers.ask("POST", "/v1/offers", json=body).json()["id"])
    span = {"starts_at": f"{monday}T08:00", "ends_at": f"{friday}T16:00", "places_max": places}
    offers.ask("POST", f"/v1/offers/{offer}/sessions", json=span)
    return offer


def test_without_a_stack_it_says_so(tmp_path: Path, coburg: Coburg, file: Path) -> None:
    result = coburg(Stack(tmp_path).home.environ, "import", "kita", str(file))

    assert result.returncode == 1
    assert "Is the stack up?" in result.stderr
