"""The town's words for shops, `retail.toml` in its folder: names, labels, and the tags of OpenStreetMap that mean them."""

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from libs.contracts.card import Name, Text
from libs.contracts.retail import ShopKind
from libs.servicekit.errors import FieldError, Invalid
from libs.servicekit.values import Body
from services.retail.shops.domain import ShopContent

LISTS = ("assortment", "services", "payment")


class _File(Body):
    """The file as it is written: beside its labels a word may have `osm`, the tags that mean it."""

    assortment: dict[Name, dict[str, str | list[str]]] = {}
    services: dict[Name, dict[str, str | list[str]]] = {}
    payment: dict[Name, dict[str, str | list[str]]] = {}
    kinds: dict[Annotated[ShopKind, Field(strict=False)], list[str]] = {}


class Vocabulary:
    """The words of one town. `osm` names for each list the words by tag, such as `shop=farm` or `vending=*`."""

    def __init__(self, file: _File) -> None:
        self.words: dict[str, dict[str, Text]] = {}
        self.osm: dict[str, dict[str, list[str]]] = {}
        for name in LISTS:
            listed: Mapping[str, Mapping[str, str | list[str]]] = getattr(file, name)
            self.words[name] = {word: _labels(said) for word, said in listed.items()}
            self.osm[name] = _by_tag({word: said.get("osm", []) for word, said in listed.items()})
        self.osm["kinds"] = _by_tag({kind.value: tags for kind, tags in file.kinds.items()})

    def labels(self, content: ShopContent) -> list[str]:
        """What a shop's words are called in every language: by this it is found too."""
        found = (self.words[name].get(word, {}) for name in LISTS for word in getattr(content, name))
        return list(dict.fromkeys(label for labels in found for label in labels.values()))

    def check(self, content: ShopContent) -> None:
        """Raise Invalid for words that the town does not have."""
        if found := list(self._unknown(content)):
            raise Invalid(*found)

    def _unknown(self, content: ShopContent) -> Iterator[FieldError]:
        for name in LISTS:
            for word in getattr(content, name):
                if word not in self.words[name]:
                    yield unknown(name, word, self.words[name])


def unknown(field: str, word: str, known: Iterable[str]) -> FieldError:
    """A word that is none of the town's."""
    listed = ", ".join(known)
    values = {"word": word, "words": listed}
    return FieldError(field=field, reason=f"{word} is none of {listed}", code="word-unknown", values=values)


def _labels(said: Mapping[str, str | list[str]]) -> Text:
    return {language: label for language, label in said.items() if isinstance(label, str)}


def _by_tag(words: Mapping[str, str | list[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word, tags in words.items():
        for tag in tags:
            found.setdefault(tag, []).append(word)
    return found


def here() -> Vocabulary:
    """The words of the town that `COBURG_CITY` names, for what is told far below the edges that know settings."""
    return read(Path(os.environ.get("COBURG_CITY", "city")))


@lru_cache
def read(city: Path) -> Vocabulary:
    """The words of a town's folder; raises ValueError naming the file when it is wrong."""
    file = city / "retail.toml"
    try:
        return Vocabulary(_File.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))))
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
