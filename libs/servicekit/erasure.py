"""What goes with a thing beside its own rows: answers kept for repeated requests, and messages already sent.

They hold ids and the tokens of links. What goes with time alone is in `kept.clean`.
"""

from sqlalchemy import ColumnElement, delete, func, literal
from sqlmodel import Session

from libs.servicekit.tables import idempotency, outbox

_SENT_MESSAGES = outbox.c.sent_at.is_not(None) & outbox.c.subject.like("internal.%")


def forget(session: Session, thing_id: str) -> None:
    """Delete kept answers and sent messages that name a thing, with the caller's transaction."""
    session.execute(delete(idempotency).where(_names(session, idempotency.c.body, thing_id)))
    session.execute(delete(outbox).where(_SENT_MESSAGES, _names(session, outbox.c.body, thing_id)))


def _names(session: Session, body: ColumnElement[bytes], thing_id: str) -> ColumnElement[bool]:
    sought = literal(thing_id.encode())
    if session.get_bind().dialect.name == "postgresql":
        return func.position(sought.op("IN")(body)) > 0
    return func.instr(body, sought) > 0
