"""deploy/nats/nats.conf on a real server: what each user may do, and what he may not."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cli.components import SERVICES
from cli.home import ROOT
from libs.contracts import topology
from libs.contracts.catalogue import CATALOGUE
from libs.contracts.offers import ProviderChanged
from libs.provision import streams
from libs.publishing.audit import Audit
from libs.publishing.relay import Relay
from libs.servicekit import outbox
from libs.servicekit.db import Database
from libs.servicekit.outbox import Publisher
from tests.deploy.conftest import Broker
from tests.stack import Stack

FACT = "city.offers.offer.published.v1"
SERVICE_MAY_NOT_PUBLISH = {
    "offers": [
        "city.search.query.missed.v1.x",
        "internal.replay.search.x",
        "dead.search.x",
        "$JS.API.STREAM.DELETE.CITY",
        "$JS.API.CONSUMER.MSG.NEXT.CITY.search",
        "$JS.API.CONSUMER.CREATE.CITY.offers",
    ],
    "notify": [
        f"{FACT}.krippe-1",
        "city.search.result.rated.v1.x",
        "internal.notify.message.requested.v1.x",
        "dead.search.x",
        "$JS.API.CONSUMER.MSG.NEXT.CITY.search",
        "$JS.API.CONSUMER.CREATE.CITY.notify-news",
        "$JS.API.STREAM.DELETE.INTERNAL",
    ],
    "search": [
        f"{FACT}.krippe-1",
        "internal.notify.message.requested",
        "city.agenda.priority.set.v1.x",
        "dead.offers.x",
        "$JS.API.STREAM.PURGE.CITY",
        "$JS.API.CONSUMER.CREATE.CITY.search",
        "$JS.API.CONSUMER.DELETE.CITY.search",
        "$JS.API.CONSUMER.CREATE.INTERNAL.search.internal",
        "deliver.partners.x",
    ],
}


OF_OTHERS = [
    (user, f"{space}.{other}.thing.told.v1.x")
    for user in SERVICES
    for other in SERVICES
    if user != other
    for space in ("city", "dead")
]


@pytest.mark.parametrize(
    ("user", "subject"),
    [(user, subject) for user, some in SERVICE_MAY_NOT_PUBLISH.items() for subject in some] + OF_OTHERS,
)
def test_a_service_publishes_only_its_own(broker: Broker, user: str, subject: str) -> None:
    async def scenario() -> None:
        async with broker.connected(user) as service:
            assert not await service.may_publish(subject)

    asyncio.run(scenario())


@pytest.mark.parametrize("name", [name for name in CATALOGUE if name.partition(".")[0] in SERVICES])
def test_a_service_may_publish_its_facts(broker: Broker, name: str) -> None:
    user = name.partition(".")[0]

    async def scenario() -> None:
        async with broker.connected(user) as service:
            assert await service.may_publish(f"city.{name}.x")

    asyncio.run(scenario())


def test_a_service_may_ask_for_a_message(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.connected("offers") as offers:
            assert await offers.may_publish("internal.notify.message.requested.v1.x")

    asyncio.run(scenario())


@pytest.mark.parametrize("user", SERVICES)
def test_a_service_listens_through_its_durables_only(broker: Broker, user: str) -> None:
    async def scenario() -> None:
        async with broker.connected(user) as service:
            # Of public facts notify hears at once that there is one; it reads them by their place.
            assert await service.may_subscribe("city.>") is (user == "notify")
            assert not await service.may_subscribe("internal.>")
            others = set(SERVICES) - {user} | {"operator"}
            for subject in ("_INBOX.>", "_INBOX.*", *(f"_INBOX.{other}.>" for other in others)):
                assert not await service.may_subscribe(subject), "answers are for who asked"

    asyncio.run(scenario())


@pytest.mark.parametrize("listener", topology.LISTENERS, ids=lambda listener: listener.name)
def test_every_listener_reaches_its_durables_and_its_dead(
    broker: Broker, listener: topology.Listener
) -> None:
    user = listener.name.split("-")[0]

    async def scenario() -> None:
        async with broker.connected(user) as service:
            js = service.client.jetstream()
            for durable in listener.durables:
                assert (await js.consumer_info(durable.stream, durable.durable)).name == durable.durable
                assert await service.may_publish(
                    f"$JS.API.CONSUMER.MSG.NEXT.{durable.stream}.{durable.durable}"
                )
                assert await service.may_publish(f"$JS.ACK.{durable.stream}.{durable.durable}.1.1.1.1.1")
            assert await service.may_publish(topology.dead_subject(listener.name, f"{FACT}.x"))

    asyncio.run(scenario())


def test_provisioning_twice_changes_nothing(broker: Broker) -> None:
    async def scenario() -> None:
        async with broker.connected("operator") as operator:
            await streams.provision(operator.client.jetstream())

    asyncio.run(scenario())


def test_an_acknowledged_event_is_on_disk_and_the_largest_one_passes(broker: Broker) -> None:
    server = httpx2.get(f"http://127.0.0.1:{broker.monitor}/jsz").json()
    assert server["config"]["sync_always"] is True

    async def scenario() -> None:
        async with broker.connected("offers") as offers:
            assert offers.client.max_payload > topology.MAX_EVENT_BYTES + 16 * 1024
            await offers.client.jetstream().publish(f"{FACT}.large", bytes(topology.MAX_EVENT_BYTES))

    asyncio.run(scenario())


def test_the_services_do_their_work_with_what_they_may(broker: Broker, tmp_path: Path) -> None:
    """The town's boards are published, indexed and indexed anew, and the server has nothing to refuse."""
    refused = broker.violations()
    with (
        Stack(tmp_path / "offers", COBURG_NATS_URL=broker.url("offers")) as offers,
        Stack(tmp_path / "search", COBURG_NATS_URL=broker.url("search")) as search,
        Stack(tmp_path / "notify", COBURG_NATS_URL=broker.url("notify")) as notify,
    ):
        offers.start("offers")
        search.start("meilisearch", "search")
        notify.start("mailbox", "notify")
        boards = {path.stem for path in (ROOT / "city" / "boards").glob("*.toml")}
        published = status_once(search, lambda status: status["documents"] >= len(boards))
        httpx2.post(
            f"{search.url('search')}/v1/index/reindex", headers=search.headers("operator")
        ).raise_for_status()
        rebuilt = status_once(search, lambda status: not status["reindex"]["running"])
        rated = httpx2.post(f"{search.url('search')}/v1/feedback", json={"thing_id": "kita", "helpful": True})
        assert rated.status_code == 201, rated.text
    assert rebuilt["reindex"]["error"] is None
    assert rebuilt["documents"] == published["documents"]
    assert broker.violations() == refused


def status_once(search: Stack, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The index's status as soon as it is so."""
    deadline = time.monotonic() + 30
    while not condition(status := httpx2.get(f"{search.url('search')}/v1/index/status").json()):
        assert time.monotonic() < deadline, (status, search.log("search"))
        time.sleep(0.1)
    return dict(status)


def test_the_audit_may_compare_what_offers_told(broker: Broker, tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'o.db'}", Publisher("offers", "de.coburg", "http://o/v1/events"))
    db.migrate(ROOT / "services" / "offers" / "migrations")
    with db.transaction() as session:
        outbox.add(session, ProviderChanged(title={"de": "x"}), thing_id="audited", version=1)

    async def audited() -> bool:
        async with broker.connected("offers") as offers:
            js = offers.client.jetstream()
            await Relay(db, js, "offers").drain()
            return await Audit(db, js, "offers").compare() is not None

    assert asyncio.run(audited())
    db.dispose()
