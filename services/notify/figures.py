"""The figures of notify for operators, counted in the database every few seconds by every process."""

import asyncio

from prometheus_client import Gauge

from libs.servicekit.db import now
from libs.servicekit.kit import Kit
from services.notify.addresses import queries as addresses
from services.notify.addresses.domain import Channel, Status
from services.notify.deliveries import queries as deliveries

EVERY_SECONDS = 10.0

BACKLOG = Gauge("notify_backlog", "Messages that are due and not sent", ["channel"])
OLDEST = Gauge("notify_oldest_due_seconds", "For how long the oldest message has been due", ["channel"])
WAITING = Gauge("notify_waiting", "Messages that wait: held, retrying, scheduled", ["why"])
RECIPIENTS = Gauge("notify_recipients", "Recipients by status", ["status"])
SUPPRESSED = Gauge("notify_suppressed", "Addresses that nothing is sent to", ["reason"])


async def measure(kit: Kit) -> None:
    """Count until cancelled."""
    while True:
        await asyncio.to_thread(count, kit)
        await asyncio.sleep(EVERY_SECONDS)


def count(kit: Kit) -> None:
    """Count everything once."""
    at = now()
    with kit.database.reading() as session:
        overdue = {name: (number, since) for name, number, since in deliveries.overdue(session, at)}
        waiting = deliveries.not_yet(session, at)
        recipients = addresses.counts(session)
        suppressed = addresses.suppressions(session)
    for channel in Channel:
        number, since = overdue.get(channel, (0, at))
        BACKLOG.labels(channel).set(number)
        OLDEST.labels(channel).set((at - since).total_seconds())
    for why, number in waiting.items():
        WAITING.labels(why).set(number)
    for status in Status:
        RECIPIENTS.labels(status).set(recipients.get(status, 0))
    for reason in ("bounced", "complained"):
        SUPPRESSED.labels(reason).set(suppressed.get(reason, 0))
