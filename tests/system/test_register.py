"""The main job on real data: the register of Berlin day-care centres, imported from the command line and searched.

What must be found is counted in the file itself.
"""

import csv
import math
from collections.abc import Iterator

import pytest

from cli.home import ROOT
from libs.contracts.topology import CITY
from tests.system.town import Json, Town
from tests.waiting import until

REGISTER = ROOT.parent / "shared" / "data" / "kitas-berlin.csv"
KREUZBERG = (52.4986, 13.3918)
EARTH_METRES = 6_371_000

Row = dict[str, str]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """The register as it is."""
    if not REGISTER.exists():
        pytest.skip(f"needs the register of Berlin day-care centres at {REGISTER}")
    with REGISTER.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


@pytest.fixture(scope="module")
def register(town: Town, rows: list[Row]) -> Iterator[dict[str, int]]:
    """What the import said; everything in it can be found."""
    said = imported(town)
    until(lambda: town.total(kind="offer") == len(rows), 60)
    yield said


def imported(town: Town) -> dict[str, int]:
    """Imports the register; the table of counts."""
    headings, numbers = (
        line.split() for line in town.coburg("import", "kita", str(REGISTER)).splitlines()[:2]
    )
    return dict(zip(headings[2:], map(int, numbers[2:]), strict=True))


def values(row: Row, *columns: str) -> set[str]:
    """The single values of some columns."""
    return {value for column in columns for value in row[column].split("|")}


def is_montessori(row: Row) -> bool:
    """Whether a house works after Montessori."""
    return not values(row, "Pädagogische Schwerpunkte", "Themen").isdisjoint(
        {"Montessori", "Montessori-Pädagogik"}
    )


def is_turkish(row: Row) -> bool:
    """Whether Turkish is spoken."""
    spoken = values(row, "Pädagogische Schwerpunkte", "Mehrsprachigkeit")
    return not spoken.isdisjoint({"deutsch - türkisch", "bilingual (deutsch-türkisch)"})


def metres(row: Row, lat: float, lon: float) -> float:
    """How far a house is from a point, over the surface of a sphere."""
    there, here = number(row["Breite"]), lat
    south, west = math.radians(there - here), math.radians(number(row["Länge"]) - lon)
    half = math.sin(south / 2) ** 2
    half += math.cos(math.radians(here)) * math.cos(math.radians(there)) * math.sin(west / 2) ** 2
    return 2 * EARTH_METRES * math.asin(math.sqrt(half))


def number(text: str) -> float:
    """A decimal as Germans write it; what is missing is nowhere near."""
    return float(text.replace(",", ".") or "nan")


def streets(found: Json) -> list[str]:
    """Where the things that were found are."""
    return sorted(item["place"]["street"] for item in found["items"])


def test_every_row_is_searchable(register: dict[str, int], town: Town, rows: list[Row]) -> None:
    assert register["rows"] == register["created"] == len(rows) == 2552
    assert register["broken"] == 0
    assert town.total(kind="offer") == 2552


def test_a_misspelt_question_finds_just_the_right_houses(
    register: dict[str, int], town: Town, rows: list[Row]
) -> None:
    right = sorted(row["Straße"] for row in rows if row["Ortsteil"] == "Kreuzberg" and is_montessori(row))

    found = town.find("montesori kreuzberg", kind="offer", limit=100)

    assert streets(found) == right
    assert found["total"] == len(right) > 10
    assert {item["district"] for item in found["items"]} == {"Kreuzberg"}
    assert all("montessori" in item["facets"]["concept"] for item in found["items"])


def test_facets_count_and_filter(register: dict[str, int], town: Town, rows: list[Row]) -> None:
    montessori = [row for row in rows if is_montessori(row)]
    turkish = [row for row in rows if is_turkish(row)]
    both = sorted(row["Straße"] for row in montessori if is_turkish(row))

    counts = town.find(kind="offer", facets="concept,languages")["facets"]
    filtered = town.find(concept="montessori", languages="tr", limit=100)

    assert counts["concept"]["montessori"] == len(montessori)
    assert counts["languages"]["tr"] == len(turkish)
    assert streets(filtered) == both != []


def test_near_means_near_and_the_nearest_first(register: dict[str, int], town: Town, rows: list[Row]) -> None:
    lat, lon = KREUZBERG
    inside = [row for row in rows if metres(row, lat, lon) <= 790]
    around = [row for row in rows if metres(row, lat, lon) <= 810]

    found = town.find(near=f"{lat},{lon}", radius=800, kind="offer", limit=100)

    distances = [item["distance"] for item in found["items"]]
    assert 10 < len(inside) <= found["total"] <= len(around) < 100
    assert distances == sorted(distances)
    assert distances[-1] <= 800
    assert {row["Straße"] for row in inside} <= set(streets(found))


def test_the_same_file_again_says_nothing_new(register: dict[str, int], town: Town) -> None:
    published = town.last_sequence(CITY.name)

    again = imported(town)

    assert (again["rows"], again["unchanged"]) == (2552, 2552)
    until(lambda: town.lag() == 0)
    assert town.last_sequence(CITY.name) == published


def test_a_rebuilt_index_answers_the_same(register: dict[str, int], town: Town) -> None:
    before = answers(town)

    assert "documents in" in town.coburg("reindex")

    assert answers(town) == before


def answers(town: Town) -> list[object]:
    """What citizens see of the register, whatever the order of equals."""
    questions: list[Json] = [
        {"q": "montesori kreuzberg"},
        {"q": "wald", "kind": "offer"},
        {"concept": "reggio", "languages": "en"},
    ]
    found = [town.find(facets="*", limit=100, **question) for question in questions]
    return [(one["total"], one["facets"], sorted(item["id"] for item in one["items"][:100])) for one in found]
