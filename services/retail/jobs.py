"""What the service does of its own accord: read the town's words, work off imports."""

import asyncio

from libs.servicekit.kit import Kit
from libs.servicekit.periodic import periodic
from services.retail.imports import runner as imports
from services.retail.shops.vocabulary import read


async def read_words(kit: Kit) -> None:
    """Read the town's words for shops; a file that is wrong keeps the service from being ready."""
    await asyncio.to_thread(read, kit.settings.city)


PREPARATIONS = [
    read_words,
]
JOBS = [
    periodic("retail.import", imports.work_off, every=0.2, idle_interval=5),
]
