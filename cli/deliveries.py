"""`coburg deliveries`: what became of one fact, as notify tells it: whom it concerned, by which way, when, or why not."""

import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.errors import Trouble
from cli.gateway import gateway
from cli.home import Home


def show(home: Home, fact: str, as_json: bool, url: str | None, console: Console) -> None:
    """Print one line per recipient and endpoint."""
    with gateway(home, "notify", url, "operator") as notify:
        found: list[dict[str, Any]] = notify.get("/v1/deliveries", fact=fact)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return
    facts = sorted({each["fact_id"] for each in found})
    if len(facts) > 1:
        raise Trouble(f"{len(facts)} facts begin with {fact}.", f"Give more of it: {', '.join(facts[:4])} …")
    if not found:
        console.print("Nobody was to hear of it, or it is longer ago than 30 days.")
        return
    console.print(f"fact {facts[0]}", highlight=False, style="bold")
    console.print(table(found))


def table(found: list[dict[str, Any]]) -> Table:
    """What became of it for each."""
    shown = Table(
        "to",
        "way",
        "because of",
        "status",
        "tries",
        "when",
        "why not",
        box=None,
        header_style="dim",
        pad_edge=False,
    )
    for each in found:
        because = each["subscription_id"] or each["template"] or each["webhook_id"]
        cells = (
            each["recipient_id"] or each["webhook_id"],
            each["channel"],
            because,
            each["status"],
            str(each["attempts"]),
            (each["ended_at"] or each["due_at"])[:19].replace("T", " "),
            each["reason"] or "",
        )
        shown.add_row(*(escape(cell) for cell in cells))
    return shown
