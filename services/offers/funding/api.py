"""HTTP edge of funding: what would be granted, what budgets there are and how long they last, and their ledger."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from libs.contracts.card import Paragraphs
from libs.contracts.offers import BudgetForecast, BudgetSituation
from libs.httpkit.auth import require
from libs.httpkit.pagination import Items, Paging, page_of
from libs.httpkit.params import Slug, today
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.transactions import Reading, Transaction
from libs.servicekit.principal import Principal
from libs.servicekit.values import Body
from services.offers.funding import commands, queries
from services.offers.funding.domain import Cents, Entered, Outcome, due, outcome, period_of
from services.offers.funding.models import Budget

MAX_PRICE_CENTS = 10**9
MAX_PERSONS = 10_000

router = APIRouter(prefix="/v1/boards/{slug}", tags=["funding"])
Editor = Annotated[Principal, require("editor")]
PeriodKey = Annotated[str, Path(pattern=r"^20[0-9]{2}(-[0-9]{2})?$", description="`2026` or `2026-27`")]
Persons = Annotated[int, Query(ge=0, le=MAX_PERSONS)]


class Amount(Body):
    """What a board may spend in a period, and why it was set so; the reason stands in the ledger."""

    amount_cents: Cents
    reason: Annotated[Paragraphs, Field(max_length=500)] | None = None


class BudgetView(BaseModel):
    """A budget (Fördertopf) in cents. Its ETag counts the settings of the amount: bookings do not outdate it."""

    board: str
    period: str
    starts_on: date
    ends_on: date
    amount_cents: int
    reserved_cents: int
    granted_cents: int
    left_cents: int
    refused: int
    refused_cents: int
    situation: BudgetSituation
    forecast: BudgetForecast | None
    version: int


class Quote(BaseModel):
    """What a booking would be granted now; `due_cents` is what the rules give as long as there is enough."""

    period: str | None = Field(description="The one that pays, whether or not there is a budget yet.")
    price_cents: int
    due_cents: int
    granted_cents: int
    outcome: Outcome


class EntryView(BaseModel):
    """A line of the ledger; the three amounts are those after it."""

    id: int
    at: datetime
    kind: Entered
    booking_id: str | None
    cents: int
    amount_cents: int
    reserved_cents: int
    granted_cents: int
    actor: str | None
    reason: str | None


def view(session: Reading, budget: Budget, day: date) -> BudgetView:
    """The budget as the API shows it."""
    return BudgetView(version=budget.version, **dict(queries.standing(session, budget, day)))


@router.get("/funding/quote")
def quote_funding(
    slug: Slug,
    session: Reading,
    request: Request,
    persons: Persons,
    price_cents: Annotated[int, Query(ge=0, le=MAX_PRICE_CENTS, description="Of the whole booking.")],
    accompanying: Persons = 0,
    on: Annotated[date | None, Query(description="When it takes place; today unless told.")] = None,
) -> Quote:
    """What a booking would be granted now. What one group may have in a period is not looked at."""
    rules = queries.rules(session, slug)
    day = on or today(request)
    period, budget = period_of(rules.period, day), queries.on_day(session, slug, rules, day)
    cents = due(rules, price_cents, persons, accompanying)
    found = outcome(cents, budget.left_cents if budget else None)
    return Quote(
        period=period.key if period else None,
        price_cents=price_cents,
        due_cents=cents,
        granted_cents=cents if found is Outcome.GRANTED else 0,
        outcome=found,
    )


@router.get("/budgets")
def list_budgets(slug: Slug, session: Reading, request: Request, paging: Paging) -> Items[BudgetView]:
    """A board's budgets with what is left and how long it lasts, oldest first."""
    queries.rules(session, slug)
    found = queries.page(session, slug, paging.limit, paging.after)
    rows, following = page_of(found, paging.limit, "period")
    return Items(items=[view(session, row, today(request)) for row in rows], next=following)


@router.get("/budgets/{period}")
def get_budget(
    slug: Slug, period: PeriodKey, session: Reading, request: Request, response: Response
) -> BudgetView:
    """One budget."""
    queries.rules(session, slug)
    budget = queries.one(session, slug, period)
    response.headers.update(etag(budget.version))
    return view(session, budget, today(request))


@router.put("/budgets/{period}")
def set_budget(
    slug: Slug,
    period: PeriodKey,
    body: Amount,
    caller: Editor,
    expected: IfMatch,
    session: Transaction,
    request: Request,
    response: Response,
) -> BudgetView:
    """Set what may be spent in a period, never below what is promised. `If-Match: "0"` sets it for the first time."""
    day = today(request)
    budget = commands.set_amount(session, caller, slug, period, expected, body.amount_cents, body.reason, day)
    response.headers.update(etag(budget.version))
    return view(session, budget, day)


@router.get("/budgets/{period}/ledger", dependencies=[require("editor")])
def get_ledger(slug: Slug, period: PeriodKey, session: Reading, paging: Paging) -> Items[EntryView]:
    """Every movement in a budget, oldest first."""
    budget = queries.one(session, slug, period)
    found = queries.ledger(session, budget.id, paging.limit, paging.after_number)
    rows, following = page_of(found, paging.limit)
    return Items(items=[EntryView.model_validate(row, from_attributes=True) for row in rows], next=following)
