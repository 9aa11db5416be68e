"""What the service does of its own accord: ask for confirmations, deliver, forget, seal anew."""

from collections.abc import Iterator
from functools import partial

from libs.contracts.topology import HOOKS, Consumer
from libs.servicekit.db import now
from libs.servicekit.kit import Job, Kit
from libs.servicekit.periodic import in_batches, one_by_one, periodic
from services.notify.addresses import commands as address_commands
from services.notify.addresses import queries as addresses
from services.notify.config import vault_of
from services.notify.deliveries import commands as deliveries
from services.notify.figures import measure
from services.notify.recipients import commands as recipients
from services.notify.service import Notify
from services.notify.subscriptions import commands as subscriptions
from services.notify.subscriptions import telling
from services.notify.subscriptions.matching import matching_of
from services.notify.webhooks import commands as webhooks
from services.notify.webhooks import outcomes
from services.notify.webhooks.listening import Listening
from services.notify.webhooks.replaying import Replaying


def jobs(notify: Notify) -> list[Job]:
    """Everything that goes on beside requests and events."""
    return [
        periodic("notify.ask", partial(_ask, notify), every=1, idle_interval=5),
        periodic("notify.tell", partial(_tell, notify), every=0.5, idle_interval=5),
        periodic("notify.warn", warn, every=60),
        periodic("notify.forget", forget, every=600),
        periodic("notify.reseal", reseal, every=600),
        _named("notify.measure", measure),
        _named("notify.deliver_mail", notify.deliver_mail),
        _named("notify.deliver_push", notify.deliver_push),
        notify.follow,
        notify.post,
        _replaying(notify),
        *(_listening(notify, durable) for durable in HOOKS.durables),
    ]


def _replaying(notify: Notify) -> Job:
    async def replaying(kit: Kit) -> None:
        await Replaying(kit, notify.matching).run()

    return replaying


def _listening(notify: Notify, durable: Consumer) -> Job:
    async def job(kit: Kit) -> None:
        await Listening(kit, notify.matching, durable).run()

    job.__name__ = durable.durable
    return job


def _named(name: str, job: Job) -> Job:
    """A job that does not wait for the broker."""

    async def named(kit: Kit) -> None:
        await job(kit)

    named.__name__ = name
    named.without_bus = True  # type: ignore[attr-defined]
    return named


def _ask(notify: Notify, kit: Kit) -> Iterator[None]:
    """Ask the owners of new addresses whether they want messages."""
    vault = vault_of(kit.settings)
    with kit.database.reading() as session:
        due = addresses.to_be_asked(session, now())
    return one_by_one(
        kit.database, due, lambda session, each: recipients.ask(session, vault, notify.town.texts, each)
    )


def _tell(notify: Notify, kit: Kit) -> Iterator[None]:
    """Make messages of what those who follow something are to hear now."""
    matching = matching_of(kit.settings.city)
    teller = telling.Teller(vault_of(kit.settings), notify.town.texts, matching)
    return in_batches(kit.database, lambda session: telling.tell(session, teller))


def warn(kit: Kit) -> Iterator[None]:
    """Tell of deadlines that are near."""
    matching = matching_of(kit.settings.city)
    return in_batches(kit.database, lambda session: telling.warn(session, matching))


def forget(kit: Kit) -> Iterator[None]:
    """Erase who never confirmed, and what became of messages long ago."""
    yield from in_batches(kit.database, lambda session: recipients.forget(session, now()))
    yield from in_batches(kit.database, lambda session: deliveries.clean(session, now()))
    yield from in_batches(kit.database, lambda session: outcomes.give_up(session, now()))
    yield from in_batches(kit.database, lambda session: webhooks.clean(session, now()))
    yield from in_batches(kit.database, lambda session: subscriptions.clean(session, now()))


def reseal(kit: Kit) -> Iterator[None]:
    """Seal with the newest key what an older one sealed."""
    vault = vault_of(kit.settings)
    yield from in_batches(kit.database, lambda session: address_commands.reseal(session, vault))
    yield from in_batches(kit.database, lambda session: webhooks.reseal(session, vault))
    yield from in_batches(kit.database, lambda session: deliveries.reseal(session, vault))
