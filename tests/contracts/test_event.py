"""The envelope: what CloudEvents asks of it, how strict its writers and how forgiving its readers are."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from libs.contracts.card import Card
from libs.contracts.event import Envelope, Fact, envelope
from libs.contracts.offers import OfferPublished

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FACT = OfferPublished(board="kita", changed_at=NOW, card=Card(kind="offer", title={"de": "Krippenplatz"}))


def wrapped(**changes: Any) -> Envelope[OfferPublished]:
    parts: dict[str, Any] = {
        "event_id": "019cadc6-9aa8-76e9-bafa-b0d9d8a23190",
        "subject": "krippe-1",
        "version": 7,
        "time": NOW,
        "prefix": "de.coburg",
        "schema_base": "https://angebote.coburg.example/v1/events",
        "traceparent": None,
    }
    return envelope(FACT, **{**parts, **changes})


def travelled(**changes: Any) -> Envelope[OfferPublished]:
    """What a reader makes of an event whose top level was changed on the way."""
    sent = json.loads(wrapped().to_bytes())
    return Envelope[OfferPublished].model_validate_json(json.dumps({**sent, **changes}))


def test_carries_the_attributes_that_cloudevents_requires() -> None:
    sent = json.loads(wrapped().to_bytes())
    assert sent["specversion"] == "1.0"
    assert sent["id"] == "019cadc6-9aa8-76e9-bafa-b0d9d8a23190"
    assert sent["source"] == "/offers"
    assert sent["type"] == "de.coburg.offers.offer.published.v1"


def test_names_its_schema_and_its_thing() -> None:
    sent = json.loads(wrapped().to_bytes())
    assert sent["dataschema"] == "https://angebote.coburg.example/v1/events/offers.offer.published.v1"
    assert (sent["subject"], sent["sequence"]) == ("krippe-1", "0000000007")


def test_attribute_names_are_those_that_cloudevents_allows() -> None:
    assert all(name.isalnum() and name.islower() for name in Envelope.model_fields)


def test_leaves_out_what_is_absent() -> None:
    sent = json.loads(wrapped().to_bytes())
    assert "traceparent" not in sent
    assert "place" not in sent["data"]["card"]


def test_comes_back_as_it_was() -> None:
    sent = wrapped(traceparent="00-cfff2893e39731dd62f64a78de29926d-fc878ab2d052320a-01")
    assert Envelope[OfferPublished].model_validate_json(sent.to_bytes()) == sent


def test_a_fact_is_written_whole_through_the_general_envelope() -> None:
    general: Envelope[Fact] = Envelope[Fact].model_validate(wrapped().model_dump() | {"data": FACT})
    assert json.loads(general.to_bytes())["data"]["board"] == "kita"


def test_versions_sort_as_text() -> None:
    assert wrapped(version=9).sequence < wrapped(version=10).sequence
    assert wrapped(version=10).version == 10


def test_its_name_leaves_the_town_out() -> None:
    assert wrapped(prefix="org.example.town").name == OfferPublished.name


def test_its_subject_on_the_bus() -> None:
    assert OfferPublished.subject("krippe-1") == "city.offers.offer.published.v1.krippe-1"


@pytest.mark.parametrize("thing", ["", "a.b", "a b", "*", ">", "straße", "a/b", "x" * 65, "a\n"])
def test_a_thing_whose_id_is_no_single_token_cannot_travel(thing: str) -> None:
    with pytest.raises(ValidationError):
        wrapped(subject=thing)


@pytest.mark.parametrize(
    "changes",
    [
        {"event_id": ""},
        {"event_id": "x" * 65},
        {"version": -1},
        {"version": 10**10},
        {"time": datetime(2026, 3, 2)},
        {"traceparent": "00-abc"},
    ],
    ids=str,
)
def test_what_cannot_travel_is_refused_when_it_is_written(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        wrapped(**changes)


@pytest.mark.parametrize(
    "values",
    [
        {"board": 7},
        {"board": "Kita!"},
        {"changed_at": "2026-03-02T09:00:00Z"},
        {"changed_at": datetime(2026, 3, 2)},
        {"card": {"kind": "offer"}},
        {"card": Card(kind="offer", title={}), "provider_id": 12},
    ],
    ids=str,
)
def test_writers_are_held_to_strict_types(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OfferPublished(**{"board": "kita", "changed_at": NOW, **values})


@pytest.mark.parametrize(
    "values",
    [
        {"price_cents": "100"},
        {"price_cents": -1},
        {"free_places": 1.5},
        {"listed": "false"},
        {"title": {"deutsch": "x"}},
        {"title": {"de": "x" * 20_001}},
        {"period": {"start": date(2026, 1, 1), "end": 5}},
        {"dates": [datetime(2026, 1, 1)]},
        {"boost": 11},
    ],
    ids=lambda values: str(values)[:40],
)
def test_a_card_is_held_to_strict_types(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Card(**{"kind": "offer", "title": {"de": "Krippenplatz"}, **values})


@pytest.mark.parametrize(
    "said",
    [
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
        "application/json ; charset=utf-8",
    ],
)
def test_a_media_type_may_have_its_parameters(said: str) -> None:
    assert travelled(datacontenttype=said).datacontenttype == "application/json"


def test_readers_ignore_what_a_newer_writer_added() -> None:
    card = {"kind": "offer", "title": {"de": "Krippenplatz"}, "smell": "fresh bread"}
    data = {"board": "kita", "changed_at": "2026-03-02T09:00:00Z", "mood": "sunny", "card": card}
    read = travelled(partitionkey="x", data=data)
    assert read.data.card is not None
    assert read.data.card.title == {"de": "Krippenplatz"}


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"id": 5},
        {"specversion": "2.0"},
        {"datacontenttype": "text/xml"},
        {"datacontenttype": "application/json; charset=latin-1"},
        {"source": "offers"},
        {"subject": "a.b"},
        {"sequence": "7"},
        {"sequence": "٠٠٠٠٠٠٠٠٠٧"},
        {"time": "2026-03-02T09:00:00"},
        {"data": None},
        {"data": {"board": "kita"}},
    ],
    ids=str,
)
def test_readers_refuse_what_is_no_event(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        travelled(**changes)


@pytest.mark.parametrize(
    "name", ["offers.offer.published", "Offers.offer.published.v1", "a.b.c.v0", "a.b.c.d.v1"]
)
def test_a_malformed_event_name_fails_at_import(name: str) -> None:
    with pytest.raises(ValueError, match="is not <service>"):
        type("Malformed", (Fact,), {}, name=name)


def test_a_shared_base_is_no_event_type() -> None:
    with pytest.raises(ValueError, match="is not an event type"):
        Fact.part("service")
