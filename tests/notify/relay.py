"""An SMTP server in a thread that behaves as the first word of an address says, and keeps what it takes in a Maildir."""

import asyncio
import ssl
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from cli.mailbox import Keep

PASSWORD = b"an-smtp-password"


class Scripted(Keep):
    """What it was asked is counted by address."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked = Counter[str]()

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("forbidden"):
            return "553 5.7.1 not your address"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 ok"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.asked[address] += 1
        kind, first = address.partition("-")[0], self.asked[address] == 1
        if kind == "unknown":
            return "550 5.1.1 no such user"
        if kind == "grey" and first:
            return "451 4.7.1 come again"
        if kind == "closing" and first:
            return "421 4.3.2 closing down"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        to = envelope.rcpt_tos[0]
        kind, times = to.partition("-")[0], self.asked[to]
        said = await super().handle_DATA(server, session, envelope)
        if kind == "poison" or (kind == "dropped" and times == 1):
            transport: Any = server.transport
            transport.abort()  # it is kept, but nobody is told
        return said


class Relay:
    """The server; a context manager. `connections` counts those it was asked for."""

    def __init__(self, handler: Scripted, port: int = 0, **options: Any) -> None:
        self.handler, self.port, self.connections = handler, port, 0
        self._options = {"enable_SMTPUTF8": True, "hostname": "relay.test", **options}
        self._open: list[SMTP] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Relay":
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _serve(self) -> asyncio.Server:
        return await self._loop.create_server(self._one, "127.0.0.1", self.port)

    def _one(self) -> SMTP:
        self.connections += 1
        self._open.append(SMTP(self.handler, loop=self._loop, **self._options))
        return self._open[-1]

    def __exit__(self, *_raised: object) -> None:
        """Every connection breaks at once."""
        asyncio.run_coroutine_threadsafe(self._break(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _break(self) -> None:
        self._server.close()
        for each in self._open:
            transport: Any = each.transport
            if transport:
                transport.abort()
        await asyncio.sleep(0.05)  # so that each notices


def with_tls(certificate: Path) -> dict[str, Any]:
    """Options of a server that takes mail over TLS only, from whoever logs in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return {
        "tls_context": context,
        "require_starttls": True,
        "auth_required": True,
        "authenticator": _right,
    }


def _right(_server: SMTP, _session: Session, _envelope: Envelope, _how: str, given: Any) -> AuthResult:
    right = isinstance(given, LoginPassword) and given.password == PASSWORD
    return AuthResult(success=right, handled=False)
