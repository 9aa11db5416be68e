"""One batch of deliveries: what is to be handed over, and what became of each until it is noted."""

import time
from collections import deque
from dataclasses import dataclass, field

from services.notify.deliveries.domain import Outcome, Reason
from services.notify.deliveries.sending import Parcel

# So long new parcels of a batch are begun: what became due meanwhile, and is more urgent, waits no longer.
SLICE_SECONDS = 0.5


@dataclass(frozen=True)
class Tried:
    """A delivery that was tried, and what that came to; `mark` recognises its address."""

    delivery_id: str
    outcome: Outcome
    mark: str

    @property
    def sent(self) -> bool:
        """Whether it is over and done."""
        return self.outcome is Outcome.SENT


@dataclass
class Results:
    """What became of deliveries, not noted yet; empty is false."""

    tried: list[Tried] = field(default_factory=list)
    dropped: list[tuple[str, Reason]] = field(default_factory=list)
    postponed: list[tuple[str, float]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.tried or self.dropped or self.postponed)


@dataclass
class Batch(Results):
    """`found` says how many were due; `away` why the server takes nothing."""

    found: int = 0
    parcels: deque[Parcel] = field(default_factory=deque)
    sent: int = 0
    away: str = ""
    until: float = 0.0

    def begin(self) -> None:
        """From now on its parcels are handed over."""
        self.until = time.monotonic() + SLICE_SECONDS

    @property
    def over(self) -> bool:
        """Whether nothing more of it is begun."""
        return not self.parcels or bool(self.away) or time.monotonic() > self.until

    def take(self) -> Results:
        """What became of its deliveries since the last time."""
        found = Results(self.tried, self.dropped, self.postponed)
        self.tried, self.dropped, self.postponed = [], [], []
        return found
