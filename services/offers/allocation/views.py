"""What the edge of allocation shows: periods to everybody, wish lists and answers to their family and to editors."""

from datetime import datetime

from pydantic import BaseModel

from libs.contracts.card import Text
from services.offers.allocation.domain import Claim, Criterion, PeriodSlot, PeriodStatus
from services.offers.allocation.models import Activity, Period, WishingChild, Wishlist
from services.offers.allocation.outcome import Answer, Verdict, sentence


class Figures(BaseModel):
    """How many children took part, got a place in at least one slot, got none; null until it is known."""

    children: int | None = None
    placed: int | None = None
    left_out: int | None = None


class PeriodView(BaseModel):
    """A period (Vergabezeitraum). SHA-256 of `seed`, which is told when places are given out, is `commitment`."""

    id: str
    board: str
    version: int
    status: PeriodStatus
    title: Text
    wishes_from: datetime
    wishes_until: datetime
    places_per_child: int
    wishes_per_slot: int
    group_max: int
    criteria: list[Criterion]
    slots: list[PeriodSlot]
    commitment: str
    seed: str | None
    figures: Figures

    @classmethod
    def of(cls, period: Period) -> "PeriodView":
        """A period as everybody sees it."""
        return cls(**_period(period))


def _period(period: Period) -> dict[str, object]:
    rules = period.ruled.model_dump(exclude={"retention_days", "criteria"})
    plain = period.model_dump(include={"id", "board", "version", "title", "wishes_from", "wishes_until"})
    return {
        **plain,
        **rules,
        "status": PeriodStatus(period.status),
        "criteria": period.ruled.criteria,
        "slots": period.slotted,
        "commitment": period.commitment,
        "seed": period.revealed,
        "figures": Figures(**period.figures),
    }


class ActivityView(BaseModel):
    """What there is to wish for."""

    id: str
    slot: str
    offer_id: str
    session_id: str | None
    title: Text
    places: int
    from_months: int | None
    to_months: int | None


class WholePeriodView(PeriodView):
    """A period with all there is to wish for."""

    activities: list[ActivityView]

    @classmethod
    def with_all(cls, period: Period, activities: list[Activity]) -> "WholePeriodView":
        """A period and its activities as everybody sees them."""
        shown = [
            ActivityView(**each.model_dump(include=set(ActivityView.model_fields))) for each in activities
        ]
        return cls(**_period(period), activities=shown)


class CountedView(BaseModel):
    """What came of an activity: how many wished for it, how many as their dearest, how many got it."""

    id: str
    slot: str
    offer_id: str
    session_id: str | None
    title: Text
    places: int
    wished: int
    first: int
    placed: int


class ResultView(BaseModel):
    """What giving out the places came to; `dry_run` says that nothing of it was kept. Figures only."""

    period_id: str
    status: PeriodStatus
    dry_run: bool = False
    error: str | None
    figures: Figures
    activities: list[CountedView]


class WishView(BaseModel):
    """What became of a wish, also in words."""

    activity: str
    verdict: Verdict
    text: Text


class AnswerView(BaseModel):
    """What a child gets in a slot: an activity or none, its lot of so many, how many of its group are there too."""

    slot: str
    activity: str | None
    lot: int
    lots: int
    together: int
    booking: str | None
    wishes: list[WishView]


class ChildView(BaseModel):
    """A child with its wishes, its claims and which of them are confirmed, and its answers once there are any."""

    id: str
    wishlist_id: str
    version: int
    label: str
    born: str
    claims: list[Claim]
    confirmed: list[Claim]
    wishes: dict[str, list[str]]
    answers: list[AnswerView]

    @classmethod
    def of(cls, child: WishingChild, activities: dict[str, Activity]) -> "ChildView":
        """A child as its family and editors see it."""
        plain = child.model_dump(include={"id", "wishlist_id", "version", "label", "born", "wishes"})
        return cls(
            **plain,
            claims=[_claim(key) for key in child.claims],
            confirmed=[_claim(key) for key in child.confirmed],
            answers=[_answer(answer, activities) for answer in child.answered],
        )


def _claim(key: str) -> Claim:
    criterion, _, activity = key.partition("@")
    return Claim(criterion=criterion, activity=activity or None)


def _answer(answer: Answer, activities: dict[str, Activity]) -> AnswerView:
    wishes = [
        WishView(
            activity=wish,
            verdict=verdict,
            text=sentence(number, answer, activities[wish].title, activities[wish].places),
        )
        for number, (wish, verdict) in enumerate(answer.verdicts, 1)
    ]
    return AnswerView(
        slot=answer.slot,
        activity=answer.activity,
        lot=answer.lot,
        lots=answer.lots,
        together=answer.together,
        booking=answer.booking,
        wishes=wishes,
    )


class WishlistView(BaseModel):
    """A family's wish list."""

    id: str
    period_id: str
    version: int
    recipient_id: str
    group: str | None
    changed_at: datetime
    children: list[ChildView]

    @classmethod
    def of(
        cls, wishlist: Wishlist, children: list[WishingChild], activities: list[Activity]
    ) -> "WishlistView":
        """A wish list as its family sees it."""
        known = {each.id: each for each in activities}
        return cls(**wishlist.model_dump(), children=[ChildView.of(child, known) for child in children])


class LinkedWishlistView(WishlistView):
    """A new wish list, and the token that opens it: to be sent in the header `Link-Token`."""

    token: str
