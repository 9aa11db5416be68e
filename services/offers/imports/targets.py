"""What an import can say of an offer: its targets, the columns of its own files, and the mapping of a town's source."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from libs.contracts.card import Name
from libs.contracts.offers import BoardField, FieldType
from libs.imports import mapping as mappings
from libs.imports.headings import Resolve
from libs.imports.mapping import Rule
from libs.imports.values import Kind, Target, choice, folded
from libs.servicekit.values import Body
from services.offers.boards.domain import Declaration
from services.offers.standing import STANDING

NATIVE = "native"
WHOLE = {"age.from_months", "age.to_months", "price_cents", "free_places"}
DECIMAL = {f"{of}place.{name}" for of in ("", "provider.") for name in ("lat", "lon")}
LISTS = {"tags", "fields_of_action", "dates"}
DAYS = {"period.start", "period.end"}
ADDRESSES = {"url", "image.url", "provider.url"}
ACCESSIBILITY = {"place.accessibility", "provider.place.accessibility"}
PLACES = {
    f"{of}place.{name}" for of in ("", "provider.") for name in ("street", "postcode", "locality", "district")
}
WORDS = {"price_per", "provider.kind", *PLACES}
OWN = WHOLE | DECIMAL | LISTS | DAYS | ADDRESSES | ACCESSIBILITY | WORDS
_TEXT = re.compile(r"(title|summary|text|image\.alt|provider\.title)\.[a-z]{2}(-[a-z]{2,10})?\Z")
_KINDS = {
    FieldType.TEXT: Kind.FREE_TEXT,
    FieldType.INTEGER: Kind.WHOLE,
    FieldType.NUMBER: Kind.DECIMAL,
    FieldType.BOOLEAN: Kind.YES_NO,
    FieldType.DATE: Kind.DAY,
    FieldType.URL: Kind.ADDRESS,
}
_PLAIN = {
    **dict.fromkeys(WHOLE, Kind.WHOLE),
    **dict.fromkeys(DECIMAL, Kind.DECIMAL),
    **dict.fromkeys(LISTS, Kind.LIST),
    **dict.fromkeys(DAYS, Kind.DAY),
    **dict.fromkeys(ADDRESSES, Kind.ADDRESS),
    "fields": Kind.OBJECT,
}


class ProviderRule(Body):
    """The columns that name the organisation."""

    title: str
    kind: str | None = None


class Source(mappings.Mapping):
    """The layout of a source of offers, for one board."""

    board: Name
    provider: ProviderRule | None = None

    @property
    def more_columns(self) -> set[str]:
        """The columns that name the organisation."""
        rule = self.provider
        return {name for name in (rule.title, rule.kind) if name} if rule else set()


class Targets:
    """What each target asks for, on one board of one town."""

    def __init__(self, board: Declaration, accessibility: Mapping[str, Any]) -> None:
        self._fields = {f"fields.{field.name}": _of_field(field) for field in board.fields}
        self._accessible = choice(accessibility, Kind.CHOICES) if accessibility else Target(Kind.LIST)

    def __call__(self, name: str) -> Target:
        """The target of this name; a word, when it is none that we know."""
        if name in self._fields:
            return self._fields[name]
        if name in ACCESSIBILITY:
            return self._accessible
        return Target(Kind.FREE_TEXT if _TEXT.match(name) else _PLAIN.get(name, Kind.WORD))


def _of_field(field: BoardField) -> Target:
    if field.type in (FieldType.CHOICE, FieldType.CHOICES):
        kind = Kind.CHOICE if field.type is FieldType.CHOICE else Kind.CHOICES
        return choice({option.value: option.label for option in field.options}, kind)
    return Target(_KINDS.get(field.type, Kind.WORD))


def columns_of(board: Declaration, spoken: Mapping[str, Iterable[str]]) -> Resolve:
    """Finds a column of our own files by its name, by what the town calls it (`spoken`), or by a field's label."""
    own = {*OWN, "key", "provider", "fields", *STANDING, *(f"fields.{field.name}" for field in board.fields)}
    names = {folded(call): name for name, calls in spoken.items() for call in calls}
    names |= _labels(board) | {folded(name): name for name in own}

    def resolve(head: str) -> str | None:
        return names.get(head) or (head if _TEXT.match(head) else None)

    return resolve


def _labels(board: Declaration) -> dict[str, str]:
    """The fields by their labels; one that two fields share says neither."""
    found: dict[str, set[str]] = {}
    for field in board.fields:
        for label in field.label.values():
            found.setdefault(folded(label), set()).add(f"fields.{field.name}")
    return {label: names.pop() for label, names in found.items() if len(names) == 1}


def native(board: Declaration, columns: list[str]) -> Source:
    """The mapping of a table whose columns are an offer's own names, such as `title.de`."""
    passed_over = ("key", "provider", *STANDING)
    rules = {name: Rule.model_validate({"from": [name]}) for name in columns if name not in passed_over}
    return Source(
        board=board.slug,
        title=NATIVE,
        source=NATIVE,
        key="key",
        verbatim=True,
        provider=ProviderRule(title="provider") if "provider" in columns else None,
        rules=rules,
    )
