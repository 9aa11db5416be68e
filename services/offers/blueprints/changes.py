"""Changes between declarations: two declarations enter, typed changes leave; changes made to a third. Pure.

A declaration is read as a tree in which lists of named things (fields, their options, steps) are maps that keep their
order. A change names a path in it. A board's own name (slug, title, parent) is no part of the blueprint.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any

from pydantic_core import to_json

from libs.contracts.offers import BoardChange
from services.offers.boards.domain import Declaration
from services.offers.boards.values import LABEL_TYPES

Tree = dict[str, Any]
Path = tuple[str, ...]

IDENTITY = ("slug", "title", "derived_from")
KEYS = {"fields": "name", "steps": "name", "options": "value"}
KNOWN = {*IDENTITY, "summary", "languages", "fields", "steps", "texts"}
SECTIONS = [name for name in Declaration.model_fields if name not in KNOWN]


class Misfit(ValueError):  # noqa: N818 - says what the change is
    """A change that cannot be made to a declaration; the message says why."""


# Reading a declaration as a tree, and back.


def tree(board: Declaration) -> Tree:
    """The blueprint of a declaration; what is not said is not in it."""
    raw = board.model_dump(mode="json", exclude=set(IDENTITY))
    said = {name: value for name, value in raw.items() if value is not None}
    return said | {"fields": _map("fields", raw["fields"]), "steps": _map("steps", raw["steps"])}


def declared(blueprint: Tree, identity: Declaration) -> Declaration:
    """A blueprint as the declaration of a board; raises pydantic.ValidationError when they make no sense together."""
    own = identity.model_dump(mode="json", include=set(IDENTITY))
    lists = {name: _list(name, blueprint[name]) for name in ("fields", "steps")}
    return Declaration.model_validate_json(to_json(blueprint | lists | own))


def _map(kind: str, items: Iterable[Tree]) -> Tree:
    said = ({name: value for name, value in item.items() if value is not None} for item in items)
    return {item[KEYS[kind]]: _inner(item, _map) for item in said}


def _list(kind: str, items: Tree) -> list[Tree]:
    return [{KEYS[kind]: key} | _inner(item, _list) for key, item in items.items()]


def _inner(item: Tree, turn: Any) -> Tree:
    return item | {"options": turn("options", item["options"])} if item.get("options") is not None else item


# What differs.


def diff(before: Declaration, after: Declaration) -> list[BoardChange]:
    """The changes that make one board's blueprint the other's; applied in this order they do so exactly."""
    return differences(tree(before), tree(after))


def differences(old: Tree, new: Tree) -> list[BoardChange]:
    """The same of two trees."""
    found = [*_items("field", ("fields",), old["fields"], new["fields"])]
    found += _items("step", ("steps",), old["steps"], new["steps"])
    found += _values("text_changed", ("summary",), old["summary"], new["summary"])
    for name in dict.fromkeys([*old["texts"], *new["texts"]]):
        texts = old["texts"].get(name, {}), new["texts"].get(name, {})
        found += _values("text_changed", ("texts", name), *texts)
    for name in ("languages", *SECTIONS):
        found += _rules(name, old.get(name), new.get(name))
    return found


def _items(what: str, path: Path, old: Tree, new: Tree) -> Iterator[BoardChange]:
    """Differences between two ordered maps of named things."""
    for key in [key for key in old if key not in new]:
        yield _change(f"{what}_removed", (*path, key), public(key, path, old[key]), None)
    for at, key in enumerate(new):
        if key not in old:
            added = public(key, path, new[key])
            yield _change(f"{what}_added", (*path, key), None, added, [*new][:at][::-1])
        else:
            yield from _inside(what, (*path, key), old[key], new[key])
    kept = [key for key in old if key in new]
    if kept != [key for key in new if key in old]:
        yield _change(f"{what}s_ordered", path, kept, [*new])


def _inside(what: str, path: Path, old: Tree, new: Tree) -> Iterator[BoardChange]:
    """Differences of one thing: its attributes together, its options each for itself."""
    whole = _is_choice(old) != _is_choice(new)  # a choice without options would be none: they come along
    if not whole and "options" in old:
        yield from _items("option", (*path, "options"), old["options"], new["options"])
    names = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    names = [name for name in names if whole or name != "options"]
    if names:
        before, after = public_parts(old), public_parts(new)
        parts = {name: before.get(name) for name in names}, {name: after.get(name) for name in names}
        yield _change(f"{what}_changed", path, *parts)


def _is_choice(item: Tree) -> bool:
    return item.get("type") in LABEL_TYPES


def _values(kind: str, path: Path, old: Tree, new: Tree) -> Iterator[BoardChange]:
    for key in dict.fromkeys([*old, *new]):
        if old.get(key) != new.get(key):
            yield _change(kind, (*path, key), old.get(key), new.get(key))


def _rules(name: str, old: Any, new: Any) -> Iterator[BoardChange]:
    """Differences of a section: rule by rule where both boards have it, else as a whole."""
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _values("rule_changed", (name,), old, new)
    elif old != new:
        yield _change("rule_changed", (name,), old, new)


def _change(kind: str, path: Path, before: Any, after: Any, behind: Iterable[str] = ()) -> BoardChange:
    return BoardChange(kind=kind, path=list(path), before=before, after=after, behind=list(behind))


def public(key: str, path: Path, item: Tree) -> Tree:
    """A thing as a declaration writes it."""
    return {KEYS[path[-1]]: key} | public_parts(item)


def public_parts(item: Tree) -> Tree:
    """The same without its name."""
    return _inner(item, _list)


# Making a change.


def apply(changes: Iterable[BoardChange], board: Declaration) -> Declaration:
    """The declaration with these changes; raises Misfit, or ValidationError when the result makes no sense."""
    return declared(advanced(tree(board), changes), board)


def advanced(blueprint: Tree, changes: Iterable[BoardChange]) -> Tree:
    """The tree with these changes, whether or not it makes sense as a declaration."""
    new = deepcopy(blueprint)
    for change in changes:
        _make(new, change)
    new["texts"] = {name: text for name, text in new["texts"].items() if text}
    return new


def _make(blueprint: Tree, change: BoardChange) -> None:
    holder, key = holder_of(blueprint, change), change.path[-1]
    verb = change.kind.rpartition("_")[2]
    if change.kind in ("text_changed", "rule_changed"):
        _set(holder, key, change.after, lasting=change.kind == "rule_changed" and len(change.path) > 1)
    elif verb == "removed":
        holder.pop(key, None)
    elif verb == "ordered":
        holder[key] = _ordered(_things(holder, key), change.after)
    elif verb == "added":
        _insert(holder, key, _private(change.after, change.path), change.behind)
    else:
        _merge(holder, key, _private(change.after, change.path))


def holder_of(blueprint: Tree, change: BoardChange) -> Tree:
    """The map in which the last part of the path stands; Misfit when this board has none."""
    at: Any = blueprint
    if change.path[0] == "texts":
        at["texts"].setdefault(change.path[1], {})
    for part in change.path[:-1]:
        at = at.get(part) if isinstance(at, dict) else None
    if not isinstance(at, dict):
        raise Misfit(f"this board has no {'.'.join(change.path[:-1])}")
    return at


def _set(holder: Tree, key: str, value: Any, *, lasting: bool) -> None:
    if value is None and not lasting:  # inside a section null is a value of its own
        holder.pop(key, None)
    else:
        holder[key] = value


def _things(holder: Tree, key: str) -> Tree:
    if not isinstance(holder.get(key), dict):
        raise Misfit(f"this board has no {key}")
    found: Tree = holder[key]
    return found


def _merge(holder: Tree, key: str, parts: Tree) -> None:
    merged = _things(holder, key) | parts
    holder[key] = {name: value for name, value in merged.items() if value is not None}


def _insert(holder: Tree, key: str, value: Tree, behind: list[str]) -> None:
    """Put a thing behind the nearest of those that it follows at its origin, so that parts of a diff fit, too."""
    others = {name: item for name, item in holder.items() if name != key}
    holder.clear()
    neighbour = next((name for name in behind if name in others), None)
    if neighbour is None:
        holder[key] = value
    for name, item in others.items():
        holder[name] = item
        if name == neighbour:
            holder[key] = value


def _ordered(items: Tree, order: Any) -> Tree:
    """The things in a new order; those it does not name stay behind the one that they follow."""
    if not isinstance(order, list) or not all(isinstance(name, str) for name in order):
        raise Misfit("an order is a list of names")
    followers: dict[str | None, list[str]] = {None: []}
    leader = None
    for key in items:
        leader = key if key in order else leader
        followers.setdefault(leader, []).append(key)
    keys = [*followers[None], *(key for name in order for key in followers.get(name, []))]
    return {key: items[key] for key in keys}


def _private(value: Any, path: list[str]) -> Tree:
    """What a change says of a thing, as the tree holds it; Misfit when it is no such thing."""
    options = value.get("options") if isinstance(value, dict) else None
    named = all(isinstance(each, dict) and isinstance(each.get("value"), str) for each in options or [])
    if not isinstance(value, dict) or not named or value.get(KEYS[path[-2]], path[-1]) != path[-1]:
        raise Misfit(f"{'.'.join(path)} must be declared as on the board that it comes from")
    return _inner(value, _map)
