"""What is done with stories: one function = one transaction of the caller's, with the facts it causes."""

from datetime import datetime

from pydantic_core import to_json
from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from libs.contracts import retail as events
from libs.selfservice.members.queries import must_act_for
from libs.servicekit import outbox
from libs.servicekit.db import now
from libs.servicekit.errors import Conflict, Invalid, check_version
from libs.servicekit.principal import Principal
from services.retail.pictures import queries as pictures
from services.retail.shops import queries as shops
from services.retail.shops.domain import ShopStatus
from services.retail.shops.models import Shop
from services.retail.stories import queries
from services.retail.stories.domain import StoryContent, StoryStatus, may_become, unready
from services.retail.stories.facts import fact, mark
from services.retail.stories.models import Story, StoryComment, StoryVersion, stored

MAX_VERSIONS, MAX_COMMENTS, PUBLISH_AT_ONCE = 100, 500, 50


def draft(session: Session, actor: Principal, shop_id: str, content: StoryContent) -> Story:
    """A new story that nobody else sees yet."""
    shop = shops.locked(session, shop_id)
    must_act_for(actor, shop.id)
    story = Story(shop_id=shop.id, content=stored(content), created_by=actor.subject)
    session.add(story)
    session.flush()
    _remember(session, actor, story)
    return story


def change(session: Session, actor: Principal, story_id: str, expected: int, content: StoryContent) -> Story:
    """Replace the working copy; it is a draft again, and what is public stays until something else is published."""
    story = _held(session, actor, story_id, expected)
    story.content, story.status, story.due_at = stored(content), StoryStatus.DRAFT, None
    _step(story)
    _remember(session, actor, story)
    return story


def restore(session: Session, actor: Principal, story_id: str, expected: int, number: int) -> Story:
    """Make an earlier version the working copy."""
    before = queries.version(session, story_id, number)
    content = StoryContent.model_validate_json(to_json(before.content))
    return change(session, actor, story_id, expected, content)


def submit(session: Session, actor: Principal, story_id: str, expected: int) -> Story:
    """Hand a story to the caretaker."""
    story = _held(session, actor, story_id, expected)
    _move(story, StoryStatus.REVIEW)
    return story


def give_back(session: Session, actor: Principal, story_id: str, expected: int, reason: str) -> Story:
    """Hand a story back to its shop, and say why."""
    story = _held(session, actor, story_id, expected)
    _move(story, StoryStatus.DRAFT)
    story.due_at = None
    comment(session, actor, story_id, reason)
    return story


def comment(session: Session, actor: Principal, story_id: str, text: str) -> StoryComment:
    """Say something about a story to those who work on it."""
    story = queries.own(session, actor, story_id)
    count = select(func.count()).select_from(StoryComment).where(StoryComment.story_id == story_id)
    if session.exec(count).one() >= MAX_COMMENTS:
        raise Conflict(
            f"A story has at most {MAX_COMMENTS} comments.", code="too-many-comments", most=MAX_COMMENTS
        )
    said = StoryComment(story_id=story.id, version=story.version, text=text, by=actor.subject)
    session.add(said)
    return said


def publish(
    session: Session, actor: Principal, story_id: str, expected: int, at: datetime | None, base: str
) -> Story:
    """Let people read the working copy, now or from an instant to come."""
    story = _held(session, actor, story_id, expected)
    shop = shops.locked(session, story.shop_id)
    _check_ready(session, story, shop)
    if at is not None and at > now():
        _move(story, StoryStatus.SCHEDULED)
        story.due_at = at
    else:
        _publish(session, story, shop, base)
    return story


def _check_ready(session: Session, story: Story, shop: Shop) -> None:
    if shop.status != ShopStatus.PUBLISHED:
        raise Conflict("The shop is not in the shop window.", code="shop-state", status=shop.status)
    said = story.said
    known = set(pictures.there(session, [picture for _, picture, _ in said.pictures()]))
    if wrong := list(unready(said, known)):
        raise Invalid(*wrong)


def _publish(session: Session, story: Story, shop: Shop, base: str) -> None:
    _move(story, StoryStatus.PUBLISHED)
    new = story.public is None
    story.public, story.due_at = story.content, None
    story.published_at = story.published_at or now()
    for picture in pictures.there(session, [picture for _, picture, _ in story.said.pictures()]).values():
        picture.used_at = now()
    tell(session, story, shop, base, events.StoryPublished if new else events.StoryChanged)


def publish_due(session: Session, at: datetime, base: str) -> int:
    """Publish scheduled stories whose time has come; returns how many were looked at. What can no longer be published,
    since its shop left, is a draft again."""
    found = queries.due(session, at, PUBLISH_AT_ONCE)
    for story in found:
        shop = shops.locked(session, story.shop_id)
        try:
            _check_ready(session, story, shop)
        except (Conflict, Invalid) as reason:
            story.status, story.due_at = StoryStatus.DRAFT, None
            _step(story)
            session.add(
                StoryComment(story_id=story.id, version=story.version, text=reason.detail, by="retail")
            )
        else:
            _publish(session, story, shop, base)
    return len(found)


def archive(session: Session, actor: Principal, story_id: str, expected: int, base: str) -> Story:
    """Take a story out of the public, or lay a draft aside; it can be made a draft again."""
    story = _held(session, actor, story_id, expected)
    _move(story, StoryStatus.ARCHIVED)
    take_back(session, story, shops.locked(session, story.shop_id), base)
    return story


def take_back(session: Session, story: Story, shop: Shop, base: str) -> None:
    """Let nobody read a story any more."""
    if story.public is not None:
        tell(session, story, shop, base, events.StoryWithdrawn)
        story.public = None


def tell(session: Session, story: Story, shop: Shop, base: str, kind: type[events.StoryFact]) -> None:
    """Say a story's public state on the bus; its versions count what was told, not what was typed."""
    story.told_version, story.shop_mark = story.told_version + 1, mark(shop)
    outbox.add(session, fact(story, shop, base, kind), thing_id=story.id, version=story.told_version)


def follow_shop(session: Session, shop: Shop, base: str) -> None:
    """A shop changed: its public stories carry what it is called and has, and where, and leave with it."""
    for story in queries.public_of(session, shop.id):
        if shop.status == ShopStatus.PUBLISHED:
            if story.shop_mark != mark(shop):
                tell(session, story, shop, base, events.StoryChanged)
        else:
            story.status = StoryStatus.ARCHIVED
            _step(story)
            take_back(session, story, shop, base)


def shown(session: Session) -> set[str]:
    """The pictures of all stories, public or not."""
    found = set[str]()
    for content, public in session.exec(select(Story.content, Story.public)):
        for said in (content, public or {}):
            found |= {block["picture_id"] for block in said.get("blocks", []) if block.get("picture_id")}
    return found


def _held(session: Session, actor: Principal, story_id: str, expected: int) -> Story:
    story = queries.own(session, actor, story_id, lock=True)
    check_version(expected, story.version)
    return story


def _move(story: Story, status: StoryStatus) -> None:
    if not may_become(StoryStatus(story.status), status):
        raise Conflict(
            f"A story that is {story.status} cannot become {status}.", code="story-state", status=story.status
        )
    story.status = status
    _step(story)


def _step(story: Story) -> None:
    story.version, story.changed_at = story.version + 1, now()


def _remember(session: Session, actor: Principal, story: Story) -> None:
    session.add(
        StoryVersion(story_id=story.id, version=story.version, content=story.content, by=actor.subject)
    )
    old = [each.version for each in queries.versions(session, story.id)[MAX_VERSIONS - 1 :]]
    if old:
        mine = (col(StoryVersion.story_id) == story.id) & (col(StoryVersion.version) <= old[0])
        session.execute(delete(StoryVersion).where(mine))
