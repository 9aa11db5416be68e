"""Differences and how they are put together: nothing that somebody changed is lost without a word."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.selfservice.proposals.domain import Change, changes, merge

NAMES = st.sampled_from(["title", "a/b", "~", "fields"])
VALUES = st.none() | st.booleans() | st.integers(0, 2) | st.lists(st.integers(0, 1), max_size=2)
CONTENTS = st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=2) | VALUES, max_size=3)
few = settings(max_examples=150, deadline=None)


def places(old: Any, new: Any) -> list[str]:
    return [change.pointer for change in changes(old, new)]


def test_a_difference_is_named_by_its_place() -> None:
    old = {"title": {"de": "Alt", "en": "Old"}, "tags": ["a"], "price_cents": 100}
    new = {"title": {"de": "Neu", "en": "Old"}, "tags": ["a", "b"], "fields": {"a/b": 1}}
    found = [(change.pointer, change.old, change.new) for change in changes(old, new)]
    assert found == [
        ("/fields", ..., {"a/b": 1}),
        ("/price_cents", 100, ...),
        ("/tags", ["a"], ["a", "b"]),
        ("/title/de", "Alt", "Neu"),
    ]
    assert places({"f": {"a/b": 1, "~": 1}}, {"f": {"a/b": 2, "~": 2}}) == ["/f/a~1b", "/f/~0"]
    assert places({"f": True}, {"f": 1}) == ["/f"], "true is not one"


def test_what_others_changed_elsewhere_stays() -> None:
    base = {"title": {"de": "Alt"}, "price_cents": 100, "tags": ["a"]}
    proposed = {"title": {"de": "Neu"}, "tags": ["a"]}
    present = {"title": {"de": "Alt", "en": "Old"}, "price_cents": 100, "tags": ["b"]}
    assert merge(base, proposed, present) == ({"title": {"de": "Neu", "en": "Old"}, "tags": ["b"]}, [])


def test_what_both_changed_collides() -> None:
    base, proposed = {"price_cents": 100, "place": {"lat": 1}}, {"price_cents": 200, "place": {"lat": 2}}
    merged, collisions = merge(base, proposed, {"price_cents": 300})
    assert merged == {"price_cents": 300}
    assert [change.pointer for change in collisions] == ["/place/lat", "/price_cents"]
    assert collisions[1] == Change(("price_cents",), 300, 200)


@few
@given(CONTENTS, CONTENTS)
def test_without_other_changes_the_proposal_is_what_comes_out(base: Any, proposed: Any) -> None:
    assert merge(base, proposed, base) == (proposed, [])
    assert merge(base, proposed, proposed) == (proposed, [])
    assert merge(base, base, proposed) == (proposed, [])


@few
@given(CONTENTS, CONTENTS, CONTENTS)
def test_every_place_is_as_proposed_or_as_it_was_found(base: Any, proposed: Any, present: Any) -> None:
    before = repr((base, proposed, present))
    merged, collisions = merge(base, proposed, present)
    assert repr((base, proposed, present)) == before, "values in, values out"
    colliding = {change.path for change in collisions}
    for change in changes(base, proposed):
        expected = present if change.path in colliding else proposed
        assert read(merged, change.path) == read(expected, change.path)
    if not collisions:
        both, _ = merge(base, present, proposed)
        assert both == merged, "it does not matter who came first"


def read(content: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        content = content.get(name, ...) if isinstance(content, dict) else ...
    return content
