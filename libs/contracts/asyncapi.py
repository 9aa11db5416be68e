"""The whole bus as one AsyncAPI 3.0 document: what may be heard, where, and in which form.

Catalogue, topology and golden events enter, the document leaves. The town is the application that it describes:
its services send facts, their durables receive them, and STATE repeats the newest fact of each thing.
"""

from collections.abc import Iterator
from functools import cache
from itertools import groupby
from typing import Any

from libs.contracts import golden, topology
from libs.contracts.catalogue import CATALOGUE
from libs.contracts.event import CONTENT_TYPE, THING_ID, Fact
from libs.contracts.schemas import meaning, schema, title
from libs.contracts.subjects import covers, transformed

Node = dict[str, Any]

BINDING = {"nats": {"bindingVersion": "0.1.0"}}
INFO = {
    "title": "Coburg Digital: public facts",
    "version": "1",
    "description": "Every public fact that the town's services publish. Read STATE first, then follow CITY; "
    "within one major version of an event only properties that may be absent are added.",
    "license": {"name": "EUPL-1.2"},
}
SERVERS = {
    "town": {
        "host": "{host}",
        "protocol": "nats",
        "description": "NATS with JetStream. Partners connect with an account of their own, which only reads.",
        "variables": {
            "host": {"default": "127.0.0.1:4222", "description": "Host and port, as the town tells them."}
        },
        "security": [{"$ref": "#/components/securitySchemes/password"}],
    }
}
PARAMETERS = {
    "id": {
        "description": f"The id of the thing the fact is about: `{THING_ID}`.",
        "location": "$message.payload#/subject",
    }
}
HEADERS = {
    "type": "object",
    "properties": {
        "Nats-Msg-Id": {"type": "string", "description": "The event's id; the broker drops a second one."},
        "traceparent": {"type": "string", "description": "W3C trace context of the publication."},
    },
}


def document() -> Node:
    """The AsyncAPI document; the same for the same catalogue."""
    return {
        "asyncapi": "3.0.0",
        "info": INFO,
        "defaultContentType": CONTENT_TYPE,
        "servers": SERVERS,
        "channels": {**_facts(), **_states()},
        "operations": dict([*_sends(), *_repeats(), *_receives()]),
        "components": {
            "messages": {name: _message(fact) for name, fact in CATALOGUE.items()},
            "schemas": _schemas(),
            "parameters": PARAMETERS,
            "securitySchemes": {"password": {"type": "userPassword"}},
        },
    }


def _facts() -> Node:
    return {name: _channel(fact.subject("{id}"), meaning(fact), [name]) for name, fact in CATALOGUE.items()}


def _states() -> Node:
    described = "The newest fact about each thing, whichever it was."
    return {_key(address): _channel(address, described, names) for address, names in _aggregates().items()}


@cache
def _aggregates() -> dict[str, list[str]]:
    """The events that meet under each address of STATE."""
    addresses = sorted((_state_address(fact), name) for name, fact in CATALOGUE.items())
    return {key: [name for _, name in group] for key, group in groupby(addresses, key=lambda pair: pair[0])}


def _state_address(fact: type[Fact]) -> str:
    return transformed(fact.subject("{id}"), topology.STATE_TRANSFORM)


def _key(address: str) -> str:
    return address.removesuffix(".{id}")


def _channel(address: str, description: str, names: list[str]) -> Node:
    return {
        "address": address,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "parameters": {"id": {"$ref": "#/components/parameters/id"}},
    }


def _sends() -> Iterator[tuple[str, Node]]:
    for name, fact in CATALOGUE.items():
        yield (
            f"send.{name}",
            {**_operation("send", name, [name]), **_marks(fact.part("service"), topology.CITY.name)},
        )


def _repeats() -> Iterator[tuple[str, Node]]:
    for address, names in _aggregates().items():
        key = _key(address)
        yield f"repeat.{key}", {**_operation("send", key, names), **_marks("broker", topology.STATE.name)}


def _receives() -> Iterator[tuple[str, Node]]:
    for listener in topology.LISTENERS:
        # Instances that share a durable share its messages, as a queue group's members do.
        bindings = {"nats": {"queue": listener.name, **BINDING["nats"]}}
        marks = {**_marks(listener.name, listener.stream), "bindings": bindings}
        for name in heard_by(listener):
            yield f"{listener.name}.{name}", {**_operation("receive", name, [name]), **marks}


def heard_by(listener: topology.Listener) -> list[str]:
    """The event types that a listener's filters let through."""
    subjects = {name: fact.subject("{id}") for name, fact in CATALOGUE.items()}
    return [
        name for name, subject in subjects.items() if any(covers(one, subject) for one in listener.filters)
    ]


def _operation(action: str, channel: str, names: list[str]) -> Node:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names],
    }


def _marks(who: str, stream: str) -> Node:
    return {"tags": [{"name": who}], "bindings": BINDING, "x-jetstream-stream": stream}


def _message(fact: type[Fact]) -> Node:
    return {
        "name": fact.name,
        "title": title(fact),
        "summary": meaning(fact),
        "contentType": CONTENT_TYPE,
        "headers": HEADERS,
        "payload": {"$ref": f"#/components/schemas/{fact.name}"},
        "examples": [{"name": stem, "payload": event} for stem, event in golden.events(fact.name).items()],
    }


def _schemas() -> Node:
    """Envelopes by event type, and the classes they share; ValueError if two classes share only their name."""
    shared: Node = {}
    for name, fact in CATALOGUE.items():
        for key, value in _envelope(fact).items():
            if shared.setdefault(key, value) != value:
                raise ValueError(f"{name}: another event's {key} is a different one")
    return shared


def _envelope(fact: type[Fact]) -> Node:
    whole = schema(fact)
    own = {key: value for key, value in whole.items() if key not in ("$schema", "$id", "$defs")}
    found: Node = _relocated({fact.name: own, **whole["$defs"]})
    return found


def _relocated(value: Any) -> Any:
    """The same schema with its classes among the components."""
    if isinstance(value, list):
        return [_relocated(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: _reference(one) if key == "$ref" else _relocated(one) for key, one in value.items()}


def _reference(local: str) -> str:
    return local.replace("#/$defs/", "#/components/schemas/")
