"""Events of the offers service: boards (Börsen), their providers (Anbieter) and offers (Angebote)."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from libs.contracts.card import PRINTABLE, Name, Place, Text, Url, Word
from libs.contracts.event import Contract, Fact


class FieldType(StrEnum):
    """What a board's own field holds."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    CHOICES = "choices"
    DATE = "date"
    URL = "url"
    HOURS = "hours"


class Option(Contract):
    """One value of a choice and its names."""

    value: Word
    label: Text
    was: list[Word] = Field(default=[], description="Earlier values, which offers may still hold.")


FieldValue = str | int | float | bool | date | list[str] | None


class BoardField(Contract):
    """A field that a board declares for its offers."""

    name: Name
    type: FieldType
    label: Text
    required: bool = False
    facet: bool = False
    unit: str | None = Field(default=None, max_length=20)
    options: list[Option] = Field(default=[])
    was: list[Name] = Field(
        default=[], description="Earlier names, under which offers may still hold values."
    )
    default: FieldValue = Field(
        default=None, description="What offers get that lack the field when it becomes required."
    )


class BoardStep(Contract):
    """One step of the way that people go on a board, such as asking for a date."""

    name: Name
    label: Text
    actor: Name = Field(description="Who acts: requester, provider, editor, everyone, …")
    text: Text = Field(default={}, description="What happens in it.")


class BoardChange(Contract):
    """One difference between two declarations of a board; `before` and `after` are null where there is nothing."""

    kind: Name = Field(
        description="field_added, field_changed, field_removed, fields_ordered; likewise option and step; "
        "text_changed; rule_changed for any other part of a declaration."
    )
    path: list[Word] = Field(
        min_length=1, max_length=6, description="Where, such as fields, level, options, easy."
    )
    before: Any = Field(
        default=None, description="What stood there; of a changed field the attributes that differ."
    )
    after: Any = Field(default=None, description="What stands there now.")
    behind: list[Word] = Field(
        default=[], description="What is added stands behind the first of these that there is, else in front."
    )


class BoardFact(Fact):
    """The whole public state of a board."""

    slug: Name
    title: Text
    summary: Text = Field(default={})
    fields: list[BoardField] = Field(default=[])
    languages: list[str] = Field(default=[])
    steps: list[BoardStep] = Field(default=[], description="The way that people go on this board, in order.")
    texts: dict[Name, Text] = Field(default={}, description="Texts by name, such as intro and how_to.")
    derived_from: Name | None = Field(default=None, description="The board whose blueprint this one follows.")


class BoardPublished(BoardFact, name="offers.board.published.v1"):
    """A board opened."""


class BoardChanged(BoardFact, name="offers.board.changed.v1"):
    """A board's fields or texts changed."""


class BoardWithdrawn(BoardFact, name="offers.board.withdrawn.v1"):
    """A board closed."""


class ImprovementFact(Fact):
    """The whole public state of an improvement: what changed on one board, and what a related one answers."""

    board: Name = Field(description="The board that it is offered to, and that answers.")
    source: Name = Field(description="The board that it comes from: the parent, or a child that gives back.")
    source_version: int = Field(ge=1)
    change: BoardChange
    offered_at: AwareDatetime
    answered_at: AwareDatetime | None = None
    adapted: bool = Field(default=False, description="Accepted in an edited form, which `change` shows.")
    reason: Annotated[str, StringConstraints(max_length=500, pattern=PRINTABLE)] | None = None


class ImprovementOffered(ImprovementFact, name="offers.improvement.offered.v1"):
    """A board is offered what a related board changed, for the first time or in a newer form."""


class ImprovementAccepted(ImprovementFact, name="offers.improvement.accepted.v1"):
    """A board took an improvement over."""


class ImprovementDeclined(ImprovementFact, name="offers.improvement.declined.v1"):
    """A board does not take an improvement over, and says why."""


class ImprovementLapsed(ImprovementFact, name="offers.improvement.lapsed.v1"):
    """An improvement was overtaken before anybody answered: its source took it back, or a board closed."""


class ProviderFact(Fact):
    """The whole public state of a provider: an organisation, never a private person."""

    title: Text = Field(description="The organisation's name.")
    kind: Word | None = Field(default=None, description="Its legal or organisational form.")
    url: Url | None = None
    place: Place | None = None


class ProviderPublished(ProviderFact, name="offers.provider.published.v1"):
    """A provider joined."""


class ProviderChanged(ProviderFact, name="offers.provider.changed.v1"):
    """A provider's public details changed."""


class ProviderWithdrawn(ProviderFact, name="offers.provider.withdrawn.v1"):
    """A provider left."""


class CheckedAs(StrEnum):
    """As what somebody said that an offer is still right: a role, never a person."""

    EDITOR = "editor"
    PROVIDER = "provider"
    IMPORT = "import"


class OfferFact(Fact):
    """The whole public state of an offer; what every kind of thing has stands in the card."""

    board: Name
    provider_id: str | None = Field(default=None, max_length=64)
    fields: dict[Name, FieldValue] = Field(default={}, description="Values of the board's own fields.")
    price_per: Literal["person", "group"] = Field(
        default="person", description="What the card's price is for."
    )
    published_at: AwareDatetime | None = None
    changed_at: AwareDatetime
    checked_on: date | None = Field(default=None, description="When it was last found still right.")
    checked_as: CheckedAs | None = None


class OfferPublished(OfferFact, name="offers.offer.published.v1"):
    """An offer became public, for the first time or again."""


class OfferChanged(OfferFact, name="offers.offer.changed.v1"):
    """A public offer changed."""


class OfferWithdrawn(OfferFact, name="offers.offer.withdrawn.v1"):
    """An offer was taken back; the card is a tombstone."""

    reason: Annotated[str, StringConstraints(max_length=500, pattern=PRINTABLE)] | None = None


class OfferHidden(OfferFact, name="offers.offer.hidden.v1"):
    """Nobody checked an offer for too long; the card is a tombstone until it is published again."""


class OfferExpired(OfferFact, name="offers.offer.expired.v1"):
    """An offer's period ended; the card is a tombstone."""


class SessionStatus(StrEnum):
    """Whether a session takes place."""

    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"


Reason = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=PRINTABLE)]


class SessionFact(Fact):
    """The whole public state of a session (Termin): one date of an offer. It has no card; the offer is what is found."""

    offer_id: str = Field(max_length=64)
    board: Name
    series_id: str | None = Field(default=None, max_length=64, description="Shared by the dates of one rule.")
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    status: SessionStatus = SessionStatus.SCHEDULED
    venue: Place | None = Field(default=None, description="Where, if not at the offer's own place.")
    places_max: int | None = Field(default=None, ge=0, le=1_000_000)
    changed_at: AwareDatetime


class SessionScheduled(SessionFact, name="offers.session.scheduled.v1"):
    """A public offer got a date, or an offer with dates became public."""


class SessionMoved(SessionFact, name="offers.session.moved.v1"):
    """A session takes place at another time or place than was said before."""

    earlier_starts_at: AwareDatetime
    earlier_ends_at: AwareDatetime
    earlier_venue: Place | None = None
    reason: Reason


class SessionChanged(SessionFact, name="offers.session.changed.v1"):
    """Something else about a session changed: its places, or what is said of its venue."""


class SessionCancelled(SessionFact, name="offers.session.cancelled.v1"):
    """A session does not take place."""

    status: SessionStatus = SessionStatus.CANCELLED
    reason: Reason


class BudgetSituation(StrEnum):
    """How a budget stands: it lasts, it will probably run dry before its period ends, or somebody goes without already."""

    AMPLE = "ample"
    TIGHT = "tight"
    SHORT = "short"


class BudgetForecast(Contract):
    """The days on which a budget may run dry: first, middle and last of several reckonings, null when it lasts."""

    earliest: date | None = None
    likely: date | None = None
    latest: date | None = None
    weekly_cents: int = Field(default=0, ge=0, description="Average use in the last weeks.")
    weeks: int = Field(default=0, ge=0, description="How many weeks that is.")
    earlier: list[str] = Field(default=[], description="Earlier periods whose course was looked at.")


class BudgetFact(Fact):
    """The whole public state of a board's budget (Fördertopf) for one period, in cents."""

    board: Name
    period: str = Field(max_length=7, description="`2026`, or `2026-27` for a school year.")
    starts_on: date
    ends_on: date
    amount_cents: int = Field(ge=0)
    reserved_cents: int = Field(ge=0, description="Promised to requests that are not settled yet.")
    granted_cents: int = Field(ge=0, description="Promised for good.")
    left_cents: int = Field(ge=0)
    refused: int = Field(
        default=0, ge=0, description="Requests that went without because too little was left."
    )
    refused_cents: int = Field(default=0, ge=0)
    situation: BudgetSituation = BudgetSituation.AMPLE
    forecast: BudgetForecast | None = None


class BudgetChanged(BudgetFact, name="offers.budget.changed.v1"):
    """A budget was set, or money in it moved; movements are told together, once a minute at most."""


class BudgetWarned(BudgetFact, name="offers.budget.warned.v1"):
    """A budget will probably run dry before its period ends, or has; told once each time that its situation changes."""


class NeedKind(StrEnum):
    """How it showed that somebody needs what there is not."""

    UNANSWERED = "unanswered"
    REFUSED = "refused"
    WAITING = "waiting"


class NeedFact(Fact):
    """The whole public state of an unmet need: many had it within a window of days, and nobody can be told from it."""

    board: Name | None = Field(default=None, description="Null when the whole town was searched.")
    kind: NeedKind
    words: list[Word] = Field(default=[], max_length=8, description="Words of the town's own vocabulary.")
    offer_id: str | None = Field(default=None, max_length=64, description="Where places were asked for.")
    asking: int | None = Field(
        default=None, ge=3, description="How many, within the window; null once settled."
    )
    since: date
    latest: date
    window_days: int = Field(ge=1, le=365)


class NeedObserved(NeedFact, name="offers.need.observed.v1"):
    """Enough people went away empty-handed, for the first time or more than before."""


class NeedSettled(NeedFact, name="offers.need.settled.v1"):
    """So few ask by now that it is no need any more."""


class PeriodSlot(Contract):
    """A stretch of days of which a child spends one activity's at most."""

    name: Name
    title: Text
    start: date
    end: date


class PeriodFact(Fact):
    """The whole public state of an allocation period (Vergabezeitraum): figures only, nothing of any child."""

    board: Name
    title: Text
    slots: list[PeriodSlot] = Field(max_length=60)
    offers: list[str] = Field(max_length=1000, description="The ids of the offers that give places.")
    wishes_from: AwareDatetime
    wishes_until: AwareDatetime
    places: int = Field(ge=0)
    commitment: str = Field(
        max_length=64, description="SHA-256 of the seed of the lots, known before the wishes."
    )
    seed: str | None = Field(default=None, max_length=64, description="Told when the places are given out.")
    children: int = Field(default=0, ge=0, description="How many took part; told when wishes are closed.")
    placed: int = Field(default=0, ge=0, description="How many of them got a place in at least one slot.")
    left_out: int = Field(default=0, ge=0, description="How many of them got none at all.")


class PeriodOpened(PeriodFact, name="offers.period.opened.v1"):
    """Families may hand in their wishes."""


class PeriodClosed(PeriodFact, name="offers.period.closed.v1"):
    """No more wishes are taken; the card is a tombstone."""


class PeriodAllocated(PeriodFact, name="offers.period.allocated.v1"):
    """The places are given out; the card is a tombstone."""
