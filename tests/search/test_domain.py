import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.cardquery.document import FIRST_DAY, LAST_DAY
from libs.contracts.event import Envelope, Fact
from libs.servicekit.delivery import InvalidEvent
from libs.town.calendar import read
from services.search.domain import Change, change, newest
from services.search.marking import BEGIN, END
from services.search.queries import in_language, item, window
from tests.search.conftest import event

COBURG = read(Path("city"))


def document(**card: Any) -> dict[str, Any]:
    found = change(event("thing", 3, **card), COBURG)
    assert found
    made: dict[str, Any] = json.loads(found.document)
    return made


def test_a_document_is_the_card_with_its_identity() -> None:
    made = document(summary={"en": "x"}, boost=2.0, price_cents=100)

    assert (made["key"], made["id"], made["version"]) == ("offers-offer-thing", "thing", 3)
    assert (made["title"], made["summary"], made["boost"], made["listed"]) == (
        {"de": "thing v3"},
        {"en": "x"},
        2.0,
        True,
    )


def test_suggested_are_tags_facet_values_and_the_district_once_each() -> None:
    made = document(tags=["Grün"], facets={"art": ["krippe", "Grün"]}, place={"district": "Neuses"})

    assert made["suggested"] == ["grun¦Grün", "krippe¦krippe", "neuses¦Neuses"]
    assert made["folded"]["words"] == ["grun", "krippe", "neuses"]


def test_texts_are_folded_beside_those_that_are_shown() -> None:
    made = document(title={"de": "Großes Fußballfest", "en": "Fête"}, place={"street": "Mühlenstr. 3"})

    assert made["title"]["de"] == "Großes Fußballfest"
    assert made["folded"]["title"] == {"de": "grosses fussballfest", "en": "fete"}
    assert made["folded"]["place"] == ["muhlenstrasse 3"]
    assert {"fussball", "ballfest", "fest", "muhlen", "strasse"} <= set(made["folded"]["inner"])


def test_a_place_without_both_coordinates_has_no_point() -> None:
    assert "_geo" not in document(place={"lat": 50.0})
    assert document(place={"lat": 50.0, "lon": 10.0})["_geo"] == {"lat": 50.0, "lng": 10.0}


def test_open_ends_of_a_period_reach_as_far_as_days_do() -> None:
    made = document(period={"start": date(2026, 9, 1)})

    assert (made["starts"], made["ends"]) == (date(2026, 9, 1).toordinal(), LAST_DAY)
    assert document()["starts"] == FIRST_DAY


def test_dates_are_days_of_the_town_and_outweigh_the_period() -> None:
    late = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)  # past midnight in Berlin
    made = document(dates=[late], period={"start": date(2026, 1, 1)})

    assert made["days"] == [date(2026, 7, 1).toordinal()]
    assert "starts" not in made


def test_what_lasts_from_monday_to_friday_is_there_on_wednesday() -> None:
    monday = datetime(2027, 8, 2, 6, tzinfo=UTC)
    friday = datetime(2027, 8, 6, 22, tzinfo=UTC)  # midnight in Coburg: Saturday has no part in it
    made = document(dates=[monday], spans=[{"start": monday, "end": friday}])

    assert made["days"] == [date(2027, 8, day).toordinal() for day in range(2, 7)]
    assert made["weekdays"] == ["mo", "tu", "we", "th", "fr"]


def test_a_tombstone_keeps_nothing_but_its_version() -> None:
    assert document(listed=False) == {
        "key": "offers-offer-thing",
        "id": "thing",
        "version": 3,
        "kind": "offer",
        "listed": False,
    }


def test_a_fact_without_a_card_changes_nothing() -> None:
    bare = event("thing").model_copy(update={"data": Fact()})

    assert change(bare, COBURG) is None


def test_a_type_that_is_no_event_name_is_malformed() -> None:
    strange: Envelope[Any] = event("thing").model_copy(update={"type": "nonsense"})

    with pytest.raises(InvalidEvent, match="nonsense"):
        change(strange, COBURG)


def test_of_several_changes_of_a_thing_the_newest_counts() -> None:
    changes = [Change("a", 2, b"2"), Change("b", 1, b""), Change("a", 3, b"3"), Change("a", 1, b"1")]

    assert {(one.key, one.version) for one in newest(changes)} == {("a", 3), ("b", 1)}


@given(st.integers(0, 10_000), st.integers(1, 100))
def test_a_window_holds_the_whole_slice(offset: int, limit: int) -> None:
    page, size, skip = window(offset, limit)

    assert (page - 1) * size + skip == offset
    assert skip + limit <= size


@pytest.mark.parametrize(("lang", "shown"), [("de", "D"), ("en", "E"), ("de-simple", "D"), ("tr", "D")])
def test_a_missing_language_falls_back(lang: str, shown: str) -> None:
    assert in_language({"en": "E", "de": "D"}, lang) == shown
    assert in_language({"uk": "U"}, lang) == "U"
    assert in_language({}, lang) is None


def test_highlights_are_html_with_nothing_but_marks() -> None:
    # Meilisearch marks the parts of a compound one by one.
    parts = f"{BEGIN}Kita{END}{BEGIN}platz{END}"
    text = f"<b>{parts}</b> & co"
    hit = {"id": "1", "kind": "offer", "title": {"de": "<b>Kita"}, "_formatted": {"title": {"de": text}}}

    assert item(hit, "de")["highlight"]["title"] == "&lt;b&gt;<mark>Kitaplatz</mark>&lt;/b&gt; &amp; co"
    assert item(hit, "de")["title"] == "<b>Kita"
