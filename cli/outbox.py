"""`coburg outbox`: facts that the broker does not take and that were set aside, straight from the services' databases."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.components import SERVICES
from cli.errors import Trouble
from cli.home import ROOT, Home
from libs.publishing import refusals
from libs.servicekit.db import Database
from libs.servicekit.settings import ServiceSettings, Settings


def show_list(home: Home, limit: int, console: Console) -> None:
    """Prints one line per fact, by service, oldest first."""
    table = Table(
        "service", "id", "written", "subject", "reason", box=None, header_style="dim", pad_edge=False
    )
    for service in publishing(home):
        with database(home, service) as db:
            for row in refusals.listed(db, limit):
                cells = (str(row.id), f"{row.created_at:%Y-%m-%d %H:%M}", row.subject, row.refused)
                table.add_row(service, *(escape(cell) for cell in cells))
    if table.row_count:
        console.print(table)
    else:
        console.print("Nothing is set aside.")


def retry(home: Home, service: str, ids: Sequence[int], console: Console) -> None:
    """Has facts sent after all; not where a later one of the same thing stands for them already."""
    with database(home, service) as db:
        again = refusals.try_again(db, ids)
    console.print(f"{len(again)} will be sent.")
    if overtaken := sorted(set(ids) - set(again)):
        console.print(f"Not set aside, or overtaken by a later fact: {', '.join(map(str, overtaken))}.")


def drop(home: Home, service: str, ids: Sequence[int], console: Console) -> None:
    """Takes facts off the list: they will never be sent."""
    with database(home, service) as db:
        console.print(f"{refusals.give_up(db, ids)} dropped.")


def publishing(home: Home) -> list[str]:
    """The services that have an outbox which is there already."""
    return [name for name in SERVICES if has_database(name) and present(url(home, name))]


def has_database(service: str) -> bool:
    """Whether the service keeps anything."""
    return (ROOT / "services" / service / "migrations").is_dir()


def url(home: Home, service: str) -> str:
    """Where a service keeps its rows."""
    own = ServiceSettings(database_url=home.environ.get(f"COBURG_{service.upper()}_DATABASE_URL"))
    return Settings(service=service, own=own, home=home.folder).database_url


def present(address: str) -> bool:
    """Whether there is something to look into; opening an SQLite file that is not there would make it."""
    return not address.startswith("sqlite") or Path(address.removeprefix("sqlite:///")).exists()


@contextmanager
def database(home: Home, service: str) -> Iterator[Database]:
    """The service's database; Trouble when there is none."""
    if service not in publishing(home):
        raise Trouble(f"{service} has no database here; known: {', '.join(publishing(home)) or 'none'}")
    db = Database(url(home, service))
    try:
        yield db
    finally:
        db.dispose()
