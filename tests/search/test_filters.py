"""Filters for citizens: what each keeps and what it leaves out, whatever language a text exists in."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from libs.contracts.card import Card
from libs.contracts.event import Envelope, envelope
from libs.contracts.offers import BoardField, BoardPublished, FieldType, Option
from services.search.views import Filters
from tests.search.conftest import Running, event

HERE = {"lat": 50.2587, "lon": 10.9644}
# One thing that says everything, in a language of its own each; what the others say is what they are called.
RICH: dict[str, Any] = {
    "place": HERE | {"district": "Neuses", "accessibility": ["step-free", "wheelchair", "lift"]},
    "period": {"start": date(2026, 7, 1), "end": date(2026, 7, 31)},
    "hours": "Mo-Fr 08:00-16:00; PH off",
    "age": {"from_months": 72, "to_months": 120},
    "price_cents": 500,
    "free_places": 3,
    "numbers": {"size": 12.0},
    "facets": {"art": ["werken"]},
    "tags": ["Ton"],
    "fields_of_action": ["kultur"],
    "published_at": datetime(2026, 3, 1, tzinfo=UTC),
}
LANGUAGES = {"deutsch": "de", "english": "en", "leicht": "de-simple", "turkce": "tr"}
OTHERS: dict[str, dict[str, Any]] = {
    "stumm": {"title": {"de": "Sagt nichts"}},
    "voll": {"title": {"de": "Voll"}, "free_places": 0, "price_cents": 0, "age": {"to_months": 23}},
    "abend": {
        "title": {"de": "Abends"},
        "dates": [datetime(2026, 6, 9, 17, tzinfo=UTC), datetime(2026, 5, 2, 17, tzinfo=UTC)],
        "price_cents": 900,
        "age": {"from_months": 216},
        "numbers": {"size": 30.0},
        "place": {"lat": 50.3, "lon": 11.0, "accessibility": ["step-free"]},
        "published_at": datetime(2026, 4, 1, tzinfo=UTC),
    },
    "kurs": {"title": {"de": "Kurs"}, "facets": {"weekdays": ["sa", "täglich"]}, "numbers": {"size": 2.5}},
}
EVERY = {**{name: RICH | {"title": {lang: name}} for name, lang in LANGUAGES.items()}, **OTHERS}
FOUR = set(LANGUAGES)


def board() -> Envelope[BoardPublished]:
    """The board's fact as the offers service publishes it."""
    title = {"de": "Kinder", "en": "Children"}
    fields = [
        BoardField(
            name="art",
            type=FieldType.CHOICES,
            label={"de": "Art", "en": "Kind"},
            facet=True,
            options=[Option(value="werken", label={"de": "Werken", "en": "Crafts"})],
        ),
        BoardField(name="size", type=FieldType.INTEGER, label={"de": "Größe"}, facet=True, unit="Kinder"),
        BoardField(name="note", type=FieldType.TEXT, label={"de": "Bemerkung"}),
    ]
    fact = BoardPublished(
        slug="kinder", title=title, fields=fields, card=Card(kind="board", board="kinder", title=title)
    )
    return envelope(
        fact,
        event_id="board-kinder",
        subject="kinder",
        version=1,
        time=datetime.now(UTC),
        prefix="de.coburg",
        schema_base="http://offers/v1/events",
        traceparent=None,
    )


@pytest.fixture(scope="module")
def town(shared: Running) -> Running:
    shared.publish(*(event(thing, **card) for thing, card in EVERY.items()), board())
    assert shared.settled()["documents"] == len(EVERY) + 1
    return shared


KEPT: dict[str, tuple[dict[str, Any], set[str]]] = {
    "free places": ({"free": "true"}, FOUR),
    "free places not asked for": ({"free": "false"}, {*EVERY, "kinder"}),
    "age in years": ({"age": "6"}, {*FOUR, "stumm", "kurs", "kinder"}),
    "age, its last month": ({"age": "10"}, {*FOUR, "stumm", "kurs", "kinder"}),
    "age, one year on": ({"age": "11"}, {"stumm", "kurs", "kinder"}),
    "age in months": ({"age": "23m"}, {"voll", "stumm", "kurs", "kinder"}),
    "age of an adult": ({"age": "40"}, {"abend", "stumm", "kurs", "kinder"}),
    "free of charge": ({"price": 0}, {"voll"}),
    "price at most": ({"price_max": 500}, {*FOUR, "voll"}),
    "price between": ({"price_min": 1, "price_max": 899}, FOUR),
    "period": ({"since": "2026-07-31", "to": "2026-08-05"}, {*FOUR, "stumm", "voll", "kurs", "kinder"}),
    "weekday by hours": ({"weekday": "we"}, FOUR),
    "weekday by date": ({"weekday": "tu"}, {*FOUR, "abend"}),
    "one of two weekdays": ({"weekday": "sa,su"}, {"abend", "kurs"}),
    "open at a moment": ({"open_at": "2026-06-08T07:30:00Z"}, FOUR),
    "open at the town's time": ({"open_at": "2026-06-08T15:45"}, FOUR),
    "closed in the evening": ({"open_at": "2026-06-08T16:00"}, set()),
    "closed on a holiday of the town": ({"open_at": "2026-06-04T10:00"}, set()),
    "accessibility": ({"accessibility": "step-free"}, {*FOUR, "abend"}),
    "all of accessibility": ({"accessibility": "step-free,wheelchair"}, FOUR),
    "a figure at least": ({"size.min": 12}, {*FOUR, "abend"}),
    "a figure between": ({"size.min": "2.5", "size.max": "12.0"}, {*FOUR, "kurs"}),
    "a facet": ({"art": "werken"}, FOUR),
    "a tag": ({"tag": "Ton"}, FOUR),
    "a field of action": ({"field": "kultur"}, FOUR),
    "a district": ({"district": "Neuses"}, FOUR),
    "a distance": ({"near": "50.2587,10.9644", "radius": 500}, FOUR),
    "all together": (
        {"free": "true", "age": "7", "price_max": 500, "weekday": "mo", "size.min": 1, "art": "werken"},
        FOUR,
    ),
}


@pytest.mark.parametrize("lang", ["de", "en", "de-simple"])
@pytest.mark.parametrize(("params", "kept"), KEPT.values(), ids=KEPT)
def test_a_filter_keeps_what_fits_in_whatever_language_it_is_told(
    town: Running, params: dict[str, Any], kept: set[str], lang: str
) -> None:
    assert set(town.ids(lang=lang, limit=100, **params)) == kept


@pytest.mark.parametrize("lang", ["de", "en", "de-simple"])
@pytest.mark.parametrize("q", [*LANGUAGES, "werken", "ton", "neuses"])
def test_a_word_finds_in_whatever_language_it_stands(town: Running, q: str, lang: str) -> None:
    assert set(town.ids(q=q, lang=lang, free="true")) == ({q} if q in LANGUAGES else FOUR)


def test_open_now_asks_for_this_moment(town: Running) -> None:
    from libs.cardquery.query import now

    assert town.ids(open_now="true") == town.ids(open_at=now().isoformat())


def test_things_are_sorted_as_asked_for(town: Running) -> None:
    assert town.ids(sort="price", price_min=0)[0] == "voll"
    assert town.ids(sort="price", price_min=0)[-1] == "abend"
    assert town.ids(sort="newest")[0] == "abend"
    assert town.ids(sort="soonest")[0] == "abend"
    assert set(town.ids(sort="soonest")[1:5]) == FOUR
    near = "50.3,11.0"
    assert town.ids(sort="near", near=near)[0] == town.ids(near=near)[0] == "abend"
    assert town.search(sort="price", near=near, price_max=0)["items"][0]["distance"] is None
    assert town.search(sort="price", near=near, price_min=900)["items"][0]["distance"] == 0


def test_an_item_tells_its_hours(town: Running) -> None:
    item = town.search(q="deutsch")["items"][0]
    assert (item["hours"], item["published_at"]) == (RICH["hours"], "2026-03-01T00:00:00Z")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("age=six", "age"),
        ("age=126", "age"),
        ("age=1501m", "age"),
        ("free=perhaps", "free"),
        ("price_max=-1", "price_max"),
        ("price_max=1.5", "price_max"),
        ("price=1&price_max=2", "price"),
        ("weekday=monday", "weekday.0"),
        ("weekday=", "weekday.0"),
        ("open_at=now", "open_at"),
        ("open_at=1780000000", "open_at"),
        ("open_at=2026-13-01T10:00", "open_at"),
        ("open_at=9999-12-31T23:59Z", "open_at"),
        ("open_now=true&open_at=2026-06-01T10:00", "open_at"),
        ("accessibility=step%20free", "accessibility.0"),
        ("sort=beauty", "sort"),
        ("sort=near", "sort"),
        ("size.min=many", "size.min"),
        ("size.min=nan", "size.min"),
        ("size.max=1e999", "size.max"),
        ("size.most=1", "size.most"),
    ],
)
def test_what_is_wrong_is_named(town: Running, query: str, field: str) -> None:
    answer = town.client.get(f"/v1/search?{query}")

    assert answer.status_code == 422, answer.text
    assert field in {error["field"] for error in answer.json()["errors"]}


def test_a_front_end_learns_a_boards_filters_from_its_fact(town: Running) -> None:
    found = town.client.get("/v1/facets?board=kinder").json()
    Filters.model_validate(found)

    art, size = found["declared"]
    assert art["options"] == [{"value": "werken", "label": {"de": "Werken", "en": "Crafts"}}]
    assert (art["type"], art["parameters"], art["label"]["en"]) == ("choices", ["art"], "Kind")
    assert (size["unit"], size["parameters"]) == ("Kinder", ["size.min", "size.max"])
    assert found["title"]["de"] == "Kinder"
    assert town.client.get("/v1/facets?board=nirgends").status_code == 404
    assert town.client.get("/v1/facets?board=%22x").status_code == 422


def test_every_common_filter_is_a_parameter_with_german_and_english_names(town: Running) -> None:
    common = {one["name"]: one for one in town.client.get("/v1/facets").json()["common"]}
    documented = {
        one["name"]
        for one in town.client.get("/openapi.json").json()["paths"]["/v1/search"]["get"]["parameters"]
    }

    assert common.keys() <= documented | {"district"}
    labels = [one["label"] for one in common.values()]
    labels += [
        option["label"] for name in ("accessibility", "weekday", "sort") for option in common[name]["options"]
    ]
    assert all(label["de"] and label["en"] for label in labels)
    assert {"value": "kinder", "label": {"de": "Kinder", "en": "Children"}} in common["board"]["options"]
    assert "Neuses" in {option["value"] for option in common["district"]["options"]}
    assert {"step-free", "sign-language", "tactile"} <= {
        one["value"] for one in common["accessibility"]["options"]
    }
    assert "board" not in {one["name"] for one in town.client.get("/v1/facets?board=kinder").json()["common"]}


def test_a_new_index_knows_what_boards_declare(town: Running) -> None:
    assert town.client.post("/v1/index/reindex", headers=town.operator()).status_code == 202
    town.settled(60)

    assert [one["name"] for one in town.client.get("/v1/facets?board=kinder").json()["declared"]] == [
        "art",
        "size",
    ]
    assert set(town.ids(open_at="2026-06-08T15:45")) == FOUR
