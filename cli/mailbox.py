"""The embedded stack's mailbox: an SMTP server that keeps every mail in a Maildir and sends nothing anywhere.

Run as `python -m cli.mailbox PORT FOLDER`; `coburg mail` reads the folder.
"""

import asyncio
import mailbox
import os
import signal
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

MAX_MAIL_BYTES = 10 * 1024 * 1024
# What is older goes: a mailbox for looking at must not fill a disk. COBURG_MAILBOX_KEPT says otherwise.
KEPT = 5000
LOOK_EVERY = 200


class Keep:
    """Takes every mail."""

    def __init__(self, folder: Path, kept: int = KEPT) -> None:
        self._kept = kept
        self.box = mailbox.Maildir(folder, create=True)
        self._taken = 0

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a mail, then say so; 452 while the disk is full."""
        mail = mailbox.MaildirMessage(bytes(envelope.original_content or b""))
        mail["X-RcptTo"] = ", ".join(envelope.rcpt_tos)
        try:
            self.box.add(mail)
        except OSError as error:
            return f"452 {error.strerror or 'cannot be kept now'}"
        self._taken += 1
        if self._taken % LOOK_EVERY == 0:
            self._forget()
        return "250 kept"

    def _forget(self) -> None:
        for key in sorted(self.box.keys())[: -self._kept]:
            self.box.discard(key)


async def serve(port: int, folder: Path) -> None:
    """Take mails on loopback until told to stop."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    handler = Keep(folder, int(os.environ.get("COBURG_MAILBOX_KEPT", KEPT)))

    def one() -> SMTP:
        return SMTP(handler, data_size_limit=MAX_MAIL_BYTES, enable_SMTPUTF8=True, hostname="mailbox.local")

    server = await loop.create_server(one, "127.0.0.1", port)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
