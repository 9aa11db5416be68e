"""A rendered message as a mail: text, HTML and calendar in MIME (RFC 2045), with the headers that mail programs act on.

The Message-ID is the delivery's id: whoever receives a mail twice can tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr

from services.notify.addresses.mail import domain_of
from services.notify.texts.rendering import Rendered

POLICY = SMTP.clone(max_line_length=998)


@dataclass(frozen=True)
class Envelope:
    """From whom, to whom, under which id, and the address that stops it with one click (RFC 8058)."""

    delivery_id: str
    sender: str
    sender_name: str
    to: str
    at: datetime
    stop_url: str = ""


@dataclass(frozen=True)
class CalendarPart:
    """One iTIP object and its method."""

    method: str
    body: bytes


def compose(envelope: Envelope, said: Rendered, calendar: Sequence[CalendarPart] = ()) -> EmailMessage:
    """The mail as it is handed to an SMTP server."""
    mail = EmailMessage(policy=POLICY)
    mail["Message-ID"] = message_id(envelope.delivery_id, envelope.sender)
    mail["Date"] = format_datetime(envelope.at)
    mail["From"] = formataddr((envelope.sender_name, envelope.sender))
    mail["To"] = envelope.to
    mail["Subject"] = said.subject
    mail["Content-Language"] = said.language.partition("-")[0]
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
    if envelope.stop_url:
        mail["List-Unsubscribe"] = f"<{envelope.stop_url}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(said.text, cte="quoted-printable")
    mail.add_alternative(said.html, subtype="html", cte="quoted-printable")
    _add_calendar(mail, calendar)
    return mail


def message_id(delivery_id: str, sender: str) -> str:
    """The same for the same delivery, however often it is sent."""
    return f"<{delivery_id}@{domain_of(sender)}>"


def _add_calendar(mail: EmailMessage, parts: Sequence[CalendarPart]) -> None:
    if len(parts) == 1:  # mail programs show a single one with buttons
        mail.add_alternative(
            parts[0].body.decode(), subtype="calendar", params={"method": parts[0].method.upper()}
        )
    for number, part in enumerate(parts, start=1):
        mail.add_attachment(
            part.body,
            maintype="text",
            subtype="calendar",
            params={"method": part.method.upper(), "charset": "utf-8"},
            filename=f"termin-{number}.ics" if len(parts) > 1 else "termin.ics",
        )
