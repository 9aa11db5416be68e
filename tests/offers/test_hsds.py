"""The HSDS read API: its pages hold everything once, its filters filter, and its answers are as specified."""

import json
import re
from typing import Any

import pytest

from tests.offers.conftest import COURSE, Offers
from tests.offers.hsds_schemas import PARAMETERS, complaints
from tests.offers.test_offers import FULL
from tests.service import problem

# What lists hold, and what there is one by one.
LISTS = {
    "services": ("service_brief", "service"),
    "organizations": ("organization_brief", "organization"),
    "service_at_locations": ("service_at_location_brief", "service_at_location"),
    "taxonomies": ("taxonomy", "taxonomy"),
    "taxonomy_terms": ("taxonomy_term", "taxonomy_term"),
}


def page(service: Offers, path: str, **params: Any) -> dict[str, Any]:
    answer = service.http.get(f"/hsds/{path}", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert complaints("page", found) == []
    return found


def ids(service: Offers, path: str, **params: Any) -> list[str]:
    """Everything that a list holds, page by page."""
    found: list[str] = []
    number, last = 1, False
    while not last:
        here = page(service, path, page=number, **({"per_page": 1000} | params))
        found += [each["id"] for each in here["contents"]]
        last, number = here["last_page"], number + 1
        assert here["size"] == len(here["contents"])
        assert here["first_page"] is (here["page_number"] == 1)
    assert here["total_items"] == len(found)
    assert here["total_pages"] == number - 1
    return found


@pytest.fixture(scope="module")
def known(service: Offers) -> dict[str, str]:
    """A provider with three offers at two places, one of them nowhere; and another provider."""
    service.provider("Noch einer")
    body = {"title": {"de": "Verzeichnis e. V.", "en": "Directory"}, "kind": "Verein"}
    provider = service.call("POST", "/v1/providers", body, "editor").json()["id"]
    near = {"lat": 50.26, "lon": 10.96, "postcode": "96450", "locality": "Coburg", "street": "Markt 1"}
    far = near | {"lat": 50.36, "postcode": "96472"}
    both = {"level": "hard", "topics": ["art", "sport"], "size": 8, "open": "Mo-Fr 09:00-17:00"}
    offers = {
        "near": service.draft(FULL | {"place": near, "fields": both}, provider, publish=True),
        "far": service.draft(
            COURSE | {"title": {"de": "Ätzkurs"}, "place": far, "price_cents": 5}, provider, publish=True
        ),
        "nowhere": service.draft(COURSE, provider, publish=True),
        "draft": service.draft(FULL, provider),
    }
    return {"provider": provider, **offers}


def term(service: Offers, code: str) -> dict[str, Any]:
    """A word of the board of courses, or the board itself."""
    terms = page(service, "taxonomy_terms", per_page=1000)["contents"]
    names = ("Kurs-Börse", "Börsen")
    (found,) = (each for each in terms if each["code"] == code and each["taxonomy"].startswith(names))
    return dict(found)


@pytest.mark.parametrize("path", LISTS)
def test_a_list_answers_post_like_get(service: Offers, known: dict[str, str], path: str) -> None:
    asked = {"search": "kurs", "per_page": "3"}
    got, posted = (service.http.request(method, f"/hsds/{path}", params=asked) for method in ("GET", "POST"))
    assert (posted.status_code, posted.json()) == (200, got.json())
    assert problem(service.http.post(f"/hsds/{path}?page=0"), 422)["status"] == 422
    said = service.http.get("/hsds/openapi.json").json()["paths"][f"/{path}"]
    assert said["post"]["parameters"] == said["get"]["parameters"]
    assert said["post"]["operationId"] != said["get"]["operationId"]
    assert "requestBody" not in said["post"]


def test_the_api_says_what_it_is(service: Offers) -> None:
    said = service.http.get("/hsds/").json()
    assert complaints("root", said) == []
    assert said["version"] == "3.1"
    assert said["publisher"]["name"] == "Coburg"


def test_its_document_names_the_endpoints_and_parameters_of_hsds(service: Offers) -> None:
    url = service.http.get("/hsds/").json()["openapi_url"]
    document = service.http.get(url).json()
    assert url == f"{document['servers'][0]['url']}/openapi.json"
    found = {path: parameters(methods["get"]) for path, methods in document["paths"].items()}
    assert found == {path: set(names.split()) for path, names in PARAMETERS.items()}
    referred = re.findall(r"#/components/schemas/([^\"]+)", json.dumps(document))
    assert set(referred) == document["components"]["schemas"].keys()


def parameters(operation: dict[str, Any]) -> set[str]:
    """The names of its query parameters."""
    return {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}


@pytest.mark.parametrize(("path", "kinds"), LISTS.items())
def test_pages_hold_everything_once_and_as_specified(
    service: Offers, known: dict[str, str], path: str, kinds: tuple[str, str]
) -> None:
    brief, kind = kinds
    everything = ids(service, path)
    assert len(everything) == len(set(everything)) > 1
    here = page(service, path, per_page=7)
    assert [error for each in here["contents"] for error in complaints(brief, each)] == []
    one = service.http.get(f"/hsds/{path}/{everything[-1]}")
    assert one.status_code == 200
    assert complaints(kind, one.json()) == []
    assert one.json()["id"] == everything[-1]
    beyond = page(service, path, page=100_000)
    assert (beyond["empty"], beyond["last_page"], beyond["contents"]) == (True, True, [])


def test_small_pages_say_the_same_as_large_ones(service: Offers, known: dict[str, str]) -> None:
    mine = {"organization_id": known["provider"]}
    assert ids(service, "services", per_page=2, **mine) == ids(service, "services", **mine)
    assert ids(service, "services", **mine) == [known["near"], known["far"], known["nowhere"]]
    assert ids(service, "taxonomy_terms", per_page=3) == ids(service, "taxonomy_terms")


def test_a_service_says_everything(service: Offers, known: dict[str, str]) -> None:
    said = service.http.get(f"/hsds/services/{known['near']}").json()
    assert said["organization"]["id"] == known["provider"]
    assert (said["minimum_age"], said["maximum_age"]) == (6.0, 12.0)
    assert said["capacities"][0]["available"] == 3
    assert said["capacities"][0]["maximum"] == 8
    codes = {each["taxonomy_term"]["code"] for each in said["attributes"]}
    assert codes == {"course", "hard", "art", "sport"}
    assert [each.get("byday") for each in said["schedules"]] == ["MO,TU,WE,TH,FR", None, None]
    (there,) = said["service_at_locations"]
    assert there["location"]["addresses"][0]["postal_code"] == "96450"
    (listed,) = (
        each
        for each in page(service, "services", organization_id=known["provider"], full=True)["contents"]
        if each["id"] == known["near"]
    )
    assert listed == said


def test_counted_places_are_its_capacity(service: Offers) -> None:
    offer = service.draft(FULL, publish=True)
    body = {"max": 12, "free": 5, "as_of": "2026-11-01T08:00:00Z"}
    version = service.get(offer).json()["version"]
    answer = service.call("PUT", f"/v1/offers/{offer}/places", body, "editor", version=0)
    assert answer.status_code == 200, (answer.text, version)
    (capacity,) = service.http.get(f"/hsds/services/{offer}").json()["capacities"]
    assert (capacity["available"], capacity["maximum"]) == (5, 12)
    assert capacity["updated"] == "2026-11-01T08:00:00Z"


def test_terms_and_taxonomies_filter(service: Offers, known: dict[str, str]) -> None:
    mine = {"organization_id": known["provider"]}
    art, hard, board = term(service, "art"), term(service, "hard"), term(service, "course")
    assert ids(service, "services", taxonomy_term_id=art["id"], **mine) == [known["near"]]
    assert ids(service, "services", taxonomy_term_id=hard["id"], **mine) == [known["near"]]
    assert len(ids(service, "services", taxonomy_term_id=board["id"], **mine)) == 3
    assert ids(service, "services", taxonomy_id=art["taxonomy_id"], **mine) == [known["near"]]
    assert known["provider"] in ids(service, "organizations", taxonomy_term_id=art["id"])
    unknown = "00000000-0000-0000-0000-000000000000"
    assert ids(service, "services", taxonomy_term_id=unknown) == []
    assert ids(service, "organizations", taxonomy_id=unknown) == []
    of_field = page(service, "taxonomy_terms", taxonomy_id=art["taxonomy_id"])["contents"]
    assert {each["code"] for each in of_field} == {"art", "sport"}
    assert page(service, "taxonomy_terms", parent_id=unknown)["empty"]


def test_words_and_days_filter(service: Offers, known: dict[str, str]) -> None:
    mine = {"organization_id": known["provider"]}
    assert ids(service, "services", search="ätzkurs".capitalize(), **mine) == [known["far"]]
    assert ids(service, "services", search="pottery", **mine) == [known["near"]]
    assert ids(service, "services", search="100%", **mine) == []
    assert ids(service, "organizations", search="Verzeichnis e.") == [known["provider"]]
    changed = page(service, "services", minimal=True, **mine)["contents"]
    assert [error for each in changed for error in complaints("service_minimal", each)] == []
    last = max(each["modified_date"] for each in changed)
    assert known["nowhere"] in ids(service, "services", modified_after=last)
    assert known["near"] not in ids(service, "services", modified_after=last)


def test_places_are_found_by_postcode_and_around_it(service: Offers, known: dict[str, str]) -> None:
    mine = {"organization_id": known["provider"]}
    path = "service_at_locations"
    assert ids(service, path, **mine) == [known["near"], known["far"]]
    assert ids(service, path, postcode="96472", **mine) == [known["far"]]
    assert ids(service, path, postcode="96472", proximity=5_000, **mine) == [known["far"]]
    assert ids(service, path, postcode="96472", proximity=20_000, **mine) == [known["near"], known["far"]]
    assert ids(service, path, postcode="00000", proximity=20_000) == []
    problem(service.http.get(f"/hsds/service_at_locations/{known['nowhere']}"), 404)
    full = page(service, path, full=True, **mine)["contents"]
    assert [error for each in full for error in complaints("service_at_location", each)] == []


def test_an_organization_names_its_services(service: Offers, known: dict[str, str]) -> None:
    said = service.http.get(f"/hsds/organizations/{known['provider']}").json()
    assert [each["id"] for each in said["services"]] == [known["near"], known["far"], known["nowhere"]]
    assert set(said["services"][0]) == {"id", "name", "status"}
    full = service.http.get(f"/hsds/organizations/{known['provider']}?full_service=true").json()
    assert complaints("organization", full) == []
    assert full["services"][0]["attributes"]
    for wished, expected in (({"full": True}, said), ({"full_service": True}, full)):
        (listed,) = page(service, "organizations", search="Verzeichnis e.", **wished)["contents"]
        assert listed == expected


def test_lines_hold_everything_without_pages(service: Offers, known: dict[str, str]) -> None:
    for path, (kind, _) in LISTS.items():
        answer = service.http.get(f"/hsds/{path}?format=ndjson&per_page=1")
        assert answer.headers["Content-Type"] == "application/x-ndjson"
        found = [json.loads(line) for line in answer.text.splitlines()]
        assert [each["id"] for each in found] == ids(service, path)
        assert [error for each in found[:20] for error in complaints(kind, each)] == []


def test_all_services_in_short_are_one_page(service: Offers, known: dict[str, str]) -> None:
    for number in range(51 - page(service, "services")["total_items"]):
        service.draft(COURSE | {"title": {"de": f"Nr. {number}"}}, known["provider"], publish=True)
    assert page(service, "services")["size"] == 50
    assert page(service, "services", minimal=True)["total_pages"] == 1
    assert page(service, "services", minimal=True, per_page=10)["size"] == 10


def test_drafts_are_no_services(service: Offers, known: dict[str, str]) -> None:
    problem(service.call("GET", f"/hsds/services/{known['draft']}", None, "editor"), 404)
    assert known["draft"] not in ids(service, "services")


def test_what_is_no_parameter_value_is_refused(service: Offers) -> None:
    for query in (
        "page=0",
        "per_page=0",
        "format=xml",
        "modified_after=yesterday",
        "proximity=-1&postcode=1",
        "proximity=500",
    ):
        path = "service_at_locations" if "proximity" in query else "services"
        problem(service.http.get(f"/hsds/{path}?{query}"), 422)
    problem(service.http.get("/hsds/taxonomies/00000000-0000-0000-0000-000000000000"), 404)
    problem(service.http.get("/hsds/services/not-an-id"), 422)
