"""Handing mails to an SMTP server: connections are kept and shared, and a server that is away is told from a mail it refuses.

Mails enter, an `Outcome` each leaves; `ServerAway` while the server cannot take anything at all.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from email.message import EmailMessage
from functools import cached_property
from urllib.parse import SplitResult, parse_qs, unquote

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)

from services.notify.deliveries.domain import Outcome, ServerAway, outcome_of
from services.notify.deliveries.mail import POLICY

CONNECT_SECONDS = 15.0
# A server that looks at what it takes may need a while for the last word; RFC 5321 allows ten minutes.
TIMEOUT_SECONDS = 60.0
IDLE_SECONDS = 30.0
MAILS_PER_CONNECTION = 500
BROKEN = (SMTPServerDisconnected, OSError)
AWAY = (SMTPException, OSError, ValueError)
SERVICE_CLOSING, TOO_LARGE = 421, 552


class Connections:
    """At most `size` connections to one server, used again until they are old, idle or broken.

    `name` is what we call ourselves to the server, `authority` a file with a CA of its own.
    """

    def __init__(self, url: SplitResult, size: int, name: str, authority: str = "") -> None:
        self._url, self._name, self._authority = url, name, authority
        self._free = asyncio.LifoQueue[_Connection | None]()
        for _ in range(size):
            self._free.put_nowait(None)

    async def send(self, mail: EmailMessage, sender: str, to: str) -> Outcome:
        """Hand over one mail; raises ServerAway.

        What a connection broke under is handed over once more, on a new one: the server may have left meanwhile. If
        that breaks as well, it is the mail, and others go first.
        """
        for _ in range(2):
            async with self._connection() as client:
                with suppress(*BROKEN):
                    return await _hand_over(client, mail, sender, to)
                client.close()
        return Outcome.LATER

    async def close(self) -> None:
        """Say goodbye on every connection that is open and not in use."""
        while not self._free.empty():
            connection = self._free.get_nowait()
            if connection:
                await connection.close()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[SMTP]:
        kept = await self._free.get()
        try:
            kept = await self._usable(kept)
            yield kept.client
        finally:
            self._free.put_nowait(kept)

    async def _usable(self, kept: "_Connection | None") -> "_Connection":
        if kept and not kept.worn_out:
            kept.used, kept.mails = time.monotonic(), kept.mails + 1
            return kept
        if kept:
            await kept.close()
        client = self._client()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):  # TLS and log-in included
                await client.connect()
        except AWAY as error:
            client.close()
            raise ServerAway(f"{type(error).__name__}: {error}"[:200]) from error
        return _Connection(client)

    def _client(self) -> SMTP:
        return client_of(self._url, self._name, self._tls)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._authority:
            context.load_verify_locations(self._authority)
        return context


class _Connection:
    """An open connection, since when it idles and how many mails it carried."""

    def __init__(self, client: SMTP) -> None:
        self.client, self.used, self.mails = client, time.monotonic(), 1

    @property
    def worn_out(self) -> bool:
        idle = time.monotonic() - self.used > IDLE_SECONDS
        return idle or self.mails >= MAILS_PER_CONNECTION or not self.client.is_connected

    async def close(self) -> None:
        with suppress(*AWAY):
            await self.client.quit(timeout=2)
        self.client.close()


def client_of(url: SplitResult, name: str, tls: ssl.SSLContext) -> SMTP:
    """A client for `smtps://`, or `smtp://` with STARTTLS required, or as `?tls=` says."""
    asked = parse_qs(url.query).get("tls", ["required"])[0]
    start_tls = {"required": True, "opportunistic": None, "none": False}[asked]
    return SMTP(
        hostname=url.hostname,
        port=url.port or (465 if url.scheme == "smtps" else 587),
        username=unquote(url.username) if url.username else None,
        password=unquote(url.password) if url.password else None,
        local_hostname=name,
        use_tls=url.scheme == "smtps",
        start_tls=False if url.scheme == "smtps" else start_tls,
        tls_context=tls,
        timeout=TIMEOUT_SECONDS,
    )


async def _hand_over(client: SMTP, mail: EmailMessage, sender: str, to: str) -> Outcome:
    try:
        await _send(client, mail, sender, to)
    except SMTPNotSupported:  # an address that needs SMTPUTF8, and a server that has it not
        return Outcome.REFUSED
    except SMTPSenderRefused as refused:
        return _sender_refused(client, refused)
    except SMTPRecipientsRefused as refused:
        return _refused(client, refused.recipients[0])
    except SMTPResponseException as refused:
        return _refused(client, refused)
    return Outcome.SENT


async def _send(client: SMTP, mail: EmailMessage, sender: str, to: str) -> None:
    if to.isascii():
        # In our own lines: folded shorter, the address that unsubscribes would become a word that no program reads.
        await client.sendmail(sender, [to], mail.as_bytes(policy=POLICY))
    else:
        await client.send_message(mail, sender=sender, recipients=[to])


def _sender_refused(client: SMTP, refused: SMTPSenderRefused) -> Outcome:
    """What is said before a recipient is named is about us: all mails wait until somebody sets it right."""
    if refused.code == TOO_LARGE:
        return Outcome.REFUSED
    client.close()
    raise ServerAway(f"{refused.code} {refused.message}"[:200])


def _refused(client: SMTP, refused: SMTPResponseException) -> Outcome:
    if refused.code == SERVICE_CLOSING:
        client.close()
    if 530 <= refused.code < 540:  # our log-in
        client.close()
        raise ServerAway(f"{refused.code} {refused.message}"[:200])
    return outcome_of(refused.code, refused.message)
