"""An offer's life through HTTP, and the facts it leaves: versions only grow, and its end is a tombstone."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from libs.contracts import card as cards
from services.offers.offers.commands import expire_due
from services.offers.offers.domain import FOLLOWS, OfferContent, OfferStatus, is_over, may_become, price_of
from tests.offers.conftest import COURSE, Offers
from tests.service import problem

FULL: dict[str, Any] = {
    "title": {"de": "Töpfern", "en": "Pottery"},
    "summary": {"de": "Am Markt"},
    "text": {"de": "Mit Ton.\nOhne Eile."},
    "tags": ["Ton"],
    "fields_of_action": ["culture"],
    "place": {"lat": 50.2587, "lon": 10.9644, "street": "Markt 1", "accessibility": ["step-free"]},
    "period": {"start": "2026-01-01", "end": "2099-12-31"},
    "dates": ["2027-05-01T10:00:00Z", "2027-04-01T12:00:00+02:00"],
    "age": {"from_months": 72, "to_months": 144},
    "price_cents": 1250,
    "price_per": "group",
    "free_places": 3,
    "url": "https://toepfern.example/kurs",
    "image": {"url": "https://toepfern.example/bild.jpg", "alt": {"de": "Hände im Ton"}},
    "fields": {"level": "hard", "topics": ["art"], "size": 8, "online": False, "open": "Mo-Fr 09:00-17:00"},
}


def test_the_whole_life_of_an_offer(service: Offers) -> None:
    provider = service.provider("Töpferei")
    offer = service.draft(FULL, provider)
    assert service.told(offer) == [], "a draft is nobody's business"
    step = service.move(offer, "submit", 1, "provider", providers=(provider,))
    assert (step.json()["status"], step.headers["ETag"]) == ("submitted", '"2"')
    assert service.move(offer, "publish", 2, "editor").json()["status"] == "published"
    assert service.get(offer).json()["content"]["title"] == FULL["title"]
    changed = service.call("PUT", f"/v1/offers/{offer}", FULL | {"free_places": 0}, "editor", version=3)
    assert changed.headers["ETag"] == '"4"'
    body = {"reason": "Der Ofen ist kaputt."}
    assert service.move(offer, "withdraw", 4, "editor", body=body).json()["status"] == "withdrawn"
    problem(service.get(offer), 404)
    assert service.move(offer, "publish", 5, "editor").json()["version"] == 6
    assert service.told(offer) == [("published", 3), ("changed", 4), ("withdrawn", 5), ("published", 6)]
    published, _, withdrawn, _ = service.facts(offer)
    assert withdrawn["data"]["reason"] == body["reason"]
    assert withdrawn["data"]["card"]["listed"] is False
    assert (published["data"]["provider_id"], published["data"]["price_per"]) == (provider, "group")
    assert published["data"]["card"]["provider"] == {"id": provider, "title": {"de": "Töpferei"}}
    check_card(cards.Card.model_validate(published["data"]["card"], strict=False))


def test_what_is_too_long_for_an_event_is_refused_with_the_field(service: Offers) -> None:
    """Every text is within its own limit; together they are more than fits on the bus."""
    texts = dict.fromkeys(
        ["de", "en", "fr", "es", "it", "pl", "cs", "nl", "da", "sv", "uk", "tr"], "😀" * 11000
    )
    offer = service.draft(FULL | {"text": texts})
    told = problem(service.move(offer, "publish", 1, "editor"), 422)
    assert [error["field"] for error in told["errors"]] == ["text"]
    assert (service.get(offer, "editor").json()["status"], service.told(offer)) == ("draft", [])


def check_card(card: cards.Card) -> None:
    assert card.kind == "offer"
    assert card.facets == {"level": ["hard"], "topics": ["art"], "online": ["false"]}
    assert card.numbers == {"size": 8}
    assert {"schwer", "hard", "Kunst", "Töpferei"} <= set(card.keywords)
    assert card.dates == sorted(card.dates)
    assert (card.price_cents, card.free_places) == (1250, 3)
    assert card.hours == "Mo-Fr 09:00-17:00"
    assert card.published_at is not None
    assert card.place is not None
    assert card.place.street == "Markt 1"


def test_a_price_is_for_each_person_unless_it_is_for_the_group() -> None:
    for said, total in (
        ({}, 0),
        ({"price_cents": 500}, 12_500),
        ({"price_cents": 500, "price_per": "group"}, 500),
    ):
        assert price_of(OfferContent.model_validate({"title": {"de": "Theater"}, **said}), 25) == total


def test_the_same_content_is_no_change(service: Offers) -> None:
    offer = service.draft(FULL, publish=True)
    same = service.call("PUT", f"/v1/offers/{offer}", FULL, "editor", version=1)
    assert same.headers["ETag"] == '"1"'
    assert service.told(offer) == [("published", 1)]


@pytest.mark.parametrize(
    ("status", "steps"),
    [("draft", []), ("submitted", ["submit"]), ("published", ["publish"]), ("withdrawn", ["withdraw"])],
)
def test_only_steps_that_follow_are_taken(service: Offers, status: str, steps: list[str]) -> None:
    for step, following in (("submit", "submitted"), ("publish", "published"), ("withdraw", "withdrawn")):
        offer = service.draft()
        for before in steps:
            service.move(offer, before, 1, "editor")
        answer = service.move(offer, step, 1 + len(steps), "editor")
        if may_become(OfferStatus(status), OfferStatus(following)):
            assert answer.json()["status"] == following
        else:
            problem(answer, 409)


def test_every_state_can_be_left_and_reached() -> None:
    assert {before for befores in FOLLOWS.values() for before in befores} == set(OfferStatus)
    assert set(FOLLOWS) | {OfferStatus.DRAFT} == set(OfferStatus)


def test_an_unfinished_offer_stays_a_draft(service: Offers) -> None:
    offer = service.draft({"title": {"de": "Noch offen"}})
    for step in ("submit", "publish"):
        told = problem(service.move(offer, step, 1, "editor"), 422)
        assert told["errors"] == [{"field": "fields.level", "reason": "required on this board"}]
    assert service.get(offer, "editor").json()["version"] == 1
    assert service.told(offer) == []


def test_what_is_over_is_not_published(service: Offers) -> None:
    offer = service.draft(COURSE | {"period": {"end": "2020-01-01"}})
    assert problem(service.move(offer, "publish", 1, "editor"), 422)["errors"][0]["field"] == "period.end"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": {}}, "content.title"),
        ({"title": {"de": "a\u0000b"}}, "content.title.de"),
        ({"price_cents": -1}, "content.price_cents"),
        ({"price_cents": "12"}, "content.price_cents"),
        ({"price_per": "class"}, "content.price_per"),
        ({"age": {"from_months": 10, "to_months": 5}}, "content.age"),
        ({"period": {"start": "2026-02-01", "end": "2026-01-01"}}, "content.period"),
        ({"period": {"end": 20260101}}, "content.period.end"),
        ({"period": {"end": "1.1.2026"}}, "content.period.end"),
        ({"period": {"end": "2026-01-01T00:00:00Z"}}, "content.period.end"),
        ({"dates": ["2026-01-01T10:00:00"]}, "content.dates.0"),
        ({"image": {"url": "https://a.example/b.png", "alt": {}}}, "content.image.alt"),
        ({"url": "javascript:alert(1)"}, "content.url"),
        ({"fields": {"colour": "red"}}, "fields.colour"),
        ({"fields": {"level": "medium"}}, "fields.level"),
        ({"fields": {"note": "a\u0000b"}}, "fields.note"),
        ({"fields": {"note": "\ud800"}}, "fields.note"),
        ({"place": {"accessibility": ["lift", "elevator"]}}, "place.accessibility"),
        ({"contact": "a@b.example"}, "content.contact"),
    ],
)
def test_what_does_not_fit_is_named(service: Offers, change: dict[str, Any], field: str) -> None:
    body = json.dumps({"board": "course", "content": COURSE | change})
    headers = {"Content-Type": "application/json"}
    told = problem(service.call("POST", "/v1/offers", None, "editor", content=body, headers=headers), 422)
    assert field in {error["field"] for error in told["errors"]}


def test_words_that_the_town_does_not_know_are_refused_wherever_a_place_is_said(service: Offers) -> None:
    place = {"place": {"street": "Markt 1", "accessibility": ["lift", "elevator"]}}
    provider, offer = service.provider(), service.draft(publish=True)
    details, content = {"title": {"de": "Verein"}} | place, COURSE | place
    for method, path, body in (
        ("PUT", f"/v1/offers/{offer}", content),
        ("POST", f"/v1/offers/{offer}/proposals", {"content": content}),
        ("POST", "/v1/providers", details),
        ("PUT", f"/v1/providers/{provider}", details),
        ("POST", f"/v1/providers/{provider}/proposals", {"content": details}),
    ):
        (error,) = problem(service.call(method, path, body, "editor", version=1), 422)["errors"]
        assert error["field"] == "place.accessibility"
        assert error["reason"].startswith("elevator is none of wheelchair, step-free, lift")
    assert service.get(offer).json()["version"] == 1


def test_who_sees_an_offer_that_is_not_public(service: Offers) -> None:
    mine, other = service.provider("Mein"), service.provider("Anderer")
    offer = service.draft(provider=mine)
    for roles, acts_for, sees in (
        ((), (), False),
        (("merchant",), (), False),
        (("provider",), (other,), False),
        (("provider",), (mine,), True),
        (("editor",), (), True),
        (("operator",), (), True),
    ):
        answer = service.get(offer, *roles, providers=acts_for)
        assert answer.status_code == (200 if sees else 404), roles
        listed = service.call(
            "GET", f"/v1/offers?provider_id={mine}&status=draft", None, *roles, providers=acts_for
        )
        assert [item["id"] for item in listed.json()["items"]] == ([offer] if sees else []), roles


def test_a_provider_acts_for_itself_alone(service: Offers) -> None:
    mine, other = service.provider("Mein"), service.provider("Anderer")
    body = {"board": "course", "provider_id": mine, "content": COURSE}
    problem(service.call("POST", "/v1/offers", body, "provider", providers=(other,)), 403)
    problem(
        service.call("POST", "/v1/offers", body | {"provider_id": None}, "provider", providers=(mine,)), 403
    )
    problem(service.call("POST", "/v1/offers", body | {"publish": True}, "provider", providers=(mine,)), 403)
    offer = service.call("POST", "/v1/offers", body, "provider", providers=(mine,)).json()["id"]
    problem(service.move(offer, "submit", 1, "provider", providers=(other,)), 403)
    problem(service.move(offer, "publish", 1, "provider", providers=(mine,)), 403)
    service.move(offer, "publish", 1, "editor")
    put = service.call("PUT", f"/v1/offers/{offer}", COURSE, "provider", providers=(mine,), version=2)
    problem(put, 403)
    assert service.move(offer, "withdraw", 2, "provider", providers=(mine,)).status_code == 200


def test_versions_and_conditions(service: Offers) -> None:
    offer = service.draft(publish=True)
    seen = service.get(offer)
    assert seen.headers["ETag"] == '"1"'
    unchanged = service.call("GET", f"/v1/offers/{offer}", headers={"If-None-Match": '"1"'})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    problem(service.call("PUT", f"/v1/offers/{offer}", COURSE, "editor"), 428)
    problem(service.move(offer, "withdraw", 7, "editor"), 412)


def test_of_changes_at_once_one_wins(service: Offers) -> None:
    offer = service.draft(publish=True)

    def change(places: int) -> int:
        body = COURSE | {"free_places": places}
        return service.call("PUT", f"/v1/offers/{offer}", body, "editor", version=1).status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(change, range(6)))
    assert statuses == [200, 412, 412, 412, 412, 412]
    assert service.told(offer) == [("published", 1), ("changed", 2)]


def test_of_equal_requests_at_once_with_one_key_one_counts(service: Offers) -> None:
    provider = service.provider("Einmal")
    body = {"board": "course", "provider_id": provider, "content": COURSE, "publish": True}

    def create(_: int) -> Any:
        return service.call("POST", "/v1/offers", body, "editor", headers={"Idempotency-Key": provider})

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(create, range(6)))
    assert {answer.status_code for answer in answers} == {201}
    (offer,) = {answer.json()["id"] for answer in answers}
    listed = service.http.get("/v1/offers", params={"provider_id": provider}).json()["items"]
    assert [item["id"] for item in listed] == [offer]
    assert service.told(offer) == [("published", 1)]


def test_an_offer_ends_the_day_after_its_period(service: Offers) -> None:
    last = date(2090, 6, 30)
    offer = service.draft(COURSE | {"period": {"end": last.isoformat()}}, publish=True)
    later = service.draft(COURSE | {"period": {"end": (last + timedelta(days=1)).isoformat()}}, publish=True)

    def end(today: date) -> int:
        with service.db.transaction() as session:
            return expire_due(session, today)

    assert end(last) == 0
    assert end(last + timedelta(days=1)) == 1
    assert end(last + timedelta(days=1)) == 0
    assert service.told(offer) == [("published", 1), ("expired", 2)]
    assert service.facts(offer)[-1]["data"]["card"]["listed"] is False
    problem(service.get(offer), 404)
    assert service.get(later).status_code == 200
    problem(service.move(offer, "withdraw", 2, "editor"), 409)
    longer = COURSE | {"period": {"end": "2095-01-01"}}
    assert service.call("PUT", f"/v1/offers/{offer}", longer, "editor", version=2).status_code == 200
    assert service.move(offer, "publish", 3, "editor").status_code == 200
    assert service.told(offer)[-1] == ("published", 4)


def test_the_last_day_still_counts() -> None:
    content = OfferContent.model_validate_json('{"title": {"de": "x"}, "period": {"end": "2026-05-01"}}')
    assert not is_over(content, date(2026, 5, 1))
    assert is_over(content, date(2026, 5, 2))
    assert not is_over(content.model_copy(update={"period": None}), date(2026, 5, 2))


def test_offers_are_found_by_board_and_in_pages(service: Offers) -> None:
    provider = service.provider("Seiten")
    mine = [service.draft(provider=provider, publish=True) for _ in range(5)]
    found, after = list[str](), ""
    while True:
        query: dict[str, Any] = {"limit": 2, "after": after, "provider_id": provider, "board": "course"}
        page = service.http.get("/v1/offers", params=query).json()
        found += [item["id"] for item in page["items"]]
        if not (after := page["next"]):
            break
    assert found == mine
    elsewhere = service.http.get("/v1/offers", params={"provider_id": provider, "board": "kita"})
    assert elsewhere.json()["items"] == []
