"""Rules of allocation: what a board may declare, what a period and a wish list may say, what a child may wish for."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from libs.contracts.card import PRINTABLE, Name, Text
from libs.contracts.event import THING_ID, UUID7
from libs.servicekit.values import Body, Day, Instant

MAX_SLOTS = 60
MAX_WISHES = 50
FIRST_YEAR, LAST_YEAR = 2000, 2200
Near = TypeVar("Near", date, datetime)


def _said(value: Text) -> Text:
    if not any(text.strip() for text in value.values()):
        raise ValueError("needs a text in at least one language")
    return value


Said = Annotated[Text, AfterValidator(_said)]


def _near(value: Near) -> Near:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"lies before {FIRST_YEAR} or after {LAST_YEAR}")
    return value


SlotDay = Annotated[Day, AfterValidator(_near)]
Deadline = Annotated[Instant, AfterValidator(_near)]
Uuid = Annotated[str, StringConstraints(pattern=UUID7)]


class PeriodStatus(StrEnum):
    """Where a period stands in its life."""

    ANNOUNCED = "announced"
    OPEN = "open"
    CLOSED = "closed"
    ALLOCATING = "allocating"
    ALLOCATED = "allocated"


class Criterion(Body):
    """Whom the board prefers (Vorrang): a fact that a family declares and an editor confirms. With `per_activity` it
    is declared for single activities, such as a sibling who is there already."""

    name: Name
    label: Text
    per_activity: bool = False


class Rules(Body):
    """The section `[allocation]` of a board. Criteria come in their order: the first one decides, ties go to the next."""

    places_per_child: int = Field(1, ge=1, le=MAX_SLOTS, description="In how many slots a child may wish.")
    wishes_per_slot: int = Field(10, ge=1, le=MAX_WISHES)
    group_max: int = Field(4, ge=1, le=20, description="How many children may draw their lot together.")
    retention_days: int = Field(
        180, ge=1, le=3650, description="After the last slot; then children are erased."
    )
    criteria: list[Criterion] = Field(default=[], max_length=12)

    @model_validator(mode="after")
    def _named_once(self) -> "Rules":
        _once("criteria", [criterion.name for criterion in self.criteria])
        return self


class PeriodSlot(Body):
    """A stretch of days, say a holiday week, of which a child spends one activity's at most."""

    name: Name
    title: Said
    start: SlotDay
    end: SlotDay

    @model_validator(mode="after")
    def _in_order(self) -> "PeriodSlot":
        if self.end < self.start:
            raise ValueError("end lies before start")
        return self


class NewActivity(Body):
    """What there is to wish for: an offer, or one session of it, with the places that are given out here."""

    slot: Name
    offer_id: Uuid
    session_id: Uuid | None = None
    places: int = Field(ge=1, le=10_000)


class NewPeriod(Body):
    """A period (Vergabezeitraum) to be. Slots lie apart, so that no two places of a child ever overlap."""

    title: Said
    wishes_from: Deadline
    wishes_until: Deadline
    places_per_child: Annotated[int, Field(ge=1, le=MAX_SLOTS)] | None = None
    slots: list[PeriodSlot] = Field(min_length=1, max_length=MAX_SLOTS)
    activities: list[NewActivity] = Field(min_length=1, max_length=1000)

    @model_validator(mode="after")
    def _fits_together(self) -> "NewPeriod":
        if self.wishes_until <= self.wishes_from:
            raise ValueError("wishes_until does not lie after wishes_from")
        _once("slots", [slot.name for slot in self.slots])
        _once("activities", [f"{a.slot} {a.offer_id} {a.session_id or ''}".strip() for a in self.activities])
        ordered = sorted(self.slots, key=lambda slot: slot.start)
        for earlier, later in pairwise(ordered):
            if later.start <= earlier.end:
                raise ValueError(f"the slots {earlier.name} and {later.name} overlap")
        if unknown := {a.slot for a in self.activities} - {slot.name for slot in self.slots}:
            raise ValueError(f"activities lie in slots that are not there: {', '.join(sorted(unknown))}")
        return self


class Claim(Body):
    """That a criterion holds for a child, for one activity if it is such a criterion."""

    criterion: Name
    activity: Uuid | None = None

    @property
    def key(self) -> str:
        """The claim as one word."""
        return f"{self.criterion}@{self.activity}" if self.activity else self.criterion


class ChildWishes(Body):
    """A child, by a name only its family needs to understand, and its wishes by slot, the dearest first."""

    label: Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=PRINTABLE)]
    born: str = Field(
        pattern=r"^(19|20)\d\d-(0[1-9]|1[0-2])$", description="Month of birth, such as 2017-05."
    )
    claims: list[Claim] = Field(default=[], max_length=50)
    wishes: dict[Name, Annotated[list[Uuid], Field(min_length=1, max_length=MAX_WISHES)]] = Field(
        min_length=1, max_length=MAX_SLOTS
    )


class NewWishlist(Body):
    """A family's wishes. Its children draw their lot together, and with all who name the same group."""

    recipient_id: str = Field(pattern=THING_ID, description="As notify gave it out for an address.")
    group: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9-]{8,40}$", description="A word that friends share."
    )
    children: list[ChildWishes] = Field(min_length=1, max_length=12)

    @model_validator(mode="after")
    def _called_differently(self) -> "NewWishlist":
        _once("labels", [child.label for child in self.children])
        return self


@dataclass(frozen=True)
class Choice:
    """An activity as the rules for wishes see it: its slot, and for which age it is, in months."""

    slot: str
    starts: date
    from_months: int | None = None
    to_months: int | None = None


def check_child(child: ChildWishes, rules: Rules, choices: Mapping[str, Choice]) -> Iterator[tuple[str, str]]:
    """Yield (field, reason) for all that a child may not wish or claim in this period."""
    if len(child.wishes) > rules.places_per_child:
        yield "wishes", f"in at most {rules.places_per_child} slots"
    for slot, wished in child.wishes.items():
        if len(wished) > rules.wishes_per_slot:
            yield f"wishes.{slot}", f"at most {rules.wishes_per_slot} wishes"
        if len(set(wished)) < len(wished):
            yield f"wishes.{slot}", "each activity once"
        for number, activity in enumerate(wished):
            choice = choices.get(activity)
            if choice is None or choice.slot != slot:
                yield f"wishes.{slot}.{number}", "there is no such activity in this slot"
            elif not _of_age(child.born, choice):
                yield f"wishes.{slot}.{number}", "is for children of another age"
    yield from _check_claims(child, rules, choices)


def _check_claims(
    child: ChildWishes, rules: Rules, choices: Mapping[str, Choice]
) -> Iterator[tuple[str, str]]:
    criteria = {criterion.name: criterion for criterion in rules.criteria}
    for number, claim in enumerate(child.claims):
        criterion = criteria.get(claim.criterion)
        if criterion is None:
            yield f"claims.{number}.criterion", "is none of this period"
        elif criterion.per_activity != (claim.activity is not None):
            yield (
                f"claims.{number}.activity",
                "needed" if criterion.per_activity else "not with this criterion",
            )
        elif claim.activity is not None and claim.activity not in choices:
            yield f"claims.{number}.activity", "there is no such activity in this period"


def _of_age(born: str, choice: Choice) -> bool:
    # Only the month of birth is known: whoever fits on some day of it is let through.
    year, month = map(int, born.split("-"))
    months = (choice.starts.year - year) * 12 + choice.starts.month - month
    youngest, eldest = choice.from_months, choice.to_months
    return months >= (youngest or 0) and (eldest is None or months - 1 <= eldest)


def _once(what: str, names: list[str]) -> None:
    if doubled := [name for name, count in Counter(names).items() if count > 1]:
        raise ValueError(f"{what} named twice: {', '.join(doubled)[:200]}")
