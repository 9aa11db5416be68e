"""Rules of unmet needs: nobody is guessed from them, and nobody is told the same twice."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.offers.needs.domain import NeedRules, is_due, is_settled, stranger, wording

RULES = NeedRules(threshold=5, window_days=28)


def test_fewer_than_three_are_never_enough() -> None:
    with pytest.raises(ValidationError, match="threshold"):
        NeedRules(threshold=2)


def test_the_window_counts_today() -> None:
    assert RULES.since(date(2026, 3, 28)) == date(2026, 3, 1)


def test_the_same_words_are_the_same_need() -> None:
    assert wording(["Theater", "kostenlos"]) == wording(["kostenlos", "theater", "theater"])
    assert wording(["unter drei", "Kinder"]) == ["kinder", "unter drei"]
    assert wording([]) is None
    assert wording([f"wort{number}" for number in range(9)]) is None
    assert wording(["w" * 150, "v" * 150]) is None


def test_a_stranger_is_the_same_at_one_thing_only() -> None:
    assert stranger("anna", "a") == stranger("anna", "a")
    assert len({stranger("anna", "a"), stranger("anna", "b"), stranger("ben", "a")}) == 3
    assert "anna" not in stranger("anna", "a")


@given(st.lists(st.integers(0, 200), max_size=60))
def test_a_need_is_told_above_the_threshold_only_and_seldom(counts: list[int]) -> None:
    told, facts = 0, list[int]()
    for asking in counts:
        if is_due(asking, told, RULES):
            assert asking >= RULES.threshold
            assert not told or asking > told
            told = asking
            facts.append(asking)
        elif is_settled(asking, told, RULES):
            assert asking < RULES.threshold
            told = 0
    if counts == sorted(counts):
        assert len(facts) <= 10, "growing to 200 is told in steps"
