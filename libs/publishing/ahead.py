"""What the bus knows better than the database: of these things nothing is published until someone decides."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select

from libs.servicekit.db import Database, insert_into
from libs.servicekit.tables import ahead

BATCH = 500


@dataclass(frozen=True)
class Newer:
    """A thing and the version at which the bus holds it."""

    thing: str
    version: int


def note(db: Database, found: list[Newer], begun: datetime) -> int:
    """Keep what a comparison found, instead of what the one before did; returns how many that are."""
    with db.transaction() as session:
        for start in range(0, len(found), BATCH):
            rows = [vars(one) | {"seen_at": begun} for one in found[start : start + BATCH]]
            statement = insert_into(session, ahead).values(rows)
            news = {name: statement.excluded[name] for name in ("version", "seen_at")}
            session.execute(statement.on_conflict_do_update(index_elements=["thing"], set_=news))
        session.execute(delete(ahead).where(ahead.c.seen_at < begun))
        return int(session.execute(select(func.count()).select_from(ahead)).scalar_one())


def noted(db: Database) -> int:
    """Of how many things the bus knew newer versions at the last comparison."""
    with db.reading() as session:
        return int(session.execute(select(func.count()).select_from(ahead)).scalar_one())
