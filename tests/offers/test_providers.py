"""Providers: joined, changed, renamed with all their offers, and gone only when nothing of theirs is public."""

from concurrent.futures import ThreadPoolExecutor

import httpx2

from tests.offers.conftest import COURSE, Offers
from tests.service import problem


def test_a_providers_life(service: Offers) -> None:
    body = {
        "title": {"de": "Verein", "en": "Club"},
        "kind": "e. V.",
        "url": "https://verein.example",
        "place": {"lat": 50.25, "lon": 10.96, "postcode": "96450"},
    }
    made = service.call("POST", "/v1/providers", body, "editor")
    assert made.status_code == 201
    provider, path = made.json()["id"], made.headers["Location"]
    assert service.http.get(path).json()["title"] == body["title"]
    changed = service.call("PUT", path, body | {"kind": "gGmbH"}, "editor", version=1)
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    again = service.call("PUT", path, body | {"kind": "gGmbH"}, "editor", version=2)
    assert again.headers["ETag"] == '"2"', "the same content is no change"
    problem(service.call("PUT", path, body, "editor", version=1), 412)
    assert service.call("DELETE", path, None, "editor", version=2).status_code == 204
    problem(service.http.get(path), 404)
    problem(service.call("PUT", path, body, "editor", version=3), 404)
    assert service.told(provider) == [("published", 1), ("changed", 2), ("withdrawn", 3)]
    assert service.facts(provider)[-1]["data"]["card"]["listed"] is False


def test_a_new_name_reaches_the_public_offers(service: Offers) -> None:
    provider = service.provider("Alt")
    public = service.draft(provider=provider, publish=True)
    hidden = service.draft(provider=provider)
    path = f"/v1/providers/{provider}"
    service.call("PUT", path, {"title": {"de": "Neu"}}, "editor", version=1)
    assert service.told(public) == [("published", 1), ("changed", 2)]
    assert "Neu" in service.facts(public)[-1]["data"]["card"]["keywords"]
    assert service.told(hidden) == []
    service.call("PUT", path, {"title": {"de": "Neu"}, "kind": "GmbH"}, "editor", version=2)
    assert len(service.told(public)) == 2, "only the name is part of the offers"


def test_a_provider_with_public_offers_stays(service: Offers) -> None:
    provider = service.provider()
    offer = service.draft(provider=provider, publish=True)
    problem(service.call("DELETE", f"/v1/providers/{provider}", None, "editor", version=1), 409)
    service.move(offer, "withdraw", 1, "editor")
    assert service.call("DELETE", f"/v1/providers/{provider}", None, "editor", version=1).status_code == 204
    problem(service.move(offer, "publish", 2, "editor"), 422)
    body = {"board": "course", "provider_id": provider, "content": COURSE}
    assert (
        problem(service.call("POST", "/v1/offers", body, "editor"), 422)["errors"][0]["field"]
        == "provider_id"
    )


def test_what_does_not_fit_is_named(service: Offers) -> None:
    for body, field in (
        ({"title": {}}, "title"),
        ({"title": {"de": " "}}, "title"),
        ({"title": {"german": "x"}}, "title"),
        ({"title": {"de": "x"}, "url": "mailto:a@b.example"}, "url"),
        ({"title": {"de": "x"}, "place": {"lat": 91}}, "place.lat"),
        ({"title": {"de": "x"}, "mail": "a@b.example"}, "mail"),
    ):
        told = problem(service.call("POST", "/v1/providers", body, "editor"), 422)
        assert told["errors"][0]["field"].startswith(field), body


def test_providers_in_pages(service: Offers) -> None:
    mine = [service.provider(f"Seite {number}") for number in range(5)]
    found, after = [mine[0]], mine[0]
    while True:
        page = service.http.get("/v1/providers", params={"limit": 2, "after": after}).json()
        found += [item["id"] for item in page["items"]]
        if not (after := page["next"]):
            break
    assert found == mine


def test_a_hundred_writers_at_once_wait_their_turn(service: Offers) -> None:
    """Those who wait hold neither thread nor connection, or those who have one could not go on."""
    headers, url = service.stack.headers("editor"), service.stack.url("offers")

    def join(number: int) -> int:
        body = {"title": {"de": f"Andrang {number}"}}
        return client.post("/v1/providers", json=body).status_code

    with (
        httpx2.Client(base_url=url, headers=headers, timeout=25, limits=httpx2.Limits()) as client,
        ThreadPoolExecutor(100) as pool,
    ):
        assert set(pool.map(join, range(100))) == {201}
