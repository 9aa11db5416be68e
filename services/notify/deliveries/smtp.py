"""Handing mails to an SMTP server: connections are kept and shared, and a server that is away is told from a mail it refuses.

Mails enter, an `Outcome` each leaves; `ServerAway` while the server cannot take anything at all.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from urllib.parse import SplitResult, parse_qs, unquote

from aiosmtplib import SMTP, SMTPException, SMTPRecipientsRefused, SMTPResponseException

from services.notify.deliveries.domain import Outcome, ServerAway, outcome_of

TIMEOUT_SECONDS = 30
IDLE_SECONDS = 30.0
MAILS_PER_CONNECTION = 500
AWAY = (SMTPException, OSError, TimeoutError)


class Connections:
    """At most `size` connections to one server, used again until they are old, idle or broken."""

    def __init__(self, url: SplitResult, size: int) -> None:
        self._url = url
        self._free = asyncio.LifoQueue[_Connection | None]()
        for _ in range(size):
            self._free.put_nowait(None)

    async def send(self, mail: EmailMessage, sender: str, to: str) -> Outcome:
        """Hand over one mail; raises ServerAway."""
        async with self._connection() as client:
            try:
                await client.send_message(mail, sender=sender, recipients=[to])
            except SMTPRecipientsRefused as refused:
                return outcome_of(refused.recipients[0].code, refused.recipients[0].message)
            except SMTPResponseException as refused:
                return _answered(refused)
            return Outcome.SENT

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
            kept.used, kept.mails = time.monotonic(), kept.mails + 1
            yield kept.client
        except AWAY as error:
            if kept:
                await kept.close()
            kept = None
            raise ServerAway(f"{type(error).__name__}: {error}"[:200]) from error
        finally:
            self._free.put_nowait(kept)

    async def _usable(self, kept: "_Connection | None") -> "_Connection":
        if kept and not kept.worn_out:
            return kept
        if kept:
            await kept.close()
        client = client_of(self._url)
        await client.connect()
        return _Connection(client)


class _Connection:
    """An open connection, since when it idles and how many mails it carried."""

    def __init__(self, client: SMTP) -> None:
        self.client, self.used, self.mails = client, time.monotonic(), 0

    @property
    def worn_out(self) -> bool:
        idle = time.monotonic() - self.used > IDLE_SECONDS
        return idle or self.mails >= MAILS_PER_CONNECTION or not self.client.is_connected

    async def close(self) -> None:
        try:
            await self.client.quit(timeout=2)
        except AWAY:
            self.client.close()


def client_of(url: SplitResult) -> SMTP:
    """A client for `smtps://`, or `smtp://` with STARTTLS required, or as `?tls=` says."""
    tls = parse_qs(url.query).get("tls", ["required"])[0]
    start_tls = {"required": True, "opportunistic": None, "none": False}[tls]
    return SMTP(
        hostname=url.hostname,
        port=url.port or (465 if url.scheme == "smtps" else 587),
        username=unquote(url.username) if url.username else None,
        password=unquote(url.password) if url.password else None,
        use_tls=url.scheme == "smtps",
        start_tls=False if url.scheme == "smtps" else start_tls,
        tls_context=ssl.create_default_context(),
        timeout=TIMEOUT_SECONDS,
    )


def _answered(refused: SMTPResponseException) -> Outcome:
    # 421 closes the connection, 530 to 538 speak of our own log-in: neither is about the mail.
    if refused.code == 421 or 530 <= refused.code < 540:
        raise ServerAway(f"{refused.code} {refused.message}"[:200])
    return outcome_of(refused.code, refused.message)
