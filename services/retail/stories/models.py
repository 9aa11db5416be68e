"""The tables of stories: the working copy and what is public of it, earlier versions, what was said about it."""

from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlmodel import JSON, Column, Field, SQLModel
from uuid_utils import uuid7

from libs.servicekit.db import UtcDateTime, now
from services.retail.stories.domain import StoryContent, StoryStatus


class Story(SQLModel, table=True):
    """A story of a shop. `content` is the working copy, at `version`; `public` is what people read, told at `told_version`;
    `shop_mark` is that of what was told of its shop with it."""

    __tablename__ = "story"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    shop_id: str = Field(foreign_key="shop.id")
    status: str = StoryStatus.DRAFT
    version: int = 1
    content: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    public: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    told_version: int = 0
    shop_mark: str = ""
    due_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    published_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    created_by: str
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    changed_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))

    @property
    def said(self) -> StoryContent:
        """The working copy, as a value."""
        return StoryContent.model_validate_json(to_json(self.content))

    @property
    def told(self) -> StoryContent | None:
        """What people read, as a value."""
        return None if self.public is None else StoryContent.model_validate_json(to_json(self.public))


class StoryVersion(SQLModel, table=True):
    """The working copy as it was at a version."""

    __tablename__ = "story_version"

    story_id: str = Field(primary_key=True, foreign_key="story.id")
    version: int = Field(primary_key=True)
    content: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    by: str
    at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))


class StoryComment(SQLModel, table=True):
    """What the shop and the caretaker say to each other about a story; it stays here."""

    __tablename__ = "story_comment"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    story_id: str = Field(foreign_key="story.id")
    version: int
    text: str
    by: str
    at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))


def stored(content: StoryContent) -> dict[str, Any]:
    """The content as the table keeps it."""
    return content.model_dump(mode="json", exclude_defaults=True) | {
        "blocks": [block.model_dump(mode="json", exclude_unset=True) for block in content.blocks]
    }
