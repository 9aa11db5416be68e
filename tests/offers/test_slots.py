"""Slots of rooms and machines: on the grid, within opening hours, never two in one room at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session, SQLModel, create_engine

from libs.servicekit.db import now
from libs.town.calendar import read, shifted
from services.offers.slots import commands, queries
from services.offers.slots.domain import Billing, Slot, SlotRules, billed, check_slot, quarters, runs
from services.offers.slots.models import SlotUse
from tests.offers.booking import Requester, offered
from tests.offers.conftest import Offers
from tests.service import problem

COBURG = read(Path("city"))
ZONE = ZoneInfo("Europe/Berlin")
DAY = (datetime.now(ZONE) + timedelta(days=20)).replace(hour=0, minute=0, second=0, microsecond=0)


def at(start: str, end: str, day: datetime = DAY) -> Slot:
    """An interval of a day, by the town's clock."""
    times = [day.replace(hour=int(clock[:2]), minute=int(clock[3:])) for clock in (start, end)]
    return Slot(starts_at=times[0], ends_at=times[1])


def body(slot: Slot) -> dict[str, str]:
    return {"starts_at": slot.starts_at.isoformat(), "ends_at": slot.ends_at.isoformat()}


@pytest.mark.parametrize(
    ("start", "end", "wrong"),
    [
        ("09:00", "10:00", []),
        ("08:00", "12:00", []),
        ("09:15", "10:15", ["slot.starts_at"]),
        ("09:00", "10:15", ["slot.starts_at"]),
        ("09:00", "09:00", ["slot.ends_at"]),
        ("10:00", "09:00", ["slot.ends_at"]),
        ("08:00", "12:30", ["slot.ends_at"]),
        ("07:30", "09:00", ["slot.starts_at"]),
        ("19:30", "20:30", ["slot.starts_at"]),
    ],
)
def test_what_may_be_booked(start: str, end: str, wrong: list[str]) -> None:
    rules = SlotRules(minutes=30, min_minutes=30, max_minutes=240, hours="hours")
    found = check_slot(rules, at(start, end), {"hours": "Mo-Su 08:00-20:00"}, now(), COBURG)
    assert [field for field, _ in found] == wrong


HOURLY = Billing(field="billing", minutes={"hour": 60, "day": 1440})


@pytest.mark.parametrize(
    ("billing", "said", "hours", "times"),
    [
        (HOURLY, "hour", 3, 3),
        (HOURLY, "hour", 2.5, 3),
        (HOURLY, "day", 12, 1),
        (HOURLY, "day", 25, 2),
        (HOURLY, "month", 3, 1),
        (HOURLY, None, 3, 1),
        (None, "hour", 3, 1),
    ],
)
def test_a_price_is_taken_for_every_unit_begun(
    billing: Billing | None, said: str | None, hours: float, times: int
) -> None:
    slot = Slot(starts_at=DAY, ends_at=DAY + timedelta(hours=hours))
    assert billed(SlotRules(billing=billing), slot, {"billing": said} if said else {}, ZONE) == times


def test_neither_the_past_nor_the_far_future() -> None:
    rules = SlotRules(ahead_days=10)
    assert list(check_slot(rules, at("09:00", "10:00"), {}, now(), COBURG))
    assert list(check_slot(rules, at("09:00", "10:00"), {}, now() + timedelta(days=30), COBURG))


def test_nothing_before_its_first_day() -> None:
    rules, day = SlotRules(opens="from"), at("09:00", "10:00").starts_at.date()
    assert not list(check_slot(rules, at("09:00", "10:00"), {"from": day.isoformat()}, now(), COBURG))
    later = (day + timedelta(days=1)).isoformat()
    assert list(check_slot(rules, at("09:00", "10:00"), {"from": later}, now(), COBURG)) == [
        ("slot.starts_at", f"can be booked from {later}")
    ]


INTERVALS = st.tuples(st.integers(0, 40), st.integers(1, 12), st.integers(1, 3))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(INTERVALS, st.booleans()), max_size=25), st.integers(1, 3))
def test_whatever_is_taken_and_returned_no_quarter_holds_too_many(
    steps: list[tuple[tuple[int, int, int], bool]], most: int
) -> None:
    """Against a plain list of intervals, counted quarter by quarter."""
    engine = create_engine("sqlite://")
    SQLModel.metadata.tables["slot_use"].create(engine)
    held: list[tuple[Slot, int]] = []
    start = datetime(2026, 5, 1, tzinfo=UTC)
    with Session(engine) as session:
        for (first, length, count), back in steps:
            if back and held:
                slot, returned = held.pop()
                commands.give_back(session, "room", slot, returned)
                continue
            begin = start + timedelta(minutes=15 * first)
            slot = Slot(starts_at=begin, ends_at=begin + timedelta(minutes=15 * length))
            used = [sum(n for other, n in held if q in quarters(other)) for q in quarters(slot)]
            fits = max(used) + count <= most
            assert commands.take(session, "room", slot, count, most) is fits
            if fits:
                held.append((slot, count))
        window = Slot(starts_at=start, ends_at=start + timedelta(days=1))
        uses = queries.uses(session, "room", window)
        assert all(use.taken <= most for use in uses)
        quarter_places = sum(len(quarters(slot)) * n for slot, n in held)
        seen = sum(len(quarters(Slot(starts_at=u.starts_at, ends_at=u.ends_at))) * u.taken for u in uses)
        assert seen == quarter_places
        assert all(one.ends_at <= other.starts_at for one, other in pairwise(uses))


def test_quarters_in_a_row_are_one_use() -> None:
    found = runs([(4, 1), (5, 1), (6, 2), (9, 2)])
    assert [(use.taken, (use.ends_at - use.starts_at) // timedelta(minutes=15)) for use in found] == [
        (1, 2),
        (2, 1),
        (2, 1),
    ]


def ask(service: Offers, room: str, slot: Slot, **more: Any) -> tuple[Requester, int]:
    person = Requester(service)
    return person, person.ask(room, bare=True, slot=body(slot), **more).status_code


def test_a_room_is_booked_moved_and_given_back(service: Offers) -> None:
    room = offered(service, "room")
    person, status = ask(service, room, at("09:00", "11:00"))
    assert (status, person.see()["status"]) == (201, "approved")
    assert ask(service, room, at("10:30", "11:30"))[1] == 409
    assert ask(service, room, at("11:00", "11:30"))[1] == 201
    path = f"/v1/offers/{room}/slots?from={DAY.date()}&days=1"
    (use,) = service.call("GET", path).json()["items"]
    assert datetime.fromisoformat(use["ends_at"]) - datetime.fromisoformat(use["starts_at"]) == timedelta(
        hours=2.5
    )
    problem(person.call("PUT", body={"slot": body(at("10:00", "11:30"))}, version=1), 409)
    moved = person.call("PUT", body={"slot": body(at("08:30", "10:30"))}, version=1)
    assert moved.json()["slot"]["starts_at"] == person.see()["starts_at"], moved.text
    person.call("POST", "cancel", version=2)
    (use,) = service.call("GET", path).json()["items"]
    assert use["taken"] == 1
    for wrong in ({"session_ids": [room]}, {}):
        assert problem(Requester(service).ask(room, bare=True, **wrong), 422)["errors"][0]["field"] == "slot"
    far = {"starts_at": "0001-01-01T00:00:00Z", "ends_at": "9999-12-31T23:59:59Z"}
    problem(Requester(service).ask(room, bare=True, slot=far), 422)


def on(day: str, start: str = "09:00", end: str = "10:00") -> Slot:
    return at(start, end, datetime.fromisoformat(day).replace(tzinfo=ZONE))


def holiday() -> tuple[str, str]:
    """The next public holiday on a working day within reach, and an ordinary working day before it."""
    days = [(DAY + timedelta(days=number)).date() for number in range(150)]
    feast = next(day for day in days if day.weekday() < 5 and "PH" in COBURG.off(day))
    before = (feast - timedelta(days=number) for number in range(1, 9))
    work = next(day for day in before if day.weekday() < 5 and "PH" not in COBURG.off(day))
    return feast.isoformat(), work.isoformat()


@pytest.mark.parametrize("hours", ["Mo-Fr 08:00-18:00", "Mo-Fr 08:00-18:00; PH off"])
def test_a_room_is_closed_on_the_towns_holidays(service: Offers, hours: str) -> None:
    room = service.draft({"title": {"de": "Saal"}, "fields": {"open": hours}}, board="room", publish=True)
    feast, work = holiday()
    assert ask(service, room, on(work))[1] == 201
    refused = problem(Requester(service).ask(room, bare=True, slot=body(on(feast))), 422)
    assert refused["errors"] == [{"field": "slot.starts_at", "reason": "lies outside the opening hours"}]


def test_hours_by_agreement_are_agreed_upon(service: Offers) -> None:
    said = {"title": {"de": "Saal"}, "fields": {"open": "nach Vereinbarung"}}
    room = service.draft(said, board="room", publish=True)
    person, status = ask(service, room, at("03:00", "04:00"))
    assert (status, person.see()["status"]) == (201, "pending")


CLOCKS = [
    # A day of 23 hours and one of 25 are days; a weekend over the change is two.
    ("2027-03-28T00:00", "2027-03-29T00:00", 1),
    ("2027-10-31T00:00", "2027-11-01T00:00", 1),
    ("2027-10-30T10:00", "2027-11-01T10:00", 2),
]


@pytest.mark.parametrize(("start", "end", "days"), CLOCKS)
def test_a_day_is_a_day_of_the_calendar(start: str, end: str, days: int) -> None:
    rules = SlotRules(
        minutes=1440, min_minutes=1440, max_minutes=2880, ahead_days=30, billing=HOURLY, hours="hours"
    )
    if not start.endswith("00:00"):
        rules = rules.model_copy(update={"minutes": 60})
    first, last = (datetime.fromisoformat(each).replace(tzinfo=ZONE) for each in (start, end))
    slot = Slot(starts_at=first, ends_at=last)
    asked = shifted(first, -30, ZONE)
    assert list(check_slot(rules, slot, {"hours": "24/7"}, asked, COBURG)) == []
    assert billed(rules, slot, {"billing": "day"}, ZONE) == days


def test_what_is_free_can_be_drawn_and_booked(service: Offers) -> None:
    room = service.draft(
        {"title": {"de": "Saal"}, "fields": {"open": "Mo-Su,PH 08:00-12:00,13:00-18:00"}},
        board="room",
        publish=True,
    )
    path = f"/v1/offers/{room}/slots?from={DAY.date()}&days=1"
    assert ask(service, room, at("09:00", "10:00"))[1] == 201

    def free() -> list[tuple[str, str, int]]:
        found = service.call("GET", path).json()["free"]
        clock = [
            [datetime.fromisoformat(one[end]).astimezone(ZONE) for end in ("starts_at", "ends_at")]
            for one in found
        ]
        return [(f"{a:%H:%M}", f"{b:%H:%M}", one["free"]) for (a, b), one in zip(clock, found, strict=True)]

    assert free() == [("08:00", "09:00", 1), ("10:00", "12:00", 1), ("13:00", "18:00", 1)]
    local = {"starts_at": f"{DAY.date()}T13:00", "ends_at": f"{DAY.date()}T15:00"}
    answer = Requester(service).ask(room, bare=True, slot=local)
    assert answer.status_code == 201, answer.text
    slot = answer.json()["booking"]["slot"]
    assert datetime.fromisoformat(slot["starts_at"]) == DAY.replace(hour=13)
    assert free()[-1] == ("15:00", "18:00", 1)
    gap = {"starts_at": "2027-03-28T02:30", "ends_at": "2027-03-28T04:00"}
    wrong = problem(Requester(service).ask(room, bare=True, slot=gap), 422)
    assert wrong["errors"][0]["field"] == "slot.starts_at"


def test_several_desks_make_a_pool(service: Offers) -> None:
    desks = offered(service, "room", max=3)
    assert ask(service, desks, at("09:00", "11:00"), places=2)[1] == 201
    assert ask(service, desks, at("10:00", "12:00"), places=2)[1] == 409
    assert ask(service, desks, at("10:00", "12:00"))[1] == 201


def test_nobody_meets_anybody_under_many_writers(service: Offers) -> None:
    room = offered(service, "room")
    hours = [f"{(480 + 30 * step) // 60:02d}:{30 * step % 60:02d}" for step in range(13)]

    def go(number: int) -> tuple[Slot, int]:
        slot = at(hours[number % 10], hours[number % 10 + 1 + number % 3])
        return slot, ask(service, room, slot)[1]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(go, range(24)))
    assert {status for _, status in answers} == {201, 409}
    kept = sorted((slot.starts_at, slot.ends_at) for slot, status in answers if status == 201)
    assert all(one[1] <= other[0] for one, other in pairwise(kept))
    with service.db.reading() as session:
        rows = queries.uses(session, room, Slot(starts_at=DAY, ends_at=DAY + timedelta(days=1)))
        assert {row.taken for row in rows} == {1}
        assert session.get(SlotUse, (room, 0)) is None
