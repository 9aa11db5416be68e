"""What feeds are made of: the ring, the bytes of an event, who may open a stream, and texts as XML and iCalendar take them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from libs.cardquery.matching import Asked, Matching, Subject
from libs.cardquery.query import Query
from libs.cardquery.vocabulary import Vocabulary
from libs.contracts.card import Card
from libs.town import calendar as days
from services.notify.feeds import atom, calendar
from services.notify.feeds.api import Seen
from services.notify.feeds.bodies import Bodies
from services.notify.feeds.ring import Entry, Question, Ring
from services.notify.feeds.stream import event
from services.notify.feeds.streams import Streams
from services.notify.things.models import Thing

ROOT = Path(__file__).parents[2]
MATCHING = Matching(days.read(ROOT / "city"), Vocabulary.of(ROOT / "city"))
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def entry(sequence: int, body: bytes = b"{}") -> Entry:
    return Entry(sequence, "t", body, None)


def places(found: list[Entry] | None) -> list[int] | None:
    return None if found is None else [each.sequence for each in found]


def test_the_ring_is_read_by_place_over_gaps() -> None:
    ring = Ring(10)
    for sequence in (12, 15, 16, 40):
        ring.add(entry(sequence))
    assert places(ring.behind(10, 3)) == [12, 15, 16]
    assert places(ring.behind(13, 3)) == [15, 16, 40]
    assert places(ring.behind(40, 3)) == []
    assert ring.behind(9, 3) is None, "that is for the stream itself to say"


def test_the_ring_is_bounded_in_number_and_in_bytes() -> None:
    ring = Ring(0, most=3, most_bytes=100)
    for sequence in range(1, 6):
        ring.add(entry(sequence))
    assert (places(ring.behind(2, 9)), ring.behind(1, 9)) == ([3, 4, 5], None)
    ring.add(entry(6, b"x" * 97))
    assert (places(ring.behind(4, 9)), ring.behind(3, 9)) == ([5, 6], None)
    ring.add(entry(7, b"x" * 200))
    assert (places(ring.behind(7, 9)), ring.behind(6, 9)) == ([], None)


def test_one_question_is_answered_once_per_fact_whoever_asks() -> None:
    asked = list[Asked]()

    class Counting(Subject):
        def answers(self, question: Asked) -> bool:
            asked.append(question)
            return super().answers(question)

    card = Card(kind="offer", title={"de": "Schwimmen"})
    subject = Counting(card, days.read(ROOT / "city"), {})
    fact = Entry(1, "t", b"{}", subject)
    swimming, diving = (Question(q.encode(), MATCHING.asked(Query(q=q))) for q in ("schwimmen", "tauchen"))
    assert [fact.answers(swimming) for _ in range(5)] == [True] * 5
    assert [fact.answers(diving) for _ in range(5)] == [False] * 5
    assert len(asked) == 2


def test_an_event_survives_line_breaks_in_its_body() -> None:
    written = event(entry(7, b'{\n"a":\r\n1\r}')).decode()
    data = [line.removeprefix("data: ") for line in written.split("\n") if line.startswith("data: ")]
    assert data == ["{", '"a":', "1", "}"]
    assert written.startswith("id: 7\nevent: t\n")
    assert written.endswith("}\n\n")


@pytest.mark.anyio
async def test_one_client_takes_no_more_than_its_part_and_some_room_is_for_others() -> None:
    streams, kept = Streams(20, 5), list[Any]()

    async def opened(client: str) -> None:
        stream = streams.counted(client, _endless())
        await anext(stream)
        kept.append(stream)

    for _ in range(5):
        assert not streams.full("a")
        await opened("a")
    assert streams.full("a")
    assert not streams.full("b")
    for number in range(13):
        await opened(f"c{number}")
    assert streams.full("c1"), "the last places are for those who have none"
    assert not streams.full("new")
    await opened("new")
    await opened("newer")
    assert streams.full("newest")
    for stream in kept:
        await stream.aclose()
    assert not streams.full("a")


async def _endless() -> Any:
    while True:
        yield b""


def thing(title: str, **card: Any) -> Thing:
    said = {"kind": "offer", "title": {"de": title}, **card}
    return Thing(
        key="offers-offer-1",
        thing_id="1",
        version=1,
        listed=True,
        kind="offer",
        board="sport",
        card=Card.model_validate(said, strict=False).model_dump(mode="json", exclude_none=True),
        fact="f",
        fact_id="fact-1",
        at=AT,
    )


def test_atom_holds_what_xml_allows_and_titles_of_a_line() -> None:
    odd = thing("Chor\ufffe \uffff" + "x" * 400)
    written = atom.feed("Coburg", "http://x/", [odd], "de", "http://x/{kind}/{id}")
    (found,) = ElementTree.fromstring(written).findall(f"{{{atom.NAMESPACE}}}entry")
    shown = found.findtext(f"{{{atom.NAMESPACE}}}title") or ""
    assert shown.startswith("Chor x")
    assert len(shown) == 300
    assert found.findtext(f"{{{atom.OWN}}}source-fact") == "fact-1"
    assert b"<coburg:source-fact>" in written
    assert b"ns1:" not in written


def test_instants_of_a_calendar_are_utc_whatever_offset_a_card_says() -> None:
    dated = thing("Kurs\ufffe", spans=[{"start": "2026-12-01T10:00:00+01:00", "id": "d"}])
    written = calendar.calendar("Coburg", [dated], "de", "http://x/{kind}/{id}", AT).decode()
    assert "DTSTART:20261201T090000Z" in written
    assert "DTEND:20261201T100000Z" in written
    assert "SUMMARY:Kurs\r\n" in written


def test_a_feed_is_made_once_as_long_as_nothing_changes() -> None:
    made, clock = list[str](), [0.0]

    def make(name: str) -> Callable[[], bytes]:
        def feed() -> bytes:
            made.append(name)
            return name.encode()

        return feed

    bodies = Bodies(most=2, clock=lambda: clock[0])
    for _ in range(3):
        assert bodies.of("a", 1, make("a")).body == b"a"
    assert made == ["a"]
    bodies.of("a", 2, make("a, changed"))
    assert made[1:] == ["a, changed"]
    clock[0] = 61
    bodies.of("a", 2, make("a, a minute later"))
    bodies.of("b", 2, make("b"))
    bodies.of("c", 2, make("c"))
    bodies.of("a", 2, make("a, pushed out"))
    assert made[2:] == ["a, a minute later", "b", "c", "a, pushed out"]


def test_every_change_has_a_second_of_its_own() -> None:
    bodies = Bodies()
    first, same, second = bodies.changed(1), bodies.changed(1), bodies.changed(2)
    assert first == same < second


def test_a_reader_that_knows_it_is_sent_nothing() -> None:
    assert Seen(['"a"', '"b"'], None).has('"b"', AT)
    assert not Seen(['"a"'], AT + timedelta(days=1)).has('"b"', AT), "tags count alone"
    assert Seen([], AT).has('"b"', AT)
    assert not Seen([], AT - timedelta(seconds=1)).has('"b"', AT)
    assert not Seen([], None).has('"b"', AT)
