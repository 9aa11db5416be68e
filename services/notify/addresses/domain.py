"""Rules of recipients: confirmation codes, quiet hours, and when the mail that asks for a confirmation may go."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

# No letters that look like others; 50 bits, and few attempts.
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 10
MOST_ATTEMPTS = 10
CONFIRM_WITHIN = timedelta(days=14)
# However many register an address that is not theirs: its owner gets so many mails.
ASK_AGAIN_AFTER = timedelta(minutes=10)
ASKED_PER_DAY = 3
ASKED_IN_ALL = 6
ASKED_KEPT = timedelta(days=14)


class Channel(StrEnum):
    """How a person is reached."""

    MAIL = "mail"
    PUSH = "push"


class Status(StrEnum):
    """Whether messages may be sent."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"


class QuietHours(BaseModel):
    """From when until when nothing is sent, in the recipient's local time; may run over midnight."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    start: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["21:00"])
    end: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["07:00"])


def new_code() -> str:
    """A code that a person can also type."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def hashed(code: str) -> str:
    """How a code is kept."""
    plain = "".join(letter for letter in code.upper() if letter in ALPHABET)
    return hashlib.sha256(plain.encode()).hexdigest()


def matches(code: str, kept: str | None) -> bool:
    """Whether somebody read the code; compared in constant time."""
    return kept is not None and hmac.compare_digest(hashed(code), kept)


def asked_at(wanted: datetime, earlier: Sequence[datetime]) -> datetime:
    """When the owner of an address may be asked, who was asked at `earlier` instants (newest first) already."""
    if earlier:
        wanted = max(wanted, earlier[0] + ASK_AGAIN_AFTER)
    if len(earlier) >= ASKED_PER_DAY:
        wanted = max(wanted, earlier[ASKED_PER_DAY - 1] + timedelta(days=1))
    if len(earlier) >= ASKED_IN_ALL:
        wanted = max(wanted, earlier[ASKED_IN_ALL - 1] + ASKED_KEPT)
    return wanted


def after_quiet(at: datetime, quiet: QuietHours | None, zone: ZoneInfo) -> datetime:
    """The instant itself, or the end of the quiet hours that it lies in.

    Hours are wall-clock times: on a day whose clock changes the quiet time is an hour shorter or longer.
    """
    if quiet is None or quiet.start == quiet.end:
        return at
    local = at.astimezone(zone)
    start, end = time.fromisoformat(quiet.start), time.fromisoformat(quiet.end)
    now = local.time()
    inside = start <= now < end if start < end else now >= start or now < end
    if not inside:
        return at
    day = local.date() + timedelta(days=1 if start > end and now >= start else 0)
    return datetime.combine(day, end, zone).astimezone(at.tzinfo)
