"""Atom, iCalendar and the open stream: what they hold, and that nothing is missed or doubled between two connections."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from icalendar import Calendar
from uuid_utils import uuid7

from tests.notify.conftest import Notify
from tests.notify.sse import Reader
from tests.waiting import until

ATOM = "{http://www.w3.org/2005/Atom}"


def word() -> str:
    """A word that nothing else has."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in uuid7().hex[-12:])


@pytest.fixture
def mine() -> Iterator[str]:
    yield word()


def entries(notify: Notify, **params: str) -> list[ElementTree.Element]:
    answer = notify.http.get("/v1/feeds/atom", params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/atom+xml")
    return ElementTree.fromstring(answer.content).findall(f"{ATOM}entry")


def test_a_feed_holds_what_the_question_finds_newest_first(notify: Notify, mine: str) -> None:
    first = notify.offer(f"Schwimmen {mine}", place={"district": "Neuses", "street": "Am <Bach> & mehr"})
    until(lambda: entries(notify, q=mine))
    second = notify.offer(f"Tauchen {mine}")
    until(lambda: len(entries(notify, q=mine)) == 2)
    found = entries(notify, q=mine)
    assert [each.findtext(f"{ATOM}id", "").rpartition("-offer-")[2] for each in found] == [second, first]
    assert [each.findtext(f"{ATOM}title") for each in entries(notify, q=mine, district="Neuses")] == [
        f"Schwimmen {mine}"
    ]
    notify.offer(f"Schwimmen {mine}", first, 2, listed=False)
    until(lambda: len(entries(notify, q=mine)) == 1)


def test_what_did_not_change_is_not_sent_again(notify: Notify, mine: str) -> None:
    notify.offer(f"Chor {mine}")
    until(lambda: entries(notify, q=mine))
    for path in ("/v1/feeds/atom", "/v1/feeds/calendar.ics"):
        first = notify.http.get(path, params={"q": mine})
        tag = first.headers["ETag"]
        again = notify.http.get(path, params={"q": mine}, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == tag
        since = {"If-Modified-Since": first.headers["Last-Modified"]}
        assert notify.http.get(path, params={"q": mine}, headers=since).status_code == 304
    notify.offer(f"Chorprobe {mine}")
    until(lambda: len(entries(notify, q=mine)) == 2)
    assert notify.http.get("/v1/feeds/atom", params={"q": mine}, headers=since).status_code == 200


def test_a_calendar_holds_the_dates_with_their_ends(notify: Notify, mine: str) -> None:
    start = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
    span = {"start": start.isoformat(), "end": (start + timedelta(hours=2)).isoformat(), "id": "date-1"}
    past = {"start": "2020-01-01T10:00:00Z"}
    notify.offer(f"Kurs {mine}", dates=[start.isoformat()], spans=[span, past])
    found = until(
        lambda: Calendar.from_ical(notify.http.get("/v1/feeds/calendar.ics", params={"q": mine}).text).walk(
            "VEVENT"
        )
    )
    (event,) = found
    assert str(event["uid"]).endswith("date-1@coburg-digital")
    assert event.decoded("dtend") - event.decoded("dtstart") == timedelta(hours=2)


@pytest.mark.parametrize("path", ["/v1/feeds/atom", "/v1/feeds/calendar.ics", "/v1/stream"])
def test_what_makes_no_sense_for_a_feed_is_refused(notify: Notify, path: str) -> None:
    for wrong in ({"limit": "5"}, {"open_now": "true"}, {"near": "here"}, {"radius": "5"}):
        answer = notify.http.get(path, params=wrong)
        assert answer.status_code == 422, wrong
        assert answer.json()["errors"][0]["field"] == next(iter(wrong))


def test_a_stream_tells_the_facts_of_a_question_as_they_lie_on_the_bus(notify: Notify, mine: str) -> None:
    with closing(Reader(notify.stack.url("notify"), q=mine)) as reader:
        notify.offer("Etwas anderes")
        offer = notify.offer(f"Rudern {mine}")
        (event,) = until(lambda: reader.seen)
        assert event.data["subject"] == offer
        assert event.event == event.data["type"] == "de.coburg.offers.offer.published.v1"
        assert event.id.isdigit()


def test_nothing_is_missed_or_doubled_over_a_kill_of_notify(lone: Notify) -> None:
    mine = word()
    reader = Reader(lone.stack.url("notify"), q=mine)
    offers = [lone.offer(f"Angebot {n} {mine}") for n in range(10)]
    until(lambda: len(reader.seen) >= 3)
    lone.stack.kill9("notify")
    offers += [lone.offer(f"Angebot {n} {mine}") for n in range(10, 20)]
    lone.stack.launch("notify")
    seen = list(reader.seen)
    reader.close()
    with closing(Reader(lone.stack.url("notify"), last=seen[-1].id, q=mine)) as again:
        offers += [lone.offer(f"Angebot {n} {mine}") for n in range(20, 30)]
        until(lambda: len(seen) + len(again.seen) >= 30)
        together = [each.data["subject"] for each in (*seen, *again.seen)]
    assert together == offers


def test_a_reader_from_the_beginning_gets_everything_in_order(lone: Notify) -> None:
    mine = word()
    offers = [lone.offer(f"Angebot {n} {mine}") for n in range(30)]
    with closing(Reader(lone.stack.url("notify"), last="0", q=mine)) as reader:
        until(lambda: len(reader.seen) >= 30)
        assert [each.data["subject"] for each in reader.seen] == offers
