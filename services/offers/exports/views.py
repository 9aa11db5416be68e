"""What the API shows of changes."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from services.offers.exports import cursor, lists
from services.offers.exports.domain import Shown, line
from services.offers.providers.models import Provider

State = Annotated[
    Literal["published", "withdrawn", "expired", "hidden"],
    Field(
        description="Tombstones: `withdrawn` by somebody; `expired`, its period is over; `hidden`, nobody has checked it"
        " for long: a check brings it back, as `published`."
    ),
]


class Change(BaseModel):
    """A thing as it stands now; null when it is no longer public (a tombstone)."""

    id: str
    status: State
    version: int
    changed_at: datetime
    now: dict[str, Any] | None


class Changes(BaseModel):
    """Changes, oldest first. Ask again with `next` as `since`, at once when there is `more`, later when not."""

    items: list[Change]
    next: str
    more: bool


def offer(shown: Shown) -> Change:
    """An offer that came, changed or went."""
    public = shown.status == "published"
    return Change(
        id=shown.id,
        status=_state(shown.status),
        version=shown.version,
        changed_at=shown.changed_at,
        now=line(shown) if public else None,
    )


def _state(status: str) -> State:
    """An offer that is submitted again after it was withdrawn is still withdrawn to the public."""
    match status:
        case "published" | "expired" | "hidden":
            return status
    return "withdrawn"


def provider(provider: Provider) -> Change:
    """A provider that came, changed or left."""
    return Change(
        id=provider.id,
        status="published" if provider.active else "withdrawn",
        version=provider.version,
        changed_at=provider.changed_at,
        now=lists.provider_line(provider) if provider.active else None,
    )


def changes(items: list[Change], seen: tuple[datetime, str], more: bool) -> Changes:
    """An answer, and where to go on: behind its last item, or where it began."""
    if items:
        seen = items[-1].changed_at, items[-1].id
    return Changes(items=items, next=cursor.write(*seen), more=more)
