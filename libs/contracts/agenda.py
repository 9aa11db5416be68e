"""Events of the agenda: what the town gives priority to, so that other services act on it."""

from pydantic import AwareDatetime, Field

from libs.contracts.card import Name, Text
from libs.contracts.event import Fact


class PriorityFact(Fact):
    """The whole public state of a priority: one field of action that the town puts first for a while."""

    field_of_action: Name
    factor: float = Field(
        ge=1, le=10, description="By how much things of this field are lifted; of several the highest counts."
    )
    until: AwareDatetime = Field(description="From this instant on nothing is lifted any more.")
    reason: Text = Field(default={}, description="Why, for everybody to read.")


class PrioritySet(PriorityFact, name="agenda.priority.set.v1"):
    """The town puts a field of action first, or changes for how long and how much."""


class PriorityLifted(PriorityFact, name="agenda.priority.lifted.v1"):
    """The priority ended before its time; things stand where they stood before."""
