"""Rules of exports: what a row of an offer holds, in which columns, and what a board says of itself to standards."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid5

from pydantic import Field

from libs.contracts.card import Name
from libs.contracts.offers import BoardField
from libs.imports.cells import guarded, joined
from libs.servicekit.values import Body
from services.offers.places.domain import Left
from services.offers.standing import STANDING

SchemaType = Literal["Service", "Event", "Course", "ChildCare", "Place"]
TEXTS = ("title", "summary", "text")
PLACE = (
    *(f"place.{name}" for name in ("lat", "lon", "street", "postcode", "locality", "district")),
    "place.accessibility",
)
PROVIDERS = ("provider.kind", "provider.url", *(f"provider.{name}" for name in PLACE))
BEHIND_TEXTS = (
    "tags",
    "fields_of_action",
    *PLACE,
    "period.start",
    "period.end",
    "dates",
    "age.from_months",
    "age.to_months",
    "price_cents",
    "price_per",
    "free_places",
    "url",
    "image.url",
)


class Standards(Body):
    """A board's `[standards]` section: what its offers are in other people's words, and which of its fields say what
    others ask for."""

    schema_type: SchemaType = "Service"
    duration: Name | None = None
    capacity: Name | None = None
    hours: Name | None = None
    languages: Name | None = None
    periods_are_events: bool = False
    usual_minutes: int = Field(
        default=60, ge=5, le=1440, description="How long a date lasts in calendars when nobody says its end."
    )

    @property
    def fields(self) -> set[str]:
        """The board's fields that the section names."""
        return {name for name in (self.duration, self.capacity, self.hours, self.languages) if name}


@dataclass(frozen=True)
class Occasion:
    """One date of an offer; `version` grows with every change of the date itself."""

    id: str
    starts_at: datetime
    ends_at: datetime | None
    cancelled: bool = False
    reason: str | None = None
    venue: Mapping[str, Any] | None = None
    version: int = 0


@dataclass(frozen=True)
class Shown:
    """A public offer, or a tombstone of one, as exports see it; `content` and `provider` are as the tables keep them.
    `sessions` are dates of its own, which stand instead of those in the content; `counted` are places likewise."""

    id: str
    key: str
    board: str
    version: int
    status: str
    published_at: datetime | None
    changed_at: datetime
    content: Mapping[str, Any]
    provider_id: str | None = None
    provider: Mapping[str, Any] | None = None
    checked_on: date | None = None
    sessions: tuple[Occasion, ...] = ()
    counted: Left | None = None

    @property
    def left(self) -> Left | None:
        """The places as they are counted, else as the content says."""
        said = None if self.sessions else self.content.get("free_places")
        return self.counted or (None if said is None else Left(said, None, self.changed_at))

    def occasions(self, minutes: int | None = None) -> list[Occasion]:
        """Its dates; those that only the content names last so many minutes."""
        if self.sessions:
            return list(self.sessions)
        lasting = timedelta(minutes=minutes or 0)
        starts = sorted(
            datetime.fromisoformat(each).astimezone(UTC) for each in self.content.get("dates", [])
        )
        return [
            Occasion(
                str(uuid5(UUID(self.id), start.isoformat())), start, start + lasting if lasting else None
            )
            for start in starts
        ]

    @property
    def own(self) -> Mapping[str, Any]:
        """The values of the board's own fields."""
        found: Mapping[str, Any] = self.content.get("fields", {})
        return found


@dataclass(frozen=True)
class Filter:
    """Which offers; `facets` are values of the board's own fields, any of those with one name."""

    board: str | None = None
    provider_id: str | None = None
    source: str | None = None
    updated_since: datetime | None = None
    facets: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def keyed(self) -> bool:
        """Whether offers go out under the keys of their source."""
        return self.source is not None

    def admits(self, content: Mapping[str, Any]) -> bool:
        """Whether an offer's own fields hold what is asked for."""
        own: Mapping[str, Any] = content.get("fields", {})
        return all(wanted.intersection(_words(own.get(name))) for name, wanted in self.facets.items())


def _words(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in values]


def columns(fields: Iterable[BoardField] | None, languages: Iterable[str]) -> list[str]:
    """The headings of a CSV file: one for each field of the board, or all fields in one when no board is named."""
    spoken = list(languages)
    texts = [f"{name}.{language}" for name in TEXTS for language in spoken]
    alt = [f"image.alt.{language}" for language in spoken]
    own = ["fields"] if fields is None else [f"fields.{each.name}" for each in fields]
    start = ["key", *STANDING, "provider", *(f"provider.title.{language}" for language in spoken), *PROVIDERS]
    return [*start, *texts, *BEHIND_TEXTS, *alt, *own]


def line(shown: Shown) -> dict[str, Any]:
    """The offer as JSON: where it stands, its provider, and its content as it can be imported again."""
    stands = {
        "key": shown.key,
        "id": shown.id,
        "board": shown.board,
        "version": shown.version,
        "published_at": instant(shown.published_at),
        "changed_at": instant(shown.changed_at),
        "provider_id": shown.provider_id,
        "checked_on": shown.checked_on and shown.checked_on.isoformat(),
        "free_now": shown.left.free if shown.left else None,
    }
    provider = {"provider": said(shown.provider)} if shown.provider else {}
    return stands | provider | dict(shown.content)


def said(provider: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of a provider, without what is not."""
    return {name: value for name, value in provider.items() if value is not None}


def instant(value: datetime | None) -> str | None:
    """An instant as JSON has it, UTC."""
    return value.isoformat().replace("+00:00", "Z") if value else None


def values(shown: Shown, names: Iterable[str]) -> Iterator[Any]:
    """The offer's value for each column; None where it says nothing."""
    whole = line(shown)
    # By its first name a source tells its providers apart, see imports.
    called = next(iter(shown.provider["title"].values()), None) if shown.provider else None
    for name in names:
        yield called if name == "provider" else at(whole, name)


def at(whole: Mapping[str, Any], path: str) -> Any:
    """The value at a path such as `place.lat`."""
    value: Any = whole
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


@dataclass(frozen=True)
class Dialect:
    """How a table is written as CSV."""

    delimiter: str = ","
    decimal: str = "."
    mark: str = ""


PLAIN = Dialect()
# A German Excel opens a file at a double click in Windows-1252 and with semicolons, unless a mark names the encoding;
# numbers with a point it takes for days or thousands.
EXCEL = Dialect(";", ",", "\ufeff")


def cell(value: Any, dialect: Dialect = PLAIN) -> str:
    """A value as a CSV cell; figures are left as they are, texts are guarded."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value).replace(".", dialect.decimal)
    return guarded(joined(map(str, value)) if isinstance(value, list) else str(value))


def say(text: Mapping[str, str], languages: Iterable[str]) -> str:
    """A text in the first of the languages that it has, else in any."""
    found = (text[language] for language in languages if text.get(language))
    return next(found, None) or next((any_ for any_ in text.values() if any_), "")
