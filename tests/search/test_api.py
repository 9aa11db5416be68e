"""Questions and answers over HTTP, on a real index."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.search.views import Found, Suggestions
from tests.search.conftest import Running, event

MARKET, CASTLE = (50.2587, 10.9644), (50.2640, 10.9820)  # about 1.4 km apart

ODD = ['say "hi"', "it's", "Umwelt\\Natur", "ends so\\", 'both\\"', "'\\\\'"]
THINGS: dict[str, dict[str, Any]] = {
    "sonne": {
        "title": {"de": "Kita Sonnenschein", "en": "Sunshine nursery", "de-simple": "Kita Sonne"},
        "summary": {"de": "Ein Haus für <b>alle</b> Kinder & Eltern"},
        "text": {"de": "Wort " * 60 + "Abenteuerspielplatz " + "Wort " * 60},
        "facets": {"concept": ["Montessori"], "languages": ["de", "en"]},
        "place": {"lat": MARKET[0], "lon": MARKET[1], "district": "Innenstadt"},
        "tags": ["Garten"],
        "url": "https://example.org/sonne",
        "age": {"from_months": 12, "to_months": 72},
        "provider": {"id": "p1", "title": {"de": "Verein Sonne", "en": "Sun club"}},
        "bookable": True,
        "image": {"url": "https://example.org/i.jpg", "alt": {"en": "A garden"}},
    },
    "mond": {
        "title": {"de": "Kindergarten Mond"},
        "facets": {"concept": ["Waldorf"], "languages": ["de"]},
        "place": {"lat": CASTLE[0], "lon": CASTLE[1], "district": "Neuses"},
        "fields_of_action": ["bildung"],
    },
    "english": {
        "title": {"en": "Chess club"},
        "facets": {"concept": ODD},
        "board": "clubs",
    },
    "sommer": {
        "title": {"de": "Sommerfreizeit"},
        "period": {"start": date(2026, 7, 1), "end": date(2026, 7, 31)},
    },
    "fest": {
        "title": {"de": "Hoffest"},
        "dates": [datetime(2026, 6, 1, 16, tzinfo=UTC), datetime(2026, 8, 1, 16, tzinfo=UTC)],
    },
    "brett": {"kind": "board", "board": None, "title": {"de": "Alle Angebote"}, "boost": 3.0},
    "weg": {"title": {"de": "Kita Vergangenheit"}, "listed": False},
}


@pytest.fixture(scope="module")
def town(shared: Running) -> Running:
    """Search in a town with a few things in it."""
    shared.publish(*(event(thing, **card) for thing, card in THINGS.items()))
    assert shared.settled()["documents"] == len(THINGS) - 1
    return shared


def test_an_item_is_in_the_language_asked_for_with_all_a_front_end_shows(town: Running) -> None:
    (item,) = town.search(q="sonnenschein")["items"]

    assert (item["id"], item["title"], item["url"]) == (
        "sonne",
        "Kita Sonnenschein",
        "https://example.org/sonne",
    )
    assert (item["district"], item["age"]) == ("Innenstadt", {"from_months": 12, "to_months": 72})
    assert item["image"] == {"url": "https://example.org/i.jpg", "alt": "A garden"}
    assert (item["provider"], item["bookable"]) == ({"id": "p1", "title": "Verein Sonne"}, True)
    assert town.search(q="mond")["items"][0]["bookable"] is None
    assert town.search(q="sonnenschein", lang="de-simple")["items"][0]["title"] == "Kita Sonne"
    assert town.search(q="sunshine", lang="en")["items"][0]["title"] == "Sunshine nursery"


def test_answers_are_as_the_openapi_document_says(town: Running) -> None:
    Found.model_validate_json(town.client.get("/v1/search?facets=*&near=50.26,10.96").content)
    Suggestions.model_validate_json(town.client.get("/v1/suggest?q=ki").content)


@pytest.mark.parametrize("lang", ["de", "de-simple", "en", "uk"])
def test_a_missing_language_hides_nothing(town: Running, lang: str) -> None:
    assert town.search(lang=lang)["total"] == len(THINGS) - 1
    assert town.ids(q="chess", lang=lang) == ["english"]
    assert town.search(q="mond", lang=lang)["items"][0]["title"] == "Kindergarten Mond"


def test_a_typo_a_synonym_and_a_part_of_a_compound_find(town: Running) -> None:
    assert town.ids(q="montesori") == ["sonne"]
    assert set(town.ids(q="Kindertagesstätte")) == {"sonne", "mond"}
    assert town.ids(q="Freizeit") == ["sommer"]
    assert town.ids(q="Spielplatz") == ["sonne"]


def test_all_words_count_and_when_nothing_has_them_all_the_first_does(town: Running) -> None:
    assert town.ids(q="kita montessori innenstadt") == ["sonne"]
    assert set(town.ids(q="kita unauffindbar")) == {"sonne", "mond"}
    assert town.search(q="unauffindbar")["total"] == 0


def test_highlights_mark_matches_and_escape_the_rest(town: Running) -> None:
    highlight = town.search(q="kinder abenteuer")["items"][0]["highlight"]

    assert highlight["summary"] == "Ein Haus für &lt;b&gt;alle&lt;/b&gt; <mark>Kinder</mark> &amp; Eltern"
    assert "<mark>Abenteuer</mark>spielplatz" in highlight["text"]
    assert len(highlight["text"]) < 400


def test_values_of_a_facet_are_alternatives_and_facets_add_up(town: Running) -> None:
    assert town.ids(concept="Montessori") == ["sonne"]
    assert set(town.ids(concept=["montessori", "waldorf"])) == {"sonne", "mond"}
    assert town.ids(concept=["Montessori", "Waldorf"], district="Neuses") == ["mond"]
    assert town.ids(field="bildung") == ["mond"]
    assert town.ids(tag="garten") == ["sonne"]
    assert town.ids(kind="board") == ["brett"]
    assert town.ids(board="clubs") == ["english"]
    assert town.search(nobody_declared_this="x")["total"] == 0


def test_facets_are_counted_by_the_names_they_are_asked_by(town: Running) -> None:
    found = town.search(facets="concept,district,unknown", limit=1)
    assert found["facets"]["concept"]["Montessori"] == 1
    assert found["facets"]["district"] == {"Innenstadt": 1, "Neuses": 1}
    assert found["total"] == len(THINGS) - 1

    assert {"kind", "board", "district", "tag", "field", "concept", "languages"} <= town.search(facets="*")[
        "facets"
    ].keys()


@pytest.mark.parametrize("value", ODD)
def test_a_value_with_quotes_or_backslashes_is_itself(town: Running, value: str) -> None:
    found = town.search(concept=value, facets="concept")
    assert [item["facets"]["concept"] for item in found["items"]] == [ODD]
    assert found["facets"]["concept"] == dict.fromkeys(ODD, 1)


@pytest.mark.parametrize(
    "value", ['x"] OR listed = false OR kind IN ["offer', "x' OR 1=1", 'x\\" OR listed = false OR id = "']
)
def test_a_value_cannot_become_part_of_the_filter(town: Running, value: str) -> None:
    assert town.search(concept=value)["total"] == 0


def test_near_sorts_by_distance_and_radius_limits_it(town: Running) -> None:
    near = f"{CASTLE[0]},{CASTLE[1]}"
    first, second = town.search(near=near)["items"][:2]
    assert (first["id"], first["distance"], second["id"]) == ("mond", 0, "sonne")
    assert 1000 < second["distance"] < 2000

    assert town.ids(near=near, radius=500) == ["mond"]
    assert town.ids(q="kita", near=near) == ["sonne", "mond"]  # the better answer before the nearer one


def test_a_span_of_days_finds_what_is_to_be_had_then(town: Running) -> None:
    always = {"sonne", "mond", "english", "brett"}

    assert set(town.ids(since="2026-07-20", to="2026-07-25")) == always | {"sommer"}
    assert set(town.ids(since="2026-08-01")) == always | {"fest"}
    assert set(town.ids(to="2026-06-01")) == always | {"fest"}
    assert set(town.ids(since="2026-06-02", to="2026-06-30")) == always


def test_priority_lifts_among_equals_and_pages_add_up(town: Running) -> None:
    everything = town.ids(limit=100)
    assert everything[0] == "brett"

    pages = [one for offset in range(0, 9, 2) for one in town.ids(limit=2, offset=offset)]
    assert pages == everything
    assert town.ids(limit=4, offset=1) == everything[1:5]


def test_suggestions_are_distinct_titles_and_words(town: Running) -> None:
    def texts(q: str) -> list[str]:
        return [one["text"] for one in town.client.get("/v1/suggest", params={"q": q}).json()["items"]]

    assert texts("monte") == ["Montessori"]
    assert "Kita Sonnenschein" in texts("sonn")
    assert "Kita Vergangenheit" not in texts("vergang")
    assert texts("") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("offset=10001", "offset"),
        ("lang=turkish", "lang"),
        ("near=91,0", "near"),
        ("near=north", "near"),
        ("radius=5", "radius"),
        ("from=yesterday", "from"),
        ("to=0", "to"),
        ("from=2026-02-02&to=2026-02-01", "to"),
        ("Facet=x", "Facet"),
        ("facets=a,B", "facets"),
        ("concept=%00", "concept"),
        ("q=" + "x" * 201, "q"),
        ("q=%00", "q"),
    ],
)
def test_what_is_wrong_is_named(town: Running, query: str, field: str) -> None:
    answer = town.client.get(f"/v1/search?{query}")

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in {error["field"] for error in answer.json()["errors"]}


def test_status_names_the_index_and_what_it_holds(town: Running) -> None:
    status = town.settled()

    assert status["index"].startswith("cards-")
    assert (status["documents"], status["lag"]) == (len(THINGS) - 1, {"messages": 0, "seconds": 0.0})
    metrics = town.client.get("/metrics").text
    assert "search_lag_messages" in metrics
    assert "search_event_age_seconds_count" in metrics
