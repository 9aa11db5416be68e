"""Rules of deliveries: their life, when a refused one is tried again, and what a mail server's answer means."""

from datetime import timedelta
from enum import StrEnum

GIVE_UP_AFTER = timedelta(days=4)
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(hours=4)
PACED_PAUSE = timedelta(seconds=20)
# What became of a delivery can be asked for so long; its content goes when it is over.
KEPT = timedelta(days=30)


class Status(StrEnum):
    """Where a delivery stands. `held` waits for its recipient to confirm the address."""

    HELD = "held"
    DUE = "due"
    SENT = "sent"
    DROPPED = "dropped"
    FAILED = "failed"


class Reason(StrEnum):
    """Why a message was not sent."""

    TOO_LATE = "too_late"
    SUPPRESSED = "suppressed"
    UNSUBSCRIBED = "unsubscribed"
    SUPERSEDED = "superseded"
    REFUSED = "refused"
    GAVE_UP = "gave_up"
    UNREADABLE = "unreadable"


class Outcome(StrEnum):
    """What trying to send came to."""

    SENT = "sent"
    LATER = "later"
    PACED = "paced"
    REFUSED = "refused"
    NO_SUCH_ADDRESS = "no_such_address"


CONFIRMATION = "confirm-address"


class ServerAway(Exception):  # noqa: N818 - says what it is
    """What hands messages over cannot be reached or takes nothing now: no message is to blame."""


def pause(attempts: int) -> timedelta:
    """How long to wait after so many attempts."""
    doubled: int = 2 ** min(attempts, 12)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)


def outcome_of(code: int, text: str) -> Outcome:
    """What an SMTP reply means (RFC 5321, 3463): 4xx comes back, 5xx does not, 5.1.x says there is no such mailbox."""
    if code < 400:
        return Outcome.SENT
    if code < 500:
        return Outcome.LATER
    # Many servers say 550 alone when they mean the mailbox.
    return Outcome.NO_SUCH_ADDRESS if text.startswith("5.1.") else Outcome.REFUSED
