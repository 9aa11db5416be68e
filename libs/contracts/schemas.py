"""JSON Schemas (draft 2020-12): what an event of one type looks like as it travels, envelope included.

An event class enters, a schema leaves. Publishers serve it as `/v1/events/{type}`; docs/events/ keeps a copy.
"""

import re
from functools import cache
from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from libs.contracts.event import Envelope, Fact

DRAFT = "https://json-schema.org/draft/2020-12/schema"
PREFIX = r"^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*\."
# CloudEvents requires the first; both are constants in every event ever written.
CONSTANTS = ["specversion", "datacontenttype"]

Schema = dict[str, Any]


class Generator(GenerateJsonSchema):
    """Leaves out titles that only repeat a property's name, and says that a map admits no keys but its own."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Classes have titles, properties have names."""
        return False

    def dict_schema(self, schema: core_schema.DictSchema) -> Schema:
        """The models refuse other keys; so must the schema."""
        result = super().dict_schema(schema)
        return {**result, "additionalProperties": False} if "patternProperties" in result else result


@cache
def schema(fact: type[Fact]) -> Schema:
    """The schema of one event type. `$id` is relative: it names the schema wherever it is served."""
    general = envelope_schema(Envelope[fact])  # type: ignore[valid-type]
    return {
        "$schema": DRAFT,
        "$id": fact.name,
        **general,
        "title": title(fact),
        "description": meaning(fact),
        "properties": {**general["properties"], **_own(fact, general["properties"])},
    }


def envelope_schema(model: type[Envelope[Any]] = Envelope) -> Schema:
    """The schema of an envelope, by default with any fact in it."""
    generated = model.model_json_schema(schema_generator=Generator)
    return {**generated, "required": [*CONSTANTS, *generated["required"]]}


def title(fact: type[Fact]) -> str:
    """The class name as words: `OfferPublished` is "Offer published"."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", fact.__name__).capitalize()


def meaning(fact: type[Fact]) -> str:
    """What it means that this happened: the class's docstring."""
    return " ".join((fact.__doc__ or "").split())


def _own(fact: type[Fact], shared: Schema) -> Schema:
    """What the envelope leaves open and this event type decides."""
    source = {} if fact.internal else {"const": f"/{fact.part('service')}"}
    return {
        "source": {**shared["source"], **source},
        "type": {**shared["type"], "pattern": f"{PREFIX}{re.escape(fact.name)}$"},
    }
