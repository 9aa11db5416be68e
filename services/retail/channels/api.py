"""HTTP edge of channels: packs, signs, QR codes, short links."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from libs.contracts.card import Text
from libs.httpkit.auth import require
from libs.httpkit.params import Id, today
from libs.httpkit.transactions import Reading, Transaction
from libs.servicekit.errors import Conflict
from libs.servicekit.principal import Principal
from libs.servicekit.values import CleanStr
from services.retail.channels import commands, queries
from services.retail.channels.domain import RULES, Channel, pack, shortened
from services.retail.channels.sign import Sign, printed, qr
from services.retail.pictures.api import store_of
from services.retail.shops import queries as shops
from services.retail.stories import queries as stories
from services.retail.stories.api import base_of
from services.retail.stories.domain import StoryContent, in_language
from services.retail.stories.models import Story

router = APIRouter(tags=["channels"])
Writer = Annotated[Principal, require("editor", "provider")]
Language = Annotated[str, Query(pattern=r"^[a-z]{2}(-[a-z]{2,10})?$")]
Code = Annotated[str, Path(pattern="^[a-z2-7]{10}$")]
# Fewer than so many on a day are only "some": with a few visitors a number says who it was.
FEW = 5
SCAN: Text = {"de": "QR-Code zur Geschichte", "en": "QR code of the story"}


class PackPicture(BaseModel):
    """A picture in the channel's shape, and what it shows."""

    url: str
    alt: str


class PackView(BaseModel):
    """A story ready to be told in a channel; `characters` as the channel counts them."""

    channel: Channel
    language: str
    text: str
    hashtags: list[str]
    characters: int
    limit: int
    link: str
    pictures: list[PackPicture]


class DayCount(BaseModel):
    """How often a channel's link was followed on a day."""

    channel: Channel
    day: date
    times: int | None = Field(description="Null is one to four: so few could be known.")


@router.get("/v1/stories/{story_id}/packs")
def get_packs(
    story_id: Id, caller: Writer, session: Transaction, request: Request, lang: Language = "de"
) -> list[PackView]:
    """The public story for every channel: text cut to its limit, hashtags, pictures in its shape, a link of its own."""
    story, said = _public(session, caller, story_id)
    links, base = commands.make_links(session, story.id), base_of(request)
    town = request.app.state.kit.settings.town["name"]
    return [_pack(said, channel, f"{base}/s/{code}", base, town, lang) for channel, code in links.items()]


def _pack(said: StoryContent, channel: Channel, link: str, base: str, town: str, language: str) -> PackView:
    rules, words = RULES[channel], pack(said, channel, language, link, town)
    pictures = [
        PackPicture(url=f"{base}/v1/pictures/{picture}/{rules.shape}.jpg", alt=in_language(alt, language))
        for _, picture, alt in said.pictures()
    ]
    return PackView(
        channel=channel,
        language=language,
        text=words.text,
        hashtags=words.hashtags,
        characters=words.characters,
        limit=rules.limit,
        link=link,
        pictures=pictures[: rules.pictures],
    )


@router.get(
    "/v1/stories/{story_id}/packs/sign.pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "The page."}},
)
def get_sign(
    story_id: Id, caller: Writer, session: Reading, request: Request, lang: Language = "de"
) -> Response:
    """A sign for the shop window, to be printed: title, picture, some words and a QR code. Accessible (PDF/UA-1)."""
    story, said = _public(session, caller, story_id)
    # Nobody who writes waits until the page is set.
    with request.app.state.kit.database.transaction() as writing:
        link = f"{base_of(request)}/s/{commands.make_links(writing, story.id)[Channel.SIGN]}"
    shown = next(said.pictures(), None)
    picture = store_of(request).path(shown[1], "square.jpg") if shown else None
    text = shortened(" ".join(said.texts(lang)), RULES[Channel.SIGN].limit)
    shop = in_language(shops.known(session, story.shop_id).said.title, lang)
    alt = in_language(shown[2], lang) if shown else ""
    title = in_language(said.title, lang)
    sign = Sign(title, text, shop, link, lang[:2], in_language(SCAN, lang), alt, picture)
    return Response(printed(sign), media_type="application/pdf", headers={"Cache-Control": "no-store"})


@router.get(
    "/v1/stories/{story_id}/packs/{channel}.svg",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}}, "description": "The code."}},
)
def get_code(
    story_id: Id, channel: Channel, caller: Writer, session: Transaction, request: Request
) -> Response:
    """A channel's link as a QR code."""
    story, _ = _public(session, caller, story_id)
    link = f"{base_of(request)}/s/{commands.make_links(session, story.id)[channel]}"
    headers = {"Content-Security-Policy": "default-src 'none'"}
    return Response(qr(link), media_type="image/svg+xml", headers=headers)


@router.get("/v1/stories/{story_id}/visits")
def get_visits(
    story_id: Id,
    caller: Writer,
    session: Reading,
    request: Request,
    days: Annotated[int, Query(ge=1, le=366)] = 30,
) -> list[DayCount]:
    """How often the story's links were followed, by channel and day. Nobody is known by it."""
    stories.own(session, caller, story_id)
    found = queries.counts(session, story_id, today(request) - timedelta(days=days))
    return [
        DayCount(channel=Channel(channel), day=day, times=times if times >= FEW else None)
        for channel, day, times in found
    ]


@router.get(
    "/s/{code}",
    status_code=302,
    response_class=RedirectResponse,
    responses={302: {"description": "To the story."}},
)
def follow_link(
    code: Code,
    session: Transaction,
    request: Request,
    browser: Annotated[CleanStr | None, Header(alias="User-Agent", max_length=1000)] = None,
) -> RedirectResponse:
    """Lead to a story, and count the day; who it was is not kept."""
    link = queries.link(session, code)
    commands.count(session, link, today(request), browser)
    settings = request.app.state.kit.settings
    page = settings.portal.page("story", link.story_id) or f"{base_of(request)}/v1/stories/{link.story_id}"
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(page, status_code=302, headers=headers)


def _public(session: Reading, caller: Principal, story_id: str) -> tuple[Story, StoryContent]:
    story = stories.own(session, caller, story_id)
    if (said := story.told) is None:
        raise Conflict(
            "Only a published story can be told elsewhere.", code="story-state", status=story.status
        )
    return story, said
