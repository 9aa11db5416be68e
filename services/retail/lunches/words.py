"""The words of menus, `lunch.toml` in the town's folder: allergens, additives and diets by name, with their labels."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from libs.contracts.card import Name, Text
from libs.servicekit.errors import FieldError, Invalid
from libs.servicekit.values import Body
from services.retail.lunches.domain import Dish
from services.retail.shops.vocabulary import unknown

LISTS = ("allergens", "additives", "diets")


class _File(Body):
    allergens: dict[Name, dict[str, str | list[str]]] = {}
    additives: dict[Name, dict[str, str | list[str]]] = {}
    diets: dict[Name, dict[str, str | list[str]]] = {}
    questions: dict[Name, Text] = {}


class MenuWords:
    """The words of one town's menus. `meaning` finds an allergen or additive by what a legend calls it."""

    def __init__(self, file: _File) -> None:
        self.labels: dict[str, dict[str, Text]] = {}
        self._names: dict[str, str] = {}
        self._questions = file.questions
        for name in LISTS:
            listed: Mapping[str, Mapping[str, str | list[str]]] = getattr(file, name)
            self.labels[name] = {
                word: {key: text for key, text in said.items() if isinstance(text, str)}
                for word, said in listed.items()
            }
            if name != "diets":
                for word, said in listed.items():
                    names = [*self.labels[name][word].values(), *said.get("also", [])]
                    self._names |= {_folded(each): f"{name}.{word}" for each in names}

    def meaning(self, text: str) -> str | None:
        """The list and the word that a legend means, such as `allergens.milk`; None for what it is not clear of."""
        said = _folded(text)
        if said in self._names:
            return self._names[said]
        parts = {found for word in said.split() if (found := self._of_word(word))}
        return parts.pop() if len(parts) == 1 else None

    def _of_word(self, word: str) -> str | None:
        for end in ("", "e", "n", "en", "er", "s"):
            if word.endswith(end) and (found := self._names.get(word[: len(word) - len(end)])):
                return found
        return None

    def question(self, code: str, params: Mapping[str, str]) -> Text:
        """What is asked back about a pasted menu, by language; the code itself where the town has no words for it."""
        words = self._questions.get(code, {"de": code})
        return {language: text.format_map(dict(params)) for language, text in words.items()}

    def check(self, dishes: Mapping[str, Dish]) -> None:
        """Raise Invalid for words that the town does not have; dishes by the field in which they stand."""
        if found := list(self._unknown(dishes)):
            raise Invalid(*found)

    def _unknown(self, dishes: Mapping[str, Dish]) -> Iterator[FieldError]:
        for field, dish in dishes.items():
            for name in LISTS:
                for word in getattr(dish, name):
                    if word not in self.labels[name]:
                        yield unknown(f"{field}.{name}", word, self.labels[name])


def _folded(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", " ", text.casefold()).split())


def here() -> MenuWords:
    """The words of the town that `COBURG_CITY` names."""
    return read(Path(os.environ.get("COBURG_CITY", "city")))


@lru_cache
def read(city: Path) -> MenuWords:
    """The words of a town's folder; raises ValueError naming the file when it is wrong."""
    file = city / "lunch.toml"
    try:
        return MenuWords(_File.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))))
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
