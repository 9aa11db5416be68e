"""HTTP edge of the caretaker's desk. Nobody else sees it."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from libs.contracts.card import Paragraphs, Text
from libs.contracts.event import UUID7
from libs.httpkit.auth import require
from libs.httpkit.idempotency import Idempotency
from libs.httpkit.params import Id, today, town_zone
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.transactions import Reading, Transaction
from libs.servicekit.principal import Principal
from libs.servicekit.values import Body, CleanStr, Day, Instant
from libs.town.calendar import begins
from services.retail.desk import commands, queries
from services.retail.desk.calendar import visits_file
from services.retail.desk.domain import Questionnaire, TaskKind, TaskStatus
from services.retail.desk.models import Assessment, Task, Visit
from services.retail.shops import queries as shops
from services.retail.shops.models import Shop

router = APIRouter(prefix="/v1/desk", tags=["desk"])
Caretaker = Annotated[Principal, require("editor")]
ShopId = Annotated[str, Field(pattern=UUID7)]
Note = Annotated[Paragraphs, Field(min_length=1, max_length=2000)]


class TaskView(Body):
    """Something to be done for a shop; `cause` is the fact of another project behind it."""

    id: str
    shop_id: str
    shop: Text
    kind: TaskKind
    about: str
    text: str | None
    cause: dict[str, Any] | None
    status: TaskStatus
    urgency: int
    due_on: date
    snoozed_until: date | None
    assigned_to: str | None
    version: int


class VisitView(Body):
    """A visit at a shop."""

    id: str
    shop_id: str
    starts_at: datetime
    minutes: int
    note: str | None


class DayView(Body):
    """A caretaker's day: visits in their order, tasks from the most urgent on."""

    day: date
    visits: list[VisitView]
    tasks: list[TaskView]


class AssessmentView(Body):
    """How far a shop had come on a day: points of a hundred, and the level that this is."""

    id: str
    on: date
    score: int
    level: str
    answers: dict[str, int]


class CaseView(Body):
    """Everything about one shop: how far it has come over time, what is to be done, visits."""

    shop_id: str
    shop: Text
    assessments: list[AssessmentView]
    tasks: list[TaskView]
    visits: list[VisitView]


class NewStep(Body):
    """What was agreed with a shop, and until when."""

    shop_id: ShopId
    text: Note
    due_on: Day


class NewVisit(Body):
    """When the caretaker visits a shop."""

    shop_id: ShopId
    starts_at: Instant
    minutes: Annotated[int, Field(ge=5, le=600)] = 45
    note: Note | None = None


class Sleep(Body):
    """Until when a task sleeps."""

    until: Day


class HandOver(Body):
    """To whom a task goes, by what the identity provider calls them; null is to all caretakers."""

    to: Annotated[CleanStr, Field(min_length=1, max_length=200)] | None = None


class Answers(Body):
    """For each question the place of the answer, counted from 0."""

    answers: Annotated[dict[str, int], Field(max_length=50)]


def _task(task: Task, shop: Shop) -> TaskView:
    plain = task.model_dump(include=set(TaskView.model_fields) - {"kind", "status", "shop"})
    return TaskView(kind=TaskKind(task.kind), status=TaskStatus(task.status), shop=shop.said.title, **plain)


def _visit(visit: Visit) -> VisitView:
    return VisitView(**visit.model_dump(exclude={"by"}))


def _assessment(found: Assessment) -> AssessmentView:
    return AssessmentView(**found.model_dump(exclude={"by", "shop_id"}))


@router.get("/today")
def get_today(
    caller: Caretaker,
    session: Reading,
    request: Request,
    mine: Annotated[bool, Query(description="Without what others took on.")] = False,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DayView:
    """What is to be done today, the most urgent first, and whom the caretaker visits."""
    day, zone = today(request), town_zone(request)
    whose = caller.subject if mine else None
    visits = queries.visits_between(session, begins(day, zone), begins(day + timedelta(days=1), zone))
    tasks = [_task(task, shop) for task, shop in queries.to_do(session, day, whose, limit)]
    return DayView(day=day, visits=[_visit(visit) for visit, _ in visits], tasks=tasks)


@router.get("/shops/{shop_id}")
def get_case(shop_id: Id, caller: Caretaker, session: Reading) -> CaseView:
    """One shop as the caretaker knows it."""
    shop = shops.one(session, caller, shop_id)
    return CaseView(
        shop_id=shop.id,
        shop=shop.said.title,
        assessments=[_assessment(each) for each in queries.assessments_of(session, shop.id)],
        tasks=[_task(each, shop) for each in queries.tasks_of(session, shop.id)],
        visits=[_visit(each) for each in queries.visits_of(session, shop.id)],
    )


@router.post("/tasks", status_code=201, response_model=TaskView)
def agree_step(body: NewStep, caller: Caretaker, session: Transaction, idempotency: Idempotency) -> Response:
    """Note a step that was agreed with a shop."""
    task = commands.agree(session, caller, body.shop_id, body.text, body.due_on)
    shop = shops.one(session, caller, body.shop_id)
    return idempotency.answer(_task(task, shop), 201, etag(task.version))


@router.post("/tasks/{task_id}/done")
def finish_task(
    task_id: Id, caller: Caretaker, expected: IfMatch, session: Transaction, response: Response
) -> TaskView:
    """A task is done."""
    return _answer(session, caller, commands.finish(session, task_id, expected), response)


@router.post("/tasks/{task_id}/snooze")
def snooze_task(
    task_id: Id,
    body: Sleep,
    caller: Caretaker,
    expected: IfMatch,
    session: Transaction,
    request: Request,
    response: Response,
) -> TaskView:
    """Let a task sleep until a day."""
    task = commands.snooze(session, task_id, expected, body.until, today(request))
    return _answer(session, caller, task, response)


@router.post("/tasks/{task_id}/hand-over")
def hand_over_task(
    task_id: Id,
    body: HandOver,
    caller: Caretaker,
    expected: IfMatch,
    session: Transaction,
    response: Response,
) -> TaskView:
    """Give a task to another caretaker, or back to all."""
    return _answer(session, caller, commands.hand_over(session, task_id, expected, body.to), response)


@router.post("/visits", status_code=201, response_model=VisitView)
def plan_visit(body: NewVisit, caller: Caretaker, session: Transaction, idempotency: Idempotency) -> Response:
    """Plan a visit, or note one that was."""
    said = body.starts_at, body.minutes, body.note
    visit = commands.plan_visit(session, caller, body.shop_id, *said)
    return idempotency.answer(_visit(visit), 201, {})


@router.delete("/visits/{visit_id}", status_code=204)
def cancel_visit(visit_id: Id, _caller: Caretaker, session: Transaction) -> None:
    """Take a visit back."""
    commands.cancel_visit(session, visit_id)


@router.get(
    "/visits.ics",
    response_class=Response,
    responses={200: {"content": {"text/calendar": {}}, "description": "The file."}},
)
def get_calendar(_caller: Caretaker, session: Reading, request: Request) -> Response:
    """The visits from a month ago to a year ahead, for the caretaker's calendar."""
    day, zone = today(request), town_zone(request)
    since, until = begins(day - timedelta(days=31), zone), begins(day + timedelta(days=366), zone)
    content = visits_file(queries.visits_between(session, since, until))
    return Response(content, media_type="text/calendar", headers={"Cache-Control": "no-store"})


@router.get("/questionnaire")
def get_questionnaire(_caller: Caretaker, request: Request) -> Questionnaire:
    """What a shop is asked, and the levels it may reach."""
    return commands.questionnaire(request.app.state.kit.settings.city)


@router.post("/shops/{shop_id}/assessments", status_code=201, response_model=AssessmentView)
def assess_shop(
    shop_id: Id,
    body: Answers,
    caller: Caretaker,
    session: Transaction,
    idempotency: Idempotency,
    request: Request,
) -> Response:
    """Note how far a shop has come, by its own answers."""
    asked = commands.questionnaire(request.app.state.kit.settings.city)
    found = commands.assess(session, caller, shop_id, body.answers, asked, today(request))
    return idempotency.answer(_assessment(found), 201, {})


def _answer(session: Transaction, caller: Principal, task: Task, response: Response) -> TaskView:
    response.headers.update(etag(task.version))
    return _task(task, shops.one(session, caller, task.shop_id))
