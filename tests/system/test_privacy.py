"""What people type stays where it was typed: after a story with words that can be recognised, none of them stands in a
log, a span, a figure, a dead letter or on the bus."""

import asyncio
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import nats
import pytest
from nats.js import JetStreamContext, api

from cli.components import SERVICES
from libs.contracts.topology import STREAMS
from tests.stack import Stack
from tests.system.test_mails import Citizen, offer_with_a_date
from tests.waiting import until

SOUGHT, LOCAL, SCHOOL, WRITTEN, WRONG = (f"{word}{uuid4().hex}" for word in "qmabw")


@pytest.fixture(scope="module")
def words(proven: Stack) -> tuple[list[str], list[str]]:
    """A citizen's story; what was typed in it, and the tokens that it gave out."""
    citizen = Citizen(proven, f"{LOCAL}@example.org")
    citizen.confirm()
    editor = httpx2.Client(base_url=proven.url("offers"), headers=proven.headers("editor"), timeout=20)
    provider = str(editor.post("/v1/providers", json={"title": {"de": "Bühne"}}).json()["id"])
    told = {"recipient_id": citizen.id, "topics": ["messages"]}
    editor.post(f"/v1/providers/{provider}/recipients", json=told, headers=citizen.proof).raise_for_status()
    offer, date = offer_with_a_date(editor, provider)
    form = {"institution": SCHOOL, "school_level": "1-4", "children": 20, "adults": 2}
    wanted = {"offer_id": offer, "session_ids": [date["id"]], "recipient_id": citizen.id, "form": form}
    booked = citizen.offers.post("/v1/bookings", json=wanted, headers=citizen.proof)
    assert booked.status_code == 201, booked.text
    asked = {"recipient_id": citizen.id, "text": WRITTEN}
    contact = citizen.offers.post(f"/v1/offers/{offer}/contact", json=asked, headers=citizen.proof)
    assert contact.status_code == 201, contact.text
    _slips(citizen, offer, booked.json()["booking"]["id"])
    _searches(proven)
    citizen.mail("Anfrage")
    tokens = [booked.json()["token"], citizen.proof["Recipient-Token"]]
    return [SOUGHT, LOCAL, SCHOOL, WRITTEN, WRONG], tokens


def _slips(citizen: Citizen, offer: str, booking: str) -> None:
    """What goes wrong is told to the one who typed it, and to nobody else."""
    for path, body in {
        "/v1/bookings": {"offer_id": offer, "recipient_id": WRONG, "form": {WRONG: WRONG}},
        f"/v1/offers/{offer}/contact": {"recipient_id": citizen.id, "text": [WRONG]},
    }.items():
        answer = citizen.offers.post(path, json=body, headers={"Recipient-Token": WRONG})
        assert 400 <= answer.status_code < 500
    shown = citizen.offers.get(f"/v1/bookings/{booking}", headers={"Link-Token": WRONG})
    assert shown.status_code in (401, 404)
    citizen.notify.post(f"/v1/recipients/{citizen.id}/confirm", json={"code": WRONG})


def _searches(proven: Stack) -> None:
    with httpx2.Client(base_url=proven.url("search"), timeout=20) as search:
        for path in (f"/v1/search?q={SOUGHT}", f"/v1/suggest?q={SOUGHT}", f"/v1/search?near={SOUGHT}"):
            assert search.get(path).status_code in (200, 422)


def seen(text: str, words: list[str]) -> list[str]:
    return [word for word in words if word in text]


def test_no_log_span_or_figure_has_what_people_typed(
    proven: Stack, words: tuple[list[str], list[str]]
) -> None:
    every = [*words[0], *words[1]]
    until(lambda: any("/v1/bookings" in span.name for span in proven.traces()))
    files = [*proven.home.logs.iterdir(), *proven.home.traces.iterdir()]
    assert len(files) > 2 * len(SERVICES)
    # The mailbox is where mails end: it is no part of what operators of a town see.
    texts = {file.name: file.read_text(errors="replace") for file in files if file.stem != "mailbox"}
    texts |= {name: httpx2.get(f"{proven.url(name)}/metrics").text for name in SERVICES}
    assert {name: seen(text, every) for name, text in texts.items() if seen(text, every)} == {}


def test_no_message_on_the_bus_has_it_either(proven: Stack, words: tuple[list[str], list[str]]) -> None:
    typed, tokens = words
    held = {
        stream.name: "\n".join(asyncio.run(messages(proven.url("nats"), stream.name))) for stream in STREAMS
    }
    assert "message.requested" in held["INTERNAL"], "there is something to look at"
    assert {name: seen(text, typed) for name, text in held.items() if seen(text, typed)} == {}
    # Between services links travel, for the mails that carry them.
    assert not [name for name in ("CITY", "STATE") if seen(held[name], tokens)]


async def messages(url: str, stream: str) -> list[str]:
    """All that a stream holds: subjects, headers and bodies."""
    client = await nats.connect(url)
    try:
        return await _read(client.jetstream(), stream)
    finally:
        await client.close()


async def _read(js: JetStreamContext, stream: str) -> list[str]:
    count = (await js.stream_info(stream)).state.messages
    reader = await js.pull_subscribe(
        ">", stream=stream, config=api.ConsumerConfig(ack_policy=api.AckPolicy.NONE)
    )
    found: list[str] = []
    while len(found) < count:
        for one in await reader.fetch(500, timeout=5):
            found.append(f"{one.subject} {one.headers} {one.data.decode(errors='replace')}")
    return found


def test_the_broker_knows_nobody_without_a_password(proven: Stack) -> None:
    address = urlsplit(proven.url("nats"))

    async def anonymous() -> None:
        await nats.connect(f"nats://{address.hostname}:{address.port}", allow_reconnect=False)

    with pytest.raises(nats.errors.Error, match="Authorization"):
        asyncio.run(anonymous())
