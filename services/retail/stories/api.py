"""HTTP edge of stories."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import Field

from libs.contracts.card import Paragraphs
from libs.contracts.event import UUID7
from libs.httpkit.auth import Anyone, require
from libs.httpkit.idempotency import Idempotency
from libs.httpkit.pagination import Items, Paging, page_of
from libs.httpkit.params import Id
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.transactions import Reading, Transaction
from libs.servicekit.principal import Principal
from libs.servicekit.values import Body, CleanStr, Instant
from services.retail.shops import queries as shops
from services.retail.shops.queries import acts_for
from services.retail.stories import commands, queries, rendering
from services.retail.stories.domain import StoryContent, StoryStatus
from services.retail.stories.models import Story
from services.retail.stories.views import (
    CommentView,
    StoryView,
    VersionView,
    comment_view,
    version_view,
    view,
)

router = APIRouter(prefix="/v1/stories", tags=["stories"])
Writer = Annotated[Principal, require("editor", "provider")]
Editor = Annotated[Principal, require("editor")]
ShopId = Annotated[str, Field(pattern=UUID7)]
# Nothing of a preview is kept or told to others.
PREVIEW_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src *; style-src 'unsafe-inline'; frame-ancestors 'self'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


class NewStory(Body):
    """A story to be: whose it is, and what it tells."""

    shop_id: ShopId
    content: StoryContent


class Publication(Body):
    """From when on people read it; at once without an instant, or with one that is over."""

    at: Instant | None = None


class Remark(Body):
    """Something said to those who work on a story."""

    text: Annotated[Paragraphs, Field(min_length=1, max_length=2000)]


@router.get("")
def list_stories(
    session: Reading,
    caller: Anyone,
    paging: Paging,
    shop_id: Annotated[CleanStr | None, Query(max_length=64)] = None,
    status: StoryStatus | None = None,
) -> Items[StoryView]:
    """Public stories, the newest first; editors see all, a shop's people also their own."""
    found = queries.page(session, caller, paging.limit, paging.after, shop_id, status)
    rows, following = page_of(found, paging.limit)
    return Items(items=[view(row, own=acts_for(caller, row.shop_id)) for row in rows], next=following)


@router.post("", status_code=201, response_model=StoryView)
def create_story(body: NewStory, caller: Writer, session: Transaction, idempotency: Idempotency) -> Response:
    """Draft a story."""
    story = commands.draft(session, caller, body.shop_id, body.content)
    headers = {"Location": f"{router.prefix}/{story.id}", **etag(story.version)}
    return idempotency.answer(view(story, own=True), 201, headers)


@router.get("/{story_id}")
def get_story(story_id: Id, session: Reading, caller: Anyone, response: Response) -> StoryView:
    """One story."""
    story = queries.one(session, caller, story_id)
    response.headers.update(etag(story.version))
    return view(story, own=acts_for(caller, story.shop_id))


@router.put("/{story_id}")
def change_story(
    story_id: Id,
    body: StoryContent,
    caller: Writer,
    expected: IfMatch,
    session: Transaction,
    response: Response,
) -> StoryView:
    """Replace the working copy; what is public stays until the story is published again."""
    return _answer(commands.change(session, caller, story_id, expected, body), response)


@router.post("/{story_id}/submit")
def submit_story(
    story_id: Id, caller: Writer, expected: IfMatch, session: Transaction, response: Response
) -> StoryView:
    """Hand a story to the caretaker."""
    return _answer(commands.submit(session, caller, story_id, expected), response)


@router.post("/{story_id}/return")
def return_story(
    story_id: Id, body: Remark, caller: Editor, expected: IfMatch, session: Transaction, response: Response
) -> StoryView:
    """Hand a story back to its shop, and say why."""
    return _answer(commands.give_back(session, caller, story_id, expected, body.text), response)


@router.post("/{story_id}/publish")
def publish_story(
    story_id: Id,
    caller: Editor,
    expected: IfMatch,
    session: Transaction,
    request: Request,
    response: Response,
    body: Publication | None = None,
) -> StoryView:
    """Let people read the story, now or from an instant to come. A picture without words for those who cannot see it
    keeps a story from that."""
    at = body.at if body else None
    story = commands.publish(session, caller, story_id, expected, at, base_of(request))
    return _answer(story, response)


@router.post("/{story_id}/archive")
def archive_story(
    story_id: Id,
    caller: Writer,
    expected: IfMatch,
    session: Transaction,
    request: Request,
    response: Response,
) -> StoryView:
    """Take a story out of the public, or lay a draft aside."""
    return _answer(commands.archive(session, caller, story_id, expected, base_of(request)), response)


@router.get("/{story_id}/preview", response_class=HTMLResponse)
def preview_story(
    story_id: Id,
    caller: Writer,
    session: Reading,
    request: Request,
    lang: Annotated[str, Query(pattern=r"^[a-z]{2}(-[a-z]{2,10})?$")] = "de",
) -> HTMLResponse:
    """The working copy as readers would see it."""
    story = queries.own(session, caller, story_id)
    shop = shops.known(session, story.shop_id)
    return HTMLResponse(
        rendering.page(story.said, shop.said, lang, base_of(request)), headers=PREVIEW_HEADERS
    )


@router.get("/{story_id}/versions")
def list_versions(story_id: Id, caller: Writer, session: Reading) -> Items[VersionView]:
    """The story as it was, the newest first."""
    queries.own(session, caller, story_id)
    return Items(items=[version_view(each) for each in queries.versions(session, story_id)])


@router.post("/{story_id}/versions/{version}/restore")
def restore_version(
    story_id: Id,
    version: Annotated[int, Path(ge=1, le=1_000_000)],
    caller: Writer,
    expected: IfMatch,
    session: Transaction,
    response: Response,
) -> StoryView:
    """Make an earlier version the working copy."""
    return _answer(commands.restore(session, caller, story_id, expected, version), response)


@router.get("/{story_id}/comments")
def list_comments(story_id: Id, caller: Writer, session: Reading) -> Items[CommentView]:
    """What was said about a story."""
    queries.own(session, caller, story_id)
    return Items(items=[comment_view(each) for each in queries.comments(session, story_id)])


@router.post("/{story_id}/comments", status_code=201, response_model=CommentView)
def add_comment(
    story_id: Id, body: Remark, caller: Writer, session: Transaction, idempotency: Idempotency
) -> Response:
    """Say something about a story to those who work on it."""
    said = commands.comment(session, caller, story_id, body.text)
    return idempotency.answer(comment_view(said), 201, {})


def base_of(request: Request) -> str:
    """Where this service answers."""
    address: str = request.app.state.kit.settings.public_url
    return address


def _answer(story: Story, response: Response) -> StoryView:
    response.headers.update(etag(story.version))
    return view(story, own=True)
