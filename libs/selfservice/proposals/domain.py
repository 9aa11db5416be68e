"""Rules of proposals: what differs between two contents, and how a change meets one that came meanwhile. Values in, values out."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Content = dict[str, Any]
MISSING: Any = ...
NOWHERE: Any = NotImplemented  # not even what would hold it is there


class Decision(StrEnum):
    """How far a proposal is."""

    OPEN = "open"
    RELEASED = "released"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Change:
    """One place that differs; `...` stands for what is not there. Lists are one value."""

    path: tuple[str, ...]
    old: Any
    new: Any

    @property
    def pointer(self) -> str:
        """The place as a JSON Pointer (RFC 6901)."""
        return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in self.path)


def changes(old: Any, new: Any, path: tuple[str, ...] = ()) -> Iterator[Change]:
    """Yield every place at which two contents differ, by name."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from changes(old.get(name, MISSING), new.get(name, MISSING), (*path, name))
    elif type(old) is not type(new) or old != new:
        yield Change(path, old, new)


def merge(base: Content, proposed: Content, present: Content) -> tuple[Content, list[Change]]:
    """Put what was proposed on `base` into the present content; returns it and what collides, left as it is present.

    A place collides when both sides changed it, and not to the same.
    """
    merged, collisions = deepcopy(present), list[Change]()
    for change in changes(base, proposed):
        here = _at(present, change.path)
        if _same(here, change.old):
            _put(merged, change.path, change.new)
        elif not _same(here, change.new):
            collisions.append(Change(change.path, here, change.new))
    return merged, collisions


def _same(one: Any, other: Any) -> bool:
    return next(changes(one, other), None) is None


def _at(content: Any, path: Sequence[str]) -> Any:
    for name in path:
        if not isinstance(content, dict):
            return NOWHERE
        content = content.get(name, MISSING)
    return content


def _put(content: Content, path: Sequence[str], value: Any) -> None:
    *parents, last = path
    for name in parents:
        content = content[name]
    if value is MISSING:
        content.pop(last, None)
    else:
        content[last] = deepcopy(value)
