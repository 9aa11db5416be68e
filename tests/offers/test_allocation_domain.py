"""What allocation promises, tried on invented towns: stable, best for every child, no gain from untrue wishes.

Small towns are tried completely: every list a child could hand in, every matching there is.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.offers.allocation.domain import (
    ChildWishes,
    Choice,
    Claim,
    Criterion,
    NewPeriod,
    Rules,
    check_child,
)
from services.offers.allocation.matching import Ranking
from services.offers.allocation.outcome import Answer, Child, Verdict, allocate, draw, ranking, sentence

CRITERIA = [
    Criterion(name="alone", label={"de": "Alleinerziehend"}),
    Criterion(name="sibling", label={"de": "Geschwister dort"}, per_activity=True),
]
Got = dict[tuple[str, str], str]


@dataclass(frozen=True)
class Town:
    """An instance: places by slot and activity, the children with their true wishes, the seed."""

    places: dict[str, dict[str, int]]
    children: list[Child]
    seed: str

    def answers(self, children: Sequence[Child] | None = None) -> dict[str, list[Answer]]:
        return allocate(self.seed, CRITERIA, self.places, self.children if children is None else children)

    def got(self, children: Sequence[Child] | None = None) -> Got:
        """The activity by child and slot."""
        answers = self.answers(children).items()
        return {
            (child, each.slot): each.activity for child, found in answers for each in found if each.activity
        }

    def ranks(self, slot: str) -> Ranking:
        present = [child for child in self.children if slot in child.wishes]
        return ranking(CRITERIA, present, draw(self.seed, slot, present))


def lists(activities: Sequence[str]) -> list[tuple[str, ...]]:
    """Every list that can be made of the activities, the empty one first."""
    return [some for length in range(len(activities) + 1) for some in permutations(activities, length)]


@st.composite
def towns(draw_: st.DrawFn, *, children: int = 5, activities: int = 3, slots: int = 2, most: int = 2) -> Town:
    names = [f"s{number}" for number in range(1, slots + 1)]
    places = {
        slot: {
            f"{slot}a{number}": draw_(st.integers(1, most))
            for number in range(draw_(st.integers(1, activities)))
        }
        for slot in names
    }
    offered = [activity for held in places.values() for activity in held]
    keys = ["alone", *(f"sibling@{activity}" for activity in offered)]
    found = [
        Child(
            f"c{number}",
            draw_(st.sampled_from(["g1", "g2", f"own{number}"])),
            {slot: wished for slot in names if (wished := draw_(st.sampled_from(lists(list(places[slot])))))},
            frozenset(draw_(st.sets(st.sampled_from(keys), max_size=2))),
        )
        for number in range(draw_(st.integers(1, children)))
    ]
    return Town(places, found, draw_(st.text("0123456789abcdef", min_size=4, max_size=8)))


def liking(child: Child, slot: str, activity: str | None) -> int:
    """How a child likes what it gets, 0 best: its wishes in order, then nothing, then what it never wished for."""
    wished = list(child.wishes.get(slot, ()))
    if activity is None:
        return len(wished)
    return wished.index(activity) if activity in wished else len(wished) + 1


@given(towns(children=12, activities=5, slots=3, most=4))
@settings(max_examples=150, deadline=None)
def test_places_are_kept_to_and_only_wishes_are_fulfilled(town: Town) -> None:
    taken = Counter(town.got().values())
    everything = {activity: places for held in town.places.values() for activity, places in held.items()}
    assert all(count <= everything[activity] for activity, count in taken.items())
    wishes = {(child.id, slot): wished for child in town.children for slot, wished in child.wishes.items()}
    assert all(activity in wishes[key] for key, activity in town.got().items())
    assert all(len(town.answers().get(child.id, [])) == len(child.wishes) for child in town.children)


@given(towns(children=12, activities=5, slots=2, most=3))
@settings(max_examples=150, deadline=None)
def test_nobody_has_cause_to_envy(town: Town) -> None:
    """What a child would like better is full, and only with children who come before it there."""
    got = town.got()
    for slot, places in town.places.items():
        rank = town.ranks(slot)
        for child in town.children:
            for better in list(child.wishes.get(slot, ()))[: liking(child, slot, got.get((child.id, slot)))]:
                there = [other for (other, where), held in got.items() if where == slot and held == better]
                assert len(there) == places[better]
                assert all(rank(other, better) < rank(child.id, better) for other in there)


@given(towns(children=4, activities=3, slots=1))
@settings(max_examples=60, deadline=None)
def test_no_stable_matching_is_better_for_any_child(town: Town) -> None:
    ours = town.got()
    stable = list(stable_matchings(town, "s1"))
    assert {child.id: ours.get((child.id, "s1")) for child in town.children} in stable
    for other in stable:
        for child in town.children:
            mine, theirs = ours.get((child.id, "s1")), other.get(child.id)
            assert liking(child, "s1", mine) <= liking(child, "s1", theirs)


def stable_matchings(town: Town, slot: str) -> Iterator[dict[str, str | None]]:
    """Every stable matching, found by trying all matchings."""
    rank, places = town.ranks(slot), town.places[slot]
    options = [(None, *child.wishes.get(slot, ())) for child in town.children]
    for picked in product(*options):
        matching = dict(zip((child.id for child in town.children), picked, strict=True))
        taken = Counter(picked)
        if any(taken[activity] > places[activity] for activity in places):
            continue
        if not any(
            blocks(child, activity, matching, rank, places, slot)
            for child in town.children
            for activity in places
        ):
            yield matching


def blocks(
    child: Child,
    activity: str,
    matching: Mapping[str, str | None],
    rank: Ranking,
    places: Mapping[str, int],
    slot: str,
) -> bool:
    """Whether child and activity would both rather have each other."""
    if liking(child, slot, activity) >= liking(child, slot, matching[child.id]):
        return False
    there = [other for other, held in matching.items() if held == activity]
    return len(there) < places[activity] or any(
        rank(child.id, activity) < rank(other, activity) for other in there
    )


@given(towns(children=4, activities=3, slots=2))
@settings(max_examples=30, deadline=None)
def test_no_child_gains_in_any_slot_by_other_lists_in_all_slots(town: Town) -> None:
    """Every pair of lists that a child could hand in, against its true ones."""
    honest = town.got()
    for chosen in product(*(lists(list(held)) for held in town.places.values())):
        untrue = {slot: wished for slot, wished in zip(town.places, chosen, strict=True) if wished}
        for number, child in enumerate(town.children):
            others = [*town.children[:number], replace(child, wishes=untrue), *town.children[number + 1 :]]
            got = town.got(others)
            for slot in town.places:
                true, lie = honest.get((child.id, slot)), got.get((child.id, slot))
                assert liking(child, slot, true) <= liking(child, slot, lie)


@given(towns(children=6, activities=4, slots=1))
@settings(max_examples=25, deadline=None)
def test_no_child_gains_by_any_list_of_four_activities(town: Town) -> None:
    honest = town.got()
    for number, child in enumerate(town.children):
        true = liking(child, "s1", honest.get((child.id, "s1")))
        for untrue in lists(list(town.places["s1"])):
            others = list(town.children)
            others[number] = replace(child, wishes={"s1": untrue} if untrue else {})
            assert true <= liking(child, "s1", town.got(others).get((child.id, "s1")))


@given(towns(children=4, activities=2, slots=1), st.data())
@settings(max_examples=60, deadline=None)
def test_no_two_children_both_gain_by_agreeing_on_lists(town: Town, data: st.DataObject) -> None:
    if len(town.children) < 2:
        return
    honest = town.got()
    pair = data.draw(
        st.lists(st.sampled_from(range(len(town.children))), min_size=2, max_size=2, unique=True)
    )
    for chosen in product(lists(list(town.places["s1"])), repeat=2):
        others = list(town.children)
        for number, wished in zip(pair, chosen, strict=True):
            others[number] = replace(others[number], wishes={"s1": wished} if wished else {})
        got = town.got(others)
        better = [
            liking(town.children[n], "s1", got.get((f"c{n}", "s1")))
            < liking(town.children[n], "s1", honest.get((f"c{n}", "s1")))
            for n in pair
        ]
        assert not all(better)


@given(towns(children=10, activities=4), st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_the_order_in_which_wishes_came_changes_nothing(town: Town, random: Any) -> None:
    before = town.answers()
    mixed = list(town.children)
    random.shuffle(mixed)
    assert town.answers(mixed) == before


@given(towns(children=10, activities=4), st.data())
@settings(max_examples=80, deadline=None)
def test_slots_do_not_touch_each_other(town: Town, data: st.DataObject) -> None:
    kept = data.draw(st.sampled_from(sorted(town.places)))
    alone = [
        replace(child, wishes={slot: wished for slot, wished in child.wishes.items() if slot == kept})
        for child in town.children
    ]
    assert {key: held for key, held in town.got().items() if key[1] == kept} == town.got(alone)


@given(towns(children=8, activities=4, slots=1), st.data())
@settings(max_examples=80, deadline=None)
def test_more_priority_or_more_places_or_fewer_rivals_never_harm(town: Town, data: st.DataObject) -> None:
    before = town.got()
    number = data.draw(st.sampled_from(range(len(town.children))))
    child = town.children[number]
    raised = list(town.children)
    raised[number] = replace(child, confirmed=child.confirmed | {"alone"})
    after = town.got(raised).get((child.id, "s1"))
    assert liking(child, "s1", after) <= liking(child, "s1", before.get((child.id, "s1")))
    wider = replace(town, places={"s1": {a: n + 1 for a, n in town.places["s1"].items()}}).got()
    assert all(
        liking(c, "s1", wider.get((c.id, "s1"))) <= liking(c, "s1", before.get((c.id, "s1")))
        for c in town.children
    )
    rest = [each for each in town.children if each is not child and each.group != child.group]
    fewer = town.got(rest)
    assert all(
        liking(c, "s1", fewer.get((c.id, "s1"))) <= liking(c, "s1", before.get((c.id, "s1"))) for c in rest
    )


@given(towns(children=12, activities=5, slots=2, most=2))
@settings(max_examples=100, deadline=None)
def test_what_is_explained_is_why(town: Town) -> None:
    got = town.got()
    children = {child.id: child for child in town.children}
    for child_id, answers in town.answers().items():
        for answer in answers:
            rank, words = town.ranks(answer.slot), [verdict for _, verdict in answer.verdicts]
            assert [wish for wish, _ in answer.verdicts] == list(children[child_id].wishes[answer.slot])
            full = words[: words.index(Verdict.PLACED)] if answer.activity else words
            assert (
                words[len(full) :]
                == [Verdict.PLACED, *[Verdict.UNNEEDED] * (len(words) - len(full) - 1)][
                    : len(words) - len(full)
                ]
            )
            for wish, verdict in answer.verdicts[: len(full)]:
                there = [rank(other, wish) for (other, _), held in got.items() if held == wish]
                higher = all(other[0] < rank(child_id, wish)[0] for other in there)
                assert verdict is (Verdict.PRIORITY if higher else Verdict.LOT)
                assert answer.last_lots.get(wish) == (None if higher else max(there)[1])
            friends = [o for o in town.children if o.group == children[child_id].group and o.id != child_id]
            same = [o for o in friends if answer.activity and got.get((o.id, answer.slot)) == answer.activity]
            assert answer.together == len(same)


@given(towns(children=12, activities=2, slots=2))
@settings(max_examples=60, deadline=None)
def test_a_group_stands_together_in_the_draw(town: Town) -> None:
    for slot in town.places:
        lots = draw(town.seed, slot, town.children)
        assert sorted(lots.values()) == list(range(1, len(town.children) + 1))
        for group in {child.group for child in town.children}:
            own = sorted(lots[child.id] for child in town.children if child.group == group)
            assert own == list(range(own[0], own[0] + len(own)))


def test_another_seed_is_another_draw_and_another_slot_too() -> None:
    children = [Child(f"c{number}", f"c{number}", {}) for number in range(50)]
    draws = [draw(seed, slot, children) for seed in ("a", "b") for slot in ("s1", "s2")]
    assert len({tuple(sorted(lots.items())) for lots in draws}) == 4


def test_criteria_decide_in_their_order_and_only_for_their_activity() -> None:
    children = [
        Child("alone", "1", {}, frozenset({"alone"})),
        Child("sibling", "2", {}, frozenset({"sibling@lake"})),
        Child("none", "3", {}),
        Child("both", "4", {}, frozenset({"alone", "sibling@lake"})),
    ]
    lots = {"none": 1, "sibling": 2, "alone": 3, "both": 4}
    rank = ranking(CRITERIA, children, lots)
    assert sorted(lots, key=lambda child: rank(child, "lake")) == ["both", "alone", "sibling", "none"]
    assert sorted(lots, key=lambda child: rank(child, "wood")) == ["alone", "both", "none", "sibling"]


def test_every_verdict_is_said_in_both_languages() -> None:
    verdicts = [("a", Verdict.PRIORITY), ("b", Verdict.LOT), ("c", Verdict.PLACED), ("d", Verdict.UNNEEDED)]
    answer = Answer("s1", 7, 9, "c", verdicts, {"b": 3})
    said = [sentence(number, answer, {"de": "Waldwoche {0}"}, 12) for number in range(1, 5)]
    assert said[1]["de"].startswith("Wunsch 2, „Waldwoche {0}“: voll.")
    assert "gezogen wurde hier 7, der letzte Platz ging an 3" in said[1]["de"]
    assert "(12)" in said[0]["en"]
    assert all(
        set(text) == {"de", "en"} and not {"None", "{"} & set(text["en"].replace("{0}", "").split())
        for text in said
    )


RULES = Rules(places_per_child=1, wishes_per_slot=2, criteria=CRITERIA)
IDS = [f"019ca8a0-3e80-7235-ada7-280f1decc3a{number}" for number in range(4)]
CHOICES = {
    IDS[0]: Choice("s1", date(2026, 8, 3), 72, 120),
    IDS[1]: Choice("s1", date(2026, 8, 3)),
    IDS[2]: Choice("s1", date(2026, 8, 3)),
    IDS[3]: Choice("s2", date(2026, 8, 10)),
}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({}, None),
        ({"wishes": {"s1": [IDS[0]], "s2": [IDS[3]]}}, "wishes"),
        ({"wishes": {"s1": [IDS[0], IDS[1], IDS[2]]}}, "wishes.s1"),
        ({"wishes": {"s1": [IDS[1], IDS[1]]}}, "wishes.s1"),
        ({"wishes": {"s1": [IDS[3]]}}, "wishes.s1.0"),
        ({"wishes": {"s9": [IDS[3]]}}, "wishes.s9.0"),
        ({"born": "2020-09"}, "wishes.s1.0"),
        ({"born": "2020-08"}, None),
        ({"born": "2016-07"}, None),
        ({"born": "2016-06"}, "wishes.s1.0"),
        ({"claims": [Claim(criterion="rich")]}, "claims.0.criterion"),
        ({"claims": [Claim(criterion="alone", activity=IDS[0])]}, "claims.0.activity"),
        ({"claims": [Claim(criterion="sibling")]}, "claims.0.activity"),
        (
            {"claims": [Claim(criterion="sibling", activity=IDS[0].replace("3a0", "9a0"))]},
            "claims.0.activity",
        ),
        ({"claims": [Claim(criterion="sibling", activity=IDS[3]), Claim(criterion="alone")]}, None),
    ],
)
def test_what_a_child_may_wish_and_claim(change: dict[str, Any], field: str | None) -> None:
    child = ChildWishes(**({"label": "A", "born": "2017-05", "wishes": {"s1": [IDS[0]]}} | change))
    assert [name for name, _ in check_child(child, RULES, CHOICES)] == ([field] if field else [])


PERIOD: dict[str, Any] = {
    "title": {"de": "Sommer"},
    "wishes_from": "2026-05-01T08:00:00Z",
    "wishes_until": "2026-05-31T20:00:00Z",
    "slots": [{"name": "w1", "title": {"de": "Woche 1"}, "start": "2026-08-03", "end": "2026-08-07"}],
    "activities": [{"slot": "w1", "offer_id": IDS[0], "places": 3}],
}


@pytest.mark.parametrize(
    "change",
    [
        {"wishes_until": "2026-05-01T08:00:00Z"},
        {"slots": PERIOD["slots"] * 2},
        {
            "slots": [
                *PERIOD["slots"],
                PERIOD["slots"][0] | {"name": "w2", "start": "2026-08-07", "end": "2026-08-08"},
            ]
        },
        {"slots": [PERIOD["slots"][0] | {"end": "2026-08-02"}]},
        {"activities": PERIOD["activities"] * 2},
        {"activities": [PERIOD["activities"][0] | {"slot": "w2"}]},
        {"activities": [PERIOD["activities"][0] | {"places": 0}]},
        {"activities": []},
    ],
)
def test_a_period_that_does_not_fit_together(change: dict[str, Any]) -> None:
    assert NewPeriod(**PERIOD).slots[0].name == "w1"
    with pytest.raises(ValidationError):
        NewPeriod(**(PERIOD | change))
