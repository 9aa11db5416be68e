"""What the service does of its own accord: read the town's words, work off imports, end lunches that are over."""

import asyncio
from collections.abc import Iterator

from libs.servicekit.db import now
from libs.servicekit.kit import Kit
from libs.servicekit.periodic import in_batches, periodic
from services.retail.imports import runner as imports
from services.retail.lunches import commands as lunches
from services.retail.lunches import words as menus
from services.retail.shops import vocabulary


async def read_words(kit: Kit) -> None:
    """Read the town's words for shops and menus; a file that is wrong keeps the service from being ready."""
    for read in (vocabulary.read, menus.read):
        await asyncio.to_thread(read, kit.settings.city)


def end_lunches(kit: Kit) -> Iterator[None]:
    """Take lunches that are over out of the guide."""
    return in_batches(kit.database, lambda session: lunches.end_some(session, now()))


PREPARATIONS = [
    read_words,
]
JOBS = [
    periodic("retail.import", imports.work_off, every=0.2, idle_interval=5),
    periodic("retail.lunches", end_lunches, every=60),
]
