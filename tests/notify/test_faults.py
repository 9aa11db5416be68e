"""Notify, its broker, its database and the SMTP server are killed in the middle of deliveries: every message arrives,
twice only under one Message-ID, and whoever was erased meanwhile gets nothing more.

`./coburg test tests/notify/test_faults.py --long` sends ten thousand.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from sqlmodel import func, select
from uuid_utils import uuid7

from cli import mail
from libs.contracts.messages import TEMPLATES
from libs.contracts.notify import Subject
from services.notify.deliveries.models import Delivery
from tests.notify.conftest import Notify, started
from tests.postgres import postgres
from tests.waiting import until

ANSWERED = TEMPLATES["contact-answered"].model_validate({"conversation": "c", "token": "t"})
ABOUT = Subject(kind="offer", id="somewhere")
FEW, MANY, PEOPLE = 600, 10_000, 4
DOWN_SECONDS = 0.7


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shaken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notify]:
    """A notify of its own, whose database may be killed where it is a process; it is `server`."""
    folder = tmp_path_factory.mktemp("notify-shaken")
    with ExitStack() as running:
        url = f"sqlite:///{folder / 'notify.db'}"
        server = running.enter_context(postgres()) if request.param == "postgresql" else None
        mails = {"COBURG_MAILBOX_KEPT": str(2 * MANY)}
        notify = started(running, folder, server.url if server else url, **mails)
        notify.server = server
        yield notify


@contextmanager
def dead(notify: Notify, name: str) -> Iterator[None]:
    """A component that is gone for a moment."""
    notify.stack.kill9(name)
    time.sleep(DOWN_SECONDS)
    yield
    notify.stack.launch(name)


def test_whatever_is_killed_every_message_arrives(shaken: Notify, request: pytest.FixtureRequest) -> None:
    count = MANY if request.config.getoption("--long") else FEW
    people = [shaken.confirmed(f"{uuid7().hex}@example.org") for _ in range(PEOPLE)]
    gone, headers = shaken.confirmed(f"gone-{uuid7().hex}@example.org")
    ids = [recipient for recipient, _ in people]
    facts = shaken.ask_often([*ids, gone] * (count // 5), ANSWERED, ABOUT)
    until(lambda: arrived(shaken), 30)
    with dead(shaken, "mailbox"):
        shaken.http.delete(f"/v1/recipients/{gone}", headers=headers).raise_for_status()
        at_the_end = sum("gone-" in str(each["To"]) for each in mail.messages(shaken.stack.home))
    for name in ("notify", "nats"):
        with dead(shaken, name):
            pass
        time.sleep(0.3)
    if shaken.server:
        shaken.server.kill9()
        shaken.server.start()
    wanted = count // 5 * PEOPLE
    until(lambda: left(shaken) == 0 and ended(shaken) >= wanted + PEOPLE, 60 + count / 50)
    check(shaken, wanted, len(facts), at_the_end)


def check(notify: Notify, wanted: int, asked: int, to_the_erased: int) -> None:
    """Who got what, and how often."""
    mails = mail.messages(notify.stack.home)
    mine = [each for each in mails if "gone-" not in str(each["To"])]
    times = Counter(str(each["Message-ID"]) for each in mine)
    print(f"{asked} asked for, {len(mine)} mails, {sum(times.values()) - len(times)} of them twice")
    wanted += PEOPLE  # their confirmations
    assert len(times) == wanted
    # In flight: a mail per connection, and what was sent since the last note.
    assert len(mine) - wanted < asked / 4
    assert len(mails) - len(mine) == to_the_erased, "nothing to somebody who was erased"


def arrived(notify: Notify) -> bool:
    return len(mail.messages(notify.stack.home)) > PEOPLE + 20


def left(notify: Notify) -> int:
    return counted(notify, "due")


def ended(notify: Notify) -> int:
    return counted(notify, "sent")


def counted(notify: Notify, status: str) -> int:
    with notify.db.reading() as session:
        return int(session.exec(select(func.count()).where(Delivery.status == status)).one())
