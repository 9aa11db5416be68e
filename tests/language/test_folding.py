"""One spelling for all that people write: letters, words, and the parts of compounds."""

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.language.compounds import cuts, parts
from libs.language.folding import words
from libs.language.indexing import inner_words, whole_words


@pytest.mark.parametrize(
    "spellings",
    [
        "Fußball Fussball FUSSBALL FUẞBALL fußball",
        "Mühlenstraße Muehlenstrasse MÜHLENSTRASSE mühlenstrasse Muhlenstrasse",
        "Löwenzahn loewenzahn Lowenzahn",
        "Bücherei Buecherei BÜCHEREI bucherei",
        "Kindertagesstätte Kindertagesstaette",
        "Bäuerin Baeuerin",
        "Müßiggang Muessiggang",
        "Café cafe CAFÉ",
        "Łódź Lodz",
        "Ærø Aero",
        "İzmir Izmir izmir",
        "ﬁnden finden",
        "Kinder\u00adgarten Kindergarten",
    ],
)
def test_spellings_of_one_word_are_one(spellings: str) -> None:
    forms = {
        " ".join(words(normalize(form, spelling)))
        for spelling in spellings.split(" ")
        for form in ("NFC", "NFD", "NFKC", "NFKD")
    }
    assert len(forms) == 1


@pytest.mark.parametrize("word", ["neue", "Quelle", "Frauen", "treue"])
def test_an_e_behind_another_vowel_is_no_umlaut(word: str) -> None:
    assert words(word) == [word.lower()]


def test_signs_part_words_and_streets_are_written_out() -> None:
    assert words("Eltern-Kind-Gruppe (0–3 J.)") == ["eltern", "kind", "gruppe", "0", "3", "j"]
    assert whole_words("Albrechtstr. 20, Str. der Freiheit") == "albrechtstrasse 20 strasse der freiheit"


@given(st.text(max_size=80))
def test_folding_twice_changes_nothing_and_any_form_is_the_same(text: str) -> None:
    folded = whole_words(text)
    assert whole_words(normalize("NFC", text)) == whole_words(normalize("NFD", text)) == folded
    assert all(word.isalnum() or not word.isascii() for word in folded.split())


@pytest.mark.parametrize(
    ("word", "inner"),
    [
        ("Grundschulkinder", "grund schulkinder kinder"),
        ("Abenteuerspielplatz", "abenteuer spielplatz platz"),
        ("Mittagstisch", "mittag tisch"),
        ("Volkshochschule", "hochschule schule"),
        ("Hausaufgabenhilfe", "haus hausaufgaben aufgabenhilfe hilfe"),
        ("Ordnungsamt", "ordnung amt"),
        ("Fußballverein", "fussball verein"),
        ("Hallenbad", "bad"),
        ("e.V.", "ev"),
        ("Erzieher*in", "erzieherin"),
        ("Eltern-Kind-Gruppe", "elternkindgruppe"),
    ],
)
def test_the_parts_of_a_compound_are_known(word: str, inner: str) -> None:
    assert set(inner.split()) <= set(inner_words([word]))


@pytest.mark.parametrize(
    ("word", "no"),
    [("freizeitkreis", "reis"), ("kinder", "inder"), ("beratung", "tung"), ("leitung", "tung")],
)
def test_what_only_ends_alike_is_no_part(word: str, no: str) -> None:
    assert no not in parts(word)


@given(st.text("abcdeginrstu", max_size=70))
def test_the_two_parts_make_the_word(word: str) -> None:
    assert all(first + second == word for first, second in cuts(word))
    assert len(parts(word)) <= 2 * len(word)
