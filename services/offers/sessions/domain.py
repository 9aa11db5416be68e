"""Rules of sessions: when they may be, and which dates a recurrence rule names. Values in, values out."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from libs.httpkit.problems import FieldError, invalid


def day_begins(day: date, zone: tzinfo) -> datetime:
    """The instant at which a day of the town begins."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def day_ends(day: date, zone: tzinfo) -> datetime:
    """The instant at which it ends, and the next begins."""
    return day_begins(day + timedelta(days=1), zone)


def cursor(starts_at: datetime, session_id: str) -> str:
    """Where a page of sessions ended."""
    return f"{starts_at.astimezone(UTC).replace(tzinfo=None).isoformat()}~{session_id}"


def read_cursor(text: str) -> tuple[datetime, str] | None:
    """The same read back, None at the beginning; Problem 422 for what is no cursor."""
    if not text:
        return None
    start, _, session_id = text.partition("~")
    try:
        return datetime.fromisoformat(start).replace(tzinfo=UTC), session_id
    except ValueError:
        raise invalid(FieldError(field="after", reason="is not the `next` of a page")) from None
