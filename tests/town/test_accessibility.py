"""What is told of a place: whole coordinates, and only words that the town knows."""

import pytest

from libs.contracts.card import Place
from libs.servicekit.errors import Invalid
from libs.town.accessibility import check_place

TOWN = {"accessibility": {"wheelchair": {"de": "rollstuhlgerecht"}, "lift": {"de": "Aufzug"}}}


def wrong(place: Place | None, town: object = TOWN) -> list[str]:
    try:
        check_place(place, town)  # type: ignore[arg-type]
    except Invalid as error:
        return [found.field for found in error.errors]
    return []


@pytest.mark.parametrize(
    ("place", "fields"),
    [
        (None, []),
        (Place(lat=50.2, lon=10.9, accessibility=["lift", "wheelchair"]), []),
        (Place(lat=50.2), ["place.lon"]),
        (Place(lon=10.9, accessibility=["lift", "ramp"]), ["place.lat", "place.accessibility"]),
    ],
)
def test_whole_coordinates_and_the_towns_words(place: Place | None, fields: list[str]) -> None:
    assert wrong(place) == fields


def test_a_town_without_a_list_takes_every_word() -> None:
    assert wrong(Place(accessibility=["ramp"]), {}) == []
