"""What the service does of its own accord: read the town's words, work off imports, end lunches that are over, publish what is
due, say where the town builds."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from libs.servicekit.db import now
from libs.servicekit.kit import Kit
from libs.servicekit.periodic import in_batches, periodic
from services.retail.desk import commands as desk
from services.retail.imports import runner as imports
from services.retail.lunches import commands as lunches
from services.retail.lunches import words as menus
from services.retail.pictures import commands as pictures
from services.retail.pictures.store import Store
from services.retail.shops import vocabulary
from services.retail.sites import commands as sites
from services.retail.stories import commands as stories


async def read_words(kit: Kit) -> None:
    """Read the town's words for shops and menus; a file that is wrong keeps the service from being ready."""
    for read in (vocabulary.read, menus.read, desk.questionnaire):
        await asyncio.to_thread(read, kit.settings.city)


def end_lunches(kit: Kit) -> Iterator[None]:
    """Take lunches that are over out of the guide."""
    return in_batches(kit.database, lambda session: lunches.end_some(session, now()))


def publish_stories(kit: Kit) -> Iterator[None]:
    """Publish scheduled stories whose time has come."""
    base = kit.settings.public_url
    return in_batches(kit.database, lambda session: stories.publish_due(session, now(), base))


def spread_sites(kit: Kit) -> Iterator[None]:
    """Let shops say that the town builds near them, and no longer when that is over."""
    today = datetime.now(ZoneInfo(kit.settings.town["timezone"])).date()
    yield from in_batches(kit.database, lambda session: sites.end_past(session, today))
    yield from in_batches(kit.database, sites.spread_some)


def look_after(kit: Kit) -> Iterator[None]:
    """See what is to be done for which shop."""
    zone = ZoneInfo(kit.settings.town["timezone"])
    after: str | None = ""
    while after is not None:
        with kit.database.transaction() as session:
            after = desk.look_after(session, after, datetime.now(zone).date(), zone)
        yield


def forget_pictures(kit: Kit) -> Iterator[None]:
    """Delete pictures that nothing shows."""
    store = Store(kit.settings.home / "pictures")
    return in_batches(
        kit.database, lambda session: pictures.forget_unused(session, store, stories.shown, now())
    )


PREPARATIONS = [
    read_words,
]
JOBS = [
    periodic("retail.import", imports.work_off, every=0.2, idle_interval=5),
    periodic("retail.lunches", end_lunches, every=60),
    periodic("retail.stories", publish_stories, every=5),
    periodic("retail.sites", spread_sites, every=0.5, idle_interval=30),
    periodic("retail.desk", look_after, every=60),
    periodic("retail.pictures", forget_pictures, every=3600),
]
