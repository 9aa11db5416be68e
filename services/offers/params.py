"""Parameters that several edges of the service share."""

from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Path, Request
from pydantic import AfterValidator, AwareDatetime

from libs.contracts.event import THING_ID

UUID7 = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"

Slug = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Id = Annotated[str, Path(pattern=UUID7, description="UUIDv7")]

ThingId = Annotated[str, Path(pattern=THING_ID)]


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside the calendar in UTC") from None


Moment = Annotated[AwareDatetime, AfterValidator(_utc)]


def town_zone(request: Request) -> ZoneInfo:
    """The town's time zone."""
    return ZoneInfo(request.app.state.kit.settings.town["timezone"])


def today(request: Request) -> date:
    """The town's present day."""
    return datetime.now(town_zone(request)).date()
