"""Menus as innkeepers write them, pasted as text: twenty habits, each with what must be understood and what asked back.

`menus/` holds the texts, invented after real ones; `menus/expected.json` what a person reads in them.
"""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.home import ROOT
from services.retail.lunches import tokens
from services.retail.lunches.collecting import Became
from services.retail.lunches.domain import Dish, WeekMenu, repeated, served, week_of
from services.retail.lunches.parsing import MAX_CHARACTERS, Parsed, parse
from services.retail.lunches.words import read

MENUS = Path(__file__).parent / "menus"
EXPECTED: dict[str, Any] = json.loads((MENUS / "expected.json").read_text(encoding="utf-8"))
WORDS = read(ROOT / "city")
TODAY = date(2026, 11, 26)


def read_menu(text: str, **legend: str) -> Parsed:
    return parse(text, WORDS, TODAY, legend, week_of(TODAY))


def shown(dish: Dish) -> str:
    """A dish in a line: what it is, what it costs, whom it suits, what is in it."""
    price = "?" if dish.price_cents is None else f"{dish.price_cents / 100:.2f}"
    marks = [*dish.diets, *dish.allergens, *dish.additives, *(["all stated"] if dish.labelled else [])]
    return " | ".join([dish.title["de"], price, *marks])


def summary(found: Parsed) -> dict[str, Any]:
    menu = found.menu
    days = {
        str(each.day): "closed" if each.closed else [shown(dish) for dish in each.dishes]
        for each in menu.days
    }
    asked = [f"{each.line}: {each.code}" for each in found.questions]
    always = [shown(dish) for dish in menu.always]
    return {"times": f"{menu.start}-{menu.end}", "days": days, "always": always, "asked": asked}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_menu_is_understood(name: str) -> None:
    text = (MENUS / f"{name}.txt").read_text(encoding="utf-8")
    assert summary(read_menu(text)) == EXPECTED[name]


def test_there_are_twenty_habits() -> None:
    assert {file.stem for file in MENUS.glob("*.txt")} == EXPECTED.keys()
    assert len(EXPECTED) == 20


def test_no_line_is_dropped() -> None:
    for name in EXPECTED:
        text = (MENUS / f"{name}.txt").read_text(encoding="utf-8")
        found = read_menu(text)
        assert [each.text for each in found.lines] == [
            line.strip() for line in text.split("\n") if line.strip()
        ]
        unclear = {each.number for each in found.lines if each.became is Became.UNCLEAR}
        assert unclear <= {each.line for each in found.questions}, name


def test_letters_mean_nothing_without_a_legend() -> None:
    found = read_menu("KW 48\nMo: Pfannkuchen (A,C,G) 6,50")
    (dish,) = found.menu.days[0].dishes
    assert (dish.allergens, dish.labelled) == ([], False)
    assert [(each.code, each.params) for each in found.questions] == [
        ("codes-without-legend", {"codes": "A, C, G"})
    ]


def test_the_shops_own_legend_is_remembered() -> None:
    found = read_menu("KW 48\nMo: Pfannkuchen (A,C) 6,50", A="allergens.gluten", C="allergens.eggs")
    (dish,) = found.menu.days[0].dishes
    assert (dish.allergens, dish.labelled, found.questions) == (["gluten", "eggs"], True, [])
    assert found.menu.legend == {"A": "allergens.gluten", "C": "allergens.eggs"}


def test_one_unclear_letter_keeps_a_dish_from_counting_as_labelled() -> None:
    found = read_menu("A = Gluten, C = Ei\nMo: Pfannkuchen (A,C,X) 6,50")
    (dish,) = found.menu.days[0].dishes
    assert (dish.allergens, dish.labelled) == (["gluten", "eggs"], False)


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("Suppe 3,50", [350]),
        ("Suppe 3.50 €", [350]),
        ("Suppe €3,50", [350]),
        ("Suppe 4,- Euro", [400]),
        ("Suppe 4 €", [400]),
        ("Suppe 4,5€", [450]),
        ("Bier 0,5 l", []),
        ("Steak 250 g", []),
        ("11.30 Uhr bis 14.00 Uhr", []),
        ("24.11. Suppe 3,50", [350]),
        ("Haus 1.234,50", []),
        ("klein 5,50 groß 7,50", [550, 750]),
    ],
)
def test_prices(text: str, cents: list[int]) -> None:
    assert [each.cents for each in tokens.prices(text)] == cents


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Montag: Suppe", (0,)),
        ("MO Suppe", (0,)),
        ("Mo-Fr: Suppe", (0, 1, 2, 3, 4)),
        ("Sa + So: Brunch", (5, 6)),
        ("Fr-Mo: Karpfen", (4, 5, 6, 0)),
        ("Donnerstags Haxe", (3,)),
    ],
)
def test_days(text: str, days: tuple[int, ...]) -> None:
    head = tokens.head(text)
    assert head is not None
    assert head.weekdays == days


@pytest.mark.parametrize(
    "text",
    ["Mozzarella mit Tomate", "Soße extra", "so gut wie bei Oma", "Dienstagsuppe", "Frikadelle", "Mittwo"],
)
def test_what_only_begins_like_a_day_is_none(text: str) -> None:
    assert tokens.head(text) is None


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400))
def test_whatever_is_pasted_is_answered(text: str) -> None:
    found = read_menu(text)
    assert len(found.menu.days) <= 7


def test_a_huge_text_is_read_in_no_time() -> None:
    read_menu("Mo " * MAX_CHARACTERS + "\n" + "(A," * MAX_CHARACTERS)
    read_menu("9,9" * MAX_CHARACTERS)


def test_a_menu_repeats_on_the_same_weekdays() -> None:
    menu = read_menu("KW 48\nMo: Suppe 3,50\nFr: Fisch 9,90").menu
    menu.days[0].dishes[0].sold_out = True
    later = repeated(menu, "2026-W50")
    assert [each.day for each in later.days] == [each.day + timedelta(days=14) for each in menu.days]
    assert not any(dish.sold_out for each in later.days for dish in each.dishes)


def test_what_is_always_there_is_there_on_open_days_only() -> None:
    menu = WeekMenu.model_validate_json(
        json.dumps(
            {
                "days": [{"day": "2026-11-23", "dishes": []}, {"day": "2026-11-24", "closed": True}],
                "always": [{"title": {"de": "Suppe"}}],
            }
        )
    )
    assert [day for day, _ in served(menu)] == [date(2026, 11, 23)]
