"""What the bus knows better: each comparison's findings take the place of those before."""

from datetime import timedelta

from sqlalchemy import select

from libs.publishing import ahead
from libs.publishing.ahead import Newer
from libs.servicekit.db import Database, now
from libs.servicekit.tables import ahead as table


def held(db: Database) -> dict[str, int]:
    """Things held back, with the version that the bus has."""
    with db.reading() as session:
        return {row.thing: row.version for row in session.execute(select(table.c.thing, table.c.version))}


def test_a_comparison_replaces_what_the_one_before_found(db: Database) -> None:
    begun = now()
    assert ahead.noted(db) == 0
    assert ahead.note(db, [Newer("provider.a", 2), Newer("provider.b", 3)], begun) == 2
    assert ahead.noted(db) == 2
    assert ahead.note(db, [Newer("provider.b", 5)], begun + timedelta(seconds=1)) == 1
    assert held(db) == {"provider.b": 5}
    assert ahead.note(db, [], begun + timedelta(seconds=2)) == 0
    assert held(db) == {}


def test_more_than_one_statement_takes_are_kept(db: Database) -> None:
    found = [Newer(f"provider.{number}", number) for number in range(ahead.BATCH * 2 + 1)]
    assert ahead.note(db, found, now()) == len(found)
    assert held(db) == {one.thing: one.version for one in found}
