"""HTTP edge of feeds: the stories of a shop, or of the whole town, for whoever reads them elsewhere."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from libs.httpkit.transactions import Reading
from libs.servicekit.settings import Settings
from libs.servicekit.values import CleanStr
from services.retail.shops import queries as shops
from services.retail.stories import queries
from services.retail.stories.atom import Entry, feed
from services.retail.stories.domain import in_language

router = APIRouter(prefix="/v1/feeds", tags=["feeds"])
MOST = 50
MEDIA_TYPE = "application/atom+xml"


@router.get(
    "/stories.atom",
    response_class=Response,
    responses={
        200: {"content": {MEDIA_TYPE: {}}, "description": "The feed."},
        304: {"description": "Unchanged"},
    },
)
def stories_feed(
    session: Reading,
    request: Request,
    shop: Annotated[CleanStr | None, Query(max_length=64)] = None,
    lang: Annotated[str, Query(pattern=r"^[a-z]{2}(-[a-z]{2,10})?$")] = "de",
) -> Response:
    """The newest stories as Atom, of the town or of one shop."""
    kit = request.app.state.kit
    of_shop = shops.one(session, None, shop) if shop else None
    town, base = kit.settings.town["name"], kit.settings.public_url
    title = in_language(of_shop.said.title, lang) if of_shop else town
    address = f"{base}{router.prefix}/stories.atom" + (f"?shop={shop}" if shop else "")
    body = feed(title, address, _entries(session, shop, kit.settings), lang, base)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=300"}
    if request.headers.get("If-None-Match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=MEDIA_TYPE, headers=headers)


def _entries(session: Reading, shop: str | None, settings: Settings) -> list[Entry]:
    found = []
    for story, owner in queries.newest(session, shop, MOST):
        said = story.told
        if said is not None and story.published_at is not None:
            page = settings.portal.page("story", story.id) or f"{settings.public_url}/v1/stories/{story.id}"
            found.append(Entry(story.id, said, owner.said, story.published_at, story.changed_at, page))
    return found
