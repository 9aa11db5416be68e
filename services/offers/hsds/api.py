"""HTTP edge of the HSDS 3.1 read API: paths, parameters and pages as its API reference names them."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel
from pydantic_core import to_json

from libs.httpkit.app import Kit
from libs.httpkit.edge import CleanStr, Reading
from libs.httpkit.problems import not_found
from services.offers.exports import queries as exports
from services.offers.exports.domain import Shown
from services.offers.exports.frame import Frame
from services.offers.hsds import domain, queries
from services.offers.hsds.queries import Asked
from services.offers.hsds.vocabulary import Vocabulary
from services.offers.params import Moment
from services.offers.providers import queries as providers
from services.offers.providers.models import Provider

router = APIRouter(prefix="/hsds", tags=["hsds"])

MOST, MOST_FULL, MOST_MINIMAL = 1000, 200, 10_000
NDJSON = "application/x-ndjson"
UUID_ANY = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
AnyId = Annotated[str, Path(pattern=UUID_ANY)]
Wished = Annotated[CleanStr | None, Query(max_length=64)]
Full = Annotated[bool, Query(description="Everything that belongs to it.")]
AS_LINES: dict[int | str, dict[str, Any]] = {200: {"content": {NDJSON: {"schema": {"type": "string"}}}}}
T = TypeVar("T")


class Page(BaseModel):
    """One page of a list."""

    total_items: int
    total_pages: int
    page_number: int
    size: int
    first_page: bool
    last_page: bool
    empty: bool
    contents: list[dict[str, Any]]


class About(BaseModel):
    """What this API is."""

    version: str
    profile: str
    openapi_url: str
    description: str
    publisher: dict[str, str]


@dataclass(frozen=True)
class Paging:
    """Which page, of which size, and whether as pages at all."""

    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1
    per_page: Annotated[int, Query(ge=1, le=MOST_MINIMAL, description="Large pages may come smaller.")] = 50
    search: Annotated[CleanStr, Query(max_length=200)] = ""
    format: Annotated[Literal["json", "ndjson"], Query(description="`ndjson` streams all, a line each.")] = (
        "json"
    )

    def size(self, most: int) -> int:
        """How many at once."""
        return min(self.per_page, most)

    @property
    def words(self) -> tuple[str, ...]:
        """What is searched for; all of it must be found."""
        return tuple(self.search.split()[:10])


Pages = Annotated[Paging, Depends()]


@dataclass(frozen=True)
class Directory:
    """The boards' words and the town's facts, in which every object is told."""

    frame: Frame
    words: Vocabulary

    def asked(self, pages: Paging, **more: Any) -> Asked:
        """What a list is to hold."""
        return Asked(words=pages.words, languages=tuple(self.frame.spoken), **more)


def _directory(request: Request, session: Reading) -> Directory:
    kit: Kit = request.app.state.kit
    frame = exports.frame(session, kit.settings, kit.settings.town["languages"][0])
    return Directory(frame, Vocabulary(frame.boards, frame.spoken))


Here = Annotated[Directory, Depends(_directory, scope="function")]


@router.get("/")
def about(request: Request) -> About:
    """Which version of HSDS this is, and where it is documented."""
    settings = request.app.state.kit.settings
    return About(
        version=domain.VERSION,
        profile=domain.PROFILE,
        openapi_url=f"{settings.public_url}/openapi.json",
        description=f"Angebote der Börsen: {settings.town['name']}",
        publisher={"name": settings.town["name"]},
    )


def _page(found: Sequence[dict[str, Any]], total: int, pages: Paging, size: int) -> Page:
    last = max(1, math.ceil(total / size))
    return Page(
        total_items=total,
        total_pages=last,
        page_number=pages.page,
        size=len(found),
        first_page=pages.page == 1,
        last_page=pages.page >= last,
        empty=not found,
        contents=list(found),
    )


def _lines(chunks: Iterator[list[T]], tell: Callable[[T], dict[str, Any]]) -> Response:
    pieces = (b"".join(to_json(tell(each)) + b"\n" for each in chunk) for chunk in chunks)
    # A database that is away is a problem, not an empty list.
    return StreamingResponse(chain([next(pieces, b"")], pieces), media_type=NDJSON)


def _in_memory(objects: dict[str, Any], pages: Paging) -> Page | Response:
    found = [each.as_hsds() for each in queries.matching(objects, pages.words)]
    if pages.format == "ndjson":
        return _lines(iter([found]), lambda each: each)
    size = pages.size(MOST)
    start = (pages.page - 1) * size
    return _page(found[start : start + size], len(found), pages, size)


@router.get("/services", response_model=Page, responses=AS_LINES)
def list_services(
    request: Request,
    session: Reading,
    here: Here,
    pages: Pages,
    taxonomy_term_id: Wished = None,
    taxonomy_id: Wished = None,
    organization_id: Wished = None,
    modified_after: Moment | None = None,
    minimal: Annotated[bool, Query(description="Only ids and when they changed; large pages.")] = False,
    full: Full = False,
) -> Page | Response:
    """Published offers as services."""
    tell, most = _teller(here, minimal=minimal, full=full)
    asked = here.asked(
        pages,
        term_id=taxonomy_term_id,
        taxonomy_id=taxonomy_id,
        organization_id=organization_id,
        modified_after=modified_after,
    )
    return _services(request, session, here, pages, asked, tell, most)


def _teller(here: Directory, *, minimal: bool, full: bool) -> tuple[Callable[[Shown], dict[str, Any]], int]:
    if minimal:
        return domain.minimal, MOST_MINIMAL
    if full:
        return lambda shown: domain.full_service(here.frame, here.words, shown), MOST_FULL
    return lambda shown: domain.service(here.frame, shown), MOST


def _services(
    request: Request,
    session: Reading,
    here: Directory,
    pages: Paging,
    asked: Asked,
    tell: Callable[[Shown], dict[str, Any]],
    most: int,
) -> Page | Response:
    if pages.format == "ndjson":
        return _lines(queries.all_services(request.app.state.kit.database, asked, here.words), tell)
    size = pages.size(most)
    found, total = queries.services(session, asked, here.words, (pages.page - 1) * size, size)
    return _page([tell(shown) for shown in found], total, pages, size)


@router.get("/services/{id}")
def get_service(id: AnyId, session: Reading, here: Here) -> dict[str, Any]:
    """One service with everything that belongs to it."""
    return domain.full_service(here.frame, here.words, queries.one(session, id))


@router.get("/service_at_locations", response_model=Page, responses=AS_LINES)
def list_services_at_locations(
    request: Request,
    session: Reading,
    here: Here,
    pages: Pages,
    taxonomy_term_id: Wished = None,
    taxonomy_id: Wished = None,
    organization_id: Wished = None,
    modified_after: Moment | None = None,
    full: Full = False,
    postcode: Annotated[CleanStr | None, Query(max_length=10)] = None,
    proximity: Annotated[
        float | None, Query(gt=0, le=1_000_000, description="Metres around the middle of the postcode.")
    ] = None,
) -> Page | Response:
    """Published offers that have a place."""
    asked = here.asked(
        pages,
        term_id=taxonomy_term_id,
        taxonomy_id=taxonomy_id,
        organization_id=organization_id,
        modified_after=modified_after,
        located=True,
        postcode=postcode,
        metres=proximity,
    )

    def tell(shown: Shown) -> dict[str, Any]:
        return domain.service_at_location(here.frame, here.words, shown, full=full)

    return _services(request, session, here, pages, asked, tell, MOST_FULL if full else MOST)


@router.get("/service_at_locations/{id}")
def get_service_at_location(id: AnyId, session: Reading, here: Here) -> dict[str, Any]:
    """One service where it is to be had."""
    shown = queries.one(session, id)
    if not shown.content.get("place"):
        raise not_found("service at a location")
    return domain.service_at_location(here.frame, here.words, shown, full=True)


@router.get("/organizations", response_model=Page, responses=AS_LINES)
def list_organizations(
    request: Request,
    session: Reading,
    here: Here,
    pages: Pages,
    taxonomy_term_id: Wished = None,
    taxonomy_id: Wished = None,
    full: Full = False,
    full_service: Annotated[bool, Query(description="With `full`: services with everything, too.")] = False,
) -> Page | Response:
    """Providers."""
    asked = here.asked(pages, term_id=taxonomy_term_id, taxonomy_id=taxonomy_id)
    db = request.app.state.kit.database

    def tell(provider: Provider) -> dict[str, Any]:
        if not full:
            return domain.organization(here.frame, provider.id, provider.content)
        with db.reading() as own:
            return _organization(own, here, provider, full_service=full_service)

    if pages.format == "ndjson":
        return _lines(queries.all_organizations(db, asked, here.words), tell)
    size = pages.size(MOST_FULL if full else MOST)
    found, total = queries.organizations(session, asked, here.words, (pages.page - 1) * size, size)
    return _page([tell(provider) for provider in found], total, pages, size)


def _organization(
    session: Reading, here: Directory, provider: Provider, *, full_service: bool
) -> dict[str, Any]:
    services = queries.services_of(session, provider.id)
    told = [
        domain.full_service(here.frame, here.words, shown)
        if full_service
        else {"id": shown.id, "name": domain.service(here.frame, shown)["name"], "status": "active"}
        for shown in services
    ]
    return domain.full_organization(here.frame, provider.id, provider.content, told)


@router.get("/organizations/{id}")
def get_organization(
    id: AnyId,
    session: Reading,
    here: Here,
    full_service: Annotated[
        bool, Query(description="Services with everything that belongs to them.")
    ] = False,
) -> dict[str, Any]:
    """One provider, its place and its services."""
    return _organization(session, here, providers.one(session, id), full_service=full_service)


@router.get("/taxonomies", response_model=Page, responses=AS_LINES)
def list_taxonomies(here: Here, pages: Pages) -> Page | Response:
    """The boards' vocabularies."""
    return _in_memory(dict(here.words.taxonomies), pages)


@router.get("/taxonomies/{id}")
def get_taxonomy(id: AnyId, here: Here) -> dict[str, Any]:
    """One vocabulary."""
    found = here.words.taxonomies.get(id)
    if found is None:
        raise not_found("taxonomy")
    return found.as_hsds()


@router.get("/taxonomy_terms", response_model=Page, responses=AS_LINES)
def list_taxonomy_terms(
    here: Here,
    pages: Pages,
    taxonomy_id: Wished = None,
    top_only: Annotated[bool, Query(description="Terms without a parent; ours have none.")] = False,
    parent_id: Wished = None,
) -> Page | Response:
    """The words of the vocabularies."""
    del top_only  # the boards' vocabularies are flat
    terms = here.words.terms.items()
    kept = {id_: term for id_, term in terms if parent_id is None and taxonomy_id in (None, term.taxonomy.id)}
    return _in_memory(kept, pages)


@router.get("/taxonomy_terms/{id}")
def get_taxonomy_term(id: AnyId, here: Here) -> dict[str, Any]:
    """One word of a vocabulary."""
    found = here.words.terms.get(id)
    if found is None:
        raise not_found("taxonomy term")
    return found.as_hsds()
