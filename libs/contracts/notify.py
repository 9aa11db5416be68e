"""What any service may ask of notify, the only one that knows how to reach a person. Under `internal.`, never for partners."""

from pydantic import AwareDatetime, Field

from libs.contracts.card import Name, Word
from libs.contracts.event import THING_ID, Contract, Fact


class Subject(Contract):
    """The thing a message is about, so that its text can name and link it."""

    kind: Name
    id: str = Field(pattern=THING_ID)
    board: Name | None = None


class MessageRequested(Fact, name="notify.message.requested.v1", internal=True):
    """A message to one person is asked for. It holds an id, a template and figures, nothing that a person wrote or is called."""

    recipient_id: str = Field(pattern=THING_ID, description="As notify gave it out for an address.")
    template: Name = Field(description="Which text, in which notify puts `about` and `facts`.")
    about: Subject
    facts: dict[Name, Word | int | bool] = Field(
        default={}, max_length=30, description="Instants are ISO 8601 in UTC."
    )
    send_before: AwareDatetime | None = Field(
        default=None, description="Afterwards it would be of no use to the recipient."
    )
