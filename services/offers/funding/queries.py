"""Reads of funding: rules, budgets, grants, the ledger, and how a budget stands today."""

from datetime import date

from sqlmodel import Session, col, func, or_, select

from libs.contracts import offers as events
from libs.servicekit.errors import NotFound
from services.offers.boards import queries as boards
from services.offers.funding.domain import HELD, Funding, GrantState, forecast, period_of, situation
from services.offers.funding.models import Budget, Entry, Grant, budget_id

EARLIER_PERIODS = 3


def rules(session: Session, board: str) -> Funding:
    """What an open board pays; NotFound when there is no such board, or it funds nothing."""
    found = boards.one(session, board).declared.funding
    if found is None:
        raise NotFound("funding on this board")
    return found


def page(session: Session, board: str, limit: int, after: str) -> list[Budget]:
    """A board's budgets, oldest period first; one more than `limit` when there are more."""
    query = select(Budget).where(Budget.board == board, Budget.period > after)
    return list(session.exec(query.order_by(Budget.period).limit(limit + 1)))


def one(session: Session, board: str, period: str) -> Budget:
    """A board's budget of a period; NotFound when none was set."""
    budget = session.get(Budget, budget_id(board, period))
    if budget is None:
        raise NotFound("budget")
    return budget


def on_day(session: Session, board: str, funding: Funding, day: date) -> Budget | None:
    """The budget that pays for what takes place on a day."""
    period = period_of(funding.period, day)
    return session.get(Budget, budget_id(board, period.key)) if period else None


def locked(session: Session, budget: str) -> Budget:
    """A budget as it is now, held until the transaction ends."""
    # Not FOR UPDATE: a grant's foreign key already holds the row's key, and two such holders would wait for each other.
    query = select(Budget).where(Budget.id == budget).with_for_update(key_share=True)
    return session.exec(query.execution_options(populate_existing=True)).one()


def grant(session: Session, booking_id: str) -> Grant | None:
    """What a booking was promised; None when it never asked, or nothing was due."""
    return session.get(Grant, booking_id)


def locked_grant(session: Session, booking_id: str) -> Grant | None:
    """The same as it is now, held until the transaction ends."""
    query = select(Grant).where(Grant.booking_id == booking_id).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).first()


def held_by(session: Session, budget: str, group_key: str) -> int:
    """What a group holds of a budget."""
    held = select(func.coalesce(func.sum(Grant.cents), 0)).where(
        Grant.budget_id == budget, Grant.group_key == group_key, col(Grant.state).in_(HELD)
    )
    return int(session.exec(held).one())


def ledger(session: Session, budget: str, limit: int, after: int) -> list[Entry]:
    """A budget's ledger, oldest first; one more than `limit` when there are more."""
    query = select(Entry).where(Entry.budget_id == budget, col(Entry.id) > after)
    return list(session.exec(query.order_by(col(Entry.id)).limit(limit + 1)))


def to_be_told(session: Session, today: date) -> list[str]:
    """The ids of budgets that may have something new to say."""
    unsaid = or_(col(Budget.told_at).is_(None), col(Budget.told_at) < col(Budget.changed_at))
    query = select(Budget.id).where(or_(col(Budget.ends_on) >= today, unsaid))
    return list(session.exec(query.order_by(Budget.id)))


def standing(session: Session, budget: Budget, today: date) -> events.BudgetChanged:
    """Everything that is public about a budget, forecast included."""
    refused, refused_cents = _refused(session, budget)
    outlook = None if today > budget.ends_on else _outlook(session, budget, today)
    short = budget.left_cents == 0 or refused > 0
    before = events.BudgetSituation(budget.situation)
    return events.BudgetChanged(
        left_cents=budget.left_cents,
        refused=refused,
        refused_cents=refused_cents,
        forecast=outlook,
        situation=situation(before, short=short, outlook=outlook) if outlook else before,
        **budget.model_dump(
            include={
                "board",
                "period",
                "starts_on",
                "ends_on",
                "amount_cents",
                "reserved_cents",
                "granted_cents",
            }
        ),
    )


def _refused(session: Session, budget: Budget) -> tuple[int, int]:
    """How many requests went without, and would again, and what they lacked."""
    wanted = func.coalesce(func.sum(Grant.wanted_cents), 0)
    query = select(func.count(), wanted).where(
        Grant.budget_id == budget.id,
        Grant.state == GrantState.REFUSED,
        col(Grant.wanted_cents) > budget.left_cents,
    )
    count, cents = session.exec(query).one()
    return count, int(cents)


def _outlook(session: Session, budget: Budget, today: date) -> events.BudgetForecast:
    query = select(Budget).where(Budget.board == budget.board, col(Budget.ends_on) < budget.starts_on)
    before = session.exec(query.order_by(col(Budget.ends_on).desc()).limit(EARLIER_PERIODS)).all()
    earlier = [(each.year, _uses(session, each)) for each in before]
    uses = _uses(session, budget)
    return forecast(budget.left_cents, uses, budget.year, budget.opened_on, today, earlier)


def _uses(session: Session, budget: Budget) -> dict[date, int]:
    """The cents that are still promised, by the day on which they were."""
    query = select(col(Grant.made_on), func.sum(Grant.cents)).where(
        Grant.budget_id == budget.id, col(Grant.state).in_(HELD)
    )
    return {day: int(cents) for day, cents in session.exec(query.group_by(col(Grant.made_on)))}
