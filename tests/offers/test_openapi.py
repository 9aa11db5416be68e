"""The offers service answers as its API document says, whatever it is asked."""

from datetime import UTC, datetime, timedelta

from tests.conformance import complaints
from tests.offers.conftest import Offers


def test_answers_are_as_documented(lone: Offers) -> None:
    provider = lone.provider()
    offer = lone.draft(provider=provider, publish=True)
    order = lone.imported(b"key,title.de,fields.level\na,A,easy\nb,B,none\n", source="documented")
    lone.call("PUT", "/v1/boards/course/budgets/2026-27", {"amount_cents": 100_000}, "editor", version=0)
    start = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(days=9)
    times = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}
    series = times | {"repeat": {"rule": "FREQ=DAILY;COUNT=2"}}
    dates = lone.call("POST", f"/v1/offers/{offer}/sessions", series, "editor").json()
    known = {
        "provider_id": provider,
        "offer_id": offer,
        "import_id": order["id"],
        "session_id": dates["items"][0]["id"],
        "series_id": dates["series_id"],
        "slug": "course",
        "period": "2026-27",
        "name": "offers.offer.published.v1",
    }
    assert not complaints(lone.stack.url("offers"), lone.stack.headers("editor"), **known)
