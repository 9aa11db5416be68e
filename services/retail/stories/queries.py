"""Reads of stories, and who may see which."""

from datetime import datetime

from sqlmodel import Session, col, or_, select

from libs.selfservice.members.queries import must_act_for
from libs.servicekit.errors import NotFound
from libs.servicekit.principal import Principal
from services.retail.shops.models import Shop
from services.retail.shops.queries import acts_for
from services.retail.stories.domain import StoryStatus
from services.retail.stories.models import Story, StoryComment, StoryVersion


def page(
    session: Session,
    caller: Principal | None,
    limit: int,
    after: str,
    shop_id: str | None,
    status: StoryStatus | None,
) -> list[Story]:
    """Stories the caller may see, the newest first; one more than `limit` when there are more."""
    query = select(Story).where(col(Story.id) < after) if after else select(Story)
    if caller is None or not caller.is_any("editor"):
        own = caller.providers if caller else frozenset[str]()
        query = query.where(or_(col(Story.public).is_not(None), col(Story.shop_id).in_(own)))
    if shop_id is not None:
        query = query.where(Story.shop_id == shop_id)
    if status is not None:
        query = query.where(Story.status == status)
    return list(session.exec(query.order_by(col(Story.id).desc()).limit(limit + 1)))


def newest(session: Session, shop_id: str | None, limit: int) -> list[tuple[Story, Shop]]:
    """Public stories and whose they are, the newest first."""
    query = select(Story, Shop).join(Shop).where(col(Story.public).is_not(None))
    if shop_id is not None:
        query = query.where(Story.shop_id == shop_id)
    query = query.order_by(col(Story.published_at).desc(), col(Story.id).desc())
    return [(story, shop) for story, shop in session.exec(query.limit(limit))]


def one(session: Session, caller: Principal | None, story_id: str) -> Story:
    """A story that the caller may see; NotFound otherwise."""
    found = session.get(Story, story_id)
    if found is None or (found.public is None and not acts_for(caller, found.shop_id)):
        raise NotFound("story")
    return found


def own(session: Session, caller: Principal, story_id: str, *, lock: bool = False) -> Story:
    """A story of a shop that the caller acts for; Forbidden or NotFound otherwise."""
    query = select(Story).where(Story.id == story_id)
    found = session.exec(query.with_for_update() if lock else query).first()
    if found is None:
        raise NotFound("story")
    must_act_for(caller, found.shop_id)
    return found


def due(session: Session, at: datetime, limit: int) -> list[Story]:
    """Scheduled stories whose time has come, some at a time."""
    query = select(Story).where(Story.status == StoryStatus.SCHEDULED, col(Story.due_at) <= at)
    return list(session.exec(query.order_by(col(Story.due_at)).limit(limit).with_for_update()))


def public_of(session: Session, shop_id: str) -> list[Story]:
    """A shop's public stories."""
    return list(session.exec(select(Story).where(Story.shop_id == shop_id, col(Story.public).is_not(None))))


def versions(session: Session, story_id: str) -> list[StoryVersion]:
    """Earlier versions of a story, the newest first."""
    query = select(StoryVersion).where(StoryVersion.story_id == story_id)
    return list(session.exec(query.order_by(col(StoryVersion.version).desc()).limit(100)))


def version(session: Session, story_id: str, number: int) -> StoryVersion:
    """A story as it was; NotFound for a version that there was not."""
    found = session.get(StoryVersion, (story_id, number))
    if found is None:
        raise NotFound("version")
    return found


def comments(session: Session, story_id: str) -> list[StoryComment]:
    """What was said about a story, oldest first."""
    query = select(StoryComment).where(StoryComment.story_id == story_id)
    return list(session.exec(query.order_by(StoryComment.id).limit(500)))
