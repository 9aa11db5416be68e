"""The AsyncAPI document lists the catalogue, no more and no less. The public parser reads it in `./coburg check`."""

from functools import cache
from typing import Any

from libs.contracts import asyncapi, golden, topology
from libs.contracts.catalogue import CATALOGUE
from libs.contracts.event import Envelope
from libs.contracts.subjects import covers

document = cache(asyncapi.document)  # by the tests, not by everybody who only lists them


def references(value: Any) -> set[str]:
    if isinstance(value, list):
        return {one for inner in value for one in references(inner)}
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
    return own | {one for inner in value.values() for one in references(inner)}


def resolved(reference: str) -> Any:
    place: Any = document()
    for key in reference.removeprefix("#/").split("/"):
        place = place[key]
    return place


def test_every_event_has_one_channel_and_no_channel_is_another() -> None:
    city = {
        key: one["address"]
        for key, one in document()["channels"].items()
        if one["address"].startswith("city.")
    }
    assert city == {name: f"city.{name}.{{id}}" for name in CATALOGUE}


def test_every_aggregate_has_a_channel_for_its_newest_fact() -> None:
    state = {key: one for key, one in document()["channels"].items() if one["address"].startswith("state.")}
    assert state.keys() | CATALOGUE.keys() == document()["channels"].keys()
    assert sorted(name for one in state.values() for name in one["messages"]) == sorted(CATALOGUE)
    assert set(state["state.offers.offer"]["messages"]) == {
        n for n in CATALOGUE if n.startswith("offers.offer.")
    }


def test_every_event_is_sent_and_every_listener_receives_what_its_filters_let_through() -> None:
    operations = document()["operations"]
    heard = {
        f"{listener.name}.{name}"
        for listener in topology.LISTENERS
        for name, fact in CATALOGUE.items()
        if any(covers(one, fact.subject("x")) for one in listener.filters)
    }
    assert {key for key, one in operations.items() if one["action"] == "receive"} == heard
    assert {key for key in operations if key.startswith("send.")} == {f"send.{name}" for name in CATALOGUE}


def test_a_message_is_the_whole_envelope_and_shows_the_golden_events() -> None:
    for name, message in document()["components"]["messages"].items():
        assert resolved(message["payload"]["$ref"])["properties"].keys() == Envelope.model_fields.keys()
        assert [one["payload"] for one in message["examples"]] == list(golden.events(name).values())


def test_every_reference_leads_somewhere() -> None:
    for reference in references(document()):
        assert resolved(reference), reference


def test_is_the_same_every_time() -> None:
    assert asyncapi.document() == document()
