"""What any service may ask of notify, the only one that knows how to reach a person. Under `internal.`, never for partners."""

from pydantic import AwareDatetime, Field

from libs.contracts.card import Name, Word
from libs.contracts.event import THING_ID, Contract, Fact


class Subject(Contract):
    """The thing a message is about, so that its text can name and link it."""

    kind: Name
    id: str = Field(pattern=THING_ID)
    board: Name | None = None


class Occasion(Contract):
    """One date of what a message is about, for the recipient's calendar."""

    id: str = Field(pattern=THING_ID)
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    cancelled: bool = Field(default=False, description="It falls out, while the others stay.")


class MessageRequested(Fact, name="notify.message.requested.v1", internal=True):
    """A message to one person is asked for. It holds an id, a template and figures, nothing that a person wrote or is called."""

    recipient_id: str = Field(pattern=THING_ID, description="As notify gave it out for an address.")
    template: Name = Field(description="Which text, in which notify puts `about` and `facts`.")
    about: Subject
    facts: dict[Name, Word | int | bool] = Field(
        default={}, max_length=30, description="Instants are ISO 8601 in UTC."
    )
    dates: list[Occasion] = Field(
        default=[], max_length=60, description="What enters the calendar or leaves it, soonest first."
    )
    send_before: AwareDatetime | None = Field(
        default=None, description="Afterwards it would be of no use to the recipient."
    )
