"""Places as people state them, and how far apart they are."""

from math import asin, cos, radians, sin, sqrt
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from libs.contracts import card as cards
from libs.servicekit.values import Body

EARTH_KM = 6371
Point = tuple[float, float]


def _with_a_point(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError("is a number with a point, such as 50.2587, without quotes")  # noqa: TRY004 -- pydantic's way
    return value


class SaidPlace(cards.Place, Body):
    """Where something is. Latitude and longitude come together or not at all: the edges ask for that, since what is stored
    may be older than the rule."""

    lat: Annotated[float | None, Field(ge=-90, le=90), BeforeValidator(_with_a_point)] = None
    lon: Annotated[float | None, Field(ge=-180, le=180), BeforeValidator(_with_a_point)] = None


def plain(place: SaidPlace | None) -> cards.Place | None:
    """A checked place as the card carries it."""
    # It was checked by the same rules already; doing so again is a tenth of an import.
    return place and cards.Place.model_construct(**vars(place))


def kilometres(one: Point, other: Point) -> float:
    """The distance between two points, latitude first (haversine)."""
    (lat, lon), (lat_, lon_) = ((radians(each[0]), radians(each[1])) for each in (one, other))
    half = sin((lat_ - lat) / 2) ** 2 + cos(lat) * cos(lat_) * sin((lon_ - lon) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(half)))
