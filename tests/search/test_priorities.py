"""The agenda's priorities in the index: things are lifted now and later, and fall back exactly."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from libs.contracts.agenda import PriorityFact, PriorityLifted, PrioritySet
from libs.contracts.event import Envelope, envelope
from services.search.domain import rank
from tests.conftest import Meilisearch
from tests.search.conftest import Running, client, event, running
from tests.streams import fresh_streams
from tests.waiting import until

INDEX = {"COBURG_SEARCH_INDEX": "cards-priorities"}
FAR = datetime(2099, 1, 1, tzinfo=UTC)


def priority(
    version: int,
    thing: str = "sommer",
    field: str = "familie",
    factor: float = 4.0,
    until: datetime = FAR,
    kind: type[PriorityFact] = PrioritySet,
) -> Envelope[Any]:
    return envelope(
        kind(field_of_action=field, factor=factor, until=until),
        event_id=uuid4().hex,
        subject=thing,
        version=version,
        time=datetime.now(UTC),
        prefix="de.coburg",
        schema_base="http://agenda/v1/events",
        traceparent=None,
    )


def lifted(version: int, thing: str = "sommer", field: str = "familie") -> Envelope[Any]:
    return priority(version, thing, field, kind=PriorityLifted)


THINGS: dict[str, dict[str, Any]] = {
    "allgemein": {"boost": 2.0, "fields_of_action": ["kultur"]},
    "familie": {"fields_of_action": ["familie"]},
    "beides": {"boost": 1.5, "fields_of_action": ["kultur", "familie"]},
    "keines": {"boost": 3.0},
}


class Town:
    """Search that is up, and its documents as Meilisearch holds them."""

    def __init__(self, search: Running, meilisearch: Meilisearch) -> None:
        self.search, self._meilisearch = search, meilisearch

    def documents(self) -> dict[str, dict[str, Any]]:
        index = client(self._meilisearch).index(self.search.settled()["index"])
        found = [dict(one) for one in index.get_documents({"limit": 1000}).results]
        return {one["id"]: one for one in found}

    def order(self) -> list[str]:
        """Settled and sought by a word that all titles hold alike."""
        self.search.settled()
        return self.search.ids(q="ding", limit=100)

    def tell(self, *events: Envelope[Any]) -> None:
        self.search.publish(*events)
        self.search.settled()


@pytest.fixture(scope="module")
def town(nats_url: str, meilisearch: Meilisearch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    asyncio.run(fresh_streams(nats_url))
    with running(nats_url, meilisearch, tmp_path_factory.mktemp("search")) as search:
        search.publish(*(event(thing, title={"de": "Ding"}, **card) for thing, card in THINGS.items()))
        search.settled()
        yield Town(search, meilisearch)


USUAL = ["keines", "allgemein", "beides", "familie"]


def test_things_of_the_field_are_lifted_now_and_later_and_fall_back_exactly(town: Town) -> None:
    before = town.documents()
    assert town.order() == USUAL

    town.tell(priority(1))
    assert town.order() == ["beides", "familie", "keines", "allgemein"]

    town.tell(event("neu", title={"de": "Ding"}, boost=1.2, fields_of_action=["familie"]))
    assert town.order()[:3] == ["beides", "neu", "familie"]

    town.tell(event("neu", 2, listed=False), lifted(2))
    after = town.documents()
    assert {thing: after[thing] for thing in before} == before
    assert town.order() == USUAL


def test_an_older_or_repeated_fact_changes_nothing(town: Town) -> None:
    town.tell(priority(5, "alt"), lifted(7, "alt"))
    town.tell(priority(6, "alt"), priority(7, "alt"))
    assert town.order() == USUAL


def test_of_several_priorities_the_highest_counts_and_each_ends_alone(town: Town) -> None:
    town.tell(
        priority(1, "a", "familie", 2.0), priority(1, "b", "familie", 5.0), priority(1, "c", "kultur", 3.0)
    )
    ranks = {thing: one["rank"] for thing, one in town.documents().items() if thing in THINGS}
    assert ranks == {"allgemein": 6.0, "familie": 5.0, "beides": 7.5, "keines": 3.0}

    town.tell(lifted(2, "b"))
    ranks = {thing: one["rank"] for thing, one in town.documents().items() if thing in THINGS}
    assert ranks == {"allgemein": 6.0, "familie": 2.0, "beides": 4.5, "keines": 3.0}

    town.tell(lifted(2, "a"), lifted(2, "c", "kultur"))
    assert town.order() == USUAL


def test_a_priority_ends_by_itself(town: Town) -> None:
    before = town.documents()
    town.tell(priority(1, "kurz", until=datetime.now(UTC) + timedelta(seconds=2)))
    assert town.order()[0] == "beides"

    until(lambda: town.order() == USUAL, 10)
    assert town.documents() == before
    town.tell(priority(1, "vorbei", until=datetime.now(UTC) - timedelta(seconds=1)))
    assert town.order() == USUAL


def test_many_changes_at_once_end_where_they_should(town: Town) -> None:
    """While things change all the time a priority comes and goes; none is left behind."""
    things = [f"t{number}" for number in range(300)]
    for version in (1, 2, 3):
        card: dict[str, Any] = {
            "title": {"de": "Viele"},
            "fields_of_action": ["familie"],
            "boost": float(version),
        }
        town.search.publish(*(event(thing, version, **card) for thing in things))
        town.search.publish(
            priority(version * 2 - 1, "viele"), *(lifted(version * 2, "viele"),) * (version < 3)
        )
    documents = town.documents()
    assert {(documents[thing]["lift"], documents[thing]["rank"]) for thing in things} == {(4.0, 12.0)}
    town.tell(lifted(6, "viele"), *(event(thing, 4, listed=False) for thing in things))
    assert town.order() == USUAL


def test_a_new_index_and_a_new_start_know_the_priorities(
    nats_url: str, meilisearch: Meilisearch, tmp_path: Path
) -> None:
    asyncio.run(fresh_streams(nats_url))
    with running(nats_url, meilisearch, tmp_path, **INDEX) as search:
        search.publish(*(event(thing, title={"de": "Ding"}, **card) for thing, card in THINGS.items()))
        search.publish(
            priority(1), priority(1, "b", "kultur", until=datetime.now(UTC) + timedelta(seconds=4))
        )
        town = Town(search, meilisearch)
        assert search.settled()
        assert search.client.post("/v1/index/reindex", headers=search.operator()).status_code == 202
        town.search.settled(60)
        assert town.documents()["familie"]["rank"] == 4.0

    # While search was away one priority ended by a fact and one by its time.
    town.search.publish(lifted(2), priority(1, "c", "sport"))
    with running(nats_url, meilisearch, tmp_path, **INDEX) as search:
        town = Town(search, meilisearch)
        until(lambda: town.order() == USUAL, 15)
        assert {one["lift"] for one in town.documents().values()} == {1.0}


def test_a_thing_without_a_field_is_never_lifted() -> None:
    assert rank(2.0, [], {"familie": 3.0}) == {"lift": 1.0, "rank": 2.0}
    assert rank(0.0, ["familie"], {"familie": 3.0}) == {"lift": 3.0, "rank": 0.0}
