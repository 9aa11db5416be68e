"""Rules of webhooks: which facts they ask for, when a failed one is tried again, when an endpoint is left alone.

Follows Standard Webhooks (https://www.standardwebhooks.com).
"""

import re
from datetime import timedelta
from enum import StrEnum

# `*`, a service, an aggregate or one type: offers.*, offers.offer.*, offers.offer.published.v1
PATTERN = r"^(\*|[a-z]+\.\*|[a-z]+\.[a-z]+\.\*|[a-z]+\.[a-z]+\.[a-z]+\.v[1-9][0-9]{0,3})$"
MOST = 20
GIVE_UP_AFTER = timedelta(days=3)
PAUSES = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 43_200)
)
# An endpoint that failed so often in a row gets one attempt at a time, after a pause that grows.
TRIPS_AFTER = 5
BREAKER_PAUSE, LONGEST_BREAKER_PAUSE = timedelta(seconds=20), timedelta(hours=1)
LOG_KEPT = timedelta(days=30)
SECRET_OVERLAP = timedelta(days=1)


class HookStatus(StrEnum):
    """Whether an endpoint is told anything."""

    ACTIVE = "active"
    DISABLED = "disabled"


class Status(StrEnum):
    """Where one delivery to an endpoint stands."""

    DUE = "due"
    SENT = "sent"
    FAILED = "failed"


def asks_for(patterns: list[str], name: str) -> bool:
    """Whether one of the patterns covers an event type."""
    return any(_pattern(each).fullmatch(name) for each in patterns)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", r".+"))


def pause(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts."""
    return PAUSES[min(attempts, len(PAUSES)) - 1]


def breaker_pause(failures: int) -> timedelta:
    """How long an endpoint is left alone after so many failures in a row; none while it is not tripped."""
    if failures < TRIPS_AFTER:
        return timedelta()
    doubled: int = 2 ** min(failures - TRIPS_AFTER, 12)
    return min(BREAKER_PAUSE * doubled, LONGEST_BREAKER_PAUSE)
