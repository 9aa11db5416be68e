"""Building the index anew, without a moment in which something is missing or stale."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from meilisearch import Client
from nats.js import JetStreamContext

from libs.bus.state import caught_up
from tests.conftest import Meilisearch
from tests.search.conftest import Running, client, done, event, running
from tests.streams import fresh_streams
from tests.waiting import until


def rebuild(search: Running) -> None:
    """Ask for a rebuild and wait for its end."""
    answer = search.client.post("/v1/index/reindex", headers=search.operator())
    assert (answer.status_code, answer.json()["running"]) == (202, True)
    status = search.settled(60)
    assert (status["reindex"]["running"], status["reindex"]["error"]) == (False, None)


def test_only_an_operator_may_ask_for_it(search: Running) -> None:
    assert search.client.post("/v1/index/reindex").status_code == 401


def test_a_new_index_holds_what_state_holds_and_nothing_else(
    search: Running, meilisearch: Meilisearch
) -> None:
    search.publish(*(event(f"t{number}", version) for version in (1, 2) for number in range(1200)))
    search.publish(event("t0", 3, listed=False))
    index = search.settled()["index"]
    stray = {
        "key": "stray",
        "id": "stray",
        "kind": "offer",
        "listed": True,
        "version": 1,
        "title": {"de": "Irrläufer"},
        "folded": {"title": {"de": "irrlaufer"}},
    }
    engine = client(meilisearch)
    done(engine, engine.index(index).add_documents([stray]))
    assert search.ids(q="irrläufer") == ["stray"]

    rebuild(search)

    assert search.settled()["documents"] == 1199
    assert search.ids(q="irrläufer") == []
    assert search.search(q="t1")["items"][0]["title"] == "t1 v2"
    progress = search.settled()["reindex"]
    assert (progress["done"], progress["total"]) == (1200, 1200)
    assert leftovers(engine, index) == []


def leftovers(engine: Client, index: str) -> list[str]:
    """Indexes of rebuilds that did not come to their end."""
    found = engine.get_indexes({"limit": 1000})["results"]
    return [one.uid for one in found if one.uid.startswith(f"{index}_")]


def test_two_at_once_are_refused(search: Running) -> None:
    search.publish(*(event(f"t{number}") for number in range(300)))
    search.settled()

    answers = [search.client.post("/v1/index/reindex", headers=search.operator()) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 409]
    search.settled()


def test_nothing_is_missing_or_stale_at_any_moment(search: Running) -> None:
    things = [f"thing{number}" for number in range(600)]
    search.publish(*(event(thing) for thing in things))
    search.settled()
    seen: list[tuple[int, int]] = []

    with _meanwhile(lambda: seen.append(_look(search))):
        for version in range(2, 8):
            search.publish(
                *(event(thing, version, title={"de": f"{thing} v{version}"}) for thing in things[:50])
            )
            if version in (2, 5):
                answer = search.client.post("/v1/index/reindex", headers=search.operator())
                assert answer.status_code == 202
                until(lambda: not search.client.get("/v1/index/status").json()["reindex"]["running"], 60)
        search.settled()

    totals, versions = zip(*seen, strict=True)
    assert set(totals) == {600}
    assert list(versions) == sorted(versions), "an older version came back"
    assert {item["title"] for item in search.search(limit=100, q="v7")["items"]} == {
        f"{one} v7" for one in things[:50]
    }


def _look(search: Running) -> tuple[int, int]:
    """How much there is, and the version of one thing that changes all the time."""
    found = search.search(limit=1)
    (item,) = [one for one in search.search(q="thing7", limit=100)["items"] if one["id"] == "thing7"]
    return found["total"], int(item["title"].split("v")[1])


@contextlib.contextmanager
def _meanwhile(look: Callable[[], None]) -> Iterator[None]:
    errors: list[BaseException] = []
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.is_set():
                look()
                time.sleep(0.002)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert errors == []


def lost(engine: Client) -> None:
    done(engine, engine.delete_index("cards-lost"))
    done(engine, engine.create_index("cards-lost_killed", {"primaryKey": "key"}))


def older(engine: Client) -> None:
    """As a release left it that knew no opening hours."""
    index = engine.index("cards-lost")
    done(engine, index.update_settings({"filterableAttributes": ["listed", "kind"]}))
    found = [dict(one) for one in index.get_documents({"limit": 100}).results]
    things = [{name: one[name] for name in ("key", "id", "version", "listed")} for one in found]
    done(engine, index.add_documents(things))


@pytest.mark.parametrize("happen", [lost, older])
def test_an_index_that_was_lost_or_is_outdated_comes_back_from_state(
    happen: Callable[[Client], None], nats_url: str, meilisearch: Meilisearch, tmp_path: Path
) -> None:
    asyncio.run(fresh_streams(nats_url))
    index = {"COBURG_SEARCH_INDEX": "cards-lost"}
    with running(nats_url, meilisearch, tmp_path, **index) as search:
        search.publish(*(event(f"t{number}", hours="24/7") for number in range(30)))
        search.settled()

    engine = client(meilisearch)
    happen(engine)
    with running(nats_url, meilisearch, tmp_path, **index) as search:
        until(lambda: search.search(open_now="true")["total"] == 30)
        search.settled()
        assert leftovers(engine, "cards-lost") == []
    done(engine, engine.delete_index("cards-lost"))


@pytest.mark.parametrize("left", ["nothing", "an index of somebody else's making"])
def test_an_index_that_is_lost_while_nobody_writes_comes_back_by_itself(
    search: Running, meilisearch: Meilisearch, left: str
) -> None:
    search.publish(event("t1"), event("t2"))
    index = search.settled()["index"]

    engine = client(meilisearch)
    done(engine, engine.delete_index(index))
    if left != "nothing":
        done(engine, engine.create_index(index, {"primaryKey": "key"}))

    until(lambda: _found(search) == ["t1", "t2"], 20)
    search.settled()
    rebuild(search)


def test_a_rebuild_ends_though_state_lost_its_newest(search: Running) -> None:
    search.publish(event("t1"), event("t2"))
    search.settled()

    async def lose(js: JetStreamContext) -> None:
        await js.delete_msg("STATE", await caught_up(js))

    search.on_bus(lose)
    rebuild(search)
    assert search.ids() == ["t1"]


def _found(search: Running) -> list[str]:
    answer = search.client.get("/v1/search")
    return sorted(item["id"] for item in answer.json()["items"]) if answer.status_code == 200 else []


def test_a_process_that_only_answers_does_neither(
    nats_url: str, meilisearch: Meilisearch, tmp_path: Path
) -> None:
    asyncio.run(fresh_streams(nats_url))
    with running(nats_url, meilisearch, tmp_path, COBURG_SEARCH_INDEX="cards-both") as search:
        search.publish(event("one"))
        search.settled()
        with running(
            nats_url, meilisearch, tmp_path, COBURG_SEARCH_INDEX="cards-both", COBURG_SEARCH_INDEXING="false"
        ) as answering:
            assert answering.ids() == ["one"]
            assert answering.client.post("/v1/index/reindex", headers=answering.operator()).status_code == 409
