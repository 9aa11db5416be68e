"""Use cases of addresses: an address bounced or its owner complained; keys changed."""

from sqlmodel import Session

from libs.servicekit.db import insert_into, now
from services.notify.addresses import queries
from services.notify.addresses.models import Suppression
from services.notify.vault import Vault


def suppress(session: Session, mark: str, reason: str) -> None:
    """Send nothing to an address any more, whoever registered it; once it is enough."""
    entry = insert_into(session, Suppression).values(mark=mark, reason=reason, at=now())
    session.execute(entry.on_conflict_do_nothing())


def reseal(session: Session, vault: Vault) -> int:
    """Seal some addresses with the newest key; returns how many."""
    rows = queries.sealed_otherwise(session, vault.older)
    for row in rows:
        row.address, row.key_id = vault.seal(vault.open(row.address)), vault.key_id
        session.add(row)
    return len(rows)
