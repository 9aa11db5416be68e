"""A rendered message as a mail: text, HTML and calendar in MIME (RFC 2045), with the headers that mail programs act on.

The Message-ID is the delivery's id: whoever receives a mail twice can tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.charset import QP, Charset
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP
from email.utils import format_datetime, formataddr

from services.notify.addresses.mail import domain_of
from services.notify.texts.rendering import Rendered

TEXT = Charset("utf-8")
TEXT.body_encoding = QP
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
    alternatives = [_text(said.text, "plain"), _text(said.html, "html")]
    if len(calendar) == 1:  # mail programs show a single one with buttons
        alternatives.append(_calendar_part(calendar[0]))
    files = [_calendar_file(part, number, len(calendar)) for number, part in enumerate(calendar, start=1)]
    body = MIMEMultipart("alternative", None, alternatives)
    _fill(mail, MIMEMultipart("mixed", None, [body, *files]) if files else body)
    return mail


def message_id(delivery_id: str, sender: str) -> str:
    """The same for the same delivery, however often it is sent."""
    return f"<{delivery_id}@{domain_of(sender)}>"


def _fill(mail: EmailMessage, body: MIMEMultipart) -> None:
    # Parts of the older kind: their few headers are ASCII, and need not be parsed one by one as the newer kind does,
    # which takes three times as long.
    for name, value in body.items():
        mail[name] = value
    mail.set_payload(body.get_payload())


def _text(content: str, subtype: str) -> MIMEText:
    return MIMEText(content, subtype, TEXT)  # type: ignore[arg-type]  # it takes a Charset as well


def _calendar_part(part: CalendarPart) -> MIMEText:
    text = _text(part.body.decode(), "calendar")
    text.set_param("method", part.method.upper())
    return text


def _calendar_file(part: CalendarPart, number: int, of: int) -> MIMEText:
    file = _calendar_part(part)
    name = f"termin-{number}.ics" if of > 1 else "termin.ics"
    file.add_header("Content-Disposition", "attachment", filename=name)
    return file
