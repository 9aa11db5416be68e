"""What is typed becomes words that things are indexed by."""

import pytest

from libs.language.questions import fold_all, question

STOP = fold_all(["in", "für", "der", "es"])


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("Schwimmen für Kinder", "schwimmen kinder"),
        ("FÜR", "fur"),
        ("in der", "in der"),
        ("Lehrerin", "lehrerin"),
        ("erstes", "erstes"),
        ("Erzieher*in", "erzieher"),
        ("Albrechtstr. 20", "albrechtstrasse 20"),
        ("Albrechtstr.", "albrechtstrasse"),
        ("industr", "industr"),
        ('"Kita am Bach" Mitte', '"kita am bach" mitte'),
        ('"Kita', "kita"),
        ("kita -waldorf", "kita -waldorf"),
        ("-waldorf", "waldorf"),
        ("- Kita -", "kita"),
        ('kita -"am Bach"', 'kita -"am bach"'),
        ("!?", ""),
        ("", ""),
        (
            "eins zwei drei vier fünf sechs sieben acht neun zehn elf",
            "eins zwei drei vier funf sechs sieben acht neun zehn",
        ),
    ],
)
def test_a_question_is_a_line_of_folded_words(typed: str, line: str) -> None:
    assert question(typed, STOP).line == line


def test_a_question_is_relaxed_by_parts_of_a_compound_and_by_a_word_less() -> None:
    asked = question("Kinderturnen -Verein Mitte")

    assert "kinder turnen -verein mitte" in [other.line for other in asked.taken_apart()]
    assert [other.line for other in asked.one_less()] == ["kinderturnen -verein", "-verein mitte"]
    assert list(question("kita").one_less()) == []
