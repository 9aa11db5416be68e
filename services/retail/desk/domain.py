"""Rules of the desk: which tasks facts make, how urgent each is, how far a shop has come. Values in, values out."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from pydantic import Field, model_validator

from libs.contracts.card import Name, Text
from libs.servicekit.values import Body

SILENT_FOR, UNCONFIRMED_FOR = timedelta(days=60), timedelta(days=365)
MAX_POINTS = 4


class TaskKind(StrEnum):
    """What is to be done, and why it is there: the first ones come from facts, a step was agreed with the shop."""

    RELEASE_SHOP = "release-shop"
    REVIEW_STORY = "review-story"
    DECIDE_PROPOSAL = "decide-proposal"
    SITE_NEARBY = "site-nearby"
    CONFIRM_HOURS = "confirm-hours"
    TELL_A_STORY = "tell-a-story"
    STEP = "step"


class TaskStatus(StrEnum):
    """How far a task is; one whose reason is gone is settled by itself."""

    OPEN = "open"
    DONE = "done"
    SETTLED = "settled"


# People wait for the first ones; the last ones can wait a day. The smaller, the sooner.
URGENCY = {
    TaskKind.RELEASE_SHOP: 1,
    TaskKind.REVIEW_STORY: 1,
    TaskKind.DECIDE_PROPOSAL: 1,
    TaskKind.SITE_NEARBY: 2,
    TaskKind.STEP: 2,
    TaskKind.CONFIRM_HOURS: 4,
    TaskKind.TELL_A_STORY: 5,
}
# Within so many days each is to be done, counted from the day on which its reason arose.
WITHIN = {
    TaskKind.RELEASE_SHOP: 3,
    TaskKind.REVIEW_STORY: 3,
    TaskKind.DECIDE_PROPOSAL: 3,
    TaskKind.SITE_NEARBY: 7,
    TaskKind.CONFIRM_HOURS: 30,
    TaskKind.TELL_A_STORY: 30,
}


@dataclass(frozen=True)
class Reason:
    """Why a task is there: the same reason (shop, kind, `about`) makes one task, however often it is seen. `cause` is the
    fact of another project behind it, if there is one."""

    shop_id: str
    kind: TaskKind
    about: str
    since: date
    cause: dict[str, Any] | None = None

    @property
    def due_on(self) -> date:
        """The day until which it is to be done."""
        return self.since + timedelta(days=WITHIN[self.kind])


class Answer(Body):
    """One answer and what it counts."""

    points: int = Field(ge=0, le=MAX_POINTS)
    label: Text


class Question(Body):
    """What the caretaker asks."""

    text: Text
    answers: list[Answer] = Field(min_length=2, max_length=10)


class Level(Body):
    """How far a shop has come, from so many of a hundred points on."""

    name: Name
    from_: int = Field(ge=0, le=100, alias="from")
    label: Text


class Questionnaire(Body):
    """`maturity.toml` of the town's folder."""

    levels: list[Level] = Field(min_length=1)
    questions: dict[Name, Question] = Field(min_length=1, max_length=50)

    @model_validator(mode="after")
    def _begins_at_zero(self) -> "Questionnaire":
        if min(each.from_ for each in self.levels) != 0:
            raise ValueError("the lowest level begins at 0")
        return self

    def score(self, answers: dict[str, int]) -> int:
        """What a shop reaches of a hundred points; `answers` are the places of the answers chosen, by question."""
        points = sum(self.questions[name].answers[place].points for name, place in answers.items())
        return round(100 * points / (MAX_POINTS * len(self.questions)))

    def level(self, score: int) -> Level:
        """How far that is."""
        return max((each for each in self.levels if each.from_ <= score), key=lambda each: each.from_)
