"""What is done with budgets: one function = one transaction of the caller's, with the facts and ledger lines it causes.

Bookings call `reserve`, `settle` and `release` as often as they like, with the grant that they hold, None while there is
none. Grant before budget is the order in which rows are locked.
"""

import hashlib
from datetime import date

from sqlalchemy import literal, update
from sqlmodel import Session, SQLModel, col

from libs.contracts import offers as events
from libs.servicekit import outbox
from libs.servicekit.db import insert_into, now
from libs.servicekit.errors import Conflict, FieldError, Invalid, check_version
from libs.servicekit.principal import Principal
from services.offers.boards import queries as boards
from services.offers.funding import queries
from services.offers.funding.domain import Entered, Funding, GrantState, Move, Period, due, period_named
from services.offers.funding.models import Budget, Grant, budget_id, entry


def reserve(
    session: Session,
    grant: Grant | None,
    board: str,
    booking_id: str,
    persons: int,
    price_cents: int,
    on: date,
    *,
    accompanying: int = 0,
    group: str | None = None,
) -> Grant | None:
    """Promise a booking what the rules give it, all or nothing; returns its grant, None when nothing is due or to be had.

    `price_cents` is the price of the whole booking, `on` the day it takes place, `group` who is capped by
    `per_group_cents`. Called again, it tries again what was refused and follows other figures as far as the budget
    allows; a released booking is over.
    """
    rules = boards.declaration(session, board).funding
    budget = rules and queries.on_day(session, board, rules, on)
    wanted = due(rules, price_cents, persons, accompanying) if rules else 0
    _leave(session, grant, budget.id if budget else None)
    if not rules or not budget or (wanted == 0 and grant is None):
        return grant
    grant, new = (grant, False) if grant else _claimed(session, booking_id, budget.id)
    if grant.state != GrantState.RELEASED:
        left = _group_left(session, rules, grant, group)
        _promise(session, grant, due(rules, price_cents, persons, accompanying, left), new=new)
    return grant


def _leave(session: Session, grant: Grant | None, budget: str | None) -> None:
    """A booking that moved into another period, or into none, gives back what it held in the one before."""
    if grant is None or grant.state == GrantState.RELEASED or grant.budget_id == budget:
        return
    _give_back(session, grant)
    grant.cents = 0
    grant.budget_id = budget or grant.budget_id
    _become(session, grant, GrantState.REFUSED)


def _group_left(session: Session, rules: Funding, grant: Grant, group: str | None) -> int | None:
    if rules.per_group_cents is None or group is None:
        return None
    grant.group_key = hashlib.sha256(f"{grant.budget_id}\n{group}".encode()).hexdigest()
    queries.locked(session, grant.budget_id)  # two bookings of one group add up one after the other
    others = queries.held_by(session, grant.budget_id, grant.group_key) - grant.cents
    return rules.per_group_cents - others


def _claimed(session: Session, booking_id: str, budget: str) -> tuple[Grant, bool]:
    """The booking's grant, held, and whether it is new; a second claim waits here until the first has committed."""
    claim = _insert_once(session, Grant(booking_id=booking_id, budget_id=budget, made_on=now().date()))
    grant = queries.locked_grant(session, booking_id)
    assert grant is not None  # noqa: S101 - claimed above
    return grant, claim


def _insert_once(session: Session, row: SQLModel) -> bool:
    """Insert a row unless its key is there; whether it was inserted."""
    statement = insert_into(session, type(row)).values(row.model_dump()).on_conflict_do_nothing()
    return session.connection().execute(statement.returning(literal(1))).first() is not None


def _promise(session: Session, grant: Grant, cents: int, *, new: bool) -> None:
    more, first = cents - grant.cents, grant.state == GrantState.REFUSED
    grant.wanted_cents, grant.changed_at = cents, now()
    kind = Entered.RESERVED if first else Entered.ADJUSTED
    reserved = 0 if grant.state == GrantState.GRANTED else more
    move = Move(kind, more, grant.booking_id, reserved=reserved, granted=more - reserved)
    if more and _move(session, grant.budget_id, move):
        grant.cents = cents
        if first:
            grant.state, grant.made_on = GrantState.RESERVED, now().date()
    elif new:
        _move(session, grant.budget_id, Move(Entered.REFUSED, cents, grant.booking_id))
    session.flush()


def settle(session: Session, grant: Grant | None) -> None:
    """A reserved grant is for good: the booking was approved, or took place."""
    if grant and grant.state == GrantState.RESERVED:
        cents = grant.cents
        move = Move(Entered.GRANTED, cents, grant.booking_id, reserved=-cents, granted=cents)
        _move(session, grant.budget_id, move)
        _become(session, grant, GrantState.GRANTED)


def release(session: Session, grant: Grant | None) -> None:
    """The booking was declined, cancelled or expired: what it held goes back."""
    if grant is None or grant.state == GrantState.RELEASED:
        return
    _give_back(session, grant)
    _become(session, grant, GrantState.RELEASED)


def _give_back(session: Session, grant: Grant) -> None:
    if not grant.held:
        return
    reserved = -grant.cents if grant.state == GrantState.RESERVED else 0
    granted = -grant.cents - reserved
    move = Move(Entered.RELEASED, grant.cents, grant.booking_id, reserved=reserved, granted=granted)
    _move(session, grant.budget_id, move)


def _become(session: Session, grant: Grant, state: GrantState) -> None:
    grant.state, grant.changed_at = state, now()
    session.flush()


def _move(session: Session, budget: str, move: Move) -> bool:
    """The one place where money moves: a conditional UPDATE and a line of the ledger; False if it would overdraw."""
    after = {
        "amount_cents": col(Budget.amount_cents) + move.amount,
        "reserved_cents": col(Budget.reserved_cents) + move.reserved,
        "granted_cents": col(Budget.granted_cents) + move.granted,
    }
    covered = after["reserved_cents"] + after["granted_cents"] <= after["amount_cents"]
    step = update(Budget).where(col(Budget.id) == budget, covered).values(**after, changed_at=now())
    columns = col(Budget.amount_cents), col(Budget.reserved_cents), col(Budget.granted_cents)
    options = {"synchronize_session": False}
    balance = session.execute(step.returning(*columns), execution_options=options).first()
    if balance is None:
        return False
    session.add(entry(budget, move, *balance))
    return True


def set_amount(
    session: Session,
    actor: Principal,
    board: str,
    key: str,
    expected: int,
    amount_cents: int,
    reason: str | None,
    today: date,
) -> Budget:
    """Set what a board may spend in a period; never less than what is promised. One never set is at version 0."""
    period = period_named(queries.rules(session, board).period, key)
    if period is None:
        raise Invalid(FieldError(field="period", reason="is no period of this board"))
    budget = _opened(session, board, period, today)
    check_version(expected, budget.version)
    if budget.version and amount_cents == budget.amount_cents:
        return budget
    more = amount_cents - budget.amount_cents
    move = Move(Entered.SET, more, amount=more, actor=actor.subject, reason=reason)
    if not _move(session, budget.id, move):
        raise Conflict("More than that is promised already.", code="budget-promised")
    session.refresh(budget)
    budget.version += 1
    tell(session, budget, today)
    return budget


def _opened(session: Session, board: str, period: Period, today: date) -> Budget:
    new = Budget(
        id=budget_id(board, period.key),
        board=board,
        period=period.key,
        starts_on=period.start,
        ends_on=period.end,
        opened_on=today,
    )
    _insert_once(session, new)
    return queries.locked(session, new.id)


def tell_anew(session: Session, budget: str, today: date) -> None:
    """Tell how a budget stands today, if that is news."""
    tell(session, queries.locked(session, budget), today)


def tell(session: Session, budget: Budget, today: date) -> None:
    """Say a held budget's present state unless the last fact said the same; warn once when its situation changed."""
    fact = queries.standing(session, budget, today)
    said = fact.model_dump(mode="json")
    worse = fact.situation not in (budget.situation, events.BudgetSituation.AMPLE)
    if said != budget.told:
        _say(session, budget, fact)
    if worse:
        _say(session, budget, events.BudgetWarned(**dict(fact)))
    budget.told, budget.told_at, budget.situation = said, now(), fact.situation
    session.add(budget)


def _say(session: Session, budget: Budget, fact: events.BudgetFact) -> None:
    budget.sequence += 1
    outbox.add(session, fact, thing_id=budget.id, version=budget.sequence)
