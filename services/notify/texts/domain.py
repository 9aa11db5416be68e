"""How values become words of a language: dates, spans, money. Values in, text out.

Locale data come from Babel (CLDR); Leichte Sprache is written like German.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_currency

FALLBACK = "de"
LONGEST_NAME = 150


def locale_of(language: str) -> Locale:
    """The rules by which a language writes dates and numbers."""
    return Locale.parse(language.partition("-")[0])


def chain(language: str) -> tuple[str, ...]:
    """The languages to look for a text in, best first."""
    return tuple(dict.fromkeys((language, language.partition("-")[0], FALLBACK, "en")))


def chosen(texts: dict[str, str], language: str) -> str:
    """The text in the best language there is; empty only if there is none at all."""
    found = next((texts[name] for name in chain(language) if texts.get(name)), "")
    return one_line(found or next(iter(texts.values()), ""))


def shortened(text: str) -> str:
    """A name as a subject or a line can hold it."""
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1].rstrip()}…"


def one_line(text: str) -> str:
    """Text of others on one line, so that it cannot look like our own structure."""
    return " ".join(text.split())


def day(moment: datetime, language: str, zone: ZoneInfo) -> str:
    """`Dienstag, 12. Januar 2027`."""
    return format_date(moment.astimezone(zone).date(), "full", locale=locale_of(language))


def clock(moment: datetime, language: str, zone: ZoneInfo) -> str:
    """`16:00 Uhr`."""
    time = format_time(moment.astimezone(zone).time(), "short", locale=locale_of(language))
    return f"{time} Uhr" if locale_of(language).language == "de" else time


def moment(at: datetime, language: str, zone: ZoneInfo) -> str:
    """`Dienstag, 12. Januar 2027, 16:00 Uhr`."""
    return f"{day(at, language, zone)}, {clock(at, language, zone)}"


def span(start: datetime, end: datetime | None, language: str, zone: ZoneInfo) -> str:
    """From when until when; the day is said once where it is one."""
    if end is None or end <= start:
        return moment(start, language, zone)
    if start.astimezone(zone).date() == end.astimezone(zone).date():
        begin = clock(start, language, zone).removesuffix(" Uhr")
        return f"{day(start, language, zone)}, {begin}–{clock(end, language, zone)}"
    return f"{moment(start, language, zone)} – {moment(end, language, zone)}"


def money(cents: int, language: str) -> str:
    """`12,50 €`."""
    return format_currency(cents / 100, "EUR", locale=locale_of(language)).replace("\xa0", " ")
