"""Mails through notify to a server that misbehaves: what is refused for now arrives, what is refused for good is not
tried again, and a server that is away costs nothing."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update
from sqlmodel import col
from uuid_utils import uuid7

from libs.contracts.messages import TEMPLATES
from libs.contracts.notify import Subject
from libs.servicekit.db import now
from services.notify.deliveries import queries
from services.notify.deliveries.models import Delivery
from tests.notify.conftest import Notify, started
from tests.notify.relay import Relay, Scripted
from tests.stack import free_port_base
from tests.waiting import until

ANSWERED = TEMPLATES["contact-answered"].model_validate({"conversation": "c", "token": "t"})


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Notify, ExitStack, Relay]]:
    """A notify and the only server that takes its mail; closing the stack ends the server."""
    folder = tmp_path_factory.mktemp("notify-outside")
    with ExitStack() as running, ExitStack() as server:
        relay = server.enter_context(Relay(Scripted(folder / "mail"), free_port_base()))
        settings = {"COBURG_SMTP_URL": f"smtp://127.0.0.1:{relay.port}?tls=none"}
        yield started(running, folder, f"sqlite:///{folder / 'notify.db'}", **settings), server, relay


@pytest.fixture
def notify(outside: tuple[Notify, ExitStack, Relay]) -> Notify:
    return outside[0]


def of_recipient(notify: Notify, recipient: str) -> list[Delivery]:
    """What is kept of a recipient's messages."""
    with notify.db.reading() as session:
        return queries.of_recipient(session, recipient)


def tried(notify: Notify, recipient: str, times: int = 1) -> Delivery:
    """The confirmation mail's delivery, once it was tried so often."""
    return until(lambda: [each for each in of_recipient(notify, recipient) if each.attempts == times])[0]


def hurry(notify: Notify) -> None:
    """What is to be tried later is due now."""
    with notify.db.transaction() as session:
        values = {"due_at": now() - timedelta(seconds=1)}
        session.execute(update(Delivery).where(col(Delivery.status) == "due").values(**values))


def figure(notify: Notify, name: str, **labels: str) -> float:
    """One of its figures."""
    families = text_string_to_metric_families(notify.http.get("/metrics").text)
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def test_a_greylisted_mail_arrives_with_the_second_attempt(notify: Notify) -> None:
    to = f"grey-{uuid7().hex}@example.org"
    recipient, _ = notify.register(to)
    assert tried(notify, recipient).status == "due"
    hurry(notify)
    assert tried(notify, recipient, 2).status == "sent"
    assert len(notify.mails(to)) == 1


def test_an_address_that_does_not_exist_is_suppressed_whoever_registers_it(
    outside: tuple[Notify, ExitStack, Relay],
) -> None:
    notify, _, relay = outside
    to = f"unknown-{uuid7().hex}@example.org"
    recipient, _ = notify.register(to)
    found = tried(notify, recipient)
    assert (found.status, found.reason) == ("failed", "refused")
    second, _ = notify.register(to.upper())
    time.sleep(1.5)
    assert of_recipient(notify, second) == [], "nobody is asked at it again"
    assert relay.handler.asked[to] == 1
    assert figure(notify, "notify_deliveries_total", channel="mail", outcome="no_such_address") >= 1


def test_a_mail_whose_end_was_not_acknowledged_comes_again_under_the_same_id(notify: Notify) -> None:
    to = f"dropped-{uuid7().hex}@example.org"
    recipient, _ = notify.register(to)
    assert tried(notify, recipient).status == "sent"
    mails = notify.mails(to)
    assert len(mails) == 2
    assert len({str(mail["Message-ID"]) for mail in mails}) == 1


def test_while_the_server_is_away_nothing_is_lost_counted_or_burnt(
    outside: tuple[Notify, ExitStack, Relay],
) -> None:
    notify, server, relay = outside
    to = f"away-{uuid7().hex}@example.org"
    recipient, _ = notify.confirmed(to)
    server.close()
    facts = notify.ask_often([recipient] * 60, ANSWERED, Subject(kind="offer", id="somewhere"))
    until(lambda: all(notify.deliveries(fact) for fact in facts[::20]))
    until(lambda: figure(notify, "notify_backlog", channel="mail") >= 60, 15)
    assert figure(notify, "notify_oldest_due_seconds", channel="mail") > 0
    assert figure(notify, "notify_suppressed", reason="bounced") >= 1
    assert cpu_of(notify, 4) < 0.25, "a batch is put into words once for each time the server is asked"
    assert [notify.deliveries(fact)[0]["attempts"] for fact in facts[::20]] == [0] * 3
    with Relay(relay.handler, relay.port):
        until(lambda: len(notify.mails(to)) == 61, 40)
        (last,) = notify.settled(facts[-1])
    assert (last["status"], last["attempts"]) == ("sent", 1)
    assert len({str(mail["Message-ID"]) for mail in notify.mails(to)}) == 61


def cpu_of(notify: Notify, seconds: float) -> float:
    """The share of a core that the service uses for a while."""
    process = psutil.Process(notify.stack.children["notify"].pid)
    before = process.cpu_times()
    time.sleep(seconds)
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / seconds
