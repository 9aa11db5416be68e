"""Events of the retail service: shops (Geschäfte) of the town's shop window, and what they show."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, StringConstraints

from libs.contracts.card import PRINTABLE, Name, Period, Place, Text, ThingId, Url, Word
from libs.contracts.event import Contract, Fact

Hours = Annotated[str, StringConstraints(max_length=300, pattern=PRINTABLE)]


class ShopKind(StrEnum):
    """What a shop lives on: goods, services, or food and drink."""

    RETAIL = "retail"
    SERVICE = "service"
    GASTRONOMY = "gastronomy"


class DayHours(Contract):
    """The opening hours of one day that differ from the usual ones; null is closed."""

    day: date
    hours: Annotated[str, StringConstraints(max_length=60, pattern=PRINTABLE)] | None = Field(
        default=None, description="Such as `10:00-14:00` or `10:00-12:00,14:00-16:00`."
    )


class Cause(Contract):
    """The fact that something is there for: who told it, of which thing, in which event."""

    service: Name
    aggregate: Name
    id: ThingId
    event_id: ThingId


class Notice(Contract):
    """What another project of the town does to a shop for a while, and the fact that says so."""

    kind: Name = Field(description="What it is, such as `site`.")
    title: Text
    text: Text = Field(default={}, description="What who goes there has to know.")
    period: Period
    cause: Cause


class ShopFact(Fact):
    """The whole public state of a shop."""

    title: Text
    kind: ShopKind
    assortment: list[Name] = Field(default=[], description="What it has, in the words of the town's list.")
    services: list[Name] = Field(default=[], description="What it does for people.")
    payment: list[Name] = Field(default=[], description="How one pays.")
    hours: Hours | None = Field(
        default=None, description="As OpenStreetMap writes them, or a text where nobody can evaluate them."
    )
    exceptions: list[DayHours] = Field(default=[], description="Single days that differ, soonest first.")
    hours_confirmed_on: date | None = Field(
        default=None, description="The day on which the shop last said that its hours are right."
    )
    place: Place | None = None
    url: Url | None = None
    notices: list[Notice] = Field(default=[], description="What others do near it, the soonest first.")
    published_at: AwareDatetime | None = None
    changed_at: AwareDatetime


class ShopPublished(ShopFact, name="retail.shop.published.v1"):
    """A shop is to be seen in the shop window."""


class ShopChanged(ShopFact, name="retail.shop.changed.v1"):
    """What is said of a shop changed, or when it is open."""


class ShopWithdrawn(ShopFact, name="retail.shop.withdrawn.v1"):
    """A shop closed, or left the shop window."""


class LunchDish(Contract):
    """One dish. `labelled` says that its allergens were stated: none named then means that there are none."""

    title: Text
    price_cents: int | None = Field(default=None, ge=0, le=100_000)
    diets: list[Name] = Field(default=[])
    allergens: list[Name] = Field(default=[], description="In the words of the town's list (EU, annex II).")
    additives: list[Name] = Field(default=[])
    labelled: bool = False
    sold_out: bool = False


class LunchFact(Fact):
    """The whole public state of a shop's lunch on one day."""

    shop_id: ThingId
    day: date
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    dishes: list[LunchDish] = Field(default=[])


class LunchPublished(LunchFact, name="retail.lunch.published.v1"):
    """A shop says what it serves at noon on a day."""


class LunchChanged(LunchFact, name="retail.lunch.changed.v1"):
    """Dishes or prices changed, or something is sold out."""


class LunchWithdrawn(LunchFact, name="retail.lunch.withdrawn.v1"):
    """There is no lunch on that day after all, or the day is over."""


class StoryFact(Fact):
    """The whole public state of a story. `blocks` are as the service's API has them, each with its `type`."""

    shop_id: ThingId
    title: Text
    teaser: Text = {}
    blocks: list[dict[str, Any]] = Field(default=[], max_length=40)
    tags: list[Word] = Field(default=[])
    published_at: AwareDatetime


class StoryPublished(StoryFact, name="retail.story.published.v1"):
    """A shop tells a story."""


class StoryChanged(StoryFact, name="retail.story.changed.v1"):
    """A story, or the shop that tells it, changed."""


class StoryWithdrawn(StoryFact, name="retail.story.withdrawn.v1"):
    """A story is no longer told."""
