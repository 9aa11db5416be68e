"""Parameters that many edges share: ids and names in paths, instants in queries, the town's day."""

from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Path, Request
from pydantic import AfterValidator, AwareDatetime

from libs.contracts.event import THING_ID, UUID7

Slug = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Id = Annotated[str, Path(pattern=UUID7, description="UUIDv7")]

ThingId = Annotated[str, Path(pattern=THING_ID)]


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside the calendar in UTC") from None


UtcInstant = Annotated[AwareDatetime, AfterValidator(_utc)]


def town_zone(request: Request) -> ZoneInfo:
    """The town's time zone."""
    return ZoneInfo(request.app.state.kit.settings.town["timezone"])


def today(request: Request) -> date:
    """The town's present day."""
    return datetime.now(town_zone(request)).date()
