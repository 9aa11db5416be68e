"""Recurrence rules (RRULE, RFC 5545): a rule and its first date enter, the local times that it names leave."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice

from dateutil.rrule import rrulestr

MAX_SESSIONS = 366
# After 400 years the calendar is the same again, to the day of the week.
CYCLE_YEARS, CYCLE = 400, timedelta(days=146_097)


class Unfit(ValueError):  # noqa: N818 - the domain's word
    """A session cannot be so; which field of the request is wrong, and why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


def occurrences(rule: str, first: datetime, horizon: datetime, zone: tzinfo) -> list[datetime]:
    """The local times that an RRULE names from its first date on; Unfit when it is none, or names too many.

    A time that a change of the clocks leaves out is no occurrence and is not counted (RFC 5545, 3.3.10).
    """
    parts = read_rule(rule)
    until = _until(parts.pop("UNTIL"), zone) if "UNTIL" in parts else None
    wanted = int(parts.pop("COUNT", MAX_SESSIONS + 1))
    if until is not None and until > horizon:
        raise Unfit("repeat.rule", f"UNTIL lies more than two years ahead, after {horizon.date()}")
    named = _named(parts, first, until or horizon)
    found = list(islice((start for start in named if exists(start, zone)), wanted))
    if not found or found[0] != first:
        begin = f"; the first is {found[0]:%Y-%m-%dT%H:%M}" if found else ""
        raise Unfit("starts_at", f"is none of the dates that the rule names{begin}")
    if len(found) > MAX_SESSIONS:
        raise Unfit("repeat.rule", f"names more than {MAX_SESSIONS} dates")
    if until is None and len(found) < wanted:
        raise Unfit("repeat.rule", f"COUNT reaches more than two years ahead, after {horizon.date()}")
    return found


def _named(parts: Mapping[str, str], first: datetime, until: datetime) -> Iterator[datetime]:
    # The library looks for a match until the year 9999, some seconds for a rule that has none. The same calendar
    # shortly before that year leaves it little to look through.
    shift = CYCLE * ((datetime.max.year - 4 - first.year) // CYCLE_YEARS)
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    try:
        for start in rrulestr(f"{text};UNTIL={until + shift:%Y%m%dT%H%M%S}", dtstart=first + shift):
            yield start - shift
    except (ValueError, OverflowError, IndexError, TypeError) as error:
        raise Unfit("repeat.rule", f"is no rule: {error}"[:200]) from error


_DAY = "(?:MO|TU|WE|TH|FR|SA|SU)"
_ORDINAL = r"(?:[+-]?[1-9]\d?)"
_PARTS = {
    "FREQ": "DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": r"[1-9]\d?",
    "COUNT": r"[1-9]\d{0,2}",
    "UNTIL": r"\d{8}(T\d{6}Z?)?",
    "BYDAY": f"{_ORDINAL}?{_DAY}(,{_ORDINAL}?{_DAY})*",
    "BYMONTH": r"([1-9]|1[0-2])(,([1-9]|1[0-2]))*",
    "BYMONTHDAY": r"[+-]?([1-9]|[12]\d|3[01])(,[+-]?([1-9]|[12]\d|3[01]))*",
    "BYYEARDAY": r"[+-]?[1-9]\d{0,2}(,[+-]?[1-9]\d{0,2})*",
    "BYWEEKNO": rf"{_ORDINAL}(,{_ORDINAL})*",
    "BYSETPOS": r"[+-]?[1-9]\d{0,2}(,[+-]?[1-9]\d{0,2})*",
    "WKST": _DAY,
}
# What RFC 5545 does not define together (3.3.10).
_APART = {
    "DAILY": {"BYYEARDAY", "BYWEEKNO"},
    "WEEKLY": {"BYYEARDAY", "BYWEEKNO", "BYMONTHDAY"},
    "MONTHLY": {"BYYEARDAY", "BYWEEKNO"},
    "YEARLY": set[str](),
}


def read_rule(rule: str) -> dict[str, str]:
    """The parts of an RRULE by name; Unfit naming the part that is wrong."""
    parts = dict[str, str]()
    # Calendars write the property's name in front; whoever copies the line copies that too.
    for text in rule.strip().upper().removeprefix("RRULE:").split(";"):
        name, _, value = text.partition("=")
        if name in ("BYHOUR", "BYMINUTE", "BYSECOND"):
            raise Unfit("repeat.rule", f"{name}: every date of a series begins at the same time")
        if name not in _PARTS or name in parts:
            raise Unfit(
                "repeat.rule", f"{name[:20]}: {'stands twice' if name in parts else 'is no part of it'}"
            )
        if not re.fullmatch(_PARTS[name], value, re.ASCII):
            raise Unfit("repeat.rule", f"{name}: {value[:40]} is not possible here")
        parts[name] = value
    _check_together(parts)
    return parts


def _check_together(parts: dict[str, str]) -> None:
    if "FREQ" not in parts:
        raise Unfit("repeat.rule", "FREQ: how often? DAILY, WEEKLY, MONTHLY or YEARLY")
    if ("COUNT" in parts) == ("UNTIL" in parts):
        raise Unfit("repeat.rule", "ends with either COUNT or UNTIL; at most two years ahead")
    if apart := _APART[parts["FREQ"]].intersection(parts):
        raise Unfit("repeat.rule", f"{min(apart)}: not together with FREQ={parts['FREQ']}")
    numbered = re.search(r"\d", parts.get("BYDAY", ""))
    if numbered and (parts["FREQ"] in ("DAILY", "WEEKLY") or "BYWEEKNO" in parts):
        raise Unfit("repeat.rule", "BYDAY: numbered days belong to months and years")
    if "BYSETPOS" in parts and not any(name.startswith("BY") for name in parts.keys() - {"BYSETPOS"}):
        raise Unfit("repeat.rule", "BYSETPOS: needs another BY… to choose from")


def _until(text: str, zone: tzinfo) -> datetime:
    """The last local time; a bare day counts to its end."""
    try:
        moment = datetime.strptime(text.rstrip("Z"), "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d")
    except ValueError:
        raise Unfit("repeat.rule", f"UNTIL: there is no {text}") from None
    if not 2000 <= moment.year <= 2100:
        raise Unfit("repeat.rule", "UNTIL: lies too far off")
    if "T" not in text:
        return moment.replace(hour=23, minute=59, second=59)
    return moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) if text.endswith("Z") else moment


def aware(local: datetime, zone: tzinfo) -> datetime:
    """The instant of a local time; the first of two, and behind a gap as far as it lies in it (RFC 5545, 3.3.5)."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def exists(local: datetime, zone: tzinfo) -> bool:
    """Whether the clocks ever show this local time."""
    return aware(local, zone).astimezone(zone).replace(tzinfo=None) == local
