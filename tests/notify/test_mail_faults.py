"""Mails in the worst moments: notify killed before it could note one, a server that freezes in a conversation, a domain that
takes few at a time, keys that change while messages wait."""

import time
from collections.abc import Callable, Iterator

import pytest
from uuid_utils import uuid7

from libs.contracts.notify import Subject
from libs.servicekit.secret import new_secret
from services.notify.addresses.models import Recipient
from services.notify.vault import Vault
from tests.notify.conftest import Notify
from tests.notify.relay import Relay, Scripted
from tests.notify.test_mail_delivery import ANSWERED, of_recipient, outside
from tests.waiting import until

__all__ = ["outside"]

ABOUT = Subject(kind="offer", id="somewhere")
FROZEN_SECONDS, RATE_SECONDS = 3.0, 3


class Watched:
    """The server of `outside`; what is set as `taken` is called with each address before its mail is acknowledged."""

    def __init__(self, notify: Notify, relay: Relay) -> None:
        self.notify, self.handler = notify, relay.handler
        self.taken: Callable[[str], None] = lambda _: None
        take = Scripted.handle_DATA

        async def watched(handler: Scripted, server: object, session: object, envelope: object) -> str:
            said = await take(handler, server, session, envelope)  # type: ignore[arg-type]
            self.taken(envelope.rcpt_tos[0])  # type: ignore[attr-defined]
            return said

        self.handle = watched.__get__(self.handler)

    def ask(self, recipient: str) -> str:
        return self.notify.ask(recipient, ANSWERED, ABOUT)


@pytest.fixture
def watched(outside: tuple[Notify, object, Relay], monkeypatch: pytest.MonkeyPatch) -> Watched:
    notify, _, relay = outside
    found = Watched(notify, relay)
    monkeypatch.setattr(relay.handler, "handle_DATA", found.handle)
    return found


def address(domain: str = "example.org") -> str:
    return f"{uuid7().hex}@{domain}"


def test_killed_before_it_could_note_a_mail_it_sends_it_again_under_the_same_id(watched: Watched) -> None:
    notify, to = watched.notify, address()
    recipient, _ = notify.confirmed(to)
    killed: list[str] = []

    def kill(whose: str) -> None:
        if whose == to and not killed:
            killed.append(whose)
            notify.stack.kill9("notify")

    watched.taken = kill
    fact = watched.ask(recipient)
    until(lambda: killed)
    notify.stack.launch("notify")
    assert [each["status"] for each in notify.settled(fact)] == ["sent"]
    copies = notify.mails(to)[1:]
    assert len(copies) == 2
    assert len({str(each["Message-ID"]) for each in copies}) == 1


def test_a_server_that_freezes_in_a_conversation_loses_nothing_and_doubles_nothing(watched: Watched) -> None:
    notify, to = watched.notify, address()
    recipient, _ = notify.confirmed(to)
    frozen: list[str] = []

    def freeze(whose: str) -> None:
        if whose == to and not frozen:
            frozen.append(whose)
            time.sleep(FROZEN_SECONDS)  # the server has one thread: everybody waits

    watched.taken = freeze
    facts = [watched.ask(recipient) for _ in range(20)]
    until(lambda: frozen)
    assert notify.http.get("/health/ready").status_code == 200, "who asks notify need not wait for it"
    assert {each["status"] for fact in facts for each in notify.settled(fact, 30)} == {"sent"}
    copies = notify.mails(to)[1:]
    assert len(copies) == len({str(each["Message-ID"]) for each in copies}) == 20


@pytest.fixture
def slowly(watched: Watched) -> Iterator[Watched]:
    """Two mails in three seconds for each domain."""
    environ: dict[str, str] = watched.notify.stack.home.environ  # type: ignore[assignment]
    environ["COBURG_MAIL_RATE"] = f"2 per {RATE_SECONDS} second"
    watched.notify.stack.restart("notify")
    yield watched
    environ["COBURG_MAIL_RATE"] = ""
    watched.notify.stack.restart("notify")


def test_a_domain_gets_no_more_than_it_is_to_get_and_keeps_no_other_waiting(slowly: Watched) -> None:
    notify, many, one = slowly.notify, address("many.example"), address("one.example")
    crowd, _ = notify.confirmed(many)
    single, _ = notify.confirmed(one)
    arrived: dict[str, list[float]] = {many: [], one: []}
    slowly.taken = lambda whose: arrived[whose].append(time.monotonic())
    for _ in range(5):
        slowly.ask(crowd)
    slowly.ask(single)
    until(lambda: len(arrived[many]) == 5 and arrived[one], 20)
    assert arrived[one][0] < arrived[many][2], "others do not wait for this domain"
    apart = [later - earlier for earlier, later in zip(arrived[many], arrived[many][2:], strict=False)]
    assert min(apart) > RATE_SECONDS - 0.5, "of any three the last comes a period after the first"


def test_keys_can_change_while_messages_wait(watched: Watched) -> None:
    notify, to = watched.notify, address()
    recipient, _ = notify.register(to)
    fact = watched.ask(recipient)
    (held,) = until(lambda: notify.deliveries(fact))
    assert held["status"] == "held"
    file = notify.stack.home.keys / "notify-addresses"
    old, new = file.read_text(), new_secret()
    file.write_text(f"{new},{old}")
    notify.stack.restart("notify")
    until(lambda: key_ids(notify, recipient) == {Vault([new], new).key_id})
    file.write_text(new)
    notify.stack.restart("notify")
    code = notify.code(to)
    notify.http.post(f"/v1/recipients/{recipient}/confirm", json={"code": code}).raise_for_status()
    assert [each["status"] for each in notify.settled(fact)] == ["sent"]
    assert len(notify.mails(to)) == 2


def key_ids(notify: Notify, recipient: str) -> set[str | None]:
    """By which keys a recipient's address and waiting messages are sealed."""
    with notify.db.reading() as session:
        row = session.get(Recipient, recipient)
        assert row is not None
    waiting = [each for each in of_recipient(notify, recipient) if each.content]
    return {row.key_id, *(each.key_id for each in waiting)}
