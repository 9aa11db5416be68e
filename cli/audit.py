"""`coburg audit`: is everything that the services told on the bus, and does the bus know more than they do?"""

import asyncio
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

import nats
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from cli.components import nats_url
from cli.dead import silent
from cli.errors import Trouble
from cli.home import Home
from cli.outbox import database, publishing
from libs.publishing.audit import Audit
from libs.publishing.comparison import Findings
from libs.publishing.restored import Restorable, WayOut
from libs.servicekit.db import Database

PATIENCE = 60  # looks, a second apart, until a service's own audit is over
COLUMNS = ("things", "lost", "missing", "older", "newer on the bus", "published again", "seconds")
TAKE_BUS, GO_ABOVE = "take-bus", "go-above"


def audit(home: Home, repair: bool, way: str | None, console: Console) -> int:
    """Compares every service with the bus; 1 when something is not as it should be and was not made good."""
    table = Table("service", *COLUMNS, box=None, header_style="dim", pad_edge=False)
    whole = True
    for service in publishing(home):
        with database(home, service) as db:
            found = _connected(home, db, service, repair, way, console)
        whole &= not found.ahead and (repair or not (found.lost or found.missing or found.older))
        figures = (found.compared, found.lost, found.missing, found.older, found.ahead, found.republished)
        table.add_row(service, *map(str, figures), f"{found.seconds:.1f}")
    console.print(table)
    if not whole:
        console.print("--repair publishes again what is missing or older; where the bus knows newer versions")
        console.print(
            "--take-bus takes them into the database, --go-above tells the database's state above them."
        )
    return 0 if whole else 1


def _connected(
    home: Home, db: Database, service: str, repair: bool, way: str | None, console: Console
) -> Findings:
    async def session() -> Findings:
        connection = await nats.connect(
            nats_url(home), connect_timeout=3, max_reconnect_attempts=1, error_cb=silent
        )
        try:
            return await _audit(connection.jetstream(), db, service, repair, way, console)
        finally:
            await connection.close()

    try:
        return asyncio.run(session())
    except (OSError, NatsError) as error:
        raise Trouble(f"NATS does not answer: {error}", "Is the stack up? ./coburg status") from None
    except SQLAlchemyError as error:
        raise Trouble(f"The database of {service} does not answer: {type(error).__name__}") from None


async def _audit(
    js: JetStreamContext, db: Database, service: str, repair: bool, way: str | None, console: Console
) -> Findings:
    found = await _compare(Audit(db, js, service), repair)
    if found.ahead and way:
        out = WayOut(db, js, service, kinds(service))
        done, left = await (out.take_bus() if way == TAKE_BUS else out.go_above())
        console.print(f"{service}: {done} things settled.")
        if left:
            console.print(f"Not to be settled so: {', '.join(left[:20])}{' …' if left[20:] else ''}")
        found.ahead = len(left)
    return found


async def _compare(audit: Audit, repair: bool) -> Findings:
    for _ in range(PATIENCE):
        found = await audit.compare(repair=repair, rest=0.0)
        if found is not None:
            return found
        await asyncio.sleep(1)
    raise Trouble("The service itself is comparing just now.", "Try again in some minutes.")


def kinds(service: str) -> Sequence[Restorable]:
    """What a service says of its things; nothing, if it says nothing."""
    name = f"services.{service}.restorable"
    return import_module(name).RESTORABLE if find_spec(name) else []
