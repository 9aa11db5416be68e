"""What comparing a service with the bus costs: CPU and memory at 100,000 and at 1,000,000 things.

Run as a module with a folder, the broker's address and a number it compares one database and prints the figures: memory and
CPU are only honest in a process of their own.
"""

import asyncio
import json
import resource
import subprocess
import sys
from pathlib import Path

import nats
from nats.js import JetStreamContext
from sqlalchemy import insert
from uuid_utils import uuid7

from benchmarks.report import Figure, Row
from benchmarks.stack import OFFERS_MIGRATIONS
from cli.home import ROOT
from libs.bus.reading import MESSAGE_ID, VERSION_HEADER
from libs.contracts.event import envelope
from libs.contracts.offers import ProviderChanged
from libs.publishing.audit import Audit
from libs.servicekit.db import Database, now
from libs.servicekit.outbox import Publisher
from libs.servicekit.tables import outbox
from tests.stack import Stack

SIZES = (100_000, 1_000_000)
# So much dearer for each thing may ten times as many be.
GOAL = 1.5
CHUNK, IN_FLIGHT = 5_000, 500
SUBJECT = f"city.{ProviderChanged.name}"


def run(folder: Path) -> tuple[list[Row], list[Figure]]:
    """Each size on a broker of its own."""
    found = {size: _measured(folder / str(size), size) for size in SIZES}
    small, large = (found[size]["cpu"] / size * 1e6 for size in SIZES)
    figures = []
    for size, one in found.items():
        figures += [
            Figure(f"audit of {size:,} things: CPU of the service", one["cpu"], "s"),
            Figure(f"audit of {size:,} things: memory more than before", one["memory"], "MB"),
        ]
    row = Row(
        "audit: CPU for one of 1,000,000 things against 100,000",
        large,
        small,
        large / small,
        GOAL,
        at_least=False,
        unit="µs",
    )
    return [row], figures


def _measured(folder: Path, size: int) -> dict[str, float]:
    with Stack(folder) as stack:
        stack.start("nats").provision()
        url = stack.url("nats")
        asyncio.run(_fill(folder, url, size))
        command = [sys.executable, "-m", "benchmarks.auditing", str(folder), url]
        told = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
        found: dict[str, float] = json.loads(told.splitlines()[-1])
    if found["compared"] != size or found["republished"]:
        raise RuntimeError(f"compared {found['compared']:.0f} of {size}, {found['republished']:.0f} again")
    return found


def _database(folder: Path) -> Database:
    return Database(
        f"sqlite:///{folder / 'audit.db'}", Publisher("offers", "de.coburg", "http://localhost/v1/events")
    )


async def _fill(folder: Path, url: str, size: int) -> None:
    """Things that were told once, in the database and on the bus."""
    db = _database(folder)
    db.migrate(OFFERS_MIGRATIONS)
    client = await nats.connect(url)
    try:
        for start in range(0, size, CHUNK):
            rows = [_row() for _ in range(min(CHUNK, size - start))]
            with db.transaction() as session:
                session.execute(insert(outbox), rows)
            await _publish(client.jetstream(timeout=60), rows)
    finally:
        await client.close()
        db.dispose()


def _row() -> dict[str, object]:
    thing, event_id = str(uuid7()), str(uuid7())
    event = envelope(
        ProviderChanged(title={"de": "Verein"}), event_id=event_id, subject=thing, version=1, time=now(),
        prefix="de.coburg", schema_base="http://localhost/v1/events", traceparent=None,
    )  # fmt: skip
    return {
        "event_id": event_id,
        "subject": f"{SUBJECT}.{thing}",
        "thing": f"provider.{thing}",
        "version": 1,
        "body": event.to_bytes(),
        "created_at": now(),
        "sent_at": now(),
    }


async def _publish(js: JetStreamContext, rows: list[dict[str, object]]) -> None:
    for start in range(0, len(rows), IN_FLIGHT):
        some = rows[start : start + IN_FLIGHT]
        await asyncio.gather(
            *(
                js.publish(
                    str(row["subject"]),
                    bytes(row["body"]),  # type: ignore[call-overload]
                    headers={MESSAGE_ID: str(row["event_id"]), VERSION_HEADER: "1"},
                )
                for row in some
            )
        )


async def _compare(folder: Path, url: str) -> dict[str, float]:
    db, client = _database(folder), await nats.connect(url)
    try:
        audit = Audit(db, client.jetstream(timeout=60), "offers")
        memory, cpu = _peak(), _cpu()
        found = await audit.compare(rest=0)
        assert found is not None
        return {
            "cpu": _cpu() - cpu,
            "memory": _peak() - memory,
            "compared": found.compared,
            "republished": found.republished,
        }
    finally:
        await client.close()
        db.dispose()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_compare(Path(sys.argv[1]), sys.argv[2]))))
