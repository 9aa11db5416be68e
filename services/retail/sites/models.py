"""The tables of construction sites: a read model of the agenda's facts, and which shops say something of which."""

from datetime import date
from typing import Any

from pydantic_core import to_json
from sqlmodel import JSON, Column, Field, SQLModel

from libs.contracts.agenda import SiteFact


class Site(SQLModel, table=True):
    """A site as the agenda told it last, in `event_id`. `todo_after` is the shop after which its shops are still to be
    brought up to it, None when all are."""

    __tablename__ = "site"

    id: str = Field(primary_key=True)
    event_id: str
    said: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    over: bool = False
    ends_on: date | None = None
    todo_after: str | None = None

    @property
    def told(self) -> SiteFact:
        """What the agenda says of it, as a value."""
        return SiteFact.model_validate_json(to_json(self.said))


class SiteShop(SQLModel, table=True):
    """A shop that says something of a site."""

    __tablename__ = "site_shop"

    site_id: str = Field(primary_key=True, foreign_key="site.id")
    shop_id: str = Field(primary_key=True, foreign_key="shop.id")
