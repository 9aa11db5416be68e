"""A lease in the service's database: of all its processes, one at a time does a job."""

from datetime import timedelta

from sqlalchemy import delete, or_
from uuid_utils import uuid7

from libs.servicekit.db import Database, insert_into, now
from libs.servicekit.tables import lease

LENGTH = timedelta(seconds=6)
RENEW_BEFORE = timedelta(seconds=4)


class Lease:
    """Held until `LENGTH` passes without renewal; a dead holder blocks its successor no longer than that."""

    def __init__(self, db: Database, name: str) -> None:
        self._db, self._name, self._holder = db, name, str(uuid7())
        self._until = now()

    def hold(self) -> bool:
        """Take or renew; False while somebody else holds it. Cheap while there is plenty of time left."""
        if self._until - now() > RENEW_BEFORE:
            return True
        until = now() + LENGTH
        if not self._write(until):
            return False
        self._until = until
        return True

    def _write(self, until: object) -> bool:
        mine = {"name": self._name, "holder": self._holder, "until": until}
        free = or_(lease.c.holder == self._holder, lease.c.until < now())
        with self._db.transaction() as session:
            statement = insert_into(session, lease).values(mine)
            statement = statement.on_conflict_do_update(index_elements=["name"], set_=mine, where=free)
            return bool(session.execute(statement.returning(lease.c.name)).first())

    def release(self) -> None:
        """Give it back at once."""
        mine = (lease.c.name == self._name) & (lease.c.holder == self._holder)
        with self._db.transaction() as session:
            session.execute(delete(lease).where(mine))
        self._until = now()
