"""The envelope of every event: CloudEvents 1.0, structured JSON.

A `Fact` (the payload, one subclass per event type) enters; an `Envelope` leaves, whose bytes are the same on
NATS, in webhooks and in files. Source: CloudEvents 1.0.2 with its `sequence` and `distributed tracing` extensions.
"""

import re
from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny

from libs.contracts.card import Card

CONTENT_TYPE = "application/cloudevents+json"
NAME = re.compile(r"^(?P<service>[a-z]+)\.(?P<aggregate>[a-z]+)\.(?P<fact>[a-z]+)\.v(?P<major>[1-9]\d*)$")
THING_ID = r"^[A-Za-z0-9_-]{1,64}$"
UUID7 = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
SEQUENCE_DIGITS = 10


# CloudEvents allows parameters and any case (RFC 2046); JSON travels in one encoding, so that a reader may forget them.
_JSON = re.compile(r"application/json(\s*;\s*charset\s*=\s*\"?utf-8\"?)?\s*;?", re.IGNORECASE)


def _media_type(value: object) -> object:
    return "application/json" if isinstance(value, str) and _JSON.fullmatch(value.strip()) else value


JsonMediaType = Annotated[Literal["application/json"], BeforeValidator(_media_type)]


class Contract(BaseModel):
    """A published value: writers are held to strict types, readers ignore what a newer writer added."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Fact(Contract):
    """What happened to one thing, with the thing's whole public state; subclasses are the event types.

    `name` is `<service>.<aggregate>.<fact>.v<major>`; facts are past participles. Declaring a malformed name
    raises ValueError at import. `internal` ones travel between services only.
    """

    name: ClassVar[str] = ""
    internal: ClassVar[bool] = False
    card: Card | None = Field(
        default=None,
        description="How search, notify and front ends show the thing; null when it is not to be found.",
    )

    def __init_subclass__(cls, *, name: str = "", internal: bool = False, **kwargs: Any) -> None:
        """Keep the event's name and reach on the class."""
        super().__init_subclass__(**kwargs)
        if name and not NAME.match(name):
            raise ValueError(f"{cls.__name__}: {name!r} is not <service>.<aggregate>.<fact>.v<major>")
        cls.name, cls.internal = name, internal

    @classmethod
    def part(cls, key: Literal["service", "aggregate", "fact", "major"]) -> str:
        """One part of the event's name; ValueError for a class that is no event type."""
        match = NAME.match(cls.name)
        if match is None:
            raise ValueError(f"{cls.__name__} is not an event type")
        return match[key]

    @classmethod
    def subject(cls, thing_id: str) -> str:
        """The NATS subject of this fact about one thing."""
        return f"{'internal' if cls.internal else 'city'}.{cls.name}.{thing_id}"


F = TypeVar("F", bound=Fact)


class Envelope(BaseModel, Generic[F]):
    """One event as it travels. `sequence` is the thing's version, zero-padded so that it also sorts as text."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(min_length=1, max_length=64, description="UUIDv7; also the broker's deduplication key.")
    source: str = Field(pattern=r"^/[a-z]+$", description="The publishing service.")
    type: str = Field(max_length=200, description="`<prefix>.<service>.<aggregate>.<fact>.v<major>`")
    subject: str = Field(pattern=THING_ID, description="The id of the thing the fact is about.")
    time: AwareDatetime
    datacontenttype: JsonMediaType = "application/json"
    dataschema: str = Field(max_length=500, description="URL of the JSON Schema, served by the publisher.")
    sequence: str = Field(
        pattern=rf"^[0-9]{{{SEQUENCE_DIGITS}}}$", description="The thing's version; only grows."
    )
    traceparent: str | None = Field(
        default=None, pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"
    )
    data: SerializeAsAny[F]

    @property
    def version(self) -> int:
        """The thing's version as a number."""
        return int(self.sequence)

    @property
    def name(self) -> str:
        """The type without the town's prefix."""
        return ".".join(self.type.split(".")[-4:])

    def to_bytes(self) -> bytes:
        """The bytes that travel; absent values are left out."""
        return self.model_dump_json(exclude_none=True).encode()


def envelope(
    fact: F,
    *,
    event_id: str,
    subject: str,
    version: int,
    time: datetime,
    prefix: str,
    schema_base: str,
    traceparent: str | None,
    source: str | None = None,
) -> Envelope[F]:
    """Wrap a fact; `prefix` is the town's reverse domain name, `schema_base` the URL its schemas lie under.

    `source` is the service that speaks; only of what is asked of another service it is not the fact's own.
    Raises pydantic.ValidationError when an id or version cannot travel.
    """
    return Envelope[F](
        id=event_id,
        source=f"/{source or fact.part('service')}",
        type=f"{prefix}.{fact.name}",
        subject=subject,
        time=time,
        dataschema=f"{schema_base}/{fact.name}",
        sequence=f"{version:0{SEQUENCE_DIGITS}d}",
        traceparent=traceparent,
        data=fact,
    )
