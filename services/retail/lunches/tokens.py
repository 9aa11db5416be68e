"""What stands in a line of a menu: days, dates, times, prices, codes of allergens, diets. A text enters, values leave.

Written for menus as German innkeepers write them, with English words where those occur.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

_NAMES = (
    ("montags?", "mo", "monday", "mon"),
    ("dienstags?", "di", "tuesday", "tue"),
    ("mittwochs?", "mi", "wednesday", "wed"),
    ("donnerstags?", "do", "thursday", "thu"),
    ("freitags?", "fr", "friday", "fri"),
    ("samstags?|sonnabends?", "sa", "saturday", "sat"),
    ("sonntags?", "so", "sunday", "sun"),
)
_LONG = "|".join(f"{each[0]}|{each[2]}" for each in _NAMES)
_SHORT = "|".join(f"{each[1]}|{each[3]}" for each in _NAMES)
_DAY = rf"(?:{_LONG}|{_SHORT})(?![a-zäöüß])"
_DATE = r"(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.(?:\s?(?P<y>20\d\d|\d\d)(?!\d|[.,]\d))?"
_JOINT = r"\s*(?P<joint>-|–|—|bis|und|/|,|&|\+)\s*"
_AFTER = r"[\s.:,|–—-]*"
_HEAD = re.compile(
    rf"^(?:am\s+|jeden\s+)?(?P<one>{_DAY})(?P<dot>\.)?(?:{_JOINT}(?P<other>{_DAY})\.?)?"
    rf"(?:\s*,?\s*\(?\s*(?:den\s+|dem\s+)?{_DATE}\)?)?(?P<gap>{_AFTER})",
    re.IGNORECASE,
)
_DATED = re.compile(rf"^(?:am\s+)?{_DATE}(?=\s|:|$|,|-|–){_AFTER}", re.IGNORECASE)
_ALWAYS = re.compile(
    r"^(?:täglich(?:e[srn]?)?(?:\s+(?:wechselnd\w*|im\s+angebot))?|jeden\s+tag|die\s+ganze\s+woche|ganze\s+woche"
    r"|wochengerichte?|wochenangebote?|wochenkarte|wochenhits?|dauerbrenner|immer|standards?|klassiker|every\s+day|daily|all\s+week)"
    r"\b(?:\s*\((?P<note>[^)]*)\))?" + _AFTER,
    re.IGNORECASE,
)
_CLOSED = re.compile(
    r"\b(?:geschlossen|ruhetag|feiertag|betriebsferien|betriebsurlaub|urlaub|closed|kein\s+mittagstisch|frei|zu)\b[!.]*$",
    re.IGNORECASE,
)
_TIMES = re.compile(
    r"\b(?:von\s+)?(?P<h1>\d{1,2})(?:[:.](?P<m1>\d\d))?\s*(?:uhr)?\s*(?:-|–|—|bis)\s*(?P<h2>\d{1,2})(?:[:.](?P<m2>\d\d))?\s*(?P<uhr>uhr|h\b)?",
    re.IGNORECASE,
)
_WEEK = re.compile(
    r"\b(?:kw|kalenderwoche|week)\s*\.?\s*(?P<n>\d{1,2})(?:\s*/\s*(?P<y>20\d\d|\d\d))?", re.IGNORECASE
)
_RANGE = re.compile(
    r"\b(?P<d>\d{1,2})\.\s?(?:(?P<m1>\d{1,2})\.|(?P<name1>[a-zä]{3,9}))?(?:\s?20\d\d)?\s*(?:-|–|—|bis)\s*(?:zum\s+)?(?P<d2>\d{1,2})\.\s?(?P<m>\d{1,2}\.|[a-zä]{3,9})(?:\s?(?P<y>20\d\d))?",
    re.IGNORECASE,
)
_FROM = re.compile(rf"\b(?:vom|ab|woche)\s+(?:dem\s+)?{_DATE}", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mär", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "dez")
_UNITS = r"(?!\s*(?:uhr|l\b|ml|cl|g\b|kg|gr\b|stück|st\.|%|°|\d|[.:]\d))"
_PRICE = re.compile(
    rf"(?:€|eur(?:o)?)\s*(?P<e1>\d{{1,3}})(?:[,.](?P<c1>\d\d|-{{1,2}}|–))?"
    rf"|(?<![\d.,])(?!\d{{1,2}}\.(?:0\d|1[0-2])\.)(?P<e2>\d{{1,3}})[,.](?P<c2>\d\d|-{{1,2}}|–)(?:\s*(?:€|euro?\b))?{_UNITS}"
    rf"|(?<![\d.,])(?P<e3>\d{{1,3}}(?:[,.]\d)?)\s*(?:€|euro?\b)",
    re.IGNORECASE,
)
_CODE = r"(?:[A-Za-z][0-9]?|[0-9]{1,2})"
_IN_BRACKETS = re.compile(rf"[(\[]\s*(?P<codes>{_CODE}(?:\s*[,/;\s]\s*{_CODE})*)\s*[)\]]")
_AT_END = re.compile(
    r"(?:\s|(?<=\w)(?=\*))\*?(?P<codes>(?:[A-Z]|[0-9]{1,2})(?:\s*,\s*(?:[A-Za-z]|[0-9]{1,2}))+)\s*$"
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿ", "0123456789abcdefghijklmn")
_SUPERSCRIPTS = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿ][⁰¹²³⁴⁵⁶⁷⁸⁹ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿ,˒·\s]*")
_LEGEND = re.compile(
    r"(?:^|[,;|(]\s*|\s{1,})(?P<code>[A-Za-z][0-9]?|[0-9]{1,2})\s*(?:=|:|\)|–|-)\s*(?P<meaning>[A-Za-zÄÖÜäöüß][^,;|=:()]*)"
)
_MARKS = (
    (re.compile(r"\(\s*(?:vegan|vg|v\+)\s*\)|\bvegan(?:e[rsnm]?|isch\w*)?\b", re.IGNORECASE), "vegan"),
    (
        re.compile(
            r"\(\s*(?:v|veg\.?|vegetarisch|veggie)\s*\)|\b(?:vegetarisch\w*|veggie|fleischlos\w*|vegetarian)\b|🌱|🌿|🥕",
            re.IGNORECASE,
        ),
        "vegetarian",
    ),
    (re.compile(r"\bgluten-?frei\w*|\bohne gluten\b|\bgluten-free\b", re.IGNORECASE), "gluten-free"),
    (re.compile(r"\bla[kc]tose-?frei\w*|\bohne laktose\b|\blactose-free\b", re.IGNORECASE), "lactose-free"),
    (re.compile(r"\bhalal\b", re.IGNORECASE), "halal"),
    (re.compile(r"\bbio\b|\bbio-", re.IGNORECASE), "organic"),
)
_BARE_MARKS = re.compile(
    r"\(\s*(?:vegan|vg|v\+|v|veg\.?|vegetarisch|veggie|bio|halal)\s*\)|[🌱🌿🥕]️?", re.IGNORECASE
)


class Head(NamedTuple):
    """What a line begins with: the days it is about, by number from Monday or by date, and what follows."""

    weekdays: tuple[int, ...]
    on: tuple[int, int, int | None] | None
    rest: str


def head(line: str) -> Head | None:
    """The days that a line begins with; None when it begins with something else."""
    if match := _HEAD.match(line):
        rest = line[match.end() :]
        short = re.fullmatch(_SHORT, match["one"], re.IGNORECASE)
        # "So" and "Do" also begin sentences: what follows them without a sign is a dish, and begins with a capital.
        signed = match["other"] or match["d"] or match["dot"] or match["gap"].strip(" ")
        if not (short and rest and not signed) or _is_said_of(match["one"], match["gap"], rest):
            return Head(_days(match), _on(match), rest)
    if match := _DATED.match(line):
        return Head((), _on(match), line[match.end() :])
    return None


def _is_said_of(day: str, gap: str, rest: str) -> bool:
    if not gap:
        return False
    told = bool(prices(rest)) or is_closed(rest)
    return rest[:1].isupper() or rest[:1].isdigit() or (told and day.lower() != "so")


def _days(match: re.Match[str]) -> tuple[int, ...]:
    one = _number(match["one"])
    if not match["other"]:
        return (one,)
    other = _number(match["other"])
    if match["joint"].lower() in ("-", "–", "—", "bis"):
        return tuple((one + step) % 7 for step in range((other - one) % 7 + 1))
    return (one, other)


def _number(name: str) -> int:
    return next(n for n, names in enumerate(_NAMES) if re.fullmatch("|".join(names), name, re.IGNORECASE))


def _on(match: re.Match[str]) -> tuple[int, int, int | None] | None:
    if not match["d"]:
        return None
    year = int(match["y"]) if match["y"] else None
    return int(match["d"]), int(match["m"]), year + 2000 if year and year < 100 else year


def always(line: str) -> str | None:
    """What follows words such as "täglich" or "Wochengericht"; None when a line does not begin with them."""
    match = _ALWAYS.match(line)
    return line[match.end() :] if match else None


def is_closed(text: str) -> bool:
    """Whether a text says that there is nothing."""
    return _CLOSED.search(text) is not None and not prices(text)


def window(text: str) -> tuple[str, str] | None:
    """From when to when lunch is served, as `HH:MM`."""
    for match in _TIMES.finditer(text):
        low, high = int(match["h1"]), int(match["h2"])
        told = match["uhr"] or (match["m1"] and ":" in match[0])
        if told and 6 <= low < high <= 23:
            return f"{low:02}:{match['m1'] or '00'}", f"{high:02}:{match['m2'] or '00'}"
    return None


def without_window(text: str) -> str:
    """A text without the times in it."""
    return _TIMES.sub(" ", text) if window(text) else text


def monday(text: str, today: date) -> date | None:
    """The Monday of the week that a text names, by number or by its first and last day."""
    if match := _RANGE.search(text):
        month = match["m1"] or match["name1"] or match["m"].strip(".")
        number = int(month) if month.isdigit() else _month(month)
        if number and (
            found := day_near(int(match["d"]), number, int(match["y"]) if match["y"] else None, today)
        ):
            return found - timedelta(days=found.weekday())
    if match := _FROM.search(text):
        year = int(match["y"]) if match["y"] else None
        if found := day_near(int(match["d"]), int(match["m"]), year and year % 100 + 2000, today):
            return found - timedelta(days=found.weekday())
    if match := _WEEK.search(text):
        year = int(match["y"]) if match["y"] else None
        years = (
            [year + 2000 if year < 100 else year] if year else [today.year - 1, today.year, today.year + 1]
        )
        found_ = [each for one in years if (each := _monday(one, int(match["n"])))]
        return min(found_, key=lambda each: abs(each - today), default=None)
    return None


def _month(name: str) -> int | None:
    return next((n for n, each in enumerate(_MONTHS, 1) if name.lower().startswith(each)), None)


def _monday(year: int, number: int) -> date | None:
    try:
        return date.fromisocalendar(year, number, 1)
    except ValueError:
        return None


def day_near(day: int, month: int, year: int | None, today: date) -> date | None:
    """The date that a day and a month mean: of the year named, else the nearest one; None for no such day."""
    found = []
    for one in [year] if year else [today.year - 1, today.year, today.year + 1]:
        try:
            found.append(date(one, month, day))
        except ValueError:
            continue
    return min(found, key=lambda each: abs(each - today), default=None)


class Price(NamedTuple):
    """A price in cents, and where it stands in its line."""

    cents: int
    start: int
    end: int


def prices(text: str) -> list[Price]:
    """All prices in a text, from fifty cents to two hundred euros."""
    return [found for match in _PRICE.finditer(text) if 50 <= (found := _price(match)).cents <= 20_000]


def _price(match: re.Match[str]) -> Price:
    euros = (match["e1"] or match["e2"] or match["e3"]).replace(",", ".")
    cents = match["c1"] or match["c2"] or "00"
    whole, _, tenth = euros.partition(".")
    amount = int(whole) * 100 + (int(tenth) * 10 if tenth else int(cents) if cents.isdigit() else 0)
    return Price(amount, match.start(), match.end())


def codes(text: str) -> tuple[str, list[str]]:
    """A text without the codes behind its words, and these."""
    found: list[str] = []

    def take(match: re.Match[str]) -> str:
        said = match.groupdict().get("codes") or match[0].translate(_RAISED)
        parts = [part for part in re.split(r"[,/;\s˒·]+", said) if part]
        if all(part.lower() in ("v", "vg") for part in parts):
            return match[0]
        found.extend(parts)
        return " "

    for pattern in (_SUPERSCRIPTS, _IN_BRACKETS, _AT_END):
        text = pattern.sub(take, text)
    return text, found


def legend(text: str) -> Iterator[tuple[str, str]]:
    """Yield the codes that a line explains, with what it says they mean."""
    for match in _LEGEND.finditer(text):
        yield match["code"], match["meaning"].strip(" .*")


def listed(text: str) -> list[tuple[str, str]]:
    """A legend without signs, such as "1 Farbstoff, 2 Phosphat": every part begins with its code; else nothing."""
    parts = [part.strip() for part in re.split("[,;|]", text) if part.strip()]
    found = [re.fullmatch(rf"({_CODE})\s+([A-Za-zÄÖÜäöüß][^,;|]*)", part) for part in parts]
    return [(each[1], each[2]) for each in found if each] if all(found) else []


def diets(text: str) -> tuple[str, list[str]]:
    """A text without bare marks such as "(v)", and the diets that it names."""
    found = [name for pattern, name in _MARKS if pattern.search(text)]
    return _BARE_MARKS.sub(" ", text), found
