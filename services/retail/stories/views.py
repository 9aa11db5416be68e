"""What the API shows of stories."""

from datetime import datetime

from libs.servicekit.values import Body
from services.retail.stories.domain import StoryContent, StoryStatus
from services.retail.stories.models import Story, StoryComment, StoryVersion


class StoryView(Body):
    """A story. Readers get what is public as `content`; its shop's people the working copy, and `public` beside it."""

    id: str
    shop_id: str
    status: StoryStatus
    version: int
    content: StoryContent
    public: StoryContent | None
    due_at: datetime | None
    published_at: datetime | None
    created_at: datetime
    changed_at: datetime


class VersionView(Body):
    """The working copy as it was."""

    version: int
    at: datetime
    by: str
    content: StoryContent


class CommentView(Body):
    """What somebody said about a version of a story."""

    id: str
    version: int
    text: str
    by: str
    at: datetime


def view(story: Story, *, own: bool) -> StoryView:
    """The story as its readers or, with `own`, its shop's people see it."""
    plain = story.model_dump(include={"id", "shop_id", "version", "published_at", "created_at", "changed_at"})
    told = story.told
    content = story.said if own or told is None else told
    status = StoryStatus(story.status) if own else StoryStatus.PUBLISHED
    return StoryView(
        status=status, content=content, public=told, due_at=story.due_at if own else None, **plain
    )


def version_view(before: StoryVersion) -> VersionView:
    """A version as the API shows it."""
    return VersionView(
        version=before.version,
        at=before.at,
        by=before.by,
        content=StoryContent.model_validate(before.content, strict=False),
    )


def comment_view(comment: StoryComment) -> CommentView:
    """A comment as the API shows it."""
    return CommentView(**comment.model_dump(exclude={"story_id"}))
