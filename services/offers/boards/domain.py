"""Rules of boards: what a declaration may say, and whether an offer's own fields keep to it. Values in, values out."""

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field, model_validator

from libs.contracts.card import Card, Name, Text
from libs.contracts.offers import BoardField, BoardStep, FieldType
from libs.servicekit.values import Body
from services.offers.allocation.domain import Rules
from services.offers.boards.values import LABEL_TYPES, NUMBER_TYPES, check
from services.offers.bookings.domain import BookingRules
from services.offers.contact.domain import Contact
from services.offers.exports.domain import Standards
from services.offers.freshness.domain import Freshness
from services.offers.funding.domain import Funding
from services.offers.places.domain import PlacesRules

# Names the search gateway gives a meaning of its own; a facet so called could not be asked for.
RESERVED = frozenset(
    [
        "q",
        "kind",
        "board",
        "near",
        "radius",
        "from",
        "to",
        "lang",
        "for",
        "limit",
        "offset",
        "facets",
        "district",
        "tag",
        "field",
        "age",
        "price",
        "price_min",
        "price_max",
        "free",
        "weekday",
        "open_now",
        "open_at",
        "accessibility",
        "sort",
        "listed",
        "provider_id",
        "source",
        "updated_since",
        "freshness",
    ]
)
MAX_BYTES = 150_000  # of a whole declaration; its fact must fit on the bus


Present = Annotated[Text, Field(min_length=1)]


class Declaration(Body):
    """A board as `city/boards/<slug>.toml` declares it, or an editor a derived one.

    What is neither a field, a step nor a text is a section: the rules of one of the service's other folders.
    """

    slug: Name
    title: Text
    summary: Text = {}
    languages: list[str] = ["de"]
    derived_from: Name | None = None
    fields: list[BoardField] = Field(default=[], max_length=100)
    steps: list[BoardStep] = Field(default=[], max_length=20)
    texts: dict[Name, Present] = Field(default={}, max_length=20)
    places: PlacesRules = PlacesRules()
    funding: Funding | None = None
    standards: Standards | None = None
    freshness: Freshness | None = None
    allocation: Rules | None = None
    booking: BookingRules | None = None
    contact: Contact = Contact()

    @model_validator(mode="after")
    def _names_fit(self) -> "Declaration":
        names = [field.name for field in self.fields]
        _once("fields", names)
        _once("steps", [step.name for step in self.steps])
        for field in self.fields:
            _once(f"options of {field.name}", [option.value for option in field.options])
            if reason := check(field, field.default):
                raise ValueError(f"the default of {field.name} must be {reason}")
        if reserved := RESERVED.intersection(field.name for field in self.fields if field.facet):
            raise ValueError(f"facets may not be called: {', '.join(sorted(reserved))}")
        if empty := [field.name for field in self.fields if field.type in LABEL_TYPES and not field.options]:
            raise ValueError(f"choices without options: {', '.join(empty)}")
        if self.booking:
            self._meant(self.booking)
        if self.standards and (unknown := self.standards.fields.difference(names)):
            raise ValueError(f"standards name unknown fields: {', '.join(sorted(unknown))}")
        return self

    def _meant(self, booking: BookingRules) -> None:
        """The fields that the rules of bookings name are there, and of the kind that they need."""
        slots = booking.slots
        wanted = [(booking.closes, FieldType.DATE)]
        if slots:
            wanted += [(slots.hours, FieldType.HOURS), (slots.opens, FieldType.DATE)]
            wanted += [(slots.billing.field, FieldType.CHOICE)] if slots.billing else []
        kinds = {field.name: field.type for field in self.fields}
        if wrong := [f"{name} ({kind})" for name, kind in wanted if name and kinds.get(name) is not kind]:
            raise ValueError(f"bookings name fields that are not so: {', '.join(wrong)}")

    @cached_property
    def by_name(self) -> dict[str, BoardField]:
        """The declared fields by their names."""
        return {field.name: field for field in self.fields}


def _once(what: str, names: list[str]) -> None:
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{what} declared twice: {', '.join(doubled)}"[:500])


def is_too_long(board: Declaration) -> bool:
    """Whether the declaration holds more than its fact could carry."""
    return len(board.model_dump_json().encode()) > MAX_BYTES


def card(board: Declaration, *, listed: bool) -> Card:
    """How the board itself is found."""
    return Card(kind="board", board=board.slug, title=board.title, summary=board.summary, listed=listed)


def check_fields(board: Declaration, values: dict[str, Any], *, complete: bool) -> Iterator[tuple[str, str]]:
    """Yield (field, reason) for every value that the board does not admit; `complete` also asks for required ones."""
    declared = board.by_name
    for name, value in values.items():
        if name not in declared:
            yield name, f"board {board.slug} has no such field"
        elif reason := check(declared[name], value):
            yield name, reason
    if complete:
        missing = [f.name for f in board.fields if f.required and values.get(f.name) in (None, "", [])]
        yield from ((name, "required on this board") for name in missing)


def facets(board: Declaration, values: dict[str, Any]) -> tuple[dict[str, list[str]], dict[str, float]]:
    """What of an offer's own fields can be filtered by: words by facet, and figures."""
    words: dict[str, list[str]] = {}
    numbers: dict[str, float] = {}
    for field in board.fields:
        value = values.get(field.name)
        if not field.facet or value is None:
            continue
        if field.type in NUMBER_TYPES:
            numbers[field.name] = float(value)
        elif found := _words(value):
            words[field.name] = found
    return words, numbers


def _words(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [str(item).lower() if isinstance(item, bool) else str(item)[:200] for item in items if item != ""]


def keywords(board: Declaration, values: dict[str, Any]) -> list[str]:
    """The names of the chosen options in every language, so that an offer is found by them."""
    words: dict[str, None] = {}
    for field in board.fields:
        if field.type not in LABEL_TYPES:
            continue
        value = values.get(field.name)
        chosen = value if isinstance(value, list) else [value]
        for option in field.options:
            if option.value in chosen:
                words.update(dict.fromkeys(option.label.values()))
    return list(words)


def hours(board: Declaration, values: dict[str, Any]) -> str | None:
    """The offer's opening hours: those of the first field of that type that says any."""
    said = (values.get(field.name) for field in board.fields if field.type == FieldType.HOURS)
    return next((one for one in said if one), None)
