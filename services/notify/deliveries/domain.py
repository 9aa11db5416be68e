"""Rules of deliveries: their life, when a refused one is tried again, and what a mail server's answer means."""

from datetime import timedelta
from enum import StrEnum

FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(hours=4)
# About four days of refusals. Attempts count, not age: a message may have waited for weeks before its first one.
MOST_ATTEMPTS = 33
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
    REFUSED = "refused"
    NO_SUCH_ADDRESS = "no_such_address"
    UNREADABLE = "unreadable"


CONFIRMATION = "confirm-address"
# What tells many people the same lets what one person waits for go first.
NEWS = ("news", "digest")
# Enhanced status codes (RFC 3463) that speak of the recipient's mailbox; others of 5.1 speak of the sender.
NO_MAILBOX = ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1")


class ServerAway(Exception):  # noqa: N818 - says what it is
    """What hands messages over cannot be reached or takes nothing now: no message is to blame."""


def pause(attempts: int) -> timedelta:
    """How long to wait after so many attempts."""
    doubled: int = 2 ** min(attempts, 12)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)


def lasts(outcome: Outcome, attempts: int) -> bool:
    """Whether after so many attempts it is no use to try again."""
    passing = outcome in (Outcome.LATER, Outcome.UNREADABLE)
    return not passing or attempts >= MOST_ATTEMPTS


def reason_of(outcome: Outcome) -> Reason:
    """Why a delivery ended that was not sent."""
    reasons = {Outcome.LATER: Reason.GAVE_UP, Outcome.UNREADABLE: Reason.UNREADABLE}
    return reasons.get(outcome, Reason.REFUSED)


def outcome_of(code: int, text: str) -> Outcome:
    """What an SMTP reply means (RFC 5321): 4xx comes back, 5xx does not, some say that there is no such mailbox."""
    if code < 400:
        return Outcome.SENT
    if code < 500:
        return Outcome.LATER
    # 550 alone may mean the mailbox as well as a policy: it ends the mail, not the address.
    return Outcome.NO_SUCH_ADDRESS if text.split(" ", 1)[0] in NO_MAILBOX else Outcome.REFUSED
