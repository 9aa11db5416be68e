"""Rules of the lunch guide: what a week's menu says, and what of it is for one day. Values in, values out."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from libs.contracts import retail as events
from libs.contracts.card import Card, CardProvider, Name, Span, Text
from libs.servicekit.values import Body, Day, Said
from libs.town import hours as town_hours
from libs.town.calendar import Calendar
from libs.town.places import plain
from services.retail.shops.domain import ShopContent, hours_of

MAX_DISHES, MAX_TITLE = 20, 200
CLOCK = r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]$"
WEEK = r"^(20[2-9][0-9])-W(0[1-9]|[1-4][0-9]|5[0-3])$"
USUAL_START, USUAL_END = "11:30", "14:00"
DIETS_OF_VEGAN = ("vegan", "vegetarian")

Clock = Annotated[str, Field(pattern=CLOCK)]
Names = Annotated[list[Name], Field(max_length=20)]
Price = Annotated[int, Field(ge=0, le=100_000)]


def _short(value: Text) -> Text:
    if any(len(text) > MAX_TITLE for text in value.values()):
        raise ValueError(f"has at most {MAX_TITLE} characters")
    return value


class Dish(Body):
    """One dish. `labelled` says that somebody stated its allergens: none named then means that there are none."""

    title: Annotated[Said, AfterValidator(_short)]
    price_cents: Price | None = None
    diets: Names = []
    allergens: Names = []
    additives: Names = []
    labelled: bool = False
    sold_out: bool = False


Dishes = Annotated[list[Dish], Field(max_length=MAX_DISHES)]


class DayMenu(Body):
    """What there is on one day; `closed` says that there is nothing, whatever there is on other days of the week."""

    day: Day
    closed: bool = False
    dishes: Dishes = []


class WeekMenu(Body):
    """A shop's menu for a week. `always` is there on every day named; `legend` is what letters and digits behind dishes
    mean at this shop, such as `{"G": "allergens.milk"}`, kept for the next week's text."""

    start: Clock = USUAL_START
    end: Clock = USUAL_END
    days: Annotated[list[DayMenu], Field(max_length=7)] = []
    always: Dishes = []
    legend: Annotated[dict[str, str], Field(max_length=60)] = {}

    @model_validator(mode="after")
    def _in_order(self) -> "WeekMenu":
        if self.end <= self.start:
            raise ValueError("end lies before start")
        days = [each.day for each in self.days]
        if len(set(days)) < len(days):
            raise ValueError("days names a day twice")
        self.days.sort(key=lambda each: each.day)
        return self

    def dishes(self) -> dict[str, Dish]:
        """Every dish by the field in which it stands."""
        found = {f"always.{number}": dish for number, dish in enumerate(self.always)}
        for place, day in enumerate(self.days):
            found |= {f"days.{place}.dishes.{number}": dish for number, dish in enumerate(day.dishes)}
        return found


def monday_of(week: str) -> date:
    """The first day of a week by ISO 8601, such as `2026-W48`; ValueError for a week that its year does not have."""
    year, _, number = week.partition("-W")
    return date.fromisocalendar(int(year), int(number), 1)


def week_of(day: date) -> str:
    """The week of a day by ISO 8601."""
    year, number, _ = day.isocalendar()
    return f"{year}-W{number:02}"


def strays(menu: WeekMenu, week: str) -> list[date]:
    """The days of a menu that do not lie in its week."""
    return [each.day for each in menu.days if week_of(each.day) != week]


def served(menu: WeekMenu) -> Iterator[tuple[date, list[Dish]]]:
    """Yield the days on which there is something, and what."""
    for each in menu.days:
        dishes = [] if each.closed else [*each.dishes, *menu.always]
        if dishes:
            yield each.day, dishes[:MAX_DISHES]


def repeated(menu: WeekMenu, week: str) -> WeekMenu:
    """The same menu a week, or some weeks, later; nothing is sold out yet."""
    if not menu.days:
        return menu
    shift = monday_of(week) - monday_of(week_of(menu.days[0].day))
    days = [
        each.model_copy(update={"day": each.day + shift, "dishes": _anew(each.dishes)}) for each in menu.days
    ]
    return menu.model_copy(update={"days": days, "always": _anew(menu.always)})


def _anew(dishes: list[Dish]) -> list[Dish]:
    return [dish.model_copy(update={"sold_out": False}) for dish in dishes]


def is_served(shop: ShopContent, day: date, start: str, end: str, calendar: Calendar) -> bool:
    """Whether the shop is open at any time between: on a holiday on which it is closed there is no lunch, whatever a
    menu says. Hours that nobody can evaluate keep nothing back."""
    text = hours_of(shop)
    if text is None:
        return True
    low, high = minutes(start), minutes(end)
    return any(span.low < high and span.high > low for span in town_hours.spans(text, day, calendar))


def minutes(clock: str) -> int:
    """Minutes since the day began."""
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)


def instant(day: date, clock: str, zone: ZoneInfo) -> datetime:
    """A time of day of the town as an instant."""
    return datetime.combine(day, time.fromisoformat(clock), zone)


def diets_of(dishes: list[Dish]) -> list[str]:
    """The diets for which there is a dish that is not sold out; what is vegan is vegetarian."""
    found = {diet for dish in dishes if not dish.sold_out for diet in dish.diets}
    return sorted(found | set(DIETS_OF_VEGAN if "vegan" in found else ()))


def least(dishes: list[Dish]) -> int | None:
    """The lowest price of a dish that is not sold out, in cents."""
    return min(
        (each.price_cents for each in dishes if each.price_cents is not None and not each.sold_out),
        default=None,
    )


def is_gone(dishes: list[Dish]) -> bool:
    """Whether everything is sold out."""
    return all(dish.sold_out for dish in dishes)


TITLE: Mapping[str, str] = {"de": "Mittagstisch", "en": "Lunch"}


def card(
    shop_id: str,
    shop: ShopContent,
    day: date,
    window: tuple[datetime, datetime],
    dishes: list[Dish],
    notices: Sequence[str],
    *,
    listed: bool,
) -> Card:
    """How a day's lunch is found: by its dishes, its shop, its day, its diets and what it costs."""
    languages = dict.fromkeys(language for dish in dishes for language in dish.title) or {"de": None}
    lines = {
        language: [dish.title.get(language) or next(iter(dish.title.values())) for dish in dishes]
        for language in languages
    }
    diets = diets_of(dishes)
    return Card(
        kind="lunch",
        title={
            language: f"{shop.title.get(language) or next(iter(shop.title.values()))}: {', '.join(texts)}"[
                :300
            ]
            for language, texts in lines.items()
        },
        text={language: "\n".join(texts) for language, texts in lines.items()},
        keywords=list(TITLE.values()),
        facets={name: values for name, values in (("diet", diets), ("notice", list(notices))) if values},
        place=plain(shop.place),
        dates=[window[0]],
        spans=[Span(start=window[0], end=window[1])],
        price_cents=least(dishes),
        provider=CardProvider(id=shop_id, title=shop.title),
        listed=listed,
    )


def fact(
    shop_id: str,
    shop: ShopContent,
    day: date,
    window: tuple[datetime, datetime],
    dishes: list[Dish],
    kind: type[events.LunchFact],
    notices: Sequence[str] = (),
) -> events.LunchFact:
    """A day's lunch as a fact; `notices` are the kinds of what others do near its shop."""
    told = [events.LunchDish.model_validate(dish.model_dump()) for dish in dishes]
    listed = kind is not events.LunchWithdrawn and not is_gone(dishes)
    return kind(
        shop_id=shop_id,
        day=day,
        starts_at=window[0],
        ends_at=window[1],
        dishes=told,
        card=card(shop_id, shop, day, window, dishes, notices, listed=listed),
    )


def coming_week(today: date) -> str:
    """The week that somebody plans who enters a menu today: from Friday on the next one."""
    return week_of(today + timedelta(days=3))
