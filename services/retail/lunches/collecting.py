"""The dishes of a menu while it is read: the words of a line enter, dishes are collected where they belong.

Where that is, some days or every day, the reader of the lines says; prices and further words find the dish before them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from services.retail.lunches import tokens
from services.retail.lunches.domain import MAX_TITLE

_LABEL = re.compile(
    r"^(?:(?:menü|menu|gericht|essen|tagesgericht|tagesessen|stammessen|tagessuppe|aktion|hauptgericht|angebot)\s*(?:[ivx]{1,3}\b|\d{1,2}\b|[a-d]\b)?\s*[:.)–-]+|[ivx]{1,3}[.)]|\d{1,2}[.)](?!\d)|[a-d][.)]|oder\b:?|o\.)\s*",
    re.IGNORECASE,
)
_ROMAN = re.compile(r"^[IVX]{1,3}\s+(?=[A-ZÄÖÜ])")
_PROSE = re.compile(
    r"^(?:gibt(?:'s|\s+es)|kochen\s+wir|servieren\s+wir|haben\s+wir)\s+(?:bei\s+uns\s+)?|\s+für$|\s+für\s*\.$",
    re.IGNORECASE,
)
_MARK = re.compile(
    r"^(?:vegan|vegetarisch)\w*\s*:\s*|[,\s]+(?:vegan|vegetarisch)$|\s+(?:klein|groß)$", re.IGNORECASE
)
_CONTINUES = re.compile(r"^(?:[a-zäöüß]|mit |und |dazu |auf |an |in |inkl)")
_FILLER = re.compile(r"\.{2,}|…+|_{2,}|\s[-–—•*·]\s*$|^[-–—•*·►▪\s]+|\s{2,}")
_SIZES = re.compile(
    r"^(?:klein|groß|gross|kl\.?|gr\.?|halbe?|normal|portion|zum mitnehmen|to go|studenten?|schüler|gäste?|mit \w+)\b[^a-z]*$",
    re.IGNORECASE,
)


class Became(StrEnum):
    """What became of a line."""

    DAY = "day"
    DISH = "dish"
    MORE = "more"  # of the dish before it
    CLOSED = "closed"
    TIMES = "times"
    WEEK = "week"
    LEGEND = "legend"
    IGNORED = "ignored"
    UNCLEAR = "unclear"


@dataclass
class Line:
    """A line of the text, and what it was taken for."""

    number: int
    text: str
    became: Became = Became.UNCLEAR


@dataclass(frozen=True)
class Question:
    """Something that a person has to look at, by the code of its words; `params` belong into them."""

    line: int
    code: str
    params: dict[str, str] = field(default_factory=dict)


@dataclass
class Found:
    """A dish while it is read."""

    line: int
    title: str
    cents: int | None
    diets: list[str]
    codes: list[str]


class Collected:
    """Dishes by day, and those of every day; `legend` is what codes are known to mean."""

    def __init__(self, legend: dict[str, str]) -> None:
        self.legend = legend
        self.days: dict[date, list[Found]] = {}
        self.closed: set[date] = set()
        self.always: list[Found] = []
        self.questions: list[Question] = []
        # Where dishes go at present: some days, every day, or nowhere yet.
        self.into: list[date] | None = None
        self._for_always = False
        self._last: list[Found] = []

    def begin_days(self, days: list[date]) -> None:
        """What follows is of these days."""
        self.into, self._for_always, self._last = days, False, []

    def begin_always(self) -> None:
        """What follows is of every day."""
        self.into, self._for_always, self._last = None, True, []

    def every(self) -> Iterator[Found]:
        """Each dish once, also one of several days."""
        found = {id(each): each for dishes in [self.always, *self.days.values()] for each in dishes}
        yield from found.values()

    def price_all(self, cents: int) -> Became:
        """One price for every dish that has none."""
        for each in self.every():
            each.cents = cents if each.cents is None else each.cents
        return Became.MORE

    def add(self, line: Line, text: str) -> Became:
        """The dishes of a line, each up to its price."""
        parts, begin = list[tuple[str, int | None]](), 0
        for price in tokens.prices(text):
            parts.append((text[begin : price.start], price.cents))
            begin = price.end
        if rest := _tidy(text[begin:]):
            parts = [(f"{parts[0][0]} {rest}", parts[0][1])] if len(parts) == 1 else [*parts, (rest, None)]
        became = [self._part(line, words, cents) for words, cents in parts]
        return next((each for each in became if each is not Became.UNCLEAR), Became.UNCLEAR)

    def _part(self, line: Line, text: str, cents: int | None) -> Became:
        words, codes = tokens.codes(_ROMAN.sub("", _LABEL.sub("", _tidy(text))))
        words, diets = tokens.diets(words)
        title, more = self._named_last(_titled(words))
        codes += more
        if cents is not None and self._last and (not title or _SIZES.match(title)):
            return self._priced(line, cents)
        if not title:
            return self._more(line, "", diets, codes) if self._last and (codes or diets) else Became.UNCLEAR
        if cents is None and self._last and _CONTINUES.match(title) and self._last[-1].line < line.number:
            return self._more(line, title, diets, codes)
        return self._new(line, Found(line.number, title[:MAX_TITLE], cents, diets, codes))

    def _named_last(self, title: str) -> tuple[str, list[str]]:
        """A single code at the end, such as "Fischcurry D", where the legend knows it."""
        words, _, last = title.rpartition(" ")
        return (words, [last]) if words and len(last) <= 2 and last in self.legend else (title, [])

    def _priced(self, line: Line, cents: int) -> Became:
        if self._last[-1].cents is not None:
            self.questions.append(Question(line.number, "two-prices"))
        for each in self._last:
            each.cents = cents if each.cents is None else each.cents
        return Became.MORE

    def _more(self, line: Line, title: str, diets: list[str], codes: list[str]) -> Became:
        for each in self._last:
            each.title = f"{each.title} {title}".strip()[:MAX_TITLE]
            each.diets += [diet for diet in diets if diet not in each.diets]
            each.codes += codes
        return Became.MORE

    def _new(self, line: Line, found: Found) -> Became:
        if self._for_always:
            self.always.append(found)
        elif self.into:
            for day in self.into:
                self.days.setdefault(day, []).append(found)
                self.closed.discard(day)
        else:
            code = "no-day" if found.cents is not None else "not-understood"
            self.questions.append(Question(line.number, code))
            return Became.UNCLEAR
        self._last = [found]
        return Became.DISH


def _titled(text: str) -> str:
    """A dish's name without labels, what sentences say around it, and marks that stand as its diet already."""
    title = _tidy(_PROSE.sub("", _LABEL.sub("", _tidy(text))))
    return _MARK.sub("", title).strip(" ,;:()-–/+.")


def _tidy(text: str) -> str:
    """A text without what only leads the eye."""
    return _FILLER.sub(" ", text).strip(" \t,;|/")
