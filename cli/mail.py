"""`coburg mail`: the mails that the embedded stack would have sent, as its mailbox keeps them."""

import email
import json
import mailbox
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cli.errors import Trouble
from cli.home import Home


@dataclass(frozen=True)
class Mail:
    """A mail as programs get it; `number` counts from the oldest."""

    number: int
    to: str
    subject: str
    message_id: str
    date: str
    text: str


def folder_of(home: Home) -> Path:
    """Where the mailbox keeps its Maildir."""
    return home.folder / "mail"


def messages(home: Home) -> list[EmailMessage]:
    """Every mail, oldest first."""
    if not folder_of(home).exists():
        raise Trouble("There is no mailbox here.", "Start the stack with ./coburg up --detach")
    box = mailbox.Maildir(folder_of(home), create=False)
    found = [
        email.message_from_bytes(box.get_bytes(key), policy=default) for key in sorted(box.keys(), key=_order)
    ]
    return [each for each in found if isinstance(each, EmailMessage)]


def _order(key: str) -> tuple[float, str]:
    # <seconds>.M<microseconds>P<pid>Q<counter>.<host>, as Python names them.
    seconds, _, rest = key.partition(".")
    micro, _, counter = rest.removeprefix("M").partition("P")
    return float(f"{seconds}.{micro:0>6}"), f"{counter.partition('Q')[2].partition('.')[0]:0>9}"


def listed(home: Home) -> list[Mail]:
    """Every mail, oldest first, with its plain text."""
    return [_mail(number, each) for number, each in enumerate(messages(home), start=1)]


def _mail(number: int, message: EmailMessage) -> Mail:
    return Mail(
        number,
        str(message["To"]),
        str(message["Subject"]),
        str(message["Message-ID"]),
        str(message["Date"]),
        text_of(message),
    )


def text_of(message: EmailMessage) -> str:
    """The plain text part."""
    part = message.get_body(("plain",))
    return str(part.get_content()) if part else ""


def show_list(home: Home, as_json: bool, console: Console) -> None:
    """Print every mail, or hand all of them to a program."""
    mails = listed(home)
    if as_json:
        print(json.dumps([asdict(each) for each in mails], ensure_ascii=False, indent=2))
        return
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("no.", "to", "subject", "date"):
        table.add_column(heading)
    for each in mails:
        table.add_row(str(each.number), each.to, each.subject, each.date)
    console.print(table if mails else "No mail yet.")


def show_one(home: Home, number: int, html: bool, console: Console) -> None:
    """Print one mail: what a mail program shows, and what hangs on it."""
    found = messages(home)
    if not 1 <= number <= len(found):
        raise Trouble(f"There is no mail {number}.", "See ./coburg mail list")
    message = found[number - 1]
    part = message.get_body(("html",) if html else ("plain",))
    for name in ("From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe"):
        if message[name]:
            console.print(f"{name}: {message[name]}", markup=False, highlight=False, soft_wrap=True)
    content = str(part.get_content()) if part else ""
    console.print(f"\n{content}", markup=False, highlight=False, soft_wrap=True)
    for attachment in message.iter_attachments():
        console.print(
            f"[{attachment.get_filename()}, {attachment.get_content_type()}]\n{attachment.get_content()}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
