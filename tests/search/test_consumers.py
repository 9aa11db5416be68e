"""What the index holds after events came in any order, twice, broken, or while Meilisearch was away."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from libs.cardquery.vocabulary import Vocabulary
from services.search.domain import Change
from services.search.engine import Engine
from services.search.index import Index
from tests.conftest import Meilisearch
from tests.search.conftest import Running, event, running
from tests.stack import Stack
from tests.streams import fresh_streams
from tests.waiting import until

SUBJECT = "city.offers.offer.changed.v1"


def test_an_event_is_found_and_an_older_or_repeated_one_changes_nothing(search: Running) -> None:
    search.publish(event("alpha", 1), event("alpha", 3))
    search.settled()
    search.publish(event("alpha", 2), event("alpha", 3, title={"de": "alpha again"}))
    search.settled()

    assert [item["title"] for item in search.search(q="alpha")["items"]] == ["alpha v3"]


def test_the_newest_of_a_batch_counts_wherever_it_stands(search: Running) -> None:
    things = [f"thing{number}" for number in range(50)]
    search.publish(*(event(thing, version) for version in (2, 5, 1, 4) for thing in things))

    assert search.settled()["documents"] == 50
    assert {item["title"].split()[1] for item in search.search(limit=100)["items"]} == {"v5"}


def test_what_was_withdrawn_stays_so_even_across_a_restart(
    nats_url: str, meilisearch: Meilisearch, tmp_path: Path
) -> None:
    asyncio.run(fresh_streams(nats_url))
    index = {"COBURG_SEARCH_INDEX": "cards-restart"}
    with running(nats_url, meilisearch, tmp_path, **index) as search:
        search.publish(event("gone", 1), event("stays", 1))
        search.publish(event("gone", 3, listed=False))
        assert search.settled()["documents"] == 1

    with running(nats_url, meilisearch, tmp_path, **index) as search:
        search.publish(event("gone", 2))
        search.settled()
        assert search.ids() == ["stays"]

        search.publish(event("gone", 4))
        assert search.settled()["documents"] == 2


def test_a_fact_without_a_card_is_taken_and_not_found(search: Running) -> None:
    bare = event("bare").model_dump(mode="json", exclude_none=True)
    del bare["data"]["card"]
    search.send((f"{SUBJECT}.bare", json.dumps(bare).encode()))

    assert search.settled()["documents"] == 0


def test_an_event_of_a_service_not_known_yet_is_found(search: Running) -> None:
    story = event("s1", kind="story").model_copy(
        update={"source": "/retail", "type": "de.coburg.retail.story.told.v1"}
    )
    search.send(("city.retail.story.told.v1.s1", story.to_bytes()))

    search.settled()
    assert search.ids(kind="story") == ["s1"]


def test_a_broken_event_is_dead_at_once_with_the_reason_and_holds_up_nobody(search: Running) -> None:
    good = [(f"{SUBJECT}.g{number}", event(f"g{number}").to_bytes()) for number in range(20)]
    search.send(*good[:10], (f"{SUBJECT}.bad", b'{"specversion": "1.0"}'), *good[10:])

    assert search.settled()["documents"] == 20
    (letter,) = search.dead()
    headers = letter.headers or {}
    assert letter.subject == f"dead.search.{SUBJECT}.bad"
    assert (headers["Coburg-Exception"].split()[0], headers["Coburg-Attempts"]) == ("InvalidEvent", "1")
    assert "Field required" in headers["Coburg-Reason"]


def test_an_empty_index_answers(search: Running) -> None:
    assert search.search(q="kita", facets="*", near="50,10")["total"] == 0
    assert search.client.get("/v1/suggest?q=kita").json() == {"items": []}


def test_a_recorded_trace_goes_on_through_the_index(search: Running) -> None:
    exporter = InMemorySpanExporter()
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    recorded, quiet = f"00-{'1' * 32}-{'2' * 16}-01", f"00-{'3' * 32}-{'4' * 16}-00"

    search.send((f"{SUBJECT}.loud", event("loud").to_bytes()), headers={"traceparent": recorded})
    search.send((f"{SUBJECT}.quiet", event("quiet").to_bytes()), headers={"traceparent": quiet})
    search.settled()

    spans = {
        span.name: span for span in exporter.get_finished_spans() if f"{span.context.trace_id:x}" == "1" * 32
    }
    process, index = spans[f"process {SUBJECT}"], spans["meilisearch index"]
    assert process.parent and f"{process.parent.span_id:x}" == "2" * 16
    assert index.parent and index.parent.span_id == process.context.span_id
    assert not any(f"{span.context.trace_id:x}" == "3" * 32 for span in exporter.get_finished_spans())


def test_a_replayed_dead_letter_is_indexed(search: Running) -> None:
    search.send((f"internal.replay.search.{SUBJECT}.again", event("again").to_bytes()))

    until(lambda: search.ids() == ["again"])


def document(number: int, **fields: Any) -> Change:
    text = json.dumps({"key": f"k{number}", "version": 1, "listed": True} | fields)
    return Change(f"k{number}", 1, text.encode())


@pytest.mark.anyio
async def test_of_a_batch_only_the_document_that_meilisearch_refuses_is_left_out(engine: Engine) -> None:
    index = Index(engine, "cards-culprit", Vocabulary())
    await index.ensure()
    batch = [document(number) for number in range(9)] + [document(9, _geo={"lat": "north", "lng": 0})]

    refused = await index.write(batch)

    assert [(one.key, one.reason.code) for one in refused] == [("k9", "invalid_document_geo_field")]
    assert await index.documents() == 9
    await engine.administration.delete_index("cards-culprit")


def test_nothing_is_lost_when_meilisearch_is_killed_in_the_middle(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        stack.start("nats", "meilisearch").provision()
        engine = Meilisearch(stack.url("meilisearch"), stack.meilisearch_key)
        with running(stack.url("nats"), engine, tmp_path / "home") as search:
            search.publish(*(event(f"before{number}") for number in range(500)))
            stack.kill9("meilisearch")
            search.publish(*(event(f"after{number}") for number in range(500)))

            answer = search.client.get("/v1/search")
            assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
            assert search.client.get("/v1/suggest?q=a").status_code == 503
            assert search.client.get("/v1/index/status").status_code == 503
            assert search.client.get("/health/ready").status_code == 503
            time.sleep(1)

            stack.launch("meilisearch")
            assert search.settled(60)["documents"] == 1000
            assert search.on_bus(lambda js: js.stream_info("DEAD")).state.messages == 0


def test_an_event_is_acknowledged_only_when_it_can_be_found(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        stack.start("nats", "meilisearch").provision()
        engine = Meilisearch(stack.url("meilisearch"), stack.meilisearch_key)
        with running(stack.url("nats"), engine, tmp_path / "home") as search:
            stack.kill9("meilisearch")
            search.publish(event("waits"))
            time.sleep(1.5)
            info = search.on_bus(lambda js: js.consumer_info("CITY", "search"))
            assert (info.num_ack_pending or 0) + (info.num_pending or 0) == 1

            stack.launch("meilisearch")
            assert search.settled(60)["documents"] == 1
