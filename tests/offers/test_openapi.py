"""The offers service answers as its API document says, whatever it is asked."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from schemathesis import GenerationMode

from tests.conformance.documented import complaints, in_each_mode
from tests.offers.conftest import Offers
from tests.offers.holidays import Holidays


def derived(lone: Offers) -> str:
    """An improvement that waits for the board documented."""
    names = ("documented-parent", "documented")
    for slug, parent in zip(names, ("course", names[0]), strict=True):
        body = {"slug": slug, "title": {"de": slug}}
        assert lone.call("POST", f"/v1/boards/{parent}/derive", body, "editor").status_code == 201
    said = lone.http.get(f"/v1/boards/{names[0]}").json()
    version = said.pop("version"), said.pop("origin")
    said["texts"] = {"intro": {"de": "Willkommen"}}
    lone.call("PUT", f"/v1/boards/{names[0]}", said, "editor", version=version[0])
    return str(lone.http.get(f"/v1/boards/{names[1]}/improvements").json()["items"][0]["id"])


@pytest.fixture(scope="module")
def there(lone: Offers) -> tuple[dict[str, str], dict[str, str]]:
    """One of everything that a path may name, and the header that opens its wish list."""
    provider = lone.provider()
    offer = lone.draft(provider=provider, publish=True)
    board = derived(lone)
    order = lone.imported(b"key,title.de,fields.level\na,A,easy\nb,B,none\n", source="documented")
    lone.call("PUT", "/v1/boards/documented/budgets/2026-27", {"amount_cents": 100_000}, "editor", version=0)
    start = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(days=9)
    times = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}
    series = times | {"repeat": {"rule": "FREQ=DAILY;COUNT=2"}}
    dates = lone.call("POST", f"/v1/offers/{offer}/sessions", series, "editor").json()
    holidays = Holidays(lone)
    family = holidays.family(holidays.child("A", "w1 lake"))
    asked: dict[str, Any] = {"offer_id": offer, "recipient_id": "r", "form": {"age": 9}}
    asked["session_ids"] = [dates["items"][0]["id"]]
    booking = lone.call("POST", "/v1/bookings", asked).json()["booking"]
    content = {"title": {"de": "Neu"}, "fields": {"level": "easy"}}
    version = int(lone.get(offer).json()["version"])
    change = lone.call(
        "POST", f"/v1/offers/{offer}/proposals", {"content": content}, "editor", version=version
    )
    question = {"recipient_id": "one", "text": "Hallo"}
    talk = lone.call("POST", f"/v1/offers/{offer}/contact", question)
    things = {
        "booking_id": booking["id"],
        "provider_id": provider,
        "offer_id": offer,
        "import_id": order["id"],
        "session_id": dates["items"][0]["id"],
        "series_id": dates["series_id"],
        "slug": "documented",
        "field": "level",
        "improvement_id": board,
        "period_id": holidays.period["id"],
        "wishlist_id": family["id"],
        "child_id": family["children"][0]["id"],
        "proposal_id": change.json()["id"],
        "conversation_id": talk.json()["id"],
        "recipient_id": "one",
        "period": "2026-27",
        "name": "offers.offer.published.v1",
    }
    return things, {"Link-Token": family["token"]}


@in_each_mode
def test_answers_are_as_documented(
    lone: Offers, there: tuple[dict[str, str], dict[str, str]], mode: GenerationMode
) -> None:
    known, link = there
    assert not complaints(lone.stack.url("offers"), lone.stack.headers("editor") | link, mode, **known)


def test_the_document_names_things_by_their_own_names_alone(lone: Offers) -> None:
    """Two classes of one name would be told apart by where they stand in our code, which is nobody's business."""
    schemas = lone.http.get("/openapi.json").json()["components"]["schemas"]
    assert not [name for name in schemas if "__" in name]
