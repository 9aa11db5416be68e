"""What the API takes and shows of subscriptions."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field
from pydantic_core import from_json

from libs.contracts.card import PRINTABLE
from libs.contracts.event import UUID7
from libs.servicekit.values import Body, CleanStr
from services.notify.subscriptions.domain import USUAL, Cadence
from services.notify.subscriptions.models import Follower
from services.notify.things.domain import Change

Text = Annotated[CleanStr, Field(max_length=200)]
FilterValue = Text | int | float | bool | Annotated[list[Text], Field(max_length=50)]
Filter = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=44, pattern=r"^[a-z][a-z0-9_.-]*$")], FilterValue],
    Field(
        max_length=40,
        description="As the parameters of `GET /v1/search`; or `thing`, `provider`, `project` by id, or words as `need`.",
    ),
]


class SubscriptionSettings(Body):
    """What is followed, which changes are told, and how often."""

    filter: Filter
    changes: list[Annotated[Change, Field(strict=False)]] = Field(
        default=list(USUAL), min_length=1, max_length=len(Change)
    )
    cadence: Cadence = Field(default=Cadence.AT_ONCE, strict=False)
    name: Annotated[CleanStr, Field(min_length=1, max_length=120, pattern=PRINTABLE)] | None = None


class NewSubscription(SubscriptionSettings):
    """A subscription of one recipient."""

    recipient_id: Annotated[str, Field(pattern=UUID7)]


class SubscriptionView(BaseModel):
    """A subscription, as who holds its recipient's token sees it."""

    id: str
    recipient_id: str
    filter: dict[str, FilterValue]
    changes: list[str]
    cadence: str
    name: str | None
    version: int
    created_at: datetime

    @classmethod
    def of(cls, row: Follower) -> "SubscriptionView":
        """The view of a row."""
        return cls.model_validate(row.model_dump() | {"filter": from_json(row.filter)})
