"""The broker that partners come to, as `coburg partner` changes it: the embedded stack's, or a server's by its files.

With COBURG_PARTNERS_NATS_URL (the librarian's) it is a server's: its partners.conf lies in COBURG_PARTNERS_FOLDER, by
default deploy/nats, and the server is told to read it by whoever runs it.
"""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import UnexpectedEOF

from cli import accounts, components, register, state
from cli.errors import Trouble
from cli.home import ROOT, Home
from libs.provision import copies
from libs.provision.partners import Partner

T = TypeVar("T")
PAUSES = (0.2, 0.5, 1.0)
RELOAD = "docker compose kill --signal HUP nats"


@dataclass(frozen=True)
class Broker:
    """Where the partners are written down, and how the broker learns of them."""

    home: Home

    @property
    def external(self) -> bool:
        """Whether it is a server's."""
        return "COBURG_PARTNERS_NATS_URL" in self.home.environ

    @property
    def folder(self) -> Path:
        """Where partners.json lies."""
        if self.external:
            return Path(self.home.environ.get("COBURG_PARTNERS_FOLDER") or ROOT / "deploy" / "nats")
        if "COBURG_NATS_URL" in self.home.environ:
            raise Trouble(
                "This stack's broker is not its own.",
                "Set COBURG_PARTNERS_NATS_URL to its librarian's address.",
            )
        return self.home.folder

    @property
    def running(self) -> bool:
        """Whether there is a broker to speak to; what is written down meanwhile counts from its start."""
        if self.external:
            return True
        current = state.running(self.home)
        nats = current.components.get("nats") if current else None
        return bool(nats and nats.process and nats.process.alive() and nats.phase == state.READY)

    @property
    def port(self) -> int:
        """The embedded broker's."""
        return urlsplit(components.nats_address(self.home)).port or 0

    def write(self, partners: list[Partner]) -> None:
        """Write partners and configuration, and have an embedded broker read it: who is gone is cut off."""
        register.save(self.folder, partners)
        if self.external:
            accounts.server(self.folder / "partners.conf", partners)
            return
        if not (self.home.folder / "nats").is_dir():
            return  # never started: `up` writes it
        components.write_nats_configuration(self.home)
        current = state.running(self.home)
        if current and (process := current.components["nats"].process):
            process.signal_group(signal.SIGHUP)

    def ask(self, what: Callable[[Client], Awaitable[T]]) -> T:
        """Do something as the librarian; raises Trouble."""
        url = self.home.environ.get("COBURG_PARTNERS_NATS_URL") or accounts.librarian_url(
            self.home, self.port
        )

        async def connected() -> T:
            async with copies.librarian(url) as client:
                return await what(client)

        # A broker that reads its configuration anew lets go of who is just being let in; asking twice changes nothing.
        for pause in (*PAUSES, None):
            try:
                return asyncio.run(connected())
            except (NatsError, OSError) as error:
                if pause is None or not isinstance(error, ConnectionError | UnexpectedEOF):
                    raise Trouble(
                        f"The broker does not do it: {error!r}", "Is it up? ./coburg status"
                    ) from None
                time.sleep(pause)
        raise AssertionError("the last pause is none")

    def make(self, partners: list[Partner]) -> None:
        """Make the streams of partners."""
        if not self.running:
            return
        self._refuse_old()

        async def each(client: Client) -> None:
            for partner in partners:
                await copies.make(client, partner)
            if self.external:
                await copies.remove(client, *copies.SUPERSEDED)

        self.ask(each)

    def end(self, partners: list[Partner], names: set[str]) -> list[Partner]:
        """Cut partners off, then take their streams away, now or when the broker is there; returns who is left."""
        known = [replace(each, ended=each.ended or each.name in names) for each in partners]
        if known != partners:
            self.write(known)
        gone = [stream for each in known if each.ended for stream in each.streams]
        if not gone or not self.running:
            return known
        self.ask(lambda client: copies.remove(client, *gone))
        left = [each for each in known if not each.ended]
        register.save(self.folder, left)
        return left

    def _refuse_old(self) -> None:
        written = self.home.folder / "nats" / "nats.conf"
        if not self.external and '"PARTNERS"' not in written.read_text():
            raise Trouble(
                "The broker was started by a release without partners.", "./coburg down, then ./coburg up"
            )
