"""Imports against the real offers service, from the command line to the report."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from cli.dates import by_title, schedule
from cli.gateway import gateway
from tests.cli.conftest import Coburg
from tests.stack import Stack

GOOD = {
    "key": "k1",
    "provider": {"title": {"de": "Sonnenschein e.V."}},
    "title": {"de": "Kita Sonnenschein"},
    "summary": {"de": "Eine Kita am Markt."},
    "fields": {"facility": "daycare"},
}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Only what an import needs: broker and offers."""
    with Stack(tmp_path_factory.mktemp("town")) as stack:
        stack.start("nats").provision()
        yield stack.start("offers")


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


def test_good_rows_are_imported_and_broken_ones_reported(town: Stack, coburg: Coburg, file: Path) -> None:
    first = coburg(town.home.environ, "import", "kita", str(file))
    again = coburg(town.home.environ, "import", "kita", str(file), "--strict")

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


def test_a_dry_run_changes_nothing(town: Stack, coburg: Coburg, file: Path) -> None:
    path = file.with_name("new.jsonl")
    path.write_text(json.dumps(GOOD | {"key": "another"}))

    result = coburg(town.home.environ, "import", "kita", str(path), "--dry-run")

    assert result.returncode == 0, result.stderr
    assert "(dry run)" in result.stdout
    real = coburg(town.home.environ, "import", "kita", str(path))
    assert counts(real.stdout)["created"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere", "{file}"), "refused with 404"),
        (("kita", "{file}", "--mapping", "nosuch"), "mapping"),
        (("kita", "pyproject.toml"), "neither CSV nor JSON lines"),
    ],
)
def test_refusals_are_one_clear_line(
    town: Stack, coburg: Coburg, file: Path, words: tuple[str, ...], said: str
) -> None:
    result = coburg(town.home.environ, "import", *(word.format(file=file) for word in words))

    assert result.returncode == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_offers_get_their_dates_once(town: Stack, coburg: Coburg, file: Path) -> None:
    coburg(town.home.environ, "import", "kita", str(file))
    year = date.today().year + 1
    day, later = ({"starts_at": f"{year}-03-0{n}T10:00", "ends_at": f"{year}-03-0{n}T11:00"} for n in (1, 2))
    over = {"starts_at": "2020-03-01T10:00", "ends_at": "2020-03-01T11:00"}
    entries = [
        {"title": "Kita Sonnenschein", "sessions": [over, day, later]},
        {"title": "Keine", "sessions": [day]},
    ]
    (dates := file.with_name("dates")).mkdir()
    (dates / "kita.jsonl").write_text("\n".join(json.dumps(entry) for entry in entries))
    with gateway(town.home, "offers", town.url("offers"), "editor") as offers:
        assert [schedule(offers, dates / "kita.jsonl") for _ in range(2)] == [1, 0]
        offer = by_title(offers, "kita")["Kita Sonnenschein"]
        assert len(offers.get(f"/v1/offers/{offer}/sessions")["items"]) == 2


def test_without_a_stack_it_says_so(tmp_path: Path, coburg: Coburg, file: Path) -> None:
    result = coburg(Stack(tmp_path).home.environ, "import", "kita", str(file))

    assert result.returncode == 1
    assert "Is the stack up?" in result.stderr
