"""What leaves of a text are words of the town's vocabulary, whatever was typed."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.search.words import MAX_WORDS, TownWords

BOARDS: list[dict[str, Any]] = [
    {
        "declares": [
            {
                "name": "age",
                "options": [
                    {"value": "u3", "label": {"de": "Kinder unter drei", "en": "Children under three"}},
                    {"value": "hort", "label": {"de": "Nachmittagsbetreuung"}},
                ],
            }
        ]
    },
    {},
]
WORDS = TownWords(
    [["Kita", "Kindergarten", "nursery"], ["Hort", "Nachmittagsbetreuung"]], BOARDS, ["true", "12", "Neuses"]
)
VOCABULARY = {"Kita", "Hort", "Kinder unter drei", "Neuses"}


def test_words_come_in_their_main_form_and_everything_else_is_left_out() -> None:
    assert WORDS.known(["Kindergarten für Lisa Müller, 0151 1234567, in neuses"]) == ["Kita", "Neuses"]
    assert WORDS.known(["CHILDREN   under-three?", "children under three"]) == ["Kinder unter drei"]
    assert WORDS.known(["u3", "hort"]) == ["Hort", "Kinder unter drei"]
    assert WORDS.known(["true 12 2026-05-01"]) == []
    assert WORDS.known([""]) == []


@given(
    st.lists(st.text(max_size=60) | st.sampled_from(["kita lisa", "unter drei kinder unter drei", "neuses"]))
)
def test_nothing_leaves_but_the_vocabulary(texts: list[str]) -> None:
    found = WORDS.known(texts)
    assert set(found) <= VOCABULARY
    assert found == sorted(set(found))
    assert len(found) <= MAX_WORDS
