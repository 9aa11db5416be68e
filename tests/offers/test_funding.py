"""Budgets on both databases: set, promised from, never overdrawn, and telling in time that they run dry."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col
from uuid_utils import uuid7

from libs.servicekit.db import Database
from libs.servicekit.principal import Principal
from libs.servicekit.tables import outbox
from services.offers import jobs
from services.offers.boards.commands import follow
from services.offers.funding import commands, queries
from services.offers.funding.models import Budget, Grant
from tests.offers.conftest import PUBLISHER, Offers
from tests.offers.test_boards import COURSE, MIGRATIONS
from tests.service import problem

EDITOR = Principal("editor", frozenset({"editor"}))
YEARS = count(2030)


class Pot:
    """A budget of its own on the board of courses, which pays 50 %, at most 2 € a person and 50 € a group."""

    def __init__(self, db: Database, amount: int, opened_on: date | None = None, year: int = 0) -> None:
        self.db, self.year = db, year or next(YEARS)
        self.period = f"{self.year}-{(self.year + 1) % 100}"
        self.on = date(self.year, 10, 1)
        self.set(amount, opened_on or self.on)

    @property
    def budget(self) -> Budget:
        with self.db.reading() as session:
            return queries.one(session, "course", self.period)

    def set(self, amount: int, today: date, version: int = 0) -> None:
        with self.db.transaction() as session:
            commands.set_amount(session, EDITOR, "course", self.period, version, amount, None, today)

    def reserve(self, euros: int, booking: str = "", **more: Any) -> int:
        """Ask for so many euros: for half as many persons, and at twice the price."""
        persons, price = (euros + 1) // 2, euros * 200
        with self.db.transaction() as session:
            held = queries.locked_grant(session, booking)
            grant = commands.reserve(
                session, held, "course", booking or str(uuid7()), persons, price, self.on, **more
            )
            return grant.held_cents if grant else 0

    def call(self, step: Any, booking: str) -> None:
        with self.db.transaction() as session:
            step(session, queries.locked_grant(session, booking))

    @property
    def amounts(self) -> tuple[int, int, int]:
        budget = self.budget
        return budget.reserved_cents, budget.granted_cents, budget.left_cents

    @property
    def ledger(self) -> list[tuple[str, int]]:
        with self.db.reading() as session:
            return [(each.kind, each.cents) for each in queries.ledger(session, self.budget.id, 999, 0)]


def path(pot: Pot) -> str:
    return f"/v1/boards/course/budgets/{pot.period}"


def test_an_editor_sets_a_budget(service: Offers) -> None:
    here = "/v1/boards/course/budgets/2020-21"
    problem(service.call("GET", here), 404)
    problem(service.call("PUT", here, {"amount_cents": 5000}, "editor"), 428)
    problem(service.call("PUT", here, {"amount_cents": 5000}, "editor", version=1), 412)
    problem(service.call("GET", here), 404)
    made = service.call("PUT", here, {"amount_cents": 5000, "reason": "Haushalt"}, "editor", version=0)
    assert (made.status_code, made.headers["ETag"]) == (200, '"1"')
    again = service.call("PUT", here, {"amount_cents": 5000}, "editor", version=1)
    assert again.headers["ETag"] == '"1"', "the same amount is no change"
    changed = service.call("PUT", here, {"amount_cents": 4000}, "editor", version=1)
    assert changed.json() == service.call("GET", here).json()
    assert changed.json()["left_cents"] == 4000
    assert "2020-21" in [each["period"] for each in service.http.get(f"{here}/..").json()["items"]]
    lines = service.call("GET", f"{here}/ledger", None, "editor").json()["items"]
    assert [(line["cents"], line["actor"], line["reason"]) for line in lines] == [
        (5000, "test", "Haushalt"),
        (-1000, "test", None),
    ]


def test_two_editors_do_not_overwrite_each_other(service: Offers) -> None:
    here = "/v1/boards/course/budgets/2022-23"

    def put(version: int) -> list[int]:
        bodies = [{"amount_cents": 1000 * (version + 1) + number} for number in range(4)]
        with ThreadPoolExecutor(4) as editors:
            answers = editors.map(
                lambda body: service.call("PUT", here, body, "editor", version=version), bodies
            )
        return sorted(answer.status_code for answer in answers)

    assert put(0) == put(1) == [200, 412, 412, 412]
    assert len(service.call("GET", f"{here}/ledger", None, "editor").json()["items"]) == 2


def test_what_does_not_fit_is_named(service: Offers) -> None:
    here = "/v1/boards/course/budgets"
    for period, body, field in (
        ("2040", {"amount_cents": 1}, "period"),
        ("2040-42", {"amount_cents": 1}, "period"),
        ("2040-41", {"amount_cents": 1.5}, "amount_cents"),
        ("2040-41", {"amount_cents": "100"}, "amount_cents"),
        ("2040-41", {"amount_cents": -1}, "amount_cents"),
        ("2040-41", {"amount_cents": 1, "left_cents": 1}, "left_cents"),
    ):
        told = problem(service.call("PUT", f"{here}/{period}", body, "editor", version=0), 422)
        assert told["errors"][0]["field"] == field
    problem(
        service.call("PUT", "/v1/boards/room/budgets/2040", {"amount_cents": 1}, "editor", version=0), 404
    )
    problem(service.call("GET", "/v1/boards/room/budgets"), 404)


def test_a_quote_tells_what_would_be_granted_now(service: Offers) -> None:
    pot = Pot(service.db, 5000)

    def quoted(**asked: Any) -> tuple[int, int, str]:
        answer = service.http.get("/v1/boards/course/funding/quote", params={"on": str(pot.on), **asked})
        assert answer.status_code == 200, answer.text
        return answer.json()["due_cents"], answer.json()["granted_cents"], answer.json()["outcome"]

    assert quoted(persons=25, price_cents=9000) == (4500, 4500, "granted")
    assert quoted(persons=25, price_cents=9000, accompanying=2) == (4500, 4500, "granted")
    assert quoted(persons=30, price_cents=20_000) == (6000, 0, "not_enough_left")
    assert quoted(persons=0, price_cents=9000) == (0, 0, "nothing_due")
    assert quoted(persons=1, price_cents=100, on="9999-12-31") == (50, 0, "no_budget")
    asked = {"persons": 1, "price_cents": 100}
    periods = {"2099-07-31": "2098-99", "2099-08-01": "2099-00", "9999-12-31": None}
    for on, period in periods.items():
        answer = service.http.get("/v1/boards/course/funding/quote", params={**asked, "on": on})
        assert answer.json()["period"] == period, "named although nobody has set a budget"
    problem(service.http.get("/v1/boards/room/funding/quote?persons=1&price_cents=1"), 404)


def test_the_life_of_a_grant(service: Offers) -> None:
    pot, booking = Pot(service.db, 10_000), str(uuid7())
    steps: list[tuple[Any, tuple[int, int, int]]] = [
        (lambda: pot.reserve(20, booking), (2000, 0, 8000)),
        (lambda: pot.call(commands.settle, booking), (0, 2000, 8000)),
        (lambda: pot.call(commands.release, booking), (0, 0, 10_000)),
    ]
    for step, amounts in steps:
        step()
        step()  # whatever happens twice counts once
        assert pot.amounts == amounts
    assert pot.reserve(20, booking) == 0, "what was released is over"
    pot.call(commands.settle, booking)
    assert pot.ledger == [("set", 10_000), ("reserved", 2000), ("granted", 2000), ("released", 2000)]
    lines = service.call("GET", f"{path(pot)}/ledger?limit=3", None, "editor").json()
    assert lines["items"][1]["booking_id"] == booking
    rest = service.call("GET", f"{path(pot)}/ledger?after={lines['next']}", None, "editor").json()
    assert [line["kind"] for line in rest["items"]] == ["released"]


def test_a_reservation_goes_back(service: Offers) -> None:
    pot, booking = Pot(service.db, 10_000), str(uuid7())
    pot.reserve(20, booking)
    pot.call(commands.release, booking)
    assert pot.amounts == (0, 0, 10_000)
    pot.call(commands.release, str(uuid7()))
    pot.call(commands.settle, str(uuid7()))
    assert len(pot.ledger) == 3, "bookings that never asked leave no trace"


def test_too_little_left_is_nothing_and_may_be_tried_again(service: Offers) -> None:
    pot, booking = Pot(service.db, 5000), str(uuid7())
    assert pot.reserve(30) == 3000
    assert [pot.reserve(30, booking) for _ in range(2)] == [0, 0]
    assert pot.reserve(20) == 2000, "a smaller one still fits"
    seen = service.http.get(path(pot)).json()
    assert (seen["left_cents"], seen["refused"], seen["refused_cents"]) == (0, 1, 3000)
    assert seen["situation"] == "short"
    body = {"amount_cents": 8000}
    assert service.call("PUT", path(pot), body, "editor", version=1).status_code == 200
    assert pot.reserve(30, booking) == 3000
    assert [kind for kind, _ in pot.ledger].count("refused") == 1
    assert service.http.get(path(pot)).json()["refused"] == 0


def test_other_figures_are_followed_as_far_as_the_budget_allows(service: Offers) -> None:
    pot, booking = Pot(service.db, 4000), str(uuid7())
    assert [pot.reserve(euros, booking) for euros in (20, 30, 10, 50)] == [2000, 3000, 1000, 1000]
    pot.call(commands.settle, booking)
    assert pot.reserve(30, booking) == 3000
    assert pot.amounts == (0, 3000, 1000)
    assert pot.reserve(0, booking) == 0
    assert pot.ledger[1:4] == [("reserved", 2000), ("adjusted", 1000), ("adjusted", -2000)]
    capped = str(uuid7())
    assert [pot.reserve(euros, capped, group="class-4a") for euros in (30, 40, 40)] == [3000, 4000, 4000]


def test_what_is_promised_stays(service: Offers) -> None:
    pot = Pot(service.db, 5000)
    pot.reserve(30)
    problem(service.call("PUT", path(pot), {"amount_cents": 2999}, "editor", version=1), 409)
    answer = service.call("PUT", path(pot), {"amount_cents": 3000}, "editor", version=1)
    assert answer.status_code == 200, "a booking does not outdate what an editor has read"
    with pytest.raises(IntegrityError), service.db.transaction() as session:
        session.execute(update(Budget).where(col(Budget.period) == pot.period).values(reserved_cents=3001))


def test_a_board_or_day_without_a_budget_grants_nothing(service: Offers) -> None:
    pot = Pot(service.db, 5000)
    with service.db.transaction() as session:
        for board, on in (("room", pot.on), ("course", date(1999, 1, 1)), ("course", date.max)):
            assert commands.reserve(session, None, board, str(uuid7()), 5, 1000, on) is None


def test_parallel_bookings_never_overdraw_a_budget(service: Offers) -> None:
    pot = Pot(service.db, 10_000)
    bookings = [str(uuid7()) for _ in range(30)] * 2
    with ThreadPoolExecutor(16) as writers:
        granted = dict(
            zip(bookings, writers.map(lambda booking: pot.reserve(7, booking), bookings), strict=True)
        )
        kept = [booking for booking, cents in granted.items() if cents]
        list(writers.map(lambda booking: pot.call(commands.settle, booking), kept[:10] * 2))
        list(writers.map(lambda booking: pot.call(commands.release, booking), kept[5:] * 2))
    assert pot.amounts == (0, 5 * 700, 10_000 - 5 * 700)
    signs = {"set": 1, "reserved": -1, "granted": 0, "released": 1, "refused": 0}
    assert sum(signs[kind] * cents for kind, cents in pot.ledger) == pot.budget.left_cents
    assert [kind for kind, _ in pot.ledger].count("reserved") == len(kept) == 14


def test_parallel_bookings_of_one_group_stay_below_its_cap(service: Offers) -> None:
    pot = Pot(service.db, 100_000)
    with ThreadPoolExecutor(8) as writers:
        granted = list(writers.map(lambda _: pot.reserve(20, group="class-3b"), range(8)))
    assert sorted(granted, reverse=True)[:4] == [2000, 2000, 1000, 0]
    assert pot.reserve(20, group="class-3c") == 2000
    with service.db.reading() as session:
        held = session.scalars(select(Grant).where(col(Grant.budget_id) == pot.budget.id)).all()
    assert not [each for each in held if "class" in str(each.group_key)]


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A database that no service looks after."""
    db = Database(database_url, PUBLISHER)
    db.migrate(MIGRATIONS)
    with db.transaction() as session:
        follow(session, [COURSE])
    yield db
    db.dispose()


def told(db: Database) -> list[str]:
    """The facts about budgets, oldest first."""
    with db.reading() as session:
        subjects = session.scalars(select(outbox.c.subject).order_by(outbox.c.id)).all()
    return [each.split(".")[3] for each in subjects if each.startswith("city.offers.budget.")]


def test_movements_are_told_together_and_a_warning_once(db: Database) -> None:
    pot = Pot(db, 100_000, date(2080, 8, 1), 2080)
    today = date(2080, 11, 1)

    def look(day: date) -> list[str]:
        before = len(told(db))
        for _ in jobs.tell_budgets(db, day):
            pass
        return told(db)[before:]

    assert told(db) == ["changed"]
    assert look(date(2080, 8, 1)) == [], "nothing new"
    bookings = [str(uuid7()) for _ in range(8)]
    for week, booking in enumerate(bookings):
        pot.reserve(40, booking)
        with db.transaction() as session:
            day = today - timedelta(weeks=week)
            session.execute(update(Grant).where(col(Grant.booking_id) == booking).values(made_on=day))
    assert look(today) == ["changed", "warned"]
    assert look(today) == []
    assert look(today + timedelta(days=1)) == ["changed"], "the day moved, the situation did not"
    while pot.reserve(50):
        pass
    pot.reserve(40)
    assert look(today) == ["changed", "warned"], "somebody goes without"
    pot.set(500_000, today, 1)
    assert told(db)[-3:] == ["changed", "warned", "changed"], "good news is no warning"
    assert pot.budget.situation == "ample"


def test_a_fact_says_all_that_is_public(service: Offers) -> None:
    body = {"amount_cents": 70_000}
    service.call("PUT", "/v1/boards/course/budgets/2021-22", body, "editor", version=0)
    facts = service.facts("course_2021-22", "budget")
    shown = service.http.get("/v1/boards/course/budgets/2021-22").json()
    assert facts[0]["data"].items() <= shown.items()
    assert [int(fact["sequence"]) for fact in facts] == list(range(1, len(facts) + 1))


def test_a_booking_that_moves_into_another_period_takes_nothing_along(db: Database) -> None:
    first, second, booking = Pot(db, 5000), Pot(db, 5000), str(uuid7())
    assert first.reserve(10, booking) == 1000
    first.call(commands.settle, booking)
    assert second.reserve(10, booking) == 1000
    assert (first.amounts, second.amounts) == ((0, 0, 5000), (1000, 0, 4000))
    second.call(commands.release, booking)
    assert (first.amounts, second.amounts) == ((0, 0, 5000), (0, 0, 5000))


def test_a_booking_that_moves_where_there_is_no_budget_gives_back_what_it_held(db: Database) -> None:
    pot, booking = Pot(db, 5000), str(uuid7())
    pot.reserve(10, booking)
    pot.on = date(pot.year + 300, 10, 1)
    assert pot.reserve(10, booking) == 0
    assert pot.amounts == (0, 0, 5000)
