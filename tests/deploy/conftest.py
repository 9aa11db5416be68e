"""The bus as it is deployed: a real server with deploy/nats/nats.conf, provisioned as compose does it."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client

from cli import partners
from cli.components import SERVICES
from cli.home import ROOT, Home
from libs.bus.connection import inbox
from libs.provision import streams
from tests.stack import end, free_port_base
from tests.waiting import eventually, until

USERS = ("sys", "operator", *SERVICES, "librarian")


@dataclass(frozen=True)
class Broker:
    """A running server and its log."""

    port: int
    log: Path
    configuration: Path
    passwords: dict[str, str] = field(default_factory=dict)  # of partners

    @property
    def monitor(self) -> int:
        """The port of its monitoring, free as well."""
        return self.port + 48

    def url(self, user: str) -> str:
        """Where a user connects, with his password."""
        return f"nats://{user}:{self.password(user)}@127.0.0.1:{self.port}"

    def password(self, user: str) -> str:
        """A partner's own, or one as good as any here."""
        return self.passwords.get(user) or password(user)

    @property
    def home(self) -> Home:
        """Where `coburg partner` works for this server."""
        return Home.of(
            {
                "COBURG_PARTNERS_NATS_URL": self.url("librarian"),
                "COBURG_PARTNERS_FOLDER": str(self.configuration),
            }
        )

    @asynccontextmanager
    async def connected(self, user: str) -> AsyncIterator["Connection"]:
        """A connection that remembers what it was refused."""
        refused: list[str] = []

        async def remember(error: Exception) -> None:
            refused.append(str(error))

        client = await nats.connect(
            self.url(user), error_cb=remember, allow_reconnect=False, inbox_prefix=inbox(user)
        )
        try:
            yield Connection(client, refused)
        finally:
            await client.close()

    async def alike(self, partner: str = "partner") -> None:
        """Return when the streams of a partner who hears everything have followed every fact."""
        async with self.connected("operator") as operator, self.connected(partner) as reader:
            newest = await operator.last("CITY")
            for stream in (f"CITY-{partner}", f"STATE-{partner}"):

                async def followed(stream: str = stream) -> bool:
                    return await reader.last(stream) >= newest

                await eventually(followed)

    def admit(self, name: str, *types: str, until: str | None = None) -> None:
        """Let a partner in, as the town does."""
        self.passwords[name] = partners.add(self.home, name, types, until).password
        self.reload()

    def revoke(self, name: str) -> None:
        """Cut a partner off, as the town does."""
        partners.revoke(self.home, name)
        self.reload()

    def reload(self) -> None:
        """Have the server read its partners again, while it runs."""
        before = self.log.read_text().count("Reloaded server configuration")
        server = int(re.findall(r"^\[(\d+)\]", self.log.read_text())[0])
        os.kill(server, signal.SIGHUP)
        until(lambda: self.log.read_text().count("Reloaded server configuration") > before)

    def violations(self) -> list[str]:
        """Every refusal so far, whoever's."""
        return [line for line in self.log.read_text().splitlines() if "Violation" in line]


@dataclass(frozen=True)
class Connection:
    """A user's connection; `refused` grows with what the server did not let him do."""

    client: Client
    refused: list[str]

    async def held(self, stream: str) -> int:
        """How many messages a stream of the user's account holds."""
        return int((await self.client.jetstream().stream_info(stream)).state.messages)

    async def last(self, stream: str) -> int:
        """The sequence of the newest message in a stream of the user's account."""
        return int((await self.client.jetstream().stream_info(stream)).state.last_seq)

    async def may_publish(self, subject: str) -> bool:
        """Whether the server takes a message to this subject."""
        before = len(self.refused)
        await self.client.publish(subject, b"{}")
        await self._settled()
        return len(self.refused) == before

    async def may_subscribe(self, subject: str) -> bool:
        """Whether the server lets the user listen here."""
        before = len(self.refused)
        await self.client.subscribe(subject)
        await self._settled()
        return len(self.refused) == before

    async def _settled(self) -> None:
        """Return when the server has answered; the first flush may still be served by an earlier answer."""
        await self.client.flush()
        await self.client.flush()


def password(user: str) -> str:
    """A user's password, as good as any here."""
    return f"secret{user}"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The deployed bus on a free port, with its streams and durables, and a partner who hears everything."""
    folder = tmp_path_factory.mktemp("broker")
    configuration = shutil.copytree(ROOT / "deploy" / "nats", folder / "nats")
    broker = Broker(free_port_base() + 22, folder / "log", configuration)
    child = start(broker, folder)
    try:
        wait_for(broker, child)
        asyncio.run(make(broker))
        broker.admit("partner", "*")
        yield broker
    finally:
        end(child)


def start(broker: Broker, folder: Path) -> "subprocess.Popen[bytes]":
    """The server itself; the command line decides only what two servers on one machine cannot share."""
    secrets = {f"COBURG_NATS_{user.upper()}_PASSWORD": password(user) for user in USERS}
    own = {"COBURG_NATS_SERVER_NAME": "test", "COBURG_NATS_STORE": str(folder / "store")}
    server = Path(sys.executable).parent / "nats-server"
    ports = ("-a", "127.0.0.1", "-p", str(broker.port), "-m", str(broker.monitor))
    with broker.log.open("wb") as log:
        return subprocess.Popen(
            [server, "-c", broker.configuration / "nats.conf", *ports],
            env={**os.environ, **secrets, **own},
            stderr=log,
        )


def wait_for(broker: Broker, child: "subprocess.Popen[bytes]") -> None:
    """Returns when the server is ready; fails with its log if it never will be."""
    deadline = time.monotonic() + 20
    while "Server is ready" not in broker.log.read_text():
        if child.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(broker.log.read_text())
        time.sleep(0.02)


async def make(broker: Broker) -> None:
    """Streams and durables, by the operator."""
    async with broker.connected("operator") as operator:
        await streams.provision(operator.client.jetstream())
        assert operator.refused == []
