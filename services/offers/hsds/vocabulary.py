"""The boards' vocabularies as taxonomies: one of the boards themselves, and one for each choice that a board declares."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID, uuid5

from libs.contracts.offers import BoardField
from services.offers.boards.domain import Declaration
from services.offers.boards.values import LABEL_TYPES
from services.offers.exports.domain import Shown, say

NAMESPACE = UUID("5b9d2c0e-8a55-5d0c-9a3b-6a1f0f6f4c11")


def derived(*parts: str) -> str:
    """An id for what has none of its own: always the same for the same thing."""
    return str(uuid5(NAMESPACE, "/".join(parts)))


@dataclass(frozen=True)
class Taxonomy:
    """A board's choice, or with neither board nor field the boards themselves."""

    id: str
    name: str
    description: str
    version: str
    board: str | None = None
    field: str | None = None

    def as_hsds(self) -> dict[str, Any]:
        """The taxonomy object."""
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "version": self.version,
        }


@dataclass(frozen=True)
class Term:
    """One option of a choice, or a board."""

    id: str
    code: str
    name: str
    language: str
    taxonomy: Taxonomy

    def as_hsds(self) -> dict[str, Any]:
        """The taxonomy_term object."""
        return {
            "id": self.id,
            "code": self.code,
            "name": self.name,
            "description": f"{self.taxonomy.name}: {self.name}",
            "taxonomy": self.taxonomy.name,
            "taxonomy_id": self.taxonomy.id,
            "taxonomy_detail": self.taxonomy.as_hsds(),
            "language": self.language[:2],
        }


class Vocabulary:
    """All taxonomies and terms of the open boards, by id; texts in the first language that has them."""

    def __init__(self, boards: Mapping[str, Declaration], languages: list[str]) -> None:
        self._boards, self._languages = boards, languages
        self.taxonomies: dict[str, Taxonomy] = {}
        self.terms: dict[str, Term] = {}
        exchanges = self._taxonomy("Börsen", "Die Börsen der Stadt")
        for board in boards.values():
            self._term(exchanges, board.slug, board.title)
            for field in choices(board.fields):
                name = f"{say(board.title, languages)}: {say(field.label, languages)}"
                taxonomy = self._taxonomy(name, name, board.slug, field.name)
                for option in field.options:
                    self._term(taxonomy, option.value, option.label)

    def _taxonomy(
        self, name: str, description: str, board: str | None = None, field: str | None = None
    ) -> Taxonomy:
        made = Taxonomy(_taxonomy_id(board, field), name, description, "1", board, field)
        self.taxonomies[made.id] = made
        return made

    def _term(self, taxonomy: Taxonomy, code: str, label: Mapping[str, str]) -> None:
        language = next((each for each in self._languages if label.get(each)), "de")
        term = Term(derived(taxonomy.id, code), code, say(label, self._languages), language, taxonomy)
        self.terms[term.id] = term

    def of(self, shown: Shown) -> Iterator[Term]:
        """What an offer is classified as."""
        board = self._boards.get(shown.board)
        found = [(_taxonomy_id(None, None), shown.board)]
        for field in choices(board.fields if board else ()):
            value = shown.own.get(field.name)
            chosen = value if isinstance(value, list) else [value]
            found += [(_taxonomy_id(shown.board, field.name), each) for each in chosen if each]
        for taxonomy, code in found:
            if term := self.terms.get(derived(taxonomy, code)):
                yield term


Named = TypeVar("Named", Taxonomy, Term)


def named(things: Iterable[Named], words: Iterable[str]) -> list[Named]:
    """Those whose names hold all words."""
    asked = [word.lower() for word in words]
    return [each for each in things if all(word in each.name.lower() for word in asked)]


def choices(fields: Iterable[BoardField]) -> list[BoardField]:
    """The fields that have a vocabulary."""
    return [field for field in fields if field.type in LABEL_TYPES]


def _taxonomy_id(board: str | None, field: str | None) -> str:
    return derived("taxonomy", board or "", field or "")
