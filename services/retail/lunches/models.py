"""The tables of the lunch guide: a shop's menu for a week as it was said, and what of it is for each day."""

from datetime import date, datetime
from typing import Any

from pydantic_core import to_json
from sqlmodel import JSON, Column, Field, SQLModel
from uuid_utils import uuid7

from libs.servicekit.db import UtcDateTime, now
from services.retail.lunches.domain import Dish, WeekMenu

Window = tuple[datetime, datetime]


class Menu(SQLModel, table=True):
    """A shop's menu for a week, by ISO 8601 such as `2026-W48`; it is shown once somebody confirmed it."""

    __tablename__ = "menu"

    shop_id: str = Field(primary_key=True, foreign_key="shop.id")
    week: str = Field(primary_key=True)
    content: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    confirmed: bool = False
    version: int = 1
    changed_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))

    @property
    def said(self) -> WeekMenu:
        """The content, as a value."""
        return WeekMenu.model_validate_json(to_json(self.content))

    def say(self, menu: WeekMenu) -> None:
        """Replace the content."""
        self.content = menu.model_dump(mode="json", exclude_defaults=True)
        self.changed_at = now()


class Lunch(SQLModel, table=True):
    """What a shop serves at noon on a day. What the guide filters by stands beside it: where the shop is, which diets
    there is something for (as `|vegan|vegetarian|`), the lowest price; `shop_version` is that of the shop whose name and place
    were told with it."""

    __tablename__ = "lunch"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    shop_id: str = Field(foreign_key="shop.id")
    day: date
    starts_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    ends_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    dishes: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    listed: bool = True
    lat: float | None = None
    lon: float | None = None
    diets: str = "|"
    least_cents: int | None = None
    shop_version: int = 0
    version: int = 1

    @classmethod
    def on(cls, shop_id: str, day: date, window: Window) -> "Lunch":
        """A lunch of which nothing is said yet."""
        return cls(shop_id=shop_id, day=day, starts_at=window[0], ends_at=window[1], dishes=[])

    @property
    def served(self) -> list[Dish]:
        """The dishes, as values."""
        return [Dish.model_validate_json(to_json(each)) for each in self.dishes]
