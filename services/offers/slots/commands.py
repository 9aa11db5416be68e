"""What is done with slots. Each quarter of an hour has a row of its own that moves by one conditional upsert."""

from collections.abc import Sequence

from sqlalchemy import delete, update
from sqlmodel import Session, col

from libs.servicekit.db import insert_into
from services.offers.slots.domain import Slot, quarters
from services.offers.slots.models import SlotUse

AT_ONCE = 1000


def take(session: Session, resource_id: str, slot: Slot, count: int, most: int) -> bool:
    """Take an interval for so many; False, and nothing changed, when any part of it would hold more than `most`."""
    if count > most:
        return False
    taken = list[int]()
    wanted = quarters(slot)
    for start in range(0, len(wanted), AT_ONCE):
        piece = wanted[start : start + AT_ONCE]
        got = _take(session, resource_id, piece, count, most)
        taken += got
        if len(got) < len(piece):
            _return(session, resource_id, taken, count)
            return False
    return True


def give_back(session: Session, resource_id: str, slot: Slot, count: int) -> None:
    """Return an interval."""
    _return(session, resource_id, quarters(slot), count)


def _take(session: Session, resource_id: str, wanted: Sequence[int], count: int, most: int) -> list[int]:
    rows = [{"resource_id": resource_id, "quarter": quarter, "taken": count} for quarter in wanted]
    upsert = insert_into(session, SlotUse).values(rows)
    upsert = upsert.on_conflict_do_update(
        index_elements=["resource_id", "quarter"],
        set_={"taken": col(SlotUse.taken) + count},
        where=col(SlotUse.taken) + count <= most,
    )
    return list(session.connection().execute(upsert.returning(col(SlotUse.quarter))).scalars())


def _return(session: Session, resource_id: str, held: Sequence[int], count: int) -> None:
    for start in range(0, len(held), AT_ONCE):
        where = (
            col(SlotUse.resource_id) == resource_id,
            col(SlotUse.quarter).in_(held[start : start + AT_ONCE]),
        )
        session.connection().execute(update(SlotUse).where(*where).values(taken=col(SlotUse.taken) - count))
        session.connection().execute(delete(SlotUse).where(*where, col(SlotUse.taken) <= 0))
