"""The tables of short links: where each leads, and how often it was followed on a day. Nobody is known by them."""

from datetime import date

from sqlmodel import Field, SQLModel


class ShortLink(SQLModel, table=True):
    """A short link to a story from a channel."""

    __tablename__ = "short_link"

    code: str = Field(primary_key=True)
    story_id: str = Field(foreign_key="story.id")
    channel: str


class LinkCount(SQLModel, table=True):
    """How often a link was followed on a day of the town."""

    __tablename__ = "link_count"

    code: str = Field(primary_key=True, foreign_key="short_link.code")
    day: date = Field(primary_key=True)
    times: int = 0
