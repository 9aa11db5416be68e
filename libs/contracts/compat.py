"""What a changed schema would break: a released schema and today's enter, a list of breaks leaves.

Both directions count. Events stored under the released contract are read by new readers, for ever; new events are
read by partners who still hold the released contract. So a limit may be neither tightened nor loosened, and what is
left is: new properties that may be absent, and words for people (titles, descriptions, examples).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

Schema = dict[str, Any]
Found = Iterator[tuple[str, str]]

UPPER = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
LOWER = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
FOR_PEOPLE = {"$schema", "$id", "$comment", "title", "description", "examples", "deprecated"}
STRUCTURE = {"$defs", "$ref", "properties", "required", "items", "patternProperties", "anyOf"}
VALUES = {"enum", "const", "default"}

NARROWER = "is narrower: events already stored would be refused"
WIDER = "is wider: readers of the released contract would refuse new events"
ABSENT = object()


@dataclass(frozen=True)
class Break:
    """One reason why today's event is not the released one."""

    event: str
    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.event} at {self.path}: {self.reason}"


def breaks(event: str, released: Schema, today: Schema) -> list[Break]:
    """Everything that a reader or a stored event of the released schema would stumble over."""
    comparison = Comparison(released, today)
    return [Break(event, path, reason) for path, reason in comparison.node(released, today, "$")]


@dataclass
class Comparison:
    """A walk through both documents at once; each method yields (JSON path, reason)."""

    released: Schema
    today: Schema
    seen: set[tuple[str, str]] = field(default_factory=set)

    def node(self, old: Schema, new: Schema, path: str) -> Found:
        """Two schemas that stand at the same place."""
        yield from _default(old, new, path)
        olds, news = _alternatives(old, self.released), _alternatives(new, self.today)
        for kind in dict.fromkeys([*olds, *news]):
            for pair in zip_longest(olds.get(kind, []), news.get(kind, [])):
                yield from self._alternative(kind, *pair, path)

    def _alternative(self, kind: str, old: Schema | None, new: Schema | None, path: str) -> Found:
        if new is None:
            yield path, f"without {kind} it {NARROWER}"
        elif old is None:
            yield path, f"with {kind} it {WIDER}"
        elif not self._walked_before(old, new):
            yield from _keywords(old, new, path)
            yield from _values(old, new, path)
            yield from self._properties(old, new, path)
            yield from self._children(old, new, path)

    def _properties(self, old: Schema, new: Schema, path: str) -> Found:
        olds, news = old.get("properties", {}), new.get("properties", {})
        yield from _required(old, new, path)
        for name, schema in olds.items():
            if name in news:
                yield from self.node(schema, news[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}", "was removed or renamed: readers of the released contract look for it"

    def _children(self, old: Schema, new: Schema, path: str) -> Found:
        yield from self._child(old.get("items"), new.get("items"), f"{path}[*]")
        olds, news = old.get("patternProperties", {}), new.get("patternProperties", {})
        for pattern in dict.fromkeys([*olds, *news]):
            yield from self._child(olds.get(pattern), news.get(pattern), f"{path}.*")

    def _child(self, old: Schema | None, new: Schema | None, path: str) -> Found:
        if old is None and new is None:
            return
        if old is None or new is None:
            yield path, "changed what lists or maps may hold"
        else:
            yield from self.node(old, new, path)

    def _walked_before(self, old: Schema, new: Schema) -> bool:
        """A class that many share is reported once, and one that holds itself does not go on for ever."""
        pair = old.get("$ref", ""), new.get("$ref", "")
        known = pair in self.seen
        if all(pair):
            self.seen.add(pair)
        return known


def _alternatives(schema: Schema, document: Schema) -> dict[str, list[Schema]]:
    """The possible shapes of a value by kind; `str | None` has two."""
    resolved = _resolved(schema, document)
    found: dict[str, list[Schema]] = {}
    for one in resolved.get("anyOf", [resolved]):
        shape = _resolved(one, document)
        found.setdefault(_kind(shape), []).append(shape)
    return found


def _resolved(schema: Schema, document: Schema) -> Schema:
    """The schema with what its $ref points to; the $ref stays as the mark of what has been walked."""
    if "$ref" not in schema:
        return schema
    return {**document["$defs"][schema["$ref"].removeprefix("#/$defs/")], **schema}


def _kind(shape: Schema) -> str:
    return " ".join(filter(None, ["type", shape.get("type", "any"), shape.get("format")]))


def _default(old: Schema, new: Schema, path: str) -> Found:
    before, after = old.get("default", ABSENT), new.get("default", ABSENT)
    if ABSENT not in (before, after) and before != after:
        yield path, f"default {before!r} → {after!r} changes the meaning of events stored without it"


def _required(old: Schema, new: Schema, path: str) -> Found:
    before, after = set(old.get("required", [])), set(new.get("required", []))
    for name in sorted(after - before):
        yield f"{path}.{name}", "is required now, and events already stored may lack it"
    for name in sorted((before - after) & set(new.get("properties", {}))):
        yield f"{path}.{name}", "may be absent now, and readers of the released contract rely on it"


def _keywords(old: Schema, new: Schema, path: str) -> Found:
    for keyword in sorted((old.keys() | new.keys()) - FOR_PEOPLE - STRUCTURE - VALUES):
        before, after = old.get(keyword), new.get(keyword)
        if before != after:
            yield path, f"{keyword} {_shown(before)} → {_shown(after)} {_direction(keyword, before, after)}"


def _direction(keyword: str, before: Any, after: Any) -> str:
    if keyword not in UPPER | LOWER:
        return "admits other values than the released contract"
    if before is None or after is None:
        return NARROWER if before is None else WIDER
    return NARROWER if (after < before) == (keyword in UPPER) else WIDER


def _values(old: Schema, new: Schema, path: str) -> Found:
    before, after = _enumerated(old), _enumerated(new)
    if before == after:
        return
    if after is not None and (before is None or before - after):
        yield path, f"only {_shown(sorted(after))} {NARROWER}"
    if before is not None and (after is None or after - before):
        yield path, f"beyond {_shown(sorted(before))} it {WIDER}"


def _enumerated(schema: Schema) -> set[Any] | None:
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None


def _shown(value: Any) -> str:
    return "none" if value is None else repr(value)
