"""Changes between boards: they carry one blueprint into the other exactly, and know what they mean for a third."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.home import ROOT
from libs.contracts.offers import BoardChange
from services.offers.blueprints.changes import Misfit, apply, diff
from services.offers.blueprints.domain import Derivation, Effect, derive, missing, standing
from services.offers.blueprints.fitting import GONE, REQUIRED, UNFIT, fit
from services.offers.boards.commands import read_declarations
from services.offers.boards.domain import Declaration, check_fields
from services.offers.offers.domain import Flag

NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
TEXTS = st.dictionaries(st.sampled_from(["de", "en"]), st.sampled_from(["x", "y"]), min_size=1)
TYPES = ("text", "integer", "number", "boolean", "choice", "choices", "date", "url", "hours")
TOWN = {board.slug: board for board in read_declarations(ROOT / "city" / "boards")}


def board(**said: Any) -> Declaration:
    import json

    return Declaration.model_validate_json(json.dumps({"slug": "eins", "title": {"de": "Eins"}} | said))


def named(key: str, items: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: name} | item for name, item in items.items()]


OPTIONS = st.dictionaries(NAMES, st.fixed_dictionaries({"label": TEXTS}), min_size=1, max_size=5)


@st.composite
def fields(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(TYPES))
    said: dict[str, Any] = {"type": kind, "label": draw(TEXTS), "facet": draw(st.booleans())}
    said["unit"] = draw(st.sampled_from([None, "m"]))
    return said | ({"options": named("value", draw(OPTIONS))} if kind.startswith("choice") else {})


STEPS = st.fixed_dictionaries({"label": TEXTS, "actor": st.sampled_from(["provider", "editor"])})


@st.composite
def boards(draw: st.DrawFn) -> Declaration:
    return board(
        summary=draw(TEXTS),
        languages=draw(st.lists(st.sampled_from(["de", "en"]), unique=True)),
        fields=named("name", draw(st.dictionaries(NAMES, fields(), max_size=5))),
        steps=named("name", draw(st.dictionaries(NAMES, STEPS, max_size=5))),
        texts=draw(st.dictionaries(NAMES, TEXTS, max_size=3)),
    )


@settings(max_examples=150, deadline=None)
@given(boards(), boards())
def test_the_changes_between_two_boards_make_one_the_other(old: Declaration, new: Declaration) -> None:
    changes = diff(old, new)
    assert apply(changes, old) == new
    assert bool(changes) == (old != new)
    assert all(standing(change, new).effect is Effect.NONE for change in changes)
    assert all(standing(change, old).effect is Effect.CLEAN for change in changes)


@settings(max_examples=50, deadline=None)
@given(boards(), boards(), st.randoms(use_true_random=False))
def test_nothing_is_ever_the_same_path_twice_and_parts_do_not_need_the_whole(
    old: Declaration, new: Declaration, chance: Any
) -> None:
    changes = diff(old, new)
    assert len({tuple(change.path) for change in changes}) == len(changes)
    alone = [change for change in changes if change.kind in ("field_added", "step_added", "text_changed")]
    chance.shuffle(alone)
    now = apply(alone, old)
    assert not {tuple(change.path) for change in diff(now, new)} & {tuple(change.path) for change in alone}


@pytest.mark.parametrize("slug", TOWN)
def test_any_board_of_the_town_can_become_any_other(slug: str) -> None:
    for other in TOWN.values():
        goal = other.model_copy(update=TOWN[slug].model_dump(include={"slug", "title", "derived_from"}))
        assert apply(diff(TOWN[slug], goal), TOWN[slug]) == goal


def test_what_is_added_in_any_order_stands_where_it_stood() -> None:
    def with_steps(*names: str) -> Declaration:
        return board(steps=[{"name": name, "label": {"de": name}, "actor": "editor"} for name in names])

    before, after = with_steps("a", "z"), with_steps("a", "m", "n", "z")
    first, second = diff(before, after)
    assert apply([second, first], before) == after
    own = with_steps("mine", "a", "also_mine", "z")
    assert [step.name for step in apply([second], own).steps] == ["mine", "a", "n", "also_mine", "z"]
    reordered = diff(before, with_steps("z", "a"))
    assert [step.name for step in apply(reordered, own).steps] == ["mine", "z", "a", "also_mine"]


LEVEL: dict[str, Any] = {
    "name": "level",
    "type": "choice",
    "label": {"de": "Niveau"},
    "options": [{"value": "easy", "label": {"de": "leicht"}}, {"value": "hard", "label": {"de": "schwer"}}],
}
PARENT = board(fields=[LEVEL], texts={"intro": {"de": "Hallo", "en": "Hello"}})


def changed(**said: Any) -> BoardChange:
    """The only change that a parent makes."""
    now = {"fields": [LEVEL], "texts": {"intro": {"de": "Hallo", "en": "Hello"}}} | said
    (change,) = diff(PARENT, board(**now))
    return change


FACET = changed(fields=[LEVEL | {"facet": True}])
LABEL = changed(fields=[LEVEL | {"label": {"de": "Stufe"}}])
GREETING = changed(texts={"intro": {"de": "Servus", "en": "Hello"}})
FEWER = changed(fields=[LEVEL | {"options": LEVEL["options"][:1]}])
NOTE = changed(fields=[LEVEL, {"name": "note", "type": "text", "label": {"de": "Notiz"}}])


@pytest.mark.parametrize(
    ("change", "child", "effect", "reason"),
    [
        (FACET, {"fields": [LEVEL]}, Effect.CLEAN, None),
        (FACET, {"fields": [LEVEL | {"label": {"de": "Stufe"}}]}, Effect.CLEAN, None),
        (FACET, {"fields": [LEVEL | {"facet": True}]}, Effect.NONE, None),
        (FACET, {}, Effect.MOOT, None),
        (LABEL, {"fields": [LEVEL | {"label": {"de": "Können"}}]}, Effect.CONFLICT, "label of fields.level"),
        (GREETING, {"texts": {"intro": {"de": "Hallo"}}}, Effect.CLEAN, None),
        (GREETING, {"texts": {"intro": {"de": "Moin"}}}, Effect.CONFLICT, "texts.intro.de"),
        (GREETING, {}, Effect.MOOT, None),
        (FEWER, {"fields": [LEVEL]}, Effect.CLEAN, None),
        (FEWER, {"fields": [LEVEL | {"options": LEVEL["options"][:1]}]}, Effect.NONE, None),
        (
            FEWER,
            {
                "fields": [
                    LEVEL | {"options": [*LEVEL["options"][:1], {"value": "hard", "label": {"de": "x"}}]}
                ]
            },
            Effect.CONFLICT,
            "fields.level.options.hard",
        ),
        (
            NOTE,
            {"fields": [{"name": "note", "type": "url", "label": {"de": "x"}}]},
            Effect.CONFLICT,
            "its own",
        ),
        (NOTE, {}, Effect.CLEAN, None),
    ],
)
def test_what_a_change_means_for_a_board_that_went_its_own_way(
    change: BoardChange, child: dict[str, Any], effect: Effect, reason: str | None
) -> None:
    stands = standing(change, board(**child))
    assert stands.effect is effect
    assert (reason or "") in (stands.reason or "")
    assert (stands.reason is None) == (reason is None)


def test_kinds_say_what_happened() -> None:
    kinds = [change.kind for change in (FACET, LABEL, GREETING, FEWER, NOTE)]
    assert kinds == ["field_changed", "field_changed", "text_changed", "option_removed", "field_added"]
    rules = diff(PARENT, PARENT.model_copy(update={"languages": ["de", "en"]}))
    assert [(change.kind, change.path) for change in rules] == [("rule_changed", ["languages"])]
    widened = changed(fields=[LEVEL | {"type": "text", "options": []}])
    assert set(widened.after) == {"type", "options"}, "a choice and its options are one change"


@pytest.mark.parametrize(
    "edited",
    [
        NOTE.model_copy(update={"after": "note"}),
        NOTE.model_copy(update={"after": {"name": "other"}}),
        NOTE.model_copy(update={"after": {"name": "note", "options": [3]}}),
        NOTE.model_copy(update={"after": {"name": "note", "type": "colour", "label": {}}}),
        FACET.model_copy(update={"after": []}),
        GREETING.model_copy(update={"after": 3}),
        GREETING.model_copy(update={"after": "\ud800"}),
        BoardChange(kind="steps_ordered", path=["steps"], after=3),
        FACET.model_copy(update={"path": ["fields", "none", "options", "x"]}),
    ],
)
def test_what_makes_no_sense_is_refused(edited: BoardChange) -> None:
    with pytest.raises(ValueError, match=r".+"):
        apply([edited], PARENT)


def test_a_change_without_a_place_is_a_misfit() -> None:
    with pytest.raises(Misfit, match="no level"):
        apply([FACET], board())


def test_a_derived_board_takes_over_what_it_wants_and_adds_its_own() -> None:
    wish = Derivation.model_validate(
        {"slug": "zwei", "title": {"de": "Zwei"}, "texts": [], "own": {"texts": {"intro": {"de": "Neu"}}}}
    )
    child = derive(PARENT, wish)
    assert (child.slug, child.derived_from, child.fields) == ("zwei", "eins", PARENT.fields)
    assert child.texts == {"intro": {"de": "Neu"}}
    assert not list(missing(PARENT, wish))
    unknown = wish.model_copy(update={"fields": ["colour"], "sections": ["magic"]})
    assert [field for field, _ in missing(PARENT, unknown)] == ["fields", "sections"]


def field(kind: str, *options: str, **more: Any) -> dict[str, Any]:
    said = [{"value": option, "label": {"de": option.upper()}} for option in options]
    return {"name": "f", "type": kind, "label": {"de": "F"}, "options": said} | more


RENAMED = {"value": "new", "label": {"de": "Neu"}, "was": ["old"]}


@pytest.mark.parametrize(
    ("declared", "values", "expected", "flags"),
    [
        (field("choice", "a"), {"f": "a"}, {"f": "a"}, []),
        (field("choice", options=[RENAMED]), {"f": "old"}, {"f": "new"}, []),
        (field("choices", options=[RENAMED]), {"f": ["old", "new"]}, {"f": ["new"]}, []),
        (field("choices", "a"), {"f": "a"}, {"f": ["a"]}, []),
        (field("choices", "a"), {"f": ["a", "b"]}, {"f": ["a"]}, [("f", UNFIT, ["b"])]),
        (field("choice", "a"), {"f": ["a"]}, {"f": "a"}, []),
        (field("choice", "a", "b"), {"f": ["a", "b"]}, {"f": None}, [("f", UNFIT, ["a", "b"])]),
        (field("choice", "a"), {"f": "A"}, {"f": "a"}, []),
        (field("choice", "a"), {"f": "z"}, {"f": None}, [("f", UNFIT, "z")]),
        (field("number"), {"f": 3}, {"f": 3}, []),
        (field("integer"), {"f": 3.0}, {"f": 3}, []),
        (field("integer"), {"f": 3.5}, {"f": None}, [("f", UNFIT, 3.5)]),
        (field("text"), {"f": 3}, {"f": "3"}, []),
        (field("text"), {"f": ["a", "b"]}, {"f": "a, b"}, []),
        (field("boolean"), {"f": "ja"}, {"f": None}, [("f", UNFIT, "ja")]),
        (field("text", was=["g"]), {"g": "x"}, {"f": "x"}, []),
        (field("text", was=["g"]), {"g": "x", "f": "y"}, {"f": "y"}, [("g", UNFIT, "x")]),
        (field("text"), {"f": "x", "gone": 1}, {"f": "x"}, [("gone", GONE, 1)]),
        (field("text"), {"gone": None}, {}, []),
        (field("integer", required=True, default=1), {}, {"f": 1}, []),
        (field("integer", required=True), {}, {}, [("f", REQUIRED, None)]),
        (field("integer", required=True), {"f": "x"}, {"f": None}, [("f", UNFIT, "x")]),
    ],
)
def test_what_becomes_of_a_value(
    declared: dict[str, Any], values: dict[str, Any], expected: dict[str, Any], flags: list[Any]
) -> None:
    fitted = fit(board(fields=[declared]), values, [], complete=True)
    assert fitted.values == expected
    assert [(flag.field, flag.reason, flag.value) for flag in fitted.flags] == flags
    again = fit(board(fields=[declared]), fitted.values, fitted.flags, complete=True)
    assert again == fitted, "fitting twice changes nothing"


def test_what_was_kept_aside_comes_back_when_the_board_admits_it_again() -> None:
    narrow, wide = board(fields=[field("choices", "a")]), board(fields=[field("choices", "a", "b")])
    away = fit(narrow, {"f": ["a", "b"], "g": "x"}, [], complete=True)
    assert [flag.value for flag in away.flags] == ["x", ["b"]] or [flag.value for flag in away.flags] == [
        ["b"],
        "x",
    ]
    back = fit(wide, away.values, away.flags, complete=True)
    assert (back.values, [flag.field for flag in back.flags]) == ({"f": ["a", "b"]}, ["g"])


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 9),
    st.floats(-9, 9),
    st.text(max_size=3),
    NAMES,
    st.lists(NAMES, unique=True),
)


@settings(max_examples=150, deadline=None)
@given(boards(), st.dictionaries(NAMES, VALUES))
def test_no_value_is_lost_and_what_stays_fits(now: Declaration, values: dict[str, Any]) -> None:
    fitted = fit(now, values, [], complete=False)
    assert not list(check_fields(now, fitted.values, complete=False))
    kept = {flag.field for flag in fitted.flags} | set(fitted.values)
    assert {name for name, value in values.items() if value not in (None, "", [])} <= kept
    assert fit(now, fitted.values, [*map(Flag.model_validate, fitted.flags)], complete=False) == fitted
