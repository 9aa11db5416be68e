"""Conversations with SMTP servers, good and bad: what each mail came to, and what is said of the server itself."""

import asyncio
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from libs.servicekit.db import now
from services.notify.deliveries import smtp
from services.notify.deliveries.domain import Outcome, ServerAway
from services.notify.deliveries.mail import Envelope, compose
from services.notify.deliveries.smtp import Connections
from services.notify.texts.rendering import Rendered
from tests.notify.certificates import self_signed
from tests.notify.relay import PASSWORD, Relay, Scripted, with_tls

SENDER = "noreply@coburg.test"
SAID = Rendered(
    "de", "Zusage: Töpfern für Anfänger", "Guten Tag\n.\nIhre Buchung", "<p>Guten Tag</p>", "kurz"
)


@pytest.fixture
def handler(tmp_path: Path) -> Scripted:
    return Scripted(tmp_path / "mail")


@pytest.fixture
def relay(handler: Scripted) -> Iterator[Relay]:
    with Relay(handler) as relay:
        yield relay


def a_mail(to: str) -> EmailMessage:
    return compose(Envelope(f"id-of-{to.partition('@')[0]}", SENDER, "Stadt Coburg", to, now()), SAID)


async def outcomes(connections: Connections, *addresses: str, sender: str = SENDER) -> list[Outcome]:
    try:
        return [await connections.send(a_mail(to), sender, to) for to in addresses]
    finally:
        await connections.close()


def sent(port: int, *addresses: str, sender: str = SENDER, tls: str = "none") -> list[Outcome]:
    """What mails to these addresses came to, one after the other on one connection."""
    url = urlsplit(f"smtp://localhost:{port}?tls={tls}")
    return asyncio.run(outcomes(Connections(url, 1, "coburg.test"), *addresses, sender=sender))


def test_each_answer_is_about_its_mail_alone_and_one_connection_serves_all(relay: Relay) -> None:
    found = sent(relay.port, "a@x.test", "grey-1@x.test", "unknown-1@x.test", "b@x.test", "grey-1@x.test")
    assert found == [Outcome.SENT, Outcome.LATER, Outcome.NO_SUCH_ADDRESS, Outcome.SENT, Outcome.SENT]
    assert relay.connections == 1


def test_a_connection_that_breaks_is_replaced_and_what_it_carried_goes_again(relay: Relay) -> None:
    assert sent(relay.port, "a@x.test", "dropped-1@x.test", "b@x.test") == [Outcome.SENT] * 3
    assert relay.connections == 2
    ids = [mail["Message-ID"] for mail in relay.handler.box if "dropped" in str(mail["To"])]
    assert len(ids) == 2 and len(set(ids)) == 1, "whoever gets it twice can tell"


def test_a_mail_that_breaks_every_connection_comes_later_and_others_go_on(relay: Relay) -> None:
    found = sent(relay.port, "poison-1@x.test", "b@x.test", "closing-1@x.test", "c@x.test")
    assert found == [Outcome.LATER, Outcome.SENT, Outcome.LATER, Outcome.SENT]


def test_a_sender_that_is_not_allowed_is_nothing_of_the_mails(relay: Relay) -> None:
    with pytest.raises(ServerAway, match="553"):
        sent(relay.port, "a@x.test", sender="forbidden@coburg.test")
    assert sent(relay.port, "a@x.test") == [Outcome.SENT]


def test_a_server_that_accepts_and_says_nothing_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "CONNECT_SECONDS", 0.3)

    async def frozen() -> None:
        async def silence(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(2)
            writer.close()

        server = await asyncio.start_server(silence, "127.0.0.1", 0)
        url = urlsplit(f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}?tls=none")
        began = time.monotonic()
        with pytest.raises(ServerAway, match=r"imeout|timed out"):
            await Connections(url, 1, "coburg.test").send(a_mail("a@x.test"), SENDER, "a@x.test")
        assert time.monotonic() - began < 2
        server.close()

    asyncio.run(frozen())


def test_no_server_is_away_too() -> None:
    with pytest.raises(ServerAway):
        sent(9, "a@x.test")


def test_an_address_in_any_script_arrives_or_is_refused_by_itself(relay: Relay, tmp_path: Path) -> None:
    assert sent(relay.port, "jürgen@x.test", "a@x.test") == [Outcome.SENT] * 2
    (mail, _) = sorted(relay.handler.box, key=lambda each: str(each["To"]), reverse=True)
    assert b"To: j\xc3\xbcrgen@x.test" in mail.as_bytes() or "rgen@x.test" in str(mail["To"])
    with Relay(Scripted(tmp_path / "old"), enable_SMTPUTF8=False) as old:
        assert sent(old.port, "jürgen@x.test", "a@x.test") == [Outcome.REFUSED, Outcome.SENT]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls") / "server.pem")


def over_tls(port: int, authority: str, password: str = PASSWORD.decode()) -> list[Outcome]:
    url = urlsplit(f"smtp://town:{password}@localhost:{port}")
    return asyncio.run(outcomes(Connections(url, 1, "coburg.test", authority), "a@x.test", "b@x.test"))


def test_starttls_is_required_and_only_a_server_that_is_trusted_gets_mail(
    handler: Scripted, relay: Relay, certificate: Path
) -> None:
    with Relay(handler, **with_tls(certificate)) as safe:
        assert over_tls(safe.port, str(certificate)) == [Outcome.SENT] * 2
        for authority, password in (("", PASSWORD.decode()), (str(certificate), "wrong")):
            with pytest.raises(ServerAway):
                over_tls(safe.port, authority, password)
    with pytest.raises(ServerAway, match=r"STARTTLS|not supported"):
        sent(relay.port, "a@x.test", tls="required")
    assert len(list(handler.box)) == 2
