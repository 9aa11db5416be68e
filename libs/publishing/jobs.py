"""What a service that publishes does by itself: the relay, and the audit at once, after every reconnect, and slowly."""

import asyncio
import contextlib
from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

from libs.publishing.audit import Audit
from libs.publishing.relay import Relay
from libs.servicekit.kit import Job, Kit


def jobs() -> Iterator[Job]:
    """The relay and the audit of one service, which are never at work on the same things at the same time."""
    audits: list[Audit] = []

    def audit_of(kit: Kit) -> Audit:
        if not audits:  # the bus has no JetStream before it is connected
            audits.append(Audit(kit.database, kit.bus.js, kit.settings.service))
        return audits[0]

    async def relay(kit: Kit) -> None:
        audit = audit_of(kit)
        relay = Relay(kit.database, kit.bus.js, kit.settings.service, lambda: kit.bus.connected, audit)
        with kit.bus.on_reconnect(relay.reconnected):
            try:
                await relay.run()
            finally:
                with contextlib.suppress(SQLAlchemyError):
                    await relay.release()

    async def audit(kit: Kit) -> None:
        back = asyncio.Event()
        with kit.bus.on_reconnect(back.set):
            await audit_of(kit).keep(back, lambda: kit.bus.connected)

    yield from (relay, audit)
