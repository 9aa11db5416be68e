"""JSON Schemas: valid themselves, and as strict and as forgiving as the models."""

import copy
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import ValidationError

from libs.contracts import golden, schemas
from libs.contracts.catalogue import CATALOGUE
from libs.contracts.event import Envelope
from libs.contracts.offers import OfferPublished

OFFER = schemas.schema(OfferPublished)
# Words that no property's name may hold: what is public speaks of organisations and things, never of a person.
PERSONAL = {
    *("mail", "email", "phone", "telephone", "mobile", "fax", "contact", "person", "author", "user", "owner"),
    *(
        "firstname",
        "lastname",
        "surname",
        "first",
        "last",
        "born",
        "birth",
        "birthday",
        "gender",
        "salutation",
    ),
    *("iban", "login", "password", "recipient", "ip", "address", "by"),
}


def properties(value: Any) -> set[str]:
    """Every property's name, wherever in the schema it stands."""
    if isinstance(value, list):
        return {name for one in value for name in properties(one)}
    if not isinstance(value, dict):
        return set()
    return set(value.get("properties", {})) | {name for one in value.values() for name in properties(one)}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The full golden offer with one value changed."""
    event = copy.deepcopy(golden.events(OfferPublished.name)["2-full"])
    place = event
    *parents, last = path.split(".")
    for parent in parents:
        place = place[parent]
    place[last] = value
    return event


@pytest.mark.parametrize("name", CATALOGUE)
def test_is_a_valid_schema_that_names_itself(name: str) -> None:
    schema = schemas.schema(CATALOGUE[name])
    Draft202012Validator.check_schema(schema)
    assert (schema["$schema"], schema["$id"]) == (schemas.DRAFT, name)


@pytest.mark.parametrize("name", CATALOGUE)
def test_says_what_it_means(name: str) -> None:
    schema = schemas.schema(CATALOGUE[name])
    assert schema["title"]
    assert schema["description"].endswith(".")
    assert all(one.get("description") for one in schema["$defs"].values())


@pytest.mark.parametrize("name", CATALOGUE)
def test_knows_no_personal_data(name: str) -> None:
    for found in properties(schemas.schema(CATALOGUE[name])):
        assert found not in PERSONAL, found
        assert not PERSONAL & set(found.split("_")), found
        assert not found.endswith("_name"), found


@pytest.mark.parametrize("name", CATALOGUE)
def test_refuses_another_types_event(name: str) -> None:
    other = next(one for one in CATALOGUE if one != name)
    schema = Draft202012Validator(schemas.schema(CATALOGUE[name]))
    assert not schema.is_valid({**golden.fullest(name), "type": f"de.coburg.{other}"})
    assert not schema.is_valid({**golden.fullest(name), "source": "/elsewhere"})


@pytest.mark.parametrize("attribute", ["specversion", "id", "source", "type"])
def test_requires_what_cloudevents_requires(attribute: str) -> None:
    event = {key: value for key, value in golden.fullest(OfferPublished.name).items() if key != attribute}
    assert not Draft202012Validator(OFFER).is_valid(event)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("subject", "a.b"),
        ("sequence", "7"),
        ("traceparent", "x"),
        ("data.board", "Kita-Börse"),
        ("data.fields", {"Kein Name": 1}),
        ("data.card.title", {"deutsch": "x"}),
        ("data.card.title", "x"),
        ("data.card.price_cents", 1.5),
        ("data.card.listed", "false"),
        ("data.card.place", {"lat": 91}),
        ("data.card.age", {"from_months": -1}),
    ],
)
def test_refuses_what_the_model_refuses(path: str, value: Any) -> None:
    event = changed(path, value)
    assert not Draft202012Validator(OFFER).is_valid(event)
    with pytest.raises(ValidationError):
        Envelope[OfferPublished].model_validate_json(json.dumps(event))


@pytest.mark.parametrize("path", ["added", "data.added", "data.card.added", "data.card.place.added"])
def test_lets_additions_pass(path: str) -> None:
    event = changed(path, {"anything": True})
    assert Draft202012Validator(OFFER).is_valid(event)
    Envelope[OfferPublished].model_validate_json(json.dumps(event))
