"""Rules of organisations: what their people are told of. Values in, values out."""

from enum import StrEnum


class Topic(StrEnum):
    """What an organisation's recipient asked to be told of."""

    REMINDERS = "reminders"
    MESSAGES = "messages"
