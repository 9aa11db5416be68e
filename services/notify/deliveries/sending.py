"""Sending one delivery: what it says and whether it may still go is decided in a transaction, then it is handed over.

A `Parcel` is ready to be handed over and holds nothing that needs the database.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

from sqlmodel import Session

from libs.contracts import messages
from libs.contracts.messages import Calendar as Method
from libs.servicekit.db import now
from services.notify.addresses import queries as addresses
from services.notify.addresses.models import Recipient
from services.notify.deliveries.calendar import Meeting, itip
from services.notify.deliveries.content import Content
from services.notify.deliveries.domain import Reason
from services.notify.deliveries.mail import CalendarPart, Envelope, compose
from services.notify.deliveries.models import Delivery
from services.notify.deliveries.wording import Town, put_into_words, reader_of, title_of
from services.notify.texts.rendering import Rendered
from services.notify.things import queries as things
from services.notify.things.domain import where
from services.notify.vault import SealBroken, Vault

# So long a message waits for what it is about to be told of, while facts are waiting to be learned.
PATIENCE = timedelta(minutes=10)


@dataclass(frozen=True)
class Sender:
    """Who sends, in whose words, and what opens what is sealed."""

    vault: Vault
    town: Town
    address: str
    name: str


@dataclass(frozen=True)
class Parcel:
    """A delivery that can be handed over."""

    delivery_id: str
    channel: str
    to: str
    mark: str
    said: Rendered
    mail: EmailMessage | None
    traceparent: str | None


class NotYet(Exception):  # noqa: N818 - no error: others go first
    """In how many seconds it is a delivery's turn."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class NotToBeSent(Exception):  # noqa: N818 - no error: the delivery is over
    """Why a delivery goes nowhere."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def is_new_to_us(session: Session, sender: Sender, delivery: Delivery) -> bool:
    """Whether a young message is about a thing that nobody has told of yet, so that it could not name it."""
    if delivery.content is None or now() - delivery.created_at > PATIENCE:
        return False
    try:
        about = Content.model_validate_json(sender.vault.open(delivery.content)).about
    except SealBroken:
        return False
    return about is not None and things.by_id(session, about.kind, about.id) is None


# The address and the delivery enter, the seconds until its turn leave.
Turn = Callable[[str, Delivery], float]


def pack(
    session: Session, sender: Sender, delivery: Delivery, recipient: Recipient, stop_url: str, turn: Turn
) -> Parcel:
    """A delivery as it is handed over; raises NotToBeSent, NotYet, and SealBroken for what no key at hand opens."""
    if delivery.send_before and delivery.send_before <= now():
        raise NotToBeSent(Reason.TOO_LATE)
    if addresses.suppressed(session, recipient.mark):
        raise NotToBeSent(Reason.SUPPRESSED)
    to = sender.vault.open(recipient.address)
    if seconds := turn(to, delivery):
        raise NotYet(seconds)
    content = Content.model_validate_json(sender.vault.open(delivery.content or b""))
    said = put_into_words(session, sender.town, recipient, delivery.template, content, stop_url)
    mail = None
    if recipient.channel == "mail":
        calendar = calendar_of(session, sender, delivery, recipient, content, to)
        listed = stop_url if delivery.subscription_id else ""
        envelope = Envelope(delivery.id, sender.address, sender.name, to, delivery.created_at, listed)
        mail = compose(envelope, said, calendar)
    return Parcel(delivery.id, recipient.channel, to, recipient.mark, said, mail, delivery.traceparent)


def calendar_of(
    session: Session, sender: Sender, delivery: Delivery, recipient: Recipient, content: Content, to: str
) -> Sequence[CalendarPart]:
    """What a message does to the recipient's calendar, one part per date."""
    template = messages.TEMPLATES.get(delivery.template)
    if template is None or template.calendar is None or content.about is None:
        return ()
    thing = things.by_id(session, content.about.kind, content.about.id)
    meeting = Meeting(
        title=title_of(sender.town, reader_of(recipient), thing, content.about.kind),
        where=where(thing.shown.place) if thing else "",
        url="",
        organizer=sender.address,
        attendee=to,
        sequence=int(content.facts.get("version", 1)),
    )
    booking = str(content.facts.get("booking", delivery.fact_id))
    cancelled = [date for date in content.dates if date.cancelled]
    method: Method = "cancel" if cancelled else template.calendar
    stamp = _stamp(delivery.created_at)
    return [
        CalendarPart(method, itip(method, meeting, date, booking, stamp))
        for date in cancelled or content.dates
    ]


def _stamp(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
