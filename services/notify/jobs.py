"""What the service does of its own accord: ask for confirmations, deliver, forget, seal anew."""

from collections.abc import Iterator
from functools import partial

from libs.httpkit.rounds import in_batches, one_by_one, rounds
from libs.servicekit.db import now
from libs.servicekit.kit import Job, Kit
from services.notify.addresses import commands as address_commands
from services.notify.addresses import queries as addresses
from services.notify.config import vault_of
from services.notify.deliveries import commands as deliveries
from services.notify.recipients import commands as recipients
from services.notify.service import Notify


def jobs(notify: Notify) -> list[Job]:
    """Everything that goes on beside requests and events."""
    return [
        rounds("notify.ask", partial(_ask, notify), every=1, at_rest=5),
        rounds("notify.forget", forget, every=600),
        rounds("notify.reseal", reseal, every=600),
        notify.deliver,
    ]


def _ask(notify: Notify, kit: Kit) -> Iterator[None]:
    """Ask the owners of new addresses whether they want messages."""
    vault = vault_of(kit.settings)
    with kit.database.reading() as session:
        due = addresses.to_be_asked(session, now())
    return one_by_one(
        kit.database, due, lambda session, each: recipients.ask(session, vault, notify.town.texts, each)
    )


def forget(kit: Kit) -> Iterator[None]:
    """Erase who never confirmed, and what became of messages long ago."""
    yield from in_batches(kit.database, lambda session: recipients.forget(session, now()))
    yield from in_batches(kit.database, lambda session: deliveries.clean(session, now()))


def reseal(kit: Kit) -> Iterator[None]:
    """Seal with the newest key what an older one sealed."""
    vault = vault_of(kit.settings)
    return in_batches(kit.database, lambda session: address_commands.reseal(session, vault))
