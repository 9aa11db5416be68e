"""`coburg seed`: the demo town on the running stack. Offers first, then what is said of them; a second run changes nothing."""

from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console

from cli.budgets import fund
from cli.dates import schedule
from cli.errors import Trouble
from cli.followers import follow
from cli.gateway import gateway
from cli.home import ROOT, Home
from cli.imports import NATIVE, SHOPS, Order, counts, run, until_searchable
from cli.lunches import cook
from cli.partners import admit
from cli.periods import announce
from cli.stories import tell


def seed(home: Home, url: str | None, console: Console) -> int:
    """Imports one native file per board, gives offers their dates, boards their budgets, and announces periods of wishes."""
    demo = Path(home.environ.get("COBURG_CITY") or ROOT / "city") / "demo"
    files = sorted(demo.glob("*.jsonl"))
    if not files:
        raise Trouble(f"There is no demo data in {demo}.", "Add files named <board>.jsonl.")
    with gateway(home, "offers", url, "editor") as offers:
        orders = [Order(each.stem, each, NATIVE, source="demo") for each in files]
        done = [(order, run(offers, order, console)) for order in orders]
        dated = sum(schedule(offers, each) for each in sorted((demo / "sessions").glob("*.jsonl")))
        funded = sum(fund(offers, each) for each in demo.glob("budgets.toml"))
        announced = sum(announce(offers, each) for each in sorted((demo / "periods").glob("*.toml")))
    shown, menus, stories = _shop_window(home, demo, console) if not url else ([], 0, 0)
    admitted = [each for file in demo.glob("partners.toml") for each in admit(home, file)] if not url else []
    followers = _followers(home, demo) if not url else 0
    done += shown
    console.print(counts(done))
    console.print(f"[dim]{dated} offers got dates that can be booked.[/]")
    console.print(f"[dim]{funded} budgets were set, {announced} periods of wishes announced.[/]")
    console.print(f"[dim]{menus} weeks of lunch are on the menu, {stories} stories were told.[/]")
    console.print(f"[dim]{followers} people follow something.[/]")
    for each in admitted:
        console.print(f"Partner {each.name} may hear NATS; its password, shown this once:", highlight=False)
        print(each.password)
    until_searchable(home, console)
    return 1 if any(result["broken"] for _, result in done) else 0


def _shop_window(
    home: Home, demo: Path, console: Console
) -> tuple[list[tuple[Order, dict[str, Any]]], int, int]:
    """Shops, what they serve and tell; returns what became of the file, how many menus and stories are new."""
    folder = demo / "retail"
    orders = [Order(SHOPS, file, source="demo") for file in folder.glob("shops.jsonl")]
    with gateway(home, "retail", None, "editor") as retail:
        done = [(order, run(retail, order, console)) for order in orders]
        menus = sum(cook(retail, file, date.today()) for file in folder.glob("menus.toml"))
        return done, menus, sum(tell(retail, file) for file in folder.glob("stories.toml"))


def _followers(home: Home, demo: Path) -> int:
    """Only where mails stay in a mailbox: nobody is written to who was only invented."""
    file = demo / "followers.toml"
    if not file.exists() or "COBURG_SMTP_URL" in home.environ:
        return 0
    with gateway(home, "notify", None, "operator") as notify:
        return follow(home, notify, file)
