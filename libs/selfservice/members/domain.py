"""What members of an organisation may be, and what its recipients are told of."""

from enum import StrEnum


class Role(StrEnum):
    """What a member may do: act for the organisation, or also say who else does."""

    MEMBER = "member"
    MANAGER = "manager"


# A membership that is over: the organisation's word against a token that still names it.
LEFT = "left"


class Topic(StrEnum):
    """What an organisation's recipient asked to be told of."""

    REMINDERS = "reminders"
    MESSAGES = "messages"
    NEEDS = "needs"
