"""The catalogue of messages to people: every template that a service may ask notify for, with its facts and their types.

A template enters `MessageRequested` as its name and facts; notify reads it back with `read`, so a request that does not
fit is refused before it becomes a message with a hole.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AwareDatetime, Field, StringConstraints, ValidationError
from pydantic_core import to_json

from libs.contracts.card import Name, Word
from libs.contracts.event import THING_ID, Contract

ThingId = Annotated[str, StringConstraints(pattern=THING_ID)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Cents = Annotated[int, Field(ge=0, le=100_000_000)]
Calendar = Literal["request", "cancel"]
Value = str | int | bool


class InvalidTemplate(ValueError):  # noqa: N818 - the state of a request
    """There is no such template, or its facts are not of its types."""


class Template(Contract):
    """Facts of one message. Transactional ones answer what their recipient did and need no subscription.

    `calendar` says what the message does to the recipient's calendar, if anything (RFC 5546).
    """

    name: ClassVar[str] = ""
    transactional: ClassVar[bool] = True
    calendar: ClassVar[Calendar | None] = None

    def __init_subclass__(
        cls, *, name: str = "", transactional: bool = True, calendar: Calendar | None = None, **kwargs: Any
    ) -> None:
        """Enter the template into the catalogue."""
        super().__init_subclass__(**kwargs)
        cls.name, cls.transactional, cls.calendar = name, transactional, calendar
        if name:
            TEMPLATES[name] = cls

    def facts(self) -> dict[str, Value]:
        """What travels; absent facts are left out."""
        return self.model_dump(mode="json", exclude_none=True)


TEMPLATES: dict[str, type[Template]] = {}


def read(name: str, facts: dict[str, Value]) -> Template:
    """A request's facts as their template; raises InvalidTemplate with the reason."""
    template = TEMPLATES.get(name)
    if template is None:
        raise InvalidTemplate(f"there is no template {name!r}")
    try:
        return template.model_validate_json(to_json(facts))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InvalidTemplate(f"template {name}: {wrong}"[:500]) from None


class BookingMessage(Template):
    """What every message on a booking says. `token` opens the booking; `version` is the booking's, and only grows."""

    booking: ThingId
    version: int = Field(default=1, ge=0)
    places: int = Field(ge=1, le=10_000)
    token: Token
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    deadline_at: AwareDatetime | None = None
    reason: Name | None = None
    granted_cents: Cents | None = None


class BookingReceived(BookingMessage, name="booking-received"):
    """A booking waits for the organisation's answer."""


class BookingWaiting(BookingMessage, name="booking-waiting"):
    """A booking stands in the waiting list."""

    position: Annotated[int, Field(ge=1)] | None = None


class BookingOffered(BookingMessage, name="booking-offered"):
    """A place is free and held until `deadline_at`."""


class BookingApproved(BookingMessage, name="booking-approved", calendar="request"):
    """A booking holds."""


class BookingDeclined(BookingMessage, name="booking-declined"):
    """The organisation said no."""


class BookingCancelled(BookingMessage, name="booking-cancelled", calendar="cancel"):
    """A booking ended, by whomever."""


class BookingExpired(BookingMessage, name="booking-expired"):
    """A booking ended because nobody answered in time."""


class BookingMoved(BookingMessage, name="booking-moved", calendar="request"):
    """A date of the booking has another time."""

    session_starts_at: AwareDatetime
    session_ends_at: AwareDatetime


class BookingDateCancelled(BookingMessage, name="booking-date-cancelled", calendar="request"):
    """One of several dates falls out; the others stay."""

    session_starts_at: AwareDatetime


class ContactAnswered(Template, name="contact-answered"):
    """The organisation answered in a conversation, which `token` opens."""

    conversation: ThingId
    token: Token


class ContactReceived(Template, name="contact-received"):
    """Somebody wrote to the organisation."""

    conversation: ThingId


class NeedObserved(Template, name="need-observed", transactional=False):
    """Several people look for what an organisation of this board could offer."""

    asking: Count
    how: Literal["unanswered", "refused", "waiting"]
    words: Word | None = None


class ProposalReleased(Template, name="proposal-released"):
    """An organisation's proposal is public."""

    proposal: ThingId


class ProposalRefused(Template, name="proposal-refused"):
    """An organisation's proposal was refused; the reason is read there."""

    proposal: ThingId


class OrganisationInvitation(Template, name="organisation-invitation"):
    """Somebody is asked to act for an organisation; `token` accepts."""

    token: Token
    role: Literal["member", "manager"]


class OffersAged(Template):
    """Offers of an organisation that nobody confirmed for long; `token` confirms them."""

    offers: Count
    token: Token


class OfferCheck(OffersAged, name="offer-check"):
    """Please look whether they are still right."""


class OfferHidden(OffersAged, name="offer-hidden"):
    """They are hidden until somebody confirms them."""


class AllocationReceived(Template, name="allocation-received"):
    """A family's wishes were taken; `link` opens them."""

    wishlist: ThingId
    link: Token
    children: Count


class AllocationDrawn(Template):
    """What became of a family's wishes: how many came true and how many did not; `link` opens them."""

    wishlist: ThingId
    link: Token
    placed: Count
    left_out: Count


class AllocationPlaced(AllocationDrawn, name="allocation-placed"):
    """At least one wish came true."""


class AllocationLeftOut(AllocationDrawn, name="allocation-left-out"):
    """No wish came true."""
