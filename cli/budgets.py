"""`coburg seed`: gives boards a demo budget, so that bookings on them are funded."""

import tomllib
from datetime import date, timedelta
from pathlib import Path

from cli.gateway import Gateway

YEAR = timedelta(days=365)


def fund(offers: Gateway, file: Path) -> int:
    """Sets the budgets that a file names in cents by board, for this period and the next, in which most demo dates lie.

    Returns how many were set; one that is there already is left alone.
    """
    amounts: dict[str, int] = tomllib.loads(file.read_text(encoding="utf-8"))
    return sum(
        open_budget(offers, board, period, cents)
        for board, cents in amounts.items()
        for period in periods(offers, board)
    )


def periods(offers: Gateway, board: str) -> list[str]:
    """The keys of a board's present period and of the next."""
    today = date.today()
    asked = {"persons": 0, "price_cents": 0}
    quotes = [
        offers.get(f"/v1/boards/{board}/funding/quote", on=day, **asked) for day in (today, today + YEAR)
    ]
    return [quote["period"] for quote in quotes]


def open_budget(offers: Gateway, board: str, period: str, cents: int) -> bool:
    """Sets one budget; False when there is one."""
    path = f"/v1/boards/{board}/budgets"
    if any(budget["period"] == period for budget in offers.get(path, limit=200)["items"]):
        return False
    body = {"amount_cents": cents, "reason": "Demo"}
    offers.ask("PUT", f"{path}/{period}", json=body, headers={"If-Match": '"0"'})
    return True
