"""Golden events: every form in which an event was ever published is read for ever."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from libs.contracts import golden, release, schemas, topology
from libs.contracts.catalogue import EVERY
from libs.contracts.event import Envelope

Event = dict[str, Any]

EVENTS = [
    pytest.param(name, event, id=f"{name}/{stem}")
    for name in EVERY
    for stem, event in golden.events(name).items()
]
FILE = re.compile(r"^[1-9]\d*-[a-z][a-z0-9-]*$")
ENDED = ("withdrawn", "expired")


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in strings(one)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize(("name", "event"), EVENTS)
def test_parses(name: str, event: Event) -> None:
    read = Envelope[EVERY[name]].model_validate_json(json.dumps(event))  # type: ignore[valid-type]
    assert read.name == name
    assert EVERY[name].internal or read.source == f"/{EVERY[name].part('service')}"
    assert read.dataschema.endswith(f"/{name}")


@pytest.mark.parametrize(("name", "event"), EVENTS)
def test_loses_nothing_on_the_way(name: str, event: Event) -> None:
    read = Envelope[EVERY[name]].model_validate_json(json.dumps(event))  # type: ignore[valid-type]
    assert contains(json.loads(read.to_bytes()), event)


def contains(whole: Any, part: Any) -> bool:
    """Whether `whole` says everything that `part` says; it may add defaults."""
    if isinstance(part, dict):
        return all(key in whole and contains(whole[key], value) for key, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(contains, whole, part))
    return bool(whole == part)


@pytest.mark.parametrize(("name", "event"), EVENTS)
def test_fits_todays_schema(name: str, event: Event) -> None:
    schema = schemas.schema(EVERY[name])
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(event)


@pytest.mark.parametrize(("name", "event"), EVENTS)
def test_fits_the_released_schema(name: str, event: Event) -> None:
    Draft202012Validator(release.released()[name]).validate(event)


@pytest.mark.parametrize(("name", "event"), EVENTS)
def test_fits_on_the_bus(name: str, event: Event) -> None:
    assert len(json.dumps(event, ensure_ascii=False).encode()) < topology.MAX_EVENT_BYTES


@pytest.mark.parametrize(("name", "event"), EVENTS)
def test_names_nobody_who_could_be_called(name: str, event: Event) -> None:
    for text in strings(event["data"]):
        assert not re.search(r"\S@\S", text), text
        assert not re.search(r"(\+49|\b0\d{2,4}[ /-])\s?\d{3}", text), text


@pytest.mark.parametrize("name", EVERY)
def test_every_event_has_a_minimal_and_a_fuller_example(name: str) -> None:
    examples = golden.events(name)
    assert next(iter(examples)) == "1-minimal"
    assert len(examples) >= 2
    required = schemas.schema(EVERY[name])["$defs"][EVERY[name].__name__]["required"]
    assert set(examples["1-minimal"]["data"]) == set(required)


@pytest.mark.parametrize("name", [name for name in EVERY if name.split(".")[2] in ENDED])
def test_what_ended_has_a_tombstone(name: str) -> None:
    assert golden.events(name)["2-tombstone"]["data"]["card"]["listed"] is False


def test_the_examples_between_them_show_every_property_of_a_card() -> None:
    events = [event for name in EVERY for event in golden.events(name).values()]
    shown = {key for event in events for key in event["data"].get("card", {})}
    assert shown == set(schemas.schema(next(iter(EVERY.values())))["$defs"]["Card"]["properties"])


def test_files_are_numbered_and_belong_to_an_event() -> None:
    for path in golden.FOLDER.rglob("*.json"):
        assert path.parent.name in EVERY
        assert FILE.match(path.stem), path


def test_no_two_examples_share_an_id() -> None:
    ids = [event["id"] for name in EVERY for event in golden.events(name).values()]
    assert len(ids) == len(set(ids))
