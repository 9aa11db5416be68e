"""Rules of construction sites: what is near one, and what shops say of it. Values in, values out."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import cos, radians
from typing import NamedTuple

from libs.contracts.agenda import Form, SiteFact
from libs.contracts.retail import Cause, Notice
from libs.town.places import Point

METRES_PER_DEGREE = 111_195.0
SITE = "site"
Line = tuple[tuple[float, float], tuple[float, float]]


class Box(NamedTuple):
    """South, west, north, east in degrees: nothing outside is near."""

    south: float
    west: float
    north: float
    east: float


def around(site: SiteFact) -> Box:
    """The box within which shops may be near a site."""
    lats, lons = [each.lat for each in site.corners], [each.lon for each in site.corners]
    north = site.reach_metres / METRES_PER_DEGREE
    east = north / max(cos(radians(max(map(abs, lats)))), 0.01)
    return Box(min(lats) - north, min(lons) - east, max(lats) + north, max(lons) + east)


def is_near(site: SiteFact, point: Point) -> bool:
    """Whether a site is felt at a point: in its area, or so many metres from its edge. A town is small enough to be flat."""
    corners = [_flat((each.lat, each.lon), point) for each in site.corners]
    if site.form is Form.AREA and _inside(corners):
        return True
    return any(_distance(*line) <= site.reach_metres for line in _lines(site.form, corners))


def notice_of(site: SiteFact, site_id: str, event_id: str) -> Notice:
    """What a shop near a site says of it, and the fact that says so."""
    cause = Cause(service="agenda", aggregate="site", id=site_id, event_id=event_id)
    return Notice(kind=SITE, title=site.title, text=site.access, period=site.period, cause=cause)


def _flat(corner: Point, point: Point) -> tuple[float, float]:
    """A corner in metres, seen from the point."""
    north = (corner[0] - point[0]) * METRES_PER_DEGREE
    return (corner[1] - point[1]) * METRES_PER_DEGREE * cos(radians(point[0])), north


def _lines(form: Form, corners: Sequence[tuple[float, float]]) -> Iterator[Line]:
    if len(corners) == 1:
        yield corners[0], corners[0]
    yield from pairwise(corners)
    if form is Form.AREA and len(corners) > 2:
        yield corners[-1], corners[0]


def _distance(start: tuple[float, float], end: tuple[float, float]) -> float:
    """From the origin to a stretch of a line."""
    (x, y), (dx, dy) = start, (end[0] - start[0], end[1] - start[1])
    length = dx * dx + dy * dy
    along = max(0.0, min(1.0, -(x * dx + y * dy) / length)) if length else 0.0
    return float(((x + along * dx) ** 2 + (y + along * dy) ** 2) ** 0.5)


def _inside(corners: Sequence[tuple[float, float]]) -> bool:
    """Whether the origin lies in an outline: a ray to the east crosses it an odd number of times."""
    crossings = 0
    for (x, y), (x_, y_) in _lines(Form.AREA, corners):
        if (y > 0) != (y_ > 0) and x + (x_ - x) * y / (y - y_) > 0:
            crossings += 1
    return crossings % 2 == 1
