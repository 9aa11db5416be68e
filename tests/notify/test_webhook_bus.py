"""Webhooks and the bus in this process: replays go on over what cannot be read, and wait for who cannot keep up."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nats.js import JetStreamContext
from sqlalchemy import event

from libs.bus.connection import Bus
from libs.cardquery.matching import Matching
from libs.cardquery.vocabulary import Vocabulary
from libs.contracts.topology import HOOKS
from libs.servicekit.db import Database
from libs.servicekit.kit import Kit
from libs.servicekit.principal import Principal
from libs.servicekit.settings import ServiceSettings, Settings
from libs.town import calendar
from services.notify.vault import Vault
from services.notify.webhooks import commands, queries
from services.notify.webhooks.commands import Told, Wanted
from services.notify.webhooks.listening import Listening
from services.notify.webhooks.models import HookDelivery, Webhook
from services.notify.webhooks.replaying import MOST_WAITING, Replaying, sequence_at
from tests.notify.facts import put, put_nonsense

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
PARTNER = Principal(subject="partner-1", roles=frozenset({"partner"}))
MATCHING = Matching(calendar.read(ROOT / "city"), Vocabulary.of(ROOT / "city"))


@pytest.fixture
async def kit(js: JetStreamContext, nats_url: str, tmp_path: Path) -> AsyncIterator[Kit]:
    db = Database(f"sqlite:///{tmp_path / 'notify.db'}")
    db.migrate(ROOT / "services" / "notify" / "migrations")
    settings = Settings(service="notify", own=ServiceSettings(database_url=None), nats_url=nats_url)
    bus = Bus(settings.nats_url, settings.service)
    await bus.start()
    yield Kit(settings, bus, db)
    await bus.stop()
    db.dispose()


def made(kit: Kit, filter_: dict[str, str] | None = None) -> str:
    with kit.database.transaction() as session:
        wanted = Wanted("https://example.org/", ["*"], filter_ or {}, "")
        return commands.create(session, Vault(["k" * 32], "m" * 32), PARTNER, wanted)[0].id


def rows(kit: Kit, hook: str) -> list[HookDelivery]:
    with kit.database.reading() as session:
        return queries.page(session, hook, "", 2000)


def seen(kit: Kit, hook: str) -> Webhook:
    with kit.database.reading() as session:
        found = session.get(Webhook, hook)
        assert found
        return found


@asynccontextmanager
async def at_work(*jobs: Replaying | Listening) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(job.run()) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def comes(true: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


async def test_a_replay_goes_on_over_what_cannot_be_read(kit: Kit, js: JetStreamContext) -> None:
    first = await put(js, "Erstes")
    await put_nonsense(js)
    last = await put(js, "Letztes")
    hook = made(kit)
    commands.begin_replay(kit.database, PARTNER, hook, 1)
    async with at_work(Replaying(kit, MATCHING), Replaying(kit, MATCHING)):
        await comes(lambda: seen(kit, hook).replay is None)
    assert sorted(each.sequence for each in rows(kit, hook)) == [first, last]


async def test_a_replay_waits_for_an_endpoint_that_does_not_keep_up(kit: Kit, js: JetStreamContext) -> None:
    await put(js, "Etwas")
    hook = made(kit)
    with kit.database.transaction() as session:
        for number in range(MOST_WAITING + 1):
            commands.tell(session, [hook], Told(f"e{number}", "t", f"t{number}", b"{}"))
    commands.begin_replay(kit.database, PARTNER, hook, 1)
    async with at_work(Replaying(kit, MATCHING)):
        await asyncio.sleep(0.5)
        assert seen(kit, hook).replay_at == 1
        with kit.database.transaction() as session:
            session.delete(rows(kit, hook)[0])
        await comes(lambda: seen(kit, hook).replay is None)


async def test_a_place_is_found_though_the_end_was_deleted(js: JetStreamContext) -> None:
    places = [await put(js, f"Angebot {number}") for number in range(5)]
    for place in places[2:]:
        await js.delete_msg("CITY", place)
    now = datetime.now(UTC)
    assert await sequence_at(js, now - timedelta(hours=1)) == places[0]
    assert places[1] < await sequence_at(js, now + timedelta(hours=1)) <= places[-1] + 1


async def test_an_endpoint_whose_filter_is_broken_keeps_nobody_else_from_hearing(
    kit: Kit, js: JetStreamContext
) -> None:
    bad, good = made(kit, {"near": "here"}), made(kit, {"board": "sport"})
    async with at_work(Listening(kit, MATCHING, HOOKS.durables[0])):
        await put_nonsense(js)
        place = await put(js, "Schwimmen")
        await comes(lambda: bool(rows(kit, good)))
    assert [each.sequence for each in rows(kit, good)] == [place]
    assert seen(kit, bad).status == "disabled"
    assert "near" in (seen(kit, bad).reason or "")


async def test_facts_that_met_an_outage_are_told_before_those_that_come_later(
    kit: Kit, js: JetStreamContext
) -> None:
    hook = made(kit)
    listening = Listening(kit, MATCHING, HOOKS.durables[0])
    reading_only(kit, on=True)
    places = [await put(js, f"Angebot {number}") for number in range(3)]
    async with at_work(listening):
        await asyncio.sleep(0.8)
        assert rows(kit, hook) == []
        reading_only(kit, on=False)
        await comes(lambda: len(rows(kit, hook)) == 3, 5)
    assert sorted(each.sequence for each in rows(kit, hook)) == places
    info = await js.consumer_info("CITY", HOOKS.durables[0].durable)
    assert info.delivered.consumer_seq == 3, "none of them was delivered twice"


def reading_only(kit: Kit, *, on: bool) -> None:
    """Have SQLite refuse to write, as on a disk that is read-only."""
    kit.database.engine.dispose()
    listen = event.listen if on else event.remove
    listen(kit.database.engine, "connect", _refuse)


def _refuse(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA query_only=ON")
