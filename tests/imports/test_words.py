"""Everything that can be said about a file has words in German and English that speak of the same things."""

import re
import tomllib
from collections.abc import Iterator

from cli.home import ROOT
from libs.imports import checks
from libs.imports.findings import headings, message
from services.offers.imports import drafts

WORDS = tomllib.loads((ROOT / "city" / "findings.toml").read_text(encoding="utf-8"))["findings"]
CODE = re.compile(
    r'(?:Unreadable|InvalidCell|Fault)\(\s*"(\w+)"|Finding\([^,]+,\s*"(\w+)"|say\([^)]*"(\w+)", \{\}\)'
)
FOLDERS = ("libs/imports", "services/offers/imports", "services/retail/imports")


def codes() -> Iterator[str]:
    for folder in FOLDERS:
        for file in (ROOT / folder).glob("*.py"):
            for found in CODE.finditer(file.read_text(encoding="utf-8")):
                yield next(filter(None, found.groups()))
    yield from (
        *checks._CODES.values(),
        *checks._REASONS.values(),
        *drafts._WRONG.values(),
        *drafts._SLIPS.values(),
    )
    yield from ("address", "address_scheme", "address_login", "address_host", "bad_key", "no_key", "value")
    yield from ("empty_file", "broken_headings", "required", "unknown_field")


def test_every_code_has_its_words() -> None:
    assert set(codes()) == WORDS.keys()


def test_both_languages_speak_of_the_same() -> None:
    for code, words in WORDS.items():
        assert words.keys() == {"de", "en"}, code
        german, english = (set(re.findall(r"{\w+}", words[language])) for language in ("de", "en"))
        assert german == english or code == "nothing_withdrawn", code


def test_a_sentence_is_filled_in_its_language() -> None:
    said = message(ROOT / "city", "choice", {"options": {"de": "leicht", "en": "easy"}}, "{options}")
    assert said == {
        "de": "„{options}“ steht nicht zur Auswahl. Möglich sind: leicht.",
        "en": "“{options}” is none of the choices: easy.",
    }
    assert message(ROOT / "city", "unheard_of", {}) == {"de": "unheard_of", "en": "unheard_of"}


def test_columns_have_german_names() -> None:
    assert "Titel" in headings(ROOT / "city")["title.de"]
