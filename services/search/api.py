"""The HTTP edge: what a citizen asks enters as a query string, JSON leaves."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, status
from fastapi import Query as Param
from fastapi.responses import Response
from nats.errors import Error as NatsError
from pydantic_core import to_json

from libs.httpkit import problems
from libs.httpkit.auth import require
from libs.httpkit.edge import CleanStr
from services.search import status as progress
from services.search.filters import FACET
from services.search.named import Language
from services.search.params import documented, query
from services.search.views import Filters, Found, IndexStatus, LagView, ReindexView, Suggestions
from services.search.wire import Unavailable

router = APIRouter(prefix="/v1", tags=["search"])


# The answer is made of values we built ourselves; checking each once more against its model would double the cost.
@router.get("/search", response_model=Found, openapi_extra={"parameters": documented()})
async def search(request: Request) -> Response:
    """Find things of all kinds: by words, facets, place and time."""
    return _json(await request.app.state.search.queries.search(query(request.query_params)))


@router.get("/facets", response_model=Filters)
async def facets(request: Request, board: Annotated[str | None, Param(pattern=FACET)] = None) -> Response:
    """What can be filtered by, with labels and options: everywhere, and on one board."""
    return _json(await request.app.state.search.declared.filters(board))


@router.get("/suggest", response_model=Suggestions)
async def suggest(
    request: Request,
    q: Annotated[CleanStr, Param(max_length=100)] = "",
    lang: Language = "de",
    limit: Annotated[int, Param(ge=1, le=20)] = 8,
) -> Response:
    """Complete what is being typed."""
    return _json({"items": await request.app.state.search.queries.suggest(q, lang, limit)})


@router.get("/index/status")
async def index_status(request: Request) -> IndexStatus:
    """How much the index holds, and how far it is behind what is published."""
    search = request.app.state.search
    documents = await search.index.documents()
    try:
        behind = await progress.lag(request.app.state.kit.bus.js)
    except (NatsError, TimeoutError) as error:
        raise problems.unavailable("The broker") from error
    rebuild = search.reindex.progress
    return IndexStatus(
        index=search.index.name,
        documents=documents,
        synonyms=await search.index.knows_synonyms(),
        lag=LagView(messages=behind.messages, seconds=behind.seconds),
        reindex=ReindexView.model_validate(rebuild, from_attributes=True) if rebuild else None,
    )


@router.post("/index/reindex", status_code=status.HTTP_202_ACCEPTED, dependencies=[require("operator")])
async def reindex(request: Request) -> ReindexView:
    """Build the index anew from STATE; the present one is served until the new one is complete."""
    rebuild = request.app.state.search.reindex
    if not request.app.state.search.indexing:
        raise problems.conflict("This process only answers; ask the one that indexes.")
    if not rebuild.ask():
        raise problems.conflict("The index is being built anew already.")
    return ReindexView.model_validate(rebuild.progress, from_attributes=True)


def _json(content: Any) -> Response:
    return Response(to_json(content), media_type="application/json")


async def away(request: Request, error: Exception) -> Response:
    """Answers for Meilisearch while it cannot."""
    assert isinstance(error, Unavailable)  # noqa: S101 - registered for this type
    return problems.answer(request, problems.unavailable("The search engine"))
