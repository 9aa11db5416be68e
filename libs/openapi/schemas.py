"""Schemas of the API document as generators of clients read them.

- What requests and answers share stands twice, as `<Name>Input` and `<Name>`: a field with a default may be left out of a
  request and is there in an answer.
- Defaults are told in words: generators take a field with `default` for one that is always there.
- Maps name their values by `additionalProperties` and their keys by `propertyNames`; `patternProperties` they read as
  anything.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]
SCHEMAS = "#/components/schemas/"
# Sent without what is empty.
SPARSE = {"ProblemDetails", "FieldError"}


def complete(document: Json) -> None:
    """Rewrite the schemas of a document, in place."""
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    asked = [[one.get("requestBody"), one.get("parameters")] for one in operations]
    told = [[one["responses"] for one in operations], document["components"]["responses"]]
    schemas: Json = document["components"]["schemas"]
    inputs, outputs = _reached(asked, schemas), _reached(told, schemas)
    shared = _differing(inputs & outputs, schemas)
    twins = {f"{name}Input": _renamed(schemas[name], shared) for name in shared}
    for name in inputs - outputs:
        schemas[name] = _renamed(schemas[name], shared)
    for one in operations:
        for part in {"requestBody", "parameters"} & one.keys():
            one[part] = _renamed(one[part], shared)
    for name in outputs:
        _require(schemas[name], name)
    document["components"]["schemas"] = dict(sorted({**schemas, **twins}.items()))
    _everywhere(document, _tell_default)
    _everywhere(document, _tell_map)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str) and reference.startswith(SCHEMAS):
            yield reference.removeprefix(SCHEMAS)
        for each in node.values():
            yield from _references(each)
    elif isinstance(node, list):
        for each in node:
            yield from _references(each)


def _reached(start: Any, schemas: Json) -> set[str]:
    found, new = set[str](), set(_references(start))
    while new:
        found |= new
        new = {name for each in new for name in _references(schemas[each])} - found
    return found


def _differing(names: set[str], schemas: Json) -> set[str]:
    """Those that are not the same in a request and in an answer, by a default of their own or of what they hold."""
    found = {name for name in names if _defaults(schemas[name])}
    while new := {name for name in names - found if found & set(_references(schemas[name]))}:
        found |= new
    return found


def _defaults(schema: Json) -> set[str]:
    # Not those that are null by default: some answers leave out what is null.
    return {name for name, each in schema.get("properties", {}).items() if "default" in each}


def _renamed(node: Any, shared: set[str]) -> Any:
    if isinstance(node, list):
        return [_renamed(each, shared) for each in node]
    if not isinstance(node, dict):
        return node
    copy = {name: _renamed(each, shared) for name, each in node.items()}
    reference = copy.get("$ref")
    if isinstance(reference, str) and reference.removeprefix(SCHEMAS) in shared:
        copy["$ref"] = f"{reference}Input"
    return copy


def _require(schema: Json, name: str) -> None:
    if name not in SPARSE and (always := _defaults(schema)):
        names = {*schema.get("required", []), *always}
        schema["required"] = [each for each in schema["properties"] if each in names]


def _everywhere(node: Any, change: Callable[[Json], None]) -> None:
    if isinstance(node, dict):
        for each in node.values():
            _everywhere(each, change)
        change(node)
    elif isinstance(node, list):
        for each in node:
            _everywhere(each, change)


def _tell_default(node: Json) -> None:
    properties = node.get("properties")
    for each in properties.values() if isinstance(properties, dict) and "type" in node else ():
        if isinstance(each, dict) and "default" in each:
            default = each.pop("default")
            if default not in (None, [], {}, ""):
                text = json.dumps(default, ensure_ascii=False)
                each["description"] = f"{each.get('description', '')} Default: {text}.".strip()


def _tell_map(node: Json) -> None:
    patterns = node.get("patternProperties")
    if isinstance(patterns, dict) and len(patterns) == 1 and node.get("type") == "object":
        del node["patternProperties"]
        ((pattern, values),) = patterns.items()
        node["propertyNames"], node["additionalProperties"] = {"pattern": pattern}, values
