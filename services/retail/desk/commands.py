"""What is done at the desk: one function = one transaction of the caller's. Its tasks make no facts: they are work, not news."""

import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from libs.servicekit.db import insert_into, now
from libs.servicekit.errors import Conflict, FieldError, Invalid, check_version
from libs.servicekit.principal import Principal
from services.retail.desk import queries
from services.retail.desk.domain import URGENCY, Questionnaire, Reason, TaskKind, TaskStatus
from services.retail.desk.models import Assessment, Task, Visit
from services.retail.shops import queries as shops

SHOPS_AT_ONCE = 200


def look_after(session: Session, after: str, today: date, zone: ZoneInfo) -> str | None:
    """See what is to be done for some shops: a task for each new reason, and none any more whose reason is gone; returns
    the last shop looked at, None behind the last one."""
    some = queries.shops_after(session, after, SHOPS_AT_ONCE)
    ids = [shop.id for shop in some]
    found = {
        (each.shop_id, each.kind.value, each.about): each
        for each in queries.reasons(session, some, today, zone)
    }
    for task in queries.open_of_shops(session, ids):
        if (task.shop_id, task.kind, task.about) not in found:
            _end(task, TaskStatus.SETTLED)
    new = [_row(found[key]) for key in sorted(found.keys() - queries.known(session, ids))]
    if new:
        session.execute(insert_into(session, Task).values(new).on_conflict_do_nothing())
    return some[-1].id if len(some) == SHOPS_AT_ONCE else None


def _row(reason: Reason) -> dict[str, Any]:
    task = Task(
        shop_id=reason.shop_id,
        kind=reason.kind.value,
        about=reason.about,
        cause=reason.cause,
        urgency=URGENCY[reason.kind],
        due_on=reason.due_on,
    )
    return task.model_dump()


def agree(session: Session, actor: Principal, shop_id: str, text: str, due_on: date) -> Task:
    """Note a step that was agreed with a shop."""
    shop = shops.locked(session, shop_id)
    kind = TaskKind.STEP
    task = Task(shop_id=shop.id, kind=kind, about="", text=text, urgency=URGENCY[kind], due_on=due_on)
    task.about, task.assigned_to = task.id, actor.subject
    session.add(task)
    return task


def finish(session: Session, task_id: str, expected: int) -> Task:
    """A task is done."""
    task = _open(session, task_id, expected)
    _end(task, TaskStatus.DONE)
    return task


def snooze(session: Session, task_id: str, expected: int, until: date, today: date) -> Task:
    """Let a task sleep until a day."""
    task = _open(session, task_id, expected)
    if until <= today:
        raise Invalid(FieldError(field="until", reason="must lie after today", code="after-today"))
    task.snoozed_until, task.version = until, task.version + 1
    return task


def hand_over(session: Session, task_id: str, expected: int, to: str | None) -> Task:
    """Give a task to another caretaker, by what the identity provider calls them; to all of them without one."""
    task = _open(session, task_id, expected)
    task.assigned_to, task.version = to, task.version + 1
    return task


def _open(session: Session, task_id: str, expected: int) -> Task:
    task = queries.task(session, task_id)
    check_version(expected, task.version)
    if task.status != TaskStatus.OPEN:
        raise Conflict(f"The task is {task.status} already.", code="task-ended", status=task.status)
    return task


def _end(task: Task, status: TaskStatus) -> None:
    task.status, task.ended_at, task.version = status, now(), task.version + 1


def plan_visit(
    session: Session, actor: Principal, shop_id: str, starts_at: datetime, minutes: int, note: str | None
) -> Visit:
    """Plan a visit at a shop, or note one that was."""
    shop = shops.locked(session, shop_id)
    visit = Visit(shop_id=shop.id, starts_at=starts_at, minutes=minutes, note=note, by=actor.subject)
    session.add(visit)
    return visit


def cancel_visit(session: Session, visit_id: str) -> None:
    """There is no such visit any more."""
    session.delete(queries.visit(session, visit_id))


def assess(
    session: Session,
    actor: Principal,
    shop_id: str,
    answers: dict[str, int],
    asked: Questionnaire,
    today: date,
) -> Assessment:
    """Note how far a shop has come by its answers."""
    shop = shops.locked(session, shop_id)
    if wrong := list(_unanswered(answers, asked)):
        raise Invalid(*wrong)
    score = asked.score(answers)
    found = Assessment(
        shop_id=shop.id,
        answers=answers,
        score=score,
        level=asked.level(score).name,
        on=today,
        by=actor.subject,
    )
    session.add(found)
    return found


def _unanswered(answers: dict[str, int], asked: Questionnaire) -> Iterator[FieldError]:
    for name, question in asked.questions.items():
        if name not in answers:
            yield FieldError(field=f"answers.{name}", reason="needs an answer", code="missing")
        elif not 0 <= answers[name] < len(question.answers):
            yield FieldError(
                field=f"answers.{name}", reason=f"is one of {len(question.answers)}, counted from 0"
            )
    for name in answers.keys() - asked.questions.keys():
        yield FieldError(field=f"answers.{name}", reason="is not asked", code="extra-forbidden")


@lru_cache
def questionnaire(city: Path) -> Questionnaire:
    """The questionnaire of a town's folder; raises ValueError naming the file when it is wrong."""
    file = city / "maturity.toml"
    try:
        return Questionnaire.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
