"""What waits for an endpoint, in a database of each kind: what may go, what a failure changes, and what a replay may write."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlmodel import Session

from libs.bus.connection import Bus
from libs.cardquery.matching import Matching
from libs.cardquery.vocabulary import Vocabulary
from libs.contracts.card import Card
from libs.servicekit.db import Database, now
from libs.servicekit.errors import Conflict
from libs.servicekit.kit import Kit
from libs.servicekit.principal import Principal
from libs.servicekit.settings import ServiceSettings, Settings
from libs.town import calendar
from services.notify.posting import Poster, Result
from services.notify.vault import Vault
from services.notify.webhooks import commands, outcomes, queries
from services.notify.webhooks.choosing import Choosing
from services.notify.webhooks.commands import Told, Wanted
from services.notify.webhooks.domain import GIVE_UP_AFTER, TRIPS_AFTER, HookStatus, Status
from services.notify.webhooks.models import HookDelivery, Webhook
from services.notify.webhooks.runner import Posting

ROOT = Path(__file__).parents[2]
VAULT = Vault(["k" * 32], "m" * 32)
PARTNER = Principal(subject="partner-1", roles=frozenset({"partner"}))
TYPE = "offers.offer.published.v1"


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    db = Database(database_url)
    db.migrate(ROOT / "services" / "notify" / "migrations")
    yield db
    db.dispose()


def made(db: Database, **more: object) -> str:
    """A webhook's id."""
    with db.transaction() as session:
        hook, _ = commands.create(session, VAULT, PARTNER, Wanted("https://example.org/", ["*"], {}, ""))
        for name, value in more.items():
            setattr(hook, name, value)
        return hook.id


def told(db: Database, hook: str, thing: str, sequence: int) -> None:
    """An event on its way."""
    with db.transaction() as session:
        commands.tell(session, [hook], Told(f"e{sequence}", TYPE, thing, b"{}", None, sequence))


def may_go(db: Database, hook: str) -> list[str]:
    with db.reading() as session:
        found = [each.event_id for each in queries.next_of(session, hook, now(), 10)]
        assert bool(found) == (hook in {each.id for each in queries.ready(session, now())})
        return found


def rows(session: Session, hook: str) -> list[HookDelivery]:
    return queries.page(session, hook, "", 100)


def noted(db: Database, hook: str, *results: Result) -> Webhook:
    """The endpoint after a round of attempts."""
    with db.reading() as session:
        due = queries.next_of(session, hook, now(), len(results))
    with db.transaction() as session:
        pairs = [(each.id, result) for each, result in zip(due, results, strict=True)]
        outcomes.note(session, hook, pairs)
    with db.reading() as session:
        found = session.get(Webhook, hook)
        assert found
        return found


def test_an_endpoint_is_ready_only_when_the_head_of_a_thing_is_due(db: Database) -> None:
    hook = made(db)
    told(db, hook, "offers.offer.a", 1)
    noted(db, hook, Result(500, ""))
    told(db, hook, "offers.offer.a", 2)
    assert may_go(db, hook) == [], "the second waits for the first, so nobody need be asked"
    told(db, hook, "offers.offer.b", 3)
    assert may_go(db, hook) == ["e3"]


def test_of_a_thing_the_place_in_the_stream_is_the_order_not_when_it_was_written(db: Database) -> None:
    hook = made(db)
    told(db, hook, "offers.offer.a", 12)
    told(db, hook, "offers.offer.a", 11)
    assert may_go(db, hook) == ["e11"]


def test_a_round_counts_once_and_one_success_closes_the_breaker(db: Database) -> None:
    hook = made(db)
    for number in range(8):
        told(db, hook, f"offers.offer.{number}", number + 1)
    after = noted(db, hook, *[Result(500, "")] * 7)
    assert (after.failures, after.open_until) == (1, None)
    assert noted(db, hook, Result(200, "")).failures == 0


def test_410_ends_what_waits_and_a_replay(db: Database) -> None:
    hook = made(db, replay="r", replay_at=5)
    told(db, hook, "offers.offer.a", 1)
    told(db, hook, "offers.offer.b", 2)
    after = noted(db, hook, Result(410, "Gone"))
    assert (after.status, after.reason, after.replay_at) == (HookStatus.DISABLED, "410 Gone", None)
    with db.reading() as session:
        ended = rows(session, hook)
        assert {each.status for each in ended} == {Status.FAILED}
        assert all(each.ended_at and each.detail for each in ended)


def test_what_waits_for_a_disabled_endpoint_has_its_time(db: Database) -> None:
    hook = made(db)
    told(db, hook, "a", 1)
    told(db, hook, "b", 2)
    with db.transaction() as session:
        late = rows(session, hook)[0]
        late.created_at = now() - GIVE_UP_AFTER - timedelta(seconds=1)
        session.add(late)
        assert outcomes.give_up(session, now()) == 0  # it may still come back
        outcomes.disable(session, hook, 1, "its filter cannot be read")
        session.flush()
        assert outcomes.give_up(session, now()) == 1
        session.refresh(late)
        assert (late.status, late.detail) == (Status.FAILED, "the webhook is disabled")


def test_a_trial_goes_out_at_once_though_the_endpoint_is_left_alone(db: Database) -> None:
    hook = made(db, failures=TRIPS_AFTER, open_until=now() + timedelta(hours=1))
    told(db, hook, "offers.offer.a", 1)
    assert hook not in {each.id for each in _ready(db)}
    with db.transaction() as session:
        commands.try_out(session, PARTNER, hook, Told("trial", "notify.webhook.tested.v1", "t", b"{}"))
    assert may_go(db, hook)[0] == "trial"


def _ready(db: Database) -> list[Webhook]:
    with db.reading() as session:
        return queries.ready(session, now())


def test_what_is_disabled_is_sent_nothing_on_demand(db: Database) -> None:
    hook = made(db, status=HookStatus.DISABLED)
    told(db, hook, "offers.offer.a", 1)
    with db.reading() as session:
        (row,) = rows(session, hook)
    with pytest.raises(Conflict) as refused:
        commands.begin_replay(db, PARTNER, hook, 1)
    assert refused.value.code == "webhook-disabled"
    with db.transaction() as session:
        with pytest.raises(Conflict) as refused:
            commands.try_out(session, PARTNER, hook, Told("x", TYPE, "t", b"{}"))
        assert refused.value.code == "webhook-disabled"
        with pytest.raises(Conflict) as refused:
            commands.redeliver(session, PARTNER, hook, row.id)
        assert refused.value.code == "webhook-disabled"


def test_a_replay_does_not_inherit_the_place_of_another(db: Database) -> None:
    hook = made(db)
    first = commands.begin_replay(db, PARTNER, hook, 500)
    with pytest.raises(Conflict) as running:
        commands.begin_replay(db, PARTNER, hook, 1)
    assert running.value.code == "replay-running"
    with db.transaction() as session:
        commands.replayed(session, hook, first.replay or "", [], None)
    second = commands.begin_replay(db, PARTNER, hook, 1)
    with db.transaction() as session:  # what a slow process still had in hand
        late = Told("late", TYPE, "offers.offer.a", b"{}", None, 501)
        commands.replayed(session, hook, first.replay or "", [late], 600)
    with db.reading() as session:
        (now_at,) = queries.replaying(session)
        assert (now_at.replay, now_at.replay_at) == (second.replay, 1)
        assert rows(session, hook) == []


def test_trouble_of_ours_leaves_an_endpoint_alone_for_a_while(db: Database) -> None:
    hook = made(db)
    told(db, hook, "offers.offer.a", 1)
    with db.transaction() as session:
        outcomes.leave_alone(session, hook)
    assert hook not in {each.id for each in _ready(db)}


def test_a_filter_that_cannot_be_read_disables_its_endpoint_only(db: Database) -> None:
    good, bad = made(db, filter={"district": "Neuses"}), made(db, filter={"near": "here"})
    choosing = Choosing(Matching(calendar.read(ROOT / "city"), Vocabulary.of(ROOT / "city")))
    with db.reading() as session:
        hooks = queries.active(session)
    broken = choosing.unreadable(hooks)
    assert list(broken) == [bad]
    with db.transaction() as session:
        outcomes.disable(session, bad, 1, broken[bad])
        outcomes.disable(session, good, 7, "seen at a version that is over")
    with db.reading() as session:
        (left,) = queries.active(session)
    card = Card.model_validate({"kind": "offer", "title": {"de": "x"}, "place": {"district": "Neuses"}})
    assert choosing.chosen([left], Told("e", TYPE, "t", b"{}"), card) == [good]


def test_a_secret_that_nothing_opens_does_not_spin(db: Database) -> None:
    hook = made(db, secret=Vault(["other" * 8], "m" * 32).seal("whsec_x"))
    told(db, hook, "offers.offer.a", 1)
    settings = Settings(service="notify", own=ServiceSettings(database_url=None))
    looks = list[str]()
    event.listen(db.engine, "begin", lambda _: looks.append("look"))

    async def posting() -> None:
        poster = Poster(anywhere=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(1.5):
                await Posting(
                    Kit(settings, Bus(settings.nats_url, settings.service), db), VAULT, poster
                ).run()
        await poster.close()

    asyncio.run(posting())
    assert hook not in {each.id for each in _ready(db)}
    assert len(looks) < 15
    with db.reading() as session:
        (row,) = rows(session, hook)
        assert (row.status, row.attempts) == (Status.DUE, 0)
