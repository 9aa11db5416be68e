"""Parameters that several edges of the service share."""

from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Path, Request

UUID7 = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"

Slug = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Id = Annotated[str, Path(pattern=UUID7, description="UUIDv7")]


def town_zone(request: Request) -> ZoneInfo:
    """The town's time zone."""
    return ZoneInfo(request.app.state.kit.settings.town["timezone"])


def today(request: Request) -> date:
    """The town's present day."""
    return datetime.now(town_zone(request)).date()
