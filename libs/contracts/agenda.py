"""Events of the agenda: what the town gives priority to, and where it builds, so that other services act on it."""

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field

from libs.contracts.card import Name, Period, Place, Text, ThingId
from libs.contracts.event import Contract, Fact


class PriorityFact(Fact):
    """The whole public state of a priority: one field of action that the town puts first for a while."""

    field_of_action: Name
    factor: float = Field(
        ge=1, le=10, description="By how much things of this field are lifted; of several the highest counts."
    )
    until: AwareDatetime = Field(description="From this instant on nothing is lifted any more.")
    reason: Text = Field(default={}, description="Why, for everybody to read.")


class PrioritySet(PriorityFact, name="agenda.priority.set.v1"):
    """The town puts a field of action first, or changes for how long and how much."""


class PriorityLifted(PriorityFact, name="agenda.priority.lifted.v1"):
    """The priority ended before its time; things stand where they stood before."""


class Form(StrEnum):
    """What the corners of a site are: one point, a line along a street, the outline of an area."""

    POINT = "point"
    LINE = "line"
    AREA = "area"


class Corner(Contract):
    """A point of a site, WGS 84 degrees."""

    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


class SiteFact(Fact):
    """The whole public state of a construction site: where, when, and how far around it is felt."""

    title: Text
    access: Text = Field(default={}, description="What who goes there has to know, such as a way round.")
    place: Place
    form: Form = Form.POINT
    corners: Annotated[list[Corner], Field(min_length=1, max_length=200)]
    reach_metres: int = Field(default=150, ge=0, le=2000, description="How far around it is felt.")
    period: Period
    project_id: ThingId | None = None


class SiteAnnounced(SiteFact, name="agenda.site.announced.v1"):
    """The town will build somewhere."""


class SiteChanged(SiteFact, name="agenda.site.changed.v1"):
    """Where or when the town builds changed."""


class SiteEnded(SiteFact, name="agenda.site.ended.v1"):
    """The site is over, or is not to be."""
