"""What front ends and browsers get beside answers: direct search with a token, feedback, OpenSearch, and what search tells
of questions without an answer."""

import asyncio
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import httpx2
import pytest
from nats.js import JetStreamContext, api

from libs.bus.connection import Bus
from libs.cardquery.named import MOST_LIMIT, MOST_OFFSET
from libs.cardquery.query import Query
from libs.cardquery.vocabulary import Vocabulary
from libs.contracts.event import Envelope
from libs.contracts.search import QueryUnanswered, ResultRated
from libs.servicekit.delivery import parse
from libs.servicekit.errors import NotFound, Unavailable
from libs.servicekit.settings import Settings
from services.search.announce import Announcer
from services.search.engine import Engine
from services.search.feedback import Feedback, Rating
from services.search.index import Index
from services.search.opensearch import NAMESPACE, description
from services.search.tenant import Tenants
from services.search.unanswered import AT_ONCE, NOTES, Unanswered, mark
from services.search.words import TownWords
from tests.conftest import Meilisearch
from tests.search.conftest import Running, asked, client, done, event, running
from tests.search.test_filters import board
from tests.streams import fresh_streams
from tests.waiting import until

LIMIT = 12


@pytest.fixture(scope="module")
def town(
    nats_url: str, meilisearch: Meilisearch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """Search that offers direct search, with a thing that is public and one that is no more."""
    asyncio.run(fresh_streams(nats_url))
    settings = {
        "COBURG_MEILISEARCH_PUBLIC_URL": f"{meilisearch.url}/",
        "COBURG_SEARCH_PUBLIC_URL": "https://suche.example.org",
        "COBURG_SEARCH_PAGE": "https://portal.example.org/suche?q={searchTerms}&von=browser",
        "COBURG_SEARCH_FEEDBACK_LIMIT": f"{LIMIT}/minute",
    }
    with running(nats_url, meilisearch, tmp_path_factory.mktemp("search"), **settings) as search:
        search.publish(event("offen", title={"de": "Kita Offen"}, tags=["Garten"]), board())
        search.publish(event("weg", title={"de": "Kita Weg"}), event("weg", 2, listed=False))
        search.settled()
        yield search


def facts(town: Running, subject: str, stream: str) -> list[Envelope[Any]]:
    """Everything that the broker keeps under a subject."""

    async def read(js: JetStreamContext) -> list[Envelope[Any]]:
        config = api.ConsumerConfig(ack_policy=api.AckPolicy.NONE)
        reader = await js.pull_subscribe(subject, stream=stream, config=config)
        size = (await reader.consumer_info()).num_pending or 0
        messages = await reader.fetch(size, timeout=5) if size else []
        return [parse(message.data, message.subject) for message in messages]

    return town.on_bus(read)


# --- direct search ---


def direct(access: dict[str, Any], method: str, path: str, **more: Any) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {access['token']}"}
    return httpx2.request(method, f"{access['url']}{path}", headers=headers, **more)


def test_a_token_finds_what_is_public_and_nothing_else(town: Running, meilisearch: Meilisearch) -> None:
    answer = town.client.get("/v1/search/token")
    access = answer.json()
    index = access["index"]
    assert (answer.headers["Cache-Control"], access["url"]) == ("no-store", meilisearch.url)
    lives = datetime.fromisoformat(access["expires_at"]) - datetime.now(UTC)
    assert 800 < lives.total_seconds() <= 900
    assert meilisearch.key not in answer.text

    def found(**query: Any) -> set[str]:
        hits = (
            direct(access, "POST", f"/indexes/{index}/search", json=query).raise_for_status().json()["hits"]
        )
        return {hit["id"] for hit in hits}

    assert found(q="kita") == {"offen"}
    assert found() == {"offen", "kinder"}
    assert found(filter="listed = false") == set()
    assert found(filter="listed = true OR listed = false") == {"offen", "kinder"}
    several = {"queries": [{"indexUid": index, "q": "", "filter": "listed = false"}]}
    assert direct(access, "POST", "/multi-search", json=several).json()["results"][0]["hits"] == []


def test_a_token_reaches_no_more_than_one_answer_does_and_totals_are_exact_beyond(
    town: Running, meilisearch: Meilisearch
) -> None:
    access = town.client.get("/v1/search/token").json()
    index, engine = access["index"], client(meilisearch)
    most = MOST_OFFSET + MOST_LIMIT
    thing = {"kind": "many", "title": {"de": "Vieles"}, "listed": True}
    many = [thing | {"key": f"many-{number}", "id": f"many-{number}"} for number in range(most + 7)]
    done(engine, engine.index(index).add_documents(many))
    try:
        for wanted in ({"limit": 10**6}, {"hitsPerPage": 10**6}, {"offset": most}):
            query = {"filter": "kind = many", "attributesToRetrieve": ["id"], **wanted}
            hits = direct(access, "POST", f"/indexes/{index}/search", json=query).json()["hits"]
            assert len(hits) == (0 if "offset" in wanted else most)
        last = town.client.get(
            "/v1/search", params={"kind": "many", "limit": MOST_LIMIT, "offset": MOST_OFFSET}
        )
        assert (len(last.json()["items"]), last.json()["total"]) == (MOST_LIMIT, len(many))
        assert (
            asked(meilisearch, lambda engine: Index(engine, index, Vocabulary()).documents()) == len(many) + 2
        )
    finally:
        done(engine, engine.index(index).delete_documents(filter="kind = many"))


def test_a_token_opens_no_other_index_and_no_other_action(town: Running, meilisearch: Meilisearch) -> None:
    access = town.client.get("/v1/search/token").json()
    index, engine = access["index"], client(meilisearch)
    done(engine, engine.create_index("geheim"))
    try:
        refused = [
            direct(access, "POST", "/indexes/geheim/search", json={}),
            direct(access, "GET", f"/indexes/{index}/documents"),
            direct(access, "GET", f"/indexes/{index}/documents/offers-offer-weg"),
            direct(access, "POST", f"/indexes/{index}/documents/fetch", json={}),
            direct(access, "POST", f"/indexes/{index}/documents", json=[{"key": "x"}]),
            direct(access, "PATCH", f"/indexes/{index}/settings", json={}),
            direct(access, "DELETE", f"/indexes/{index}"),
            direct(access, "GET", "/indexes"),
            direct(access, "GET", "/keys"),
            direct(access, "GET", "/tasks"),
            direct(access, "GET", "/stats"),
        ]
        assert {answer.status_code for answer in refused} == {403}
    finally:
        done(engine, engine.delete_index("geheim"))


def test_an_expired_or_altered_token_is_refused(town: Running, meilisearch: Meilisearch) -> None:
    access = town.client.get("/v1/search/token").json()
    path = f"/indexes/{access['index']}/search"

    def short(engine: Engine) -> Any:
        return Tenants(engine.administration, access["index"], meilisearch.url, 2).token()

    late = asked(meilisearch, short)
    until(lambda: direct(late, "POST", path, json={}).status_code == 403, 10)
    assert direct(access | {"token": access["token"][:-3] + "abc"}, "POST", path, json={}).status_code == 403
    assert direct(access, "POST", path, json={}).status_code == 200


def test_every_process_signs_with_the_one_key_that_may_only_search(
    town: Running, meilisearch: Meilisearch
) -> None:
    index = town.client.get("/v1/search/token").json()["index"]
    again = asked(
        meilisearch, lambda engine: Tenants(engine.administration, index, meilisearch.url, 60).token()
    )
    assert direct(again, "POST", f"/indexes/{index}/search", json={}).status_code == 200

    keys = client(meilisearch).get_keys({"limit": 100}).results
    ours = [key for key in keys if index in key.indexes]
    assert [(key.actions, key.indexes) for key in ours] == [(["search"], [index])]


def test_without_a_public_address_there_is_no_token(meilisearch: Meilisearch) -> None:
    with pytest.raises(NotFound):
        asked(meilisearch, lambda engine: Tenants(engine.administration, "cards", "", 60).token())


# --- feedback ---


def rate(town: Running, key: str | None = None, **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return town.client.post("/v1/feedback", json=body, headers=headers)


def ratings(town: Running) -> list[ResultRated]:
    return [fact.data for fact in facts(town, "city.search.result.rated.v1.*", "CITY")]


def test_a_rating_becomes_a_public_fact_once(town: Running) -> None:
    assert rate(town, thing_id="offen", helpful=True).status_code == 201
    bad = {"thing_id": "kinder", "helpful": False, "reason": "outdated"}
    answers = [rate(town, "once", **bad) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert rate(town, "once", **bad | {"reason": "unclear"}).json() != answers[0].json()

    first, second, third = ratings(town)
    assert (first.thing_id, first.kind, first.board, first.helpful, first.reason) == (
        "offen",
        "offer",
        "kita",
        True,
        None,
    )
    assert (second.thing_id, second.kind, second.board, second.reason) == (
        "kinder",
        "board",
        "kinder",
        "outdated",
    )
    assert third.reason == "unclear"
    assert town.settled()["lag"]["messages"] == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"thing_id": "weg", "helpful": True}, 404),
        ({"thing_id": "nirgends", "helpful": True}, 404),
        ({"thing_id": 'x" OR listed = true OR id = "', "helpful": True}, 422),
        ({"thing_id": "offen", "helpful": True, "reason": "outdated"}, 422),
        ({"thing_id": "offen", "helpful": False, "reason": "weil Frau Müller es sagt"}, 422),
        ({"thing_id": "offen", "helpful": "yes"}, 422),
        ({"thing_id": "offen", "helpful": False, "comment": "Text"}, 422),
    ],
)
def test_what_is_no_rating_is_refused(town: Running, body: dict[str, Any], status: int) -> None:
    before = len(ratings(town))
    answer = rate(town, **body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert len(ratings(town)) == before


def test_a_client_may_rate_so_often_and_no_more(town: Running) -> None:
    answers = [rate(town, thing_id="offen", helpful=True) for _ in range(LIMIT + 1)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_a_rating_that_nobody_keeps_is_not_accepted(meilisearch: Meilisearch, town: Running) -> None:
    settings = Settings.load("search")
    index = town.settled()["index"]

    async def work(engine: Engine) -> None:
        feedback = Feedback(engine, index, Announcer(settings), "")
        await feedback.rate(
            Bus(settings.nats_url, settings.service), Rating(thing_id="offen", helpful=True), "someone", None
        )

    with pytest.raises(Unavailable):
        asked(meilisearch, work)


# --- browsers ---


def test_browsers_get_a_description_with_absolute_addresses(town: Running) -> None:
    answer = town.client.get("/opensearch.xml")
    assert answer.headers["content-type"].startswith("application/opensearchdescription+xml")
    root = ElementTree.fromstring(answer.content)
    urls = {url.get("type"): url.get("template", "") for url in root.iter(f"{{{NAMESPACE}}}Url")}

    assert root.tag == f"{{{NAMESPACE}}}OpenSearchDescription"
    assert root.findtext(f"{{{NAMESPACE}}}Description") == "Angebote, Orte und Termine in Coburg finden."
    assert root.findtext(f"{{{NAMESPACE}}}Language") == "de"
    assert urls["text/html"] == "https://portal.example.org/suche?q={searchTerms}&von=browser"
    assert all(url.startswith("https://") for url in urls.values())
    for kind in ("application/json", "application/x-suggestions+json"):
        path = urls[kind].removeprefix("https://suche.example.org").replace("{searchTerms}", "Kita%20%26")
        assert town.client.get(path).headers["content-type"] == kind


@pytest.mark.parametrize("name", ["Bad <b>Rodach</b> & Umland", '"; ]]>', "Ö" * 80])
def test_a_towns_name_is_only_text(name: str) -> None:
    root = ElementTree.fromstring(description(name, "https://x.example", ""))

    assert root.findtext(f"{{{NAMESPACE}}}ShortName") == name[:16]
    assert len(root.findtext(f"{{{NAMESPACE}}}LongName") or "") <= 48
    assert not [url for url in root.iter(f"{{{NAMESPACE}}}Url") if url.get("type") == "text/html"]


def test_browsers_get_suggestions_in_their_own_form(town: Running) -> None:
    answer = town.client.get("/v1/suggest/opensearch", params={"q": "gar"})
    assert answer.json() == ["gar", ["Garten"]]


# --- searches without an answer ---


def unanswered(town: Running) -> list[QueryUnanswered]:
    return [fact.data for fact in facts(town, "internal.search.query.unanswered.v1.*", "INTERNAL")]


def test_a_search_without_a_hit_is_told_in_the_towns_words_only(town: Running) -> None:
    private = "xylophon für lisa müller 0151-2345678"
    for _ in range(3):
        assert town.search(q=f"{private} kindergarten", art="werken", board="kinder", size=1)["total"] == 0
    assert town.search(q=private)["total"] == 0
    assert town.search(q="offen")["total"] == 1
    queue: Unanswered = town.client.app.state.search.unanswered  # type: ignore[attr-defined]
    queue.note(Query(q=f"{private} garten", lang="en"), "192.0.2.7")

    told = until(lambda: len(found) >= 2 and found if (found := unanswered(town)) else None, 15) or []
    assert [(one.words, one.board, one.lang) for one in told] == [
        (["Kita", "Werken"], "kinder", "de"),
        (["Garten"], None, "en"),
    ]
    assert told[0].asker != told[1].asker
    raw = json.dumps([one.model_dump(mode="json") for one in told]).casefold()
    assert not re.search(r"xylophon|lisa|müller|0151|192\.0|testclient", raw)


def test_an_asker_is_one_for_all_processes_of_search(
    town: Running, nats_url: str, meilisearch: Meilisearch
) -> None:
    home = {"COBURG_SEARCH_INDEX": os.environ["COBURG_SEARCH_INDEX"], "COBURG_SEARCH_INDEXING": "false"}
    before = len(unanswered(town))
    with running(nats_url, meilisearch, town.folder, **home) as other:
        for process in (town, other):
            assert process.search(q="xylophon garten", board="kinder")["total"] == 0
        until(lambda: len(unanswered(town)) == before + 2, 15)
    one, same = unanswered(town)[before:]
    assert one.asker == same.asker


def test_marks_tell_askers_apart_and_nothing_of_other_days() -> None:
    today, tomorrow = date(2026, 5, 1), date(2026, 5, 2)
    marks = {
        mark(key, day, client)
        for key in ("k" * 40, "l" * 40)
        for day in (today, tomorrow)
        for client in ("192.0.2.1", "192.0.2.2")
    }
    assert len(marks) == 8
    assert all(re.fullmatch("[0-9a-f]{16}", each) for each in marks)


@pytest.mark.anyio
async def test_a_flood_of_searches_is_no_flood_on_the_bus(town: Running) -> None:
    async def words() -> TownWords:
        return TownWords([["Kita"]])

    settings = Settings.load("search")
    bus = Bus(settings.nats_url, settings.service)
    await bus.start()
    queue = Unanswered(Announcer(settings), words, lambda: date(2026, 5, 1), lambda: "k" * 40)

    async def told() -> int:
        before = (await bus.js.stream_info("INTERNAL")).state.messages
        kit: Any = SimpleNamespace(bus=bus)
        await queue._tell_some(kit)
        return (await bus.js.stream_info("INTERNAL")).state.messages - before

    for number in range(NOTES * 5):
        queue.note(Query(q="kita"), f"client {number}")
    assert len(queue._notes) == NOTES
    assert await told() == AT_ONCE
    queue._notes.clear()
    for _ in range(AT_ONCE):
        queue.note(Query(q="kita"), "client 1")
    assert await told() == 0, "the same asker counts once a day"
    await bus.stop()
