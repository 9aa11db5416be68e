"""Rules of freshness: how an offer ages on a board, from its last check. Values in, values out."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pydantic import Field, model_validator

from libs.servicekit.values import Body

NEVER, ALWAYS = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
GRACE = timedelta(days=90)


class Stage(StrEnum):
    """How far an offer has aged."""

    FRESH = "fresh"
    REMINDED = "reminded"
    OVERDUE = "overdue"
    HIDDEN = "hidden"


# What the public is told of an offer's age.
STALE = (Stage.OVERDUE, Stage.HIDDEN)
ORDER = list(Stage)


class Freshness(Body):
    """`[freshness]` of a board: days since the last check after which an offer is overdue, and hidden;
    `remind_days` before it is overdue its organisation is asked to check it."""

    overdue_days: int = Field(ge=1, le=3650)
    hidden_days: int = Field(ge=2, le=7300)
    remind_days: int = Field(default=14, ge=0, le=365)

    @model_validator(mode="after")
    def _in_order(self) -> "Freshness":
        if not self.remind_days < self.overdue_days < self.hidden_days:
            raise ValueError("remind_days lie before overdue_days, and these before hidden_days")
        return self


def span(rule: Freshness | None, stage: Stage, at: datetime) -> tuple[datetime, datetime]:
    """Between which instants, the later one included, an offer was last checked that is in a stage now.

    Without a rule nothing ages: every offer is fresh.
    """
    if rule is None:
        return (NEVER, ALWAYS) if stage is Stage.FRESH else (ALWAYS, ALWAYS)
    days = (rule.overdue_days - rule.remind_days, rule.overdue_days, rule.hidden_days)
    ends = [ALWAYS, *(at - timedelta(days=number) for number in days), NEVER]
    place = ORDER.index(stage)
    return ends[place + 1], ends[place]


def stage_of(rule: Freshness | None, since: datetime, at: datetime) -> Stage:
    """The stage of an offer that was last checked at `since`."""
    for stage in Stage:
        after, until = span(rule, stage, at)
        if after < since <= until:
            return stage
    return Stage.FRESH


def is_older(stage: Stage, other: Stage) -> bool:
    """Whether one stage comes after another."""
    return ORDER.index(stage) > ORDER.index(other)


def answerable_until(rule: Freshness | None, at: datetime) -> datetime:
    """How long the link in a reminder is good for: until the offer is hidden, and some time after."""
    return at + GRACE + (timedelta(days=rule.hidden_days) if rule else timedelta())
