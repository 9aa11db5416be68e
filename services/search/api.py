"""The HTTP edge: what a citizen asks enters as a query string, JSON leaves."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, status
from fastapi import Query as Param
from fastapi.responses import JSONResponse, Response
from nats.errors import Error as NatsError
from pydantic_core import to_json

from libs.cardquery.params import documented, query
from libs.cardquery.query import FACET
from libs.contracts.card import Language
from libs.httpkit import problems
from libs.httpkit.auth import require
from libs.httpkit.idempotency import IdempotencyKey
from libs.httpkit.rate_limit import client_of
from libs.servicekit import errors
from libs.servicekit.values import CleanStr
from services.search import opensearch
from services.search import status as progress
from services.search.failures import Unavailable
from services.search.feedback import Rating
from services.search.views import (
    Access,
    Filters,
    Found,
    IndexStatus,
    LagView,
    Rated,
    ReindexView,
    Suggestions,
)

router = APIRouter(prefix="/v1", tags=["search"])
browsers = APIRouter(tags=["browsers"])


class SuggestionsAnswer(JSONResponse):
    """As browsers take suggestions."""

    media_type = opensearch.SUGGESTIONS


class DescriptionAnswer(Response):
    """As browsers take a description."""

    media_type = opensearch.MEDIA_TYPE


# The answer is made of values we built ourselves; checking each once more against its model would double the cost.
@router.get("/search", response_model=Found, openapi_extra={"parameters": documented()})
async def search_things(request: Request) -> Response:
    """Find things of all kinds: by words, facets, place and time."""
    search, asked = request.app.state.search, query(request.query_params)
    found = await search.queries.search(asked)
    if found["total"] == 0 and asked.offset == 0:
        search.unanswered.note(asked, client_of(request))
    return _json(found)


@router.get("/search/token")
async def get_search_token(request: Request, response: Response) -> Access:
    """A short-lived token for asking Meilisearch directly, where the town offers that; it sees only what is public."""
    response.headers["Cache-Control"] = "no-store"
    return Access.model_validate(await request.app.state.search.tenants.token())


@router.post("/feedback", status_code=status.HTTP_201_CREATED)
async def rate_result(request: Request, rating: Rating, key: IdempotencyKey = None) -> Rated:
    """Say whether a result helped. A repetition with the same Idempotency-Key within ten minutes counts once."""
    search, bus = request.app.state.search, request.app.state.kit.bus
    return Rated(id=await search.feedback.rate(bus, rating, client_of(request), key))


@router.get("/facets", response_model=Filters)
async def list_facets(
    request: Request, board: Annotated[str | None, Param(pattern=FACET)] = None
) -> Response:
    """What can be filtered by, with labels and options: everywhere, and on one board."""
    return _json(await request.app.state.search.declared.filters(board))


@router.get("/suggest", response_model=Suggestions)
async def suggest_words(
    request: Request,
    q: Annotated[CleanStr, Param(max_length=100)] = "",
    lang: Language = "de",
    limit: Annotated[int, Param(ge=1, le=20)] = 8,
) -> Response:
    """Complete what is being typed."""
    return _json({"items": await request.app.state.search.queries.suggest(q, lang, limit)})


@browsers.get("/v1/suggest/opensearch", response_class=SuggestionsAnswer, response_model=None)
async def suggest_to_browsers(
    request: Request, q: Annotated[CleanStr, Param(max_length=100)] = "", lang: Language = "de"
) -> Response:
    """Complete what is being typed into a browser's own search field (OpenSearch suggestions)."""
    found = await request.app.state.search.queries.suggest(q, lang, 8)
    return SuggestionsAnswer([q, [one["text"] for one in found]])


@browsers.get("/opensearch.xml", response_class=DescriptionAnswer, response_model=None)
async def describe_search(request: Request) -> Response:
    """How browsers search the town (OpenSearch 1.1)."""
    return DescriptionAnswer(request.app.state.search.describe())


@router.get("/index/status")
async def get_index_status(request: Request) -> IndexStatus:
    """How much the index holds, and how far it is behind what is published."""
    search = request.app.state.search
    documents = await search.index.documents()
    try:
        behind = await progress.lag(request.app.state.kit.bus.js)
    except (NatsError, TimeoutError) as error:
        raise errors.Unavailable("The broker") from error
    rebuild = search.reindex.progress
    return IndexStatus(
        index=search.index.name,
        documents=documents,
        synonyms=await search.index.knows_synonyms(),
        lag=LagView(messages=behind.messages, seconds=behind.seconds),
        reindex=ReindexView.model_validate(rebuild, from_attributes=True) if rebuild else None,
    )


@router.post("/index/reindex", status_code=status.HTTP_202_ACCEPTED, dependencies=[require("operator")])
async def rebuild_index(request: Request) -> ReindexView:
    """Build the index anew from STATE; the present one is served until the new one is complete."""
    rebuild = request.app.state.search.reindex
    if not request.app.state.search.indexing:
        raise errors.Conflict("This process only answers; ask the one that indexes.", code="answers-only")
    if not rebuild.ask():
        raise errors.Conflict("The index is being built anew already.", code="reindexing")
    return ReindexView.model_validate(rebuild.progress, from_attributes=True)


def _json(content: Any) -> Response:
    return Response(to_json(content), media_type="application/json")


async def away(request: Request, error: Exception) -> Response:
    """Answers for Meilisearch while it cannot."""
    assert isinstance(error, Unavailable)  # noqa: S101 - registered for this type
    return problems.answer(request, errors.Unavailable("The search engine"))
