"""What can still be booked, and what lasts for days, as search tells it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.search.conftest import Running, event


def test_free_are_places_that_can_still_be_booked(search: Running) -> None:
    monday = datetime(2027, 8, 2, 6, tzinfo=UTC)
    week: dict[str, Any] = {
        "dates": [monday],
        "spans": [{"start": monday, "end": monday + timedelta(days=4, hours=8)}],
    }
    places: dict[str, Any] = {"free_places": 2, "bookable": True}
    late, soon = datetime.now(UTC) - timedelta(minutes=1), datetime.now(UTC) + timedelta(days=1)
    closed = event("zu", **week, **places, bookable_until=late)
    search.publish(closed, event("auf", **week, **places, bookable_until=soon))
    search.settled()
    assert set(search.ids(since="2027-08-04", to="2027-08-04")) == {"auf", "zu"}
    assert search.ids(since="2027-08-07") == []
    (item,) = search.search(free="true")["items"]
    assert (item["id"], item["bookable"], item["spans"][0]["end"]) == ("auf", True, "2027-08-06T14:00:00Z")
