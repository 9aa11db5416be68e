"""HTTP edge of the HSDS 3.1 read API: its endpoints and their parameters as published. Lists answer POST like GET."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from libs.servicekit.errors import FieldError, Invalid, NotFound
from libs.servicekit.values import CleanStr
from services.offers.exports.domain import Shown
from services.offers.hsds import document, domain, queries
from services.offers.hsds.directory import Classified, Directory, Filters, Here, Wished
from services.offers.hsds.paging import AS_LINES, MOST, Held, Page, Paging, Teller
from services.offers.hsds.vocabulary import named
from services.offers.providers import queries as providers

router = APIRouter(prefix="/hsds", tags=["hsds"])

MOST_BRIEF, MOST_FULL = 1000, 200
UUID_ANY = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
AnyId = Annotated[str, Path(pattern=UUID_ANY)]
Pages = Annotated[Paging, Depends()]
Full = Annotated[bool, Query(description="Everything that belongs to it.")]
FullService = Annotated[bool, Query(description="In full, and so its services.")]


F = TypeVar("F", bound=Callable[..., Any])


def listed(path: str) -> Callable[[F], F]:
    """A list, asked for by GET; HSDS has a POST beside it, with the same parameters and the same answer."""

    def both(list_: F) -> F:
        router.get(path, response_model=Page, responses=AS_LINES)(list_)
        router.post(path, response_model=Page, responses=AS_LINES, name=f"{list_.__name__}_by_post")(list_)
        return list_

    return both


class About(BaseModel):
    """What this API is."""

    version: str
    profile: str
    openapi_url: str
    description: str
    publisher: dict[str, str]


@router.get("")
@router.get("/", include_in_schema=False)
def describe_directory(request: Request) -> About:
    """Which version of HSDS this is, and where it is documented."""
    settings = request.app.state.kit.settings
    return About(
        version=domain.VERSION,
        profile=domain.PROFILE,
        openapi_url=f"{settings.public_url}{router.prefix}/openapi.json",
        description=f"Angebote der Börsen: {settings.town['name']}",
        publisher={"name": settings.town["name"]},
    )


@router.get("/openapi.json", include_in_schema=False)
def get_document(request: Request) -> Response:
    """This API's own OpenAPI document, its paths as HSDS names them."""
    base = request.app.state.kit.settings.public_url
    return JSONResponse(document.of(request.app.openapi(), router.prefix, base, domain.VERSION))


@listed("/services")
def list_services(
    here: Here,
    pages: Pages,
    filters: Annotated[Filters, Depends()],
    minimal: Annotated[bool, Query(description="Only ids and when they changed, all on one page.")] = False,
    full: Full = False,
) -> Page | Response:
    """Published offers as services."""
    found = queries.services(here.asked(pages, filters), here.words)
    if minimal:
        return here.answer(pages.or_size(MOST), found, domain.minimal, MOST)
    if full:
        return here.answer(pages, found, _full_service(here), MOST_FULL)
    return here.answer(pages, found, lambda shown: domain.service(here.frame, shown), MOST_BRIEF)


def _full_service(here: Directory) -> Teller[Shown]:
    return lambda shown: domain.full_service(here.frame, here.words, shown)


@router.get("/services/{id}")
def get_service(id: AnyId, here: Here) -> dict[str, Any]:
    """One service with everything that belongs to it."""
    return _full_service(here)(queries.one(here.session, id))


@listed("/service_at_locations")
def list_services_at_locations(
    here: Here,
    pages: Pages,
    filters: Annotated[Filters, Depends()],
    full: Full = False,
    postcode: Annotated[CleanStr | None, Query(max_length=10)] = None,
    proximity: Annotated[
        float | None, Query(gt=0, le=1_000_000, description="Metres around the middle of the postcode.")
    ] = None,
) -> Page | Response:
    """Published offers that have a place."""
    if proximity and not postcode:
        raise Invalid(FieldError(field="proximity", reason="needs a postcode"))
    asked = here.asked(pages, filters, located=True, postcode=postcode, proximity=proximity)

    def tell(shown: Shown) -> dict[str, Any]:
        return domain.service_at_location(here.frame, here.words, shown, full=full)

    found = queries.services(asked, here.words)
    return here.answer(pages, found, tell, MOST_FULL if full else MOST_BRIEF)


@router.get("/service_at_locations/{id}")
def get_service_at_location(id: AnyId, here: Here) -> dict[str, Any]:
    """One service where it is to be had."""
    shown = queries.one(here.session, id)
    if not shown.content.get("place"):
        raise NotFound("service at a location")
    return domain.service_at_location(here.frame, here.words, shown, full=True)


@listed("/organizations")
def list_organizations(
    here: Here,
    pages: Pages,
    filters: Annotated[Classified, Depends()],
    full: Full = False,
    full_service: FullService = False,
) -> Page | Response:
    """Providers."""
    full = full or full_service
    found = queries.organizations(here.asked(pages, filters), here.words, full=full)
    tell = _full_organization(here, full_service=full_service) if full else _organization(here)
    return here.answer(pages, found, tell, MOST_FULL if full else MOST_BRIEF)


def _organization(here: Directory) -> Teller[queries.Organization]:
    return lambda found: domain.organization(here.frame, found[0].id, found[0].content)


def _full_organization(here: Directory, *, full_service: bool) -> Teller[queries.Organization]:
    tell = _full_service(here) if full_service else lambda shown: domain.service_name(here.frame, shown)

    def organization(found: queries.Organization) -> dict[str, Any]:
        provider, services = found
        return domain.full_organization(here.frame, provider.id, provider.content, map(tell, services))

    return organization


@router.get("/organizations/{id}")
def get_organization(id: AnyId, here: Here, full_service: FullService = False) -> dict[str, Any]:
    """One provider, its place and its services."""
    provider = providers.one(here.session, id)
    found = provider, queries.services_of(here.session, provider.id)
    return _full_organization(here, full_service=full_service)(found)


@listed("/taxonomies")
def list_taxonomies(here: Here, pages: Pages) -> Page | Response:
    """The boards' vocabularies."""
    found = named(here.words.taxonomies.values(), pages.words)
    return here.answer(pages, Held(found), lambda each: each.as_hsds(), MOST_BRIEF)


@router.get("/taxonomies/{id}")
def get_taxonomy(id: AnyId, here: Here) -> dict[str, Any]:
    """One vocabulary."""
    found = here.words.taxonomies.get(id)
    if found is None:
        raise NotFound("taxonomy")
    return found.as_hsds()


@listed("/taxonomy_terms")
def list_taxonomy_terms(
    here: Here,
    pages: Pages,
    taxonomy_id: Wished = None,
    top_only: Annotated[
        bool, Query(description="Terms of the top; the boards' words have no other.")
    ] = False,
    parent_id: Wished = None,
) -> Page | Response:
    """The words of the vocabularies."""
    del top_only
    terms = [] if parent_id else named(here.words.terms.values(), pages.words)
    found = [each for each in terms if taxonomy_id in (None, each.taxonomy.id)]
    return here.answer(pages, Held(found), lambda each: each.as_hsds(), MOST_BRIEF)


@router.get("/taxonomy_terms/{id}")
def get_taxonomy_term(id: AnyId, here: Here) -> dict[str, Any]:
    """One word of a vocabulary."""
    found = here.words.terms.get(id)
    if found is None:
        raise NotFound("taxonomy term")
    return found.as_hsds()
