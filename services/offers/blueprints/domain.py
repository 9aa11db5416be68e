"""Rules of blueprints: what a change means for a board that went its own way, and what a derived board takes over."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import Field
from pydantic_core import to_json

from libs.contracts.card import Name, Text
from libs.contracts.offers import BoardChange, BoardField, BoardStep
from libs.servicekit.values import Body
from services.offers.blueprints.changes import SECTIONS, Misfit, Tree, holder_of, public, public_parts, tree
from services.offers.boards.domain import Declaration, Present

PARTS = ("fields", "steps", "texts", "sections")


class Own(Body):
    """What a derived board adds to what it takes over; a name that both have is the derived board's own."""

    fields: list[BoardField] = Field(default=[], max_length=100)
    steps: list[BoardStep] = Field(default=[], max_length=20)
    texts: dict[Name, Present] = Field(default={}, max_length=20)
    sections: dict[Name, Any] = Field(default={}, max_length=20)


class Derivation(Body):
    """A board to be derived: its name, what it takes over of the blueprint (null: everything), what it adds."""

    slug: Name
    title: Present
    summary: Text | None = None
    languages: list[str] | None = None
    fields: list[Name] | None = Field(default=None, max_length=100)
    steps: list[Name] | None = Field(default=None, max_length=20)
    texts: list[Name] | None = Field(default=None, max_length=20)
    sections: list[Name] | None = Field(default=None, max_length=20)
    own: Own = Own()


class Wish(Body):
    """How an improvement is taken over: as it is, over the board's own change, or with `instead` in place of `after`."""

    overwrite: bool = False
    instead: Any = None


class Taken(Wish):
    """An improvement to be taken over, as the caller has seen it."""

    id: Annotated[str, Field(min_length=1, max_length=36)]
    version: Annotated[int, Field(ge=1)]


def parts(board: Declaration) -> dict[str, dict[str, Any]]:
    """What can be taken over of a board, by kind and name."""
    raw = board.model_dump(mode="json")
    return {
        "fields": {field["name"]: field for field in raw["fields"]},
        "steps": {step["name"]: step for step in raw["steps"]},
        "texts": raw["texts"],
        "sections": {name: raw[name] for name in SECTIONS if raw[name] is not None},
    }


def missing(parent: Declaration, wish: Derivation) -> Iterator[tuple[str, str]]:
    """Yield (field, reason) for everything that is to be taken over, or filled, and is not there."""
    there = parts(parent)
    for kind in PARTS:
        if unknown := [name for name in getattr(wish, kind) or [] if name not in there[kind]]:
            yield kind, f"board {parent.slug} has no {', '.join(unknown)}"
    if unknown := [name for name in wish.own.sections if name not in SECTIONS]:
        yield "own.sections", f"{', '.join(unknown)} is none of {', '.join(SECTIONS) or 'no sections'}"


def derive(parent: Declaration, wish: Derivation) -> Declaration:
    """The derived board's declaration; raises pydantic.ValidationError when its parts make no sense together."""
    taken, added = parts(parent), wish.own.model_dump(mode="json")
    for kind in PARTS:
        chosen = getattr(wish, kind)
        taken[kind] = {name: it for name, it in taken[kind].items() if chosen is None or name in chosen}
    raw = {
        "slug": wish.slug,
        "title": wish.title,
        "summary": parent.summary if wish.summary is None else wish.summary,
        "languages": parent.languages if wish.languages is None else wish.languages,
        "derived_from": parent.slug,
        "fields": list((taken["fields"] | {field["name"]: field for field in added["fields"]}).values()),
        "steps": list((taken["steps"] | {step["name"]: step for step in added["steps"]}).values()),
        "texts": taken["texts"] | added["texts"],
    }
    return Declaration.model_validate_json(to_json(raw | taken["sections"] | added["sections"]))


class Effect(StrEnum):
    """What a change would do to a board."""

    CLEAN = "clean"
    CONFLICT = "conflict"
    NONE = "none"
    MOOT = "moot"


class Standing(NamedTuple):
    """The effect of a change on a board, and why if it is in conflict."""

    effect: Effect
    reason: str | None = None


def standing(change: BoardChange, board: Declaration) -> Standing:
    """Whether a board has a change already, has no place for it, or changed the same thing in its own way."""
    blueprint = tree(board)
    try:
        holder = holder_of(blueprint, change)
    except Misfit:
        return Standing(Effect.MOOT)
    verb, key = change.kind.rpartition("_")[2], change.path[-1]
    here = holder.get(key)
    if verb == "ordered":
        return _order_standing(change, [*(here or {})])
    if change.kind in ("text_changed", "rule_changed"):
        return _whole_standing(change, here, known=key in holder)
    if here is not None and verb == "changed":
        return _parts_standing(change, public_parts(here))
    now = None if here is None else public(key, tuple(change.path[:-1]), here)
    return _whole_standing(change, now, known=here is not None)


def _whole_standing(change: BoardChange, here: Any, *, known: bool) -> Standing:
    if here == change.after:
        return Standing(Effect.NONE)
    if here == change.before:
        return Standing(Effect.CLEAN)
    if not known:
        return Standing(Effect.MOOT)
    where = ".".join(change.path)
    if change.before is None:
        return Standing(Effect.CONFLICT, f"this board has its own {where}")
    return Standing(Effect.CONFLICT, f"this board changed {where} itself")


def _parts_standing(change: BoardChange, here: Tree) -> Standing:
    before, after = change.before or {}, change.after or {}
    if all(here.get(name) == value for name, value in after.items()):
        return Standing(Effect.NONE)
    own = [name for name in after if here.get(name) not in (before.get(name), after[name])]
    if own:
        return Standing(
            Effect.CONFLICT, f"this board changed {', '.join(own)} of {'.'.join(change.path)} itself"
        )
    return Standing(Effect.CLEAN)


def _order_standing(change: BoardChange, here: list[str]) -> Standing:
    def within(order: list[str], other: list[str]) -> list[str]:
        return [name for name in order if name in other]

    if within(here, change.after) == within(change.after, here):
        return Standing(Effect.NONE)
    if within(here, change.before) == within(change.before, here):
        return Standing(Effect.CLEAN)
    return Standing(Effect.CONFLICT, f"this board has its own order of {'.'.join(change.path)}")
