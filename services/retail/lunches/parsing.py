"""A week's menu as somebody pastes it: a text enters, the menu that was understood leaves, with what became of each line.

Nothing is guessed that could harm: letters behind a dish are allergens only where the text, or the shop before, explained
them. Whatever was not understood is marked, never dropped.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from services.retail.lunches import tokens
from services.retail.lunches.collecting import Became, Collected, Found, Line, Question
from services.retail.lunches.domain import (
    MAX_DISHES,
    USUAL_END,
    USUAL_START,
    DayMenu,
    Dish,
    WeekMenu,
    monday_of,
    week_of,
)
from services.retail.lunches.words import MenuWords

MAX_CHARACTERS, MAX_LINES = 10_000, 200
_NOISE = re.compile(
    r"appetit|vorbehalten|wünschen|willkommen|reservier|tel(?:efon)?\b|www\.|@|\binkl\.|\bmwst|solange (?:der )?vorrat|bestell|speisekarte|änderungen"
    r"|^mittags(?:tisch|karte|menü|angebot)|^wochen(?:karte|plan)|^speiseplan|^menüplan|^lunch\b|^unser\w* |^alle (?:gerichte|preise)|allergen|zusatzstoff|freuen uns|^frohe |^schöne|^tag\b.*gericht|\d{3,5}[\s/-]{0,3}\d{4,}",
    re.IGNORECASE,
)

_FOR_ALL = re.compile(r"^(?:alle|jedes|jeweils|je)\s+(?:gerichte?|essen|menüs?)\b", re.IGNORECASE)


@dataclass
class Parsed:
    """What was understood."""

    week: str
    menu: WeekMenu
    lines: list[Line]
    questions: list[Question]


def parse(text: str, words: MenuWords, today: date, known: dict[str, str], week: str) -> Parsed:
    """Read a menu. `known` is the shop's legend so far, `week` the one meant where the text names none."""
    return _Parser(words, today, known, week).parse(text)


class _Parser:
    def __init__(self, words: MenuWords, today: date, known: dict[str, str], week: str) -> None:
        self._words, self._today, self._found = words, today, Collected(dict(known))
        self._monday, self._named = monday_of(week), False
        self._window: tuple[str, str] | None = None
        self._lines: list[Line] = []

    def parse(self, text: str) -> Parsed:
        said = text[:MAX_CHARACTERS].replace("\r", "").split("\n")[:MAX_LINES]
        self._lines = [Line(n, each.strip()) for n, each in enumerate(said, 1) if each.strip()]
        self._read_frame()
        for line in self._lines:
            if line.became is Became.UNCLEAR:
                line.became = self._read(line)
        self._ask()
        menu = WeekMenu(
            start=self._window[0] if self._window else USUAL_START,
            end=self._window[1] if self._window else USUAL_END,
            days=self._day_menus(),
            always=[self._dish(each) for each in self._found.always[:MAX_DISHES]],
            legend=self._found.legend,
        )
        self._found.questions.sort(key=lambda each: each.line)
        return Parsed(week_of(self._monday), menu, self._lines, self._found.questions)

    def _read_frame(self) -> None:
        """The week and the legend may stand anywhere, and what they say holds for every line."""
        for line in self._lines:
            if (
                not self._named
                and not tokens.head(line.text)
                and (found := tokens.monday(line.text, self._today))
            ):
                self._monday, self._named = found, True
                line.became = Became.WEEK
                self._window = self._window or tokens.window(line.text)
            elif self._is_legend(line.text):
                line.became = Became.LEGEND
        if not self._named:
            self._by_first_date()

    def _by_first_date(self) -> None:
        for line in self._lines:
            head = tokens.head(line.text)
            if head and head.on and (day := tokens.day_near(*head.on, self._today)):
                self._monday = day - timedelta(days=day.weekday())
                return

    def _is_legend(self, text: str) -> bool:
        if tokens.prices(text):
            return False
        explained = self._meanings(tokens.listed(text))
        if len(explained) < 2 or not all(explained.values()):  # without signs all of it must be clear
            explained = self._meanings(tokens.legend(text))
        clear = {code: meaning for code, meaning in explained.items() if meaning}
        if not clear or (len(clear) < 2 and "=" not in text):
            return False
        self._found.legend |= clear
        return True

    def _meanings(self, explained: Iterable[tuple[str, str]]) -> dict[str, str | None]:
        return {code: self._words.meaning(said) for code, said in explained}

    def _read(self, line: Line) -> Became:
        text = re.sub(r"[\t;|]", "  ", line.text)
        text = re.sub(r"^[\s\-–—•*·►▪>]+", "", text)
        if head := tokens.head(text):
            return self._begin(line, head)
        if (rest := tokens.always(text)) is not None:
            self._found.begin_always()
            return self._found.add(line, rest) if rest.strip() else Became.DAY
        if (found := tokens.window(text)) and not tokens.prices(tokens.without_window(text)):
            self._window = found
            return Became.TIMES
        return self._said(line, text)

    def _said(self, line: Line, text: str) -> Became:
        """A line that neither begins a day nor says when lunch is."""
        prices = tokens.prices(text)
        if self._found.into and tokens.is_closed(text):
            self._found.closed.update(self._found.into)
            return Became.CLOSED
        if not prices and _NOISE.search(text):
            return Became.IGNORED
        if prices and _FOR_ALL.match(text):
            return self._found.price_all(prices[0].cents)
        return self._found.add(line, text)

    def _begin(self, line: Line, head: tokens.Head) -> Became:
        days = self._dates(head)
        if not days:
            return Became.UNCLEAR
        for day in days:
            if week_of(day) != week_of(self._monday):
                self._found.questions.append(
                    Question(line.number, "other-week", {"week": week_of(self._monday)})
                )
            if len(days) == 1 and (day in self._found.days or day in self._found.closed):
                self._found.questions.append(Question(line.number, "day-twice"))
        self._found.begin_days(days)
        rest = head.rest.strip()
        if found := tokens.window(rest):
            self._window = self._window or found
            rest = tokens.without_window(rest).strip(" ,-–()")
        if tokens.is_closed(rest):
            self._found.closed.update(days)
            return Became.CLOSED
        for day in days:
            self._found.days.setdefault(day, [])
        return self._found.add(line, rest) if rest else Became.DAY

    def _dates(self, head: tokens.Head) -> list[date]:
        if head.on:
            day = tokens.day_near(*head.on, self._today)
            return [day] if day else []
        return [self._monday + timedelta(days=number) for number in head.weekdays]

    def _ask(self) -> None:
        """What is missing of the dishes as a whole."""
        for each in self._found.every():
            if each.cents is None:
                self._found.questions.append(Question(each.line, "no-price"))
            if unclear := [code for code in each.codes if not self._meaning(code)]:
                params = {"codes": ", ".join(dict.fromkeys(unclear))}
                self._found.questions.append(Question(each.line, "codes-without-legend", params))
        asked = {each.line for each in self._found.questions}
        for line in self._lines:
            if line.became is Became.UNCLEAR and line.number not in asked:
                self._found.questions.append(Question(line.number, "not-understood"))

    def _day_menus(self) -> list[DayMenu]:
        days = sorted({*self._found.days, *self._found.closed})
        dishes = {
            day: [self._dish(each) for each in self._found.days.get(day, [])[:MAX_DISHES]] for day in days
        }
        found = [DayMenu(day=day, closed=day in self._found.closed, dishes=dishes[day]) for day in days]
        if self._found.always and not found:  # a card that is the same on every working day
            found = [DayMenu(day=self._monday + timedelta(days=n)) for n in range(5)]
        return [each for each in found if week_of(each.day) == week_of(self._monday)][:7]

    def _dish(self, found: Found) -> Dish:
        meant = [self._meaning(code) for code in found.codes]
        named = [each for each in dict.fromkeys(meant) if each]
        diets = dict.fromkeys(found.diets)
        if "vegan" in diets:
            diets.pop("vegetarian", None)
        return Dish(
            title={"de": found.title},
            price_cents=found.cents,
            diets=list(diets),
            allergens=[each.partition(".")[2] for each in named if each.startswith("allergens.")],
            additives=[each.partition(".")[2] for each in named if each.startswith("additives.")],
            labelled=bool(found.codes) and all(meant),
        )

    def _meaning(self, code: str) -> str | None:
        """What a code means; `A` and `a` may be two things where a legend has both."""
        legend = self._found.legend
        return legend.get(code) or legend.get(code.upper()) or legend.get(code.lower())
