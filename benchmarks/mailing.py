"""Mails through notify against aiosmtplib alone to the same server, and one booking from the request to the server.

Notify's are packed, put into words, signed off with a calendar, sent and noted; the bare ones are one of these mails, sent
again and again over as many connections.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import httpx2
from aiosmtplib import SMTP
from sqlmodel import Session

from benchmarks.report import Figure, Row, rate
from cli import mail
from cli.home import ROOT
from libs.contracts.card import Card
from libs.contracts.notify import Occasion, Subject
from libs.servicekit.db import Database, now
from services.notify.addresses.mail import same
from services.notify.addresses.models import Recipient
from services.notify.deliveries import commands
from services.notify.deliveries.content import Content
from services.notify.deliveries.models import Delivery
from services.notify.texts import demo
from services.notify.things.models import Thing
from services.notify.vault import Vault
from tests.stack import Stack
from tests.waiting import until

MAILS, ROUNDS, BOOKINGS, CONNECTIONS = 200, 3, 9, 4
GOAL = 0.6
MIGRATIONS = ROOT / "services" / "notify" / "migrations"
START = datetime(2027, 1, 12, 15, tzinfo=UTC)
KEYS = {"COBURG_NOTIFY_ADDRESS_KEYS": "k" * 40, "COBURG_NOTIFY_MARK_KEY": "m" * 40}
SETTINGS = {
    "COBURG_RATE_LIMIT": "",
    "COBURG_MAIL_RATE": "",
    "COBURG_MAIL_CONNECTIONS": str(CONNECTIONS),
    "COBURG_NOTIFY_CONFIRM_SECONDS": "0",
    **KEYS,
}


def run(folder: Path) -> tuple[list[Row], list[Figure]]:
    """Both on one stack of our own."""
    url = f"sqlite:///{folder / 'notify.db'}"
    with Stack(folder, COBURG_NOTIFY_DATABASE_URL=url, **SETTINGS) as stack:
        stack.start()
        return [_compare(stack, Database(url))], [_booked(stack)]


def _compare(stack: Stack, db: Database) -> Row:
    vault = Vault([KEYS["COBURG_NOTIFY_ADDRESS_KEYS"]], KEYS["COBURG_NOTIFY_MARK_KEY"])
    with db.transaction() as session:
        recipient = _recipient(session, vault)
        session.add(_thing())
    ours, limit = [], []
    for _ in range(ROUNDS + 1):
        ours.append(_arriving(stack, lambda: _fill(db, vault, recipient)))
        one = mail.messages(stack.home)[-1]
        limit.append(_arriving(stack, partial(_send_bare, stack.url("mailbox"), one)))
    db.dispose()
    return rate("mails to an SMTP server", ours[1:], limit[1:], GOAL, "mails/s")


def _recipient(session: Session, vault: Vault) -> Recipient:
    address = "benchmark@example.org"
    row = Recipient(
        channel="mail",
        address=vault.seal(address),
        key_id=vault.key_id,
        mark=vault.mark(same(address)),
        language="de",
        timezone="Europe/Berlin",
        status="confirmed",
    )
    session.add(row)
    return row


def _thing() -> Thing:
    card = Card.model_validate({"kind": "offer", "board": "sport", "title": {"de": "Schwimmen lernen"}})
    return Thing(
        key="offers.offer.benchmark",
        thing_id="benchmark",
        version=1,
        listed=True,
        kind="offer",
        board="sport",
        card=card.model_dump(mode="json"),
        fact="city.offers.offer.published.v1.benchmark",
        fact_id="benchmark",
        at=now(),
    )


def _fill(db: Database, vault: Vault, recipient: Recipient) -> None:
    """Messages that are due; a job of another process finds them within seconds."""
    date = Occasion(id="date", starts_at=START, ends_at=START + timedelta(hours=1))
    facts = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in demo.facts("booking-approved").items()
    }
    content = Content(about=Subject(kind="offer", id="benchmark"), facts=facts, dates=[date])
    with db.transaction() as session:
        for number in range(MAILS):
            delivery = Delivery(
                recipient_id=recipient.id,
                fact_id=f"{now().timestamp()}-{number}",
                template="booking-approved",
                due_at=now(),
            )
            commands.add(session, vault, recipient, delivery, content)


def _send_bare(url: str, message: EmailMessage) -> None:
    asyncio.run(_bare(url, message))


async def _bare(url: str, message: EmailMessage) -> None:
    left = iter(range(MAILS))
    at = urlsplit(url)

    async def send() -> None:
        async with SMTP(hostname=at.hostname, port=at.port, start_tls=False) as client:
            for _ in left:
                await client.send_message(message, sender="a@example.org", recipients=["b@example.org"])

    await asyncio.gather(*(send() for _ in range(CONNECTIONS)))


def _arriving(stack: Stack, send: Callable[[], None]) -> float:
    """Mails per second at the server, from the first to the last."""
    box = mail.folder_of(stack.home) / "new"
    before = len(list(box.iterdir()))
    send()
    until(lambda: len(list(box.iterdir())) >= before + MAILS, 120)
    times = sorted(entry.stat().st_mtime for entry in box.iterdir())[before:]
    return (len(times) - 1) / (times[-1] - times[0])


def _booked(stack: Stack) -> Figure:
    """Milliseconds from a booking's request to its mail at the server."""
    editor = httpx2.Client(base_url=stack.url("offers"), headers=stack.headers("editor"), timeout=30)
    content = {"title": {"de": "Gründersalon"}, "fields": {"format": "salon", "topic": ["idea"]}}
    made = editor.post("/v1/offers", json={"board": "gruender", "publish": True, "content": content})
    offer = made.raise_for_status().json()["id"]
    # Everybody books once: a board has a cap on what one person may have open.
    people = [_known(stack, number) for number in range(BOOKINGS)]
    return Figure("a booking → its mail", median(_one(stack, offer, each) for each in people), "ms")


def _known(stack: Stack, number: int) -> str:
    notify = httpx2.Client(base_url=stack.url("notify"), timeout=30)
    said = {"channel": "mail", "address": f"booker-{number}@example.org", "language": "de"}
    recipient = str(notify.post("/v1/recipients", json=said).raise_for_status().json()["id"])
    asked = until(lambda: [each for each in mail.listed(stack.home) if each.to == said["address"]])
    code = next(
        word for word in asked[-1].text.split() if len(word) == 10 and word.isalnum() and word.isupper()
    )
    notify.post(f"/v1/recipients/{recipient}/confirm", json={"code": code}).raise_for_status()
    return recipient


def _one(stack: Stack, offer: str, recipient: str) -> float:
    box = mail.folder_of(stack.home) / "new"
    before = len(list(box.iterdir()))
    body = {"offer_id": offer, "recipient_id": recipient, "form": {}}
    began = time.time()
    httpx2.post(f"{stack.url('offers')}/v1/bookings", json=body, timeout=30).raise_for_status()
    until(lambda: len(list(box.iterdir())) > before)
    newest = max(entry.stat().st_mtime for entry in box.iterdir())
    return (newest - began) * 1000
