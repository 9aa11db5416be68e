"""One index being written: which changes go beyond it, and what is on its way into it."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from services.search.domain import Change, rank
from services.search.engine import Engine
from services.search.failures import Json, Rejected, Unavailable

KNOWN_VERSIONS = 100_000
PAGE, MAX_THINGS = 1000, 10_000_000


class Target:
    """One index being written, and what is known of the versions in it or on their way."""

    def __init__(self, uid: str) -> None:
        self.uid = uid
        self.task: int | None = None  # the newest handed to it; earlier ones are done before it
        self._known: OrderedDict[str, int] = OrderedDict()

    async def newer(self, engine: Engine, changes: Sequence[Change]) -> list[Change]:
        """The changes that go beyond the index; from now on they count as known."""
        unknown = [one.key for one in changes if one.key not in self._known]
        if unknown:
            self._known |= dict.fromkeys(unknown, 0) | await engine.versions(self.uid, unknown)
        fresh = [one for one in changes if one.version > self._known[one.key]]
        for one in fresh:
            self._known[one.key] = one.version
            self._known.move_to_end(one.key)
        while len(self._known) > KNOWN_VERSIONS:
            self._known.popitem(last=False)
        return fresh

    def forget(self, changes: Sequence[Change]) -> None:
        """These did not get there after all; a newer one on its way stays known."""
        for one in changes:
            if self._known.get(one.key) == one.version:
                del self._known[one.key]


@dataclass(frozen=True)
class PendingTask:
    """Changes on their way into a target: Meilisearch's task, or its refusal to take one."""

    target: Target
    changes: list[Change]
    task: int | Rejected


@dataclass(frozen=True)
class Refused:
    """A change that Meilisearch will never take."""

    key: str
    reason: Rejected


async def misplaced(engine: Engine, target: Target, lifts: Mapping[str, float]) -> list[Json]:
    """The rank of every thing in the target that ranks otherwise than these factors ask for.

    Nothing may be handed to the target meanwhile; what is on its way is waited for. Raises Unavailable.
    """
    if target.task is not None:
        with suppress(Rejected, Unavailable):  # whoever sent it looks after it
            await engine.administration.wait(target.task)
    found: list[Json] = []
    asked: Json = {"filter": _perhaps_misplaced(lifts), "fields": _RANKED, "limit": PAGE}
    for offset in range(0, MAX_THINGS, PAGE):
        page = await engine.fetch(target.uid, asked | {"offset": offset})
        for one in page:
            wanted = rank(one.get("boost", 1.0), one.get("fields_of_action", ()), lifts)
            if any(one.get(name) != value for name, value in wanted.items()):
                found.append({"key": one["key"], **wanted})
        if len(page) < PAGE:
            break
    return found


_RANKED = ["key", "boost", "fields_of_action", "lift", "rank"]


def _perhaps_misplaced(lifts: Iterable[str]) -> list[str | list[str]]:
    return ["listed = true", ["lift != 1", *(f'fields_of_action = "{field}"' for field in lifts)]]
