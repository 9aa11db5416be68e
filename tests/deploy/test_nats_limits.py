"""deploy/nats/nats.conf on a real server: what one connection can take of it, and how partners come and go."""

import asyncio
import json
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from nats.js.errors import NotFoundError

from libs.servicekit.delivery import InvalidEvent, parse
from tests.deploy.conftest import Broker
from tests.waiting import eventually, until

FACT = "city.offers.offer.published.v1"


def raw(broker: Broker, user: str) -> socket.socket:
    """A connection spoken by hand."""
    line = socket.create_connection(("127.0.0.1", broker.port), timeout=20)
    line.recv(4096)
    said = json.dumps({"user": user, "pass": broker.password(user), "verbose": False, "headers": True})
    line.sendall(f"CONNECT {said}\r\nPING\r\n".encode())
    assert line.recv(4096).endswith(b"PONG\r\n")
    return line


def test_a_connection_has_a_thousand_subscriptions(broker: Broker) -> None:
    with raw(broker, "partner") as line:
        line.sendall(b"".join(b"SUB _INBOX.partner.%d %d\r\n" % (n, n) for n in range(1, 1100)))
        until(lambda: b"maximum subscriptions exceeded" in line.recv(65536).lower())


def test_a_partners_request_is_small(broker: Broker) -> None:
    with raw(broker, "partner") as line:
        line.sendall(b"PUB $JS.API.INFO 70000\r\n" + b"x" * 70_000 + b"\r\n")
        until(lambda: b"maximum payload violation" in line.recv(65536).lower())


def test_partners_share_fifty_connections(broker: Broker) -> None:
    lines = []
    try:
        for _ in range(50):
            lines.append(raw(broker, "partner"))
        with pytest.raises(AssertionError):
            lines.append(raw(broker, "partner"))

        async def services_go_on() -> None:
            async with broker.connected("offers") as offers:
                await offers.client.jetstream().publish(f"{FACT}.kept", b"{}")

        asyncio.run(services_go_on())
    finally:
        for line in lines:
            line.close()


def test_a_reader_who_does_not_read_is_cut_off(broker: Broker) -> None:
    async def fill() -> None:
        async with broker.connected("offers") as offers:
            js = offers.client.jetstream()
            body = bytes(500_000)
            await asyncio.gather(*(js.publish(f"{FACT}.big-{n}", body) for n in range(40)))
        await broker.alike()

    asyncio.run(fill())
    with raw(broker, "partner") as line:
        line.sendall(b"SUB _INBOX.partner.x 1\r\n")
        create = {
            "stream_name": "CITY-partner",
            "config": {"name": "partner", "deliver_subject": "_INBOX.partner.x", "ack_policy": "none"},
        }
        body = json.dumps(create).encode()
        line.sendall(
            b"PUB $JS.API.CONSUMER.CREATE.CITY-partner.partner _INBOX.partner.y %d\r\n" % len(body)
            + body
            + b"\r\n"
        )
        until(lambda: "Slow Consumer" in broker.log.read_text(), 20)


def test_an_answer_sent_to_a_foreign_subject_is_no_event(broker: Broker) -> None:
    """The server sends answers to whatever subject a request names, also where the asker may not publish (ADR 35):
    what then lies in CITY is read by nobody, and is told apart at once."""

    async def scenario() -> list[bytes]:
        async with broker.connected("search") as search, broker.connected("operator") as operator:
            js = operator.client.jetstream()
            asked = ("$JS.API.STREAM.INFO.CITY", "$JS.API.STREAM.INFO.STATE")
            for number, subject in enumerate(asked):
                await search.client.publish(subject, b"", reply=f"{FACT}.forged-{number}")
            await search.client.flush()

            async def kept() -> list[bytes]:
                with suppress(NotFoundError):
                    return [
                        (await js.get_last_msg("CITY", f"{FACT}.forged-{n}")).data or b"" for n in range(2)
                    ]
                return []

            return await eventually(kept)  # the server answers when it comes to it

    for body in asyncio.run(scenario()):
        with pytest.raises(InvalidEvent):
            parse(body, f"{FACT}.forged-0")


def test_tls_is_said_how(broker: Broker, tmp_path: Path) -> None:
    """What tls.conf holds, without its comment signs, is a configuration that the server takes."""
    text = (broker.configuration / "tls.conf").read_text()
    block = text[text.index("# tls {") :].replace("# ", "").replace("#", "")
    keys = tmp_path / "fullchain.pem", tmp_path / "privkey.pem"
    openssl = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subprocess.run(
        [*openssl, "-subj", "/CN=town", "-days", "1", "-out", keys[0], "-keyout", keys[1]],
        check=True,
        capture_output=True,
    )
    file = tmp_path / "nats.conf"
    file.write_text(block.replace("/etc/nats", str(tmp_path)))
    server = Path(sys.executable).parent / "nats-server"
    subprocess.run([server, "-t", "-c", file], check=True, capture_output=True)
