"""Notify as a process on a real broker, a real database and a real SMTP server, whose mails are read as a client would."""

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx2
import nats
import pytest
from uuid_utils import uuid7

from cli import mail
from libs.contracts.card import Card
from libs.contracts.event import Fact, envelope
from libs.contracts.messages import Template
from libs.contracts.notify import MessageRequested, Occasion, Subject
from libs.contracts.offers import OfferPublished
from libs.servicekit.db import Database
from tests.postgres import Postgres
from tests.stack import Stack, new_database
from tests.waiting import until

CODE = re.compile(r"\b([A-HJ-NP-Z2-9]{10})\b")
OPEN = {"COBURG_RATE_LIMIT": "", "COBURG_MAIL_RATE": "", "COBURG_NOTIFY_CONFIRM_SECONDS": "0.3"}


class Notify:
    """A running notify, its broker and its mailbox; `server` is a database that may be killed."""

    server: Postgres | None = None

    def __init__(self, stack: Stack, url: str) -> None:
        self.stack = stack
        self.http = httpx2.Client(base_url=stack.url("notify"), timeout=30)
        self.db = Database(url)

    def close(self) -> None:
        self.http.close()
        self.db.dispose()

    def register(self, address: str, **more: Any) -> tuple[str, dict[str, str]]:
        """A new recipient: its id, and the header that opens it."""
        body = {"channel": "mail", "address": address, "language": "de", **more}
        answer = self.http.post("/v1/recipients", json=body)
        assert answer.status_code == 201, answer.text
        assert answer.json()["status"] == "unconfirmed"
        return answer.json()["id"], {"Link-Token": answer.json()["token"]}

    def confirmed(self, address: str, **more: Any) -> tuple[str, dict[str, str]]:
        """A recipient that has confirmed with the code of its mail."""
        recipient, headers = self.register(address, **more)
        code = self.code(address)
        answer = self.http.post(f"/v1/recipients/{recipient}/confirm", json={"code": code})
        assert answer.status_code == 200, answer.text
        return recipient, headers

    def code(self, address: str) -> str:
        """The code in the newest mail to an address that has one."""
        found = until(lambda: [c for m in self.mails(address) for c in CODE.findall(mail.text_of(m))])
        return str(found[-1])

    def mails(self, address: str) -> list[EmailMessage]:
        """What an address got, oldest first."""
        return [each for each in mail.messages(self.stack.home) if address in str(each["To"])]

    def mail(self, address: str, number: int = 1) -> EmailMessage:
        """The mail of this number to an address, once it is there."""
        return until(lambda: self.mails(address)[number - 1 : number])[0]

    def ask(
        self, recipient: str, template: Template, about: Subject, dates: Sequence[Occasion] = (), **more: Any
    ) -> str:
        """Ask for a message as a service would; the event's id."""
        return self.publish(requested(recipient, template, about, dates, **more))

    def ask_often(self, recipients: Sequence[str], template: Template, about: Subject) -> list[str]:
        """Ask for a message to each, at once; the events' ids."""
        events = [
            event(requested(each, template, about), str(uuid7()), 1, str(uuid7())) for each in recipients
        ]
        self.send(events)
        return [event_id for _, _, event_id in events]

    def offer(self, title: str, thing: str | None = None, version: int = 1, **card: Any) -> str:
        """Have an offer published; its id."""
        thing = thing or str(uuid7())
        said = {"kind": "offer", "board": "sport", "title": {"de": title}, **card}
        shown = Card.model_validate_json(json.dumps(said))
        self.publish(OfferPublished(board="sport", changed_at=datetime.now(UTC), card=shown), thing, version)
        return thing

    def publish(
        self, fact: Fact, thing: str | None = None, version: int = 1, event_id: str | None = None
    ) -> str:
        """Put a fact on the bus; the event's id."""
        event_id = event_id or str(uuid7())
        self.send([event(fact, thing or str(uuid7()), version, event_id)])
        return event_id

    def send(self, messages: Sequence[tuple[str, bytes, str]]) -> None:
        """Put raw messages on the bus."""
        asyncio.run(send(self.stack.url("nats"), messages))

    def dead(self, subject: str) -> list[str]:
        """The reasons of the dead letters under a subject, once there is one."""
        return until(lambda: asyncio.run(reasons(self.stack.url("nats"), subject)))

    def deliveries(self, fact: str) -> list[dict[str, Any]]:
        """What became of a fact."""
        answer = self.http.get(
            "/v1/deliveries", params={"fact": fact}, headers=self.stack.headers("operator")
        )
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    def settled(self, fact: str, seconds: float = 20) -> list[dict[str, Any]]:
        """The same, once all of it is over."""

        def over() -> list[dict[str, Any]]:
            found = self.deliveries(fact)
            return found if all(each["status"] not in ("due", "held") for each in found) else []

        return until(over, seconds)


def requested(
    recipient: str, template: Template, about: Subject, dates: Sequence[Occasion] = (), **more: Any
) -> MessageRequested:
    """A service's request for a message."""
    return MessageRequested(
        recipient_id=recipient,
        template=template.name,
        about=about,
        facts=template.facts(),
        dates=list(dates),
        **more,
    )


def event(fact: Fact, thing: str, version: int, event_id: str) -> tuple[str, bytes, str]:
    """A fact as it lies on the bus: subject, bytes, id."""
    made = envelope(
        fact,
        event_id=event_id,
        subject=thing,
        version=version,
        time=datetime.now(UTC),
        prefix="de.coburg",
        schema_base="http://offers/v1/events",
        traceparent=None,
        source="offers" if fact.internal else None,
    )
    return fact.subject(thing), made.to_bytes(), event_id


async def send(url: str, messages: Sequence[tuple[str, bytes, str]]) -> None:
    client = await nats.connect(url)
    js = client.jetstream()
    try:
        for start in range(0, len(messages), 100):
            some = messages[start : start + 100]
            await asyncio.gather(
                *(js.publish(s, b, timeout=10, headers={"Nats-Msg-Id": i}) for s, b, i in some)
            )
    finally:
        await client.close()


async def reasons(url: str, subject: str) -> list[str]:
    client = await nats.connect(url)
    try:
        js = client.jetstream()
        info = await js.stream_info("DEAD", subjects_filter=subject)
        count = sum((info.state.subjects or {}).values())
        if not count:
            return []
        reader = await js.pull_subscribe(subject, stream="DEAD")
        return [(m.headers or {})["Coburg-Reason"] for m in await reader.fetch(count, timeout=5)]
    finally:
        await client.close()


def started(running: ExitStack, folder: Path, url: str, **environ: str) -> Notify:
    stack = running.enter_context(Stack(folder, COBURG_NOTIFY_DATABASE_URL=url, **OPEN, **environ))
    own_mailbox = () if "COBURG_SMTP_URL" in environ else ("mailbox",)
    stack.start("nats", *own_mailbox).provision()
    stack.launch("notify")
    notify = Notify(stack, url)
    running.callback(notify.close)
    return notify


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def notify(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notify]:
    """The service on each database; tests share it and use addresses of their own."""
    folder = tmp_path_factory.mktemp(f"notify-{request.param}")
    with ExitStack() as running:
        url = f"sqlite:///{folder / 'notify.db'}"
        if request.param == "postgresql":
            url = running.enter_context(new_database(request.getfixturevalue("postgres_url")))
        yield started(running, folder, url)


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notify]:
    """A service on SQLite that tests may kill."""
    folder = tmp_path_factory.mktemp("notify-lone")
    with ExitStack() as running:
        yield started(running, folder, f"sqlite:///{folder / 'notify.db'}")


def body(message: EmailMessage, kind: str = "plain") -> str:
    """A part of a mail as a mail program shows it."""
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
