"""`coburg seed`: fills the demo town's lunch guide, from this week on, with what its kitchens cook."""

import tomllib
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from cli.gateway import Gateway

WEEKS, DISHES_A_DAY = 8, 2


def cook(retail: Gateway, file: Path, today: date) -> int:
    """Puts the menus of weeks that have none; returns how many. What somebody entered stays as it is."""
    kitchens = tomllib.loads(file.read_text(encoding="utf-8"))["kitchens"]
    ids = {shop["content"]["title"].get("de"): shop["id"] for shop in retail.every("/v1/shops")}
    monday = today - timedelta(days=today.weekday())
    done = 0
    for kitchen in kitchens.values():
        dishes = [dish(line) for line in kitchen["dishes"].strip().splitlines()]
        for place, name in enumerate(kitchen["shops"]):
            for week in range(WEEKS) if name in ids else ():
                body = menu(dishes, kitchen["times"], monday + timedelta(weeks=week), place)
                done += put(retail, ids[name], monday + timedelta(weeks=week), body)
    return done


def menu(dishes: list[dict[str, Any]], times: list[str], monday: date, place: int) -> dict[str, Any]:
    """A week of a kitchen; every house begins its list elsewhere."""
    days = []
    for number in range(5):
        day = monday + timedelta(days=number)
        first = (day.toordinal() * DISHES_A_DAY + place * 3) % len(dishes)
        days.append({"day": str(day), "dishes": list(islice(dishes + dishes, first, first + DISHES_A_DAY))})
    return {"start": times[0], "end": times[1], "days": days}


def dish(line: str) -> dict[str, Any]:
    """A line of the material as a dish."""
    title, cents, diets, allergens = (part.strip() for part in line.split(";"))
    said = {"title": {"de": title}, "price_cents": int(cents), "labelled": True}
    return {**said, "diets": diets.split(), "allergens": allergens.split()}


def put(retail: Gateway, shop_id: str, monday: date, body: dict[str, Any]) -> bool:
    """Puts a menu unless there is one; returns whether it did."""
    year, week, _ = monday.isocalendar()
    path = f"/v1/shops/{shop_id}/menus/{year}-W{week:02}"
    if retail.client.get(path).status_code == 200:
        return False
    retail.ask("PUT", path, json=body, headers={"If-Match": '"0"'})
    return True
