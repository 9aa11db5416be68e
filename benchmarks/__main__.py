"""`./coburg bench`: measure everything, print a table, keep it as JSON if asked to."""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from benchmarks import (
    allocation,
    auditing,
    booking,
    fanout,
    finding,
    following,
    growth,
    importing,
    influence,
    load,
    mailing,
    relay,
    report,
    serving,
    shop_window,
    startup,
    writing,
)
from benchmarks.report import Figure, Row
from benchmarks.stack import REGISTER

Measured = tuple[list[Row], list[Figure]]
PARTS: dict[str, Callable[[Path], Measured]] = {
    "startup": lambda folder: ([], startup.run(folder)),
    "relay": lambda folder: (relay.run(folder), []),
    "import": importing.run,
    "serving": serving.run,
    "finding": lambda folder: (finding.run(folder), []),
    "load": lambda folder: (load.run(folder), []),
    "writing": writing.run,
    "allocation": allocation.run,
    "auditing": auditing.run,
    "shop-window": shop_window.run,
    "influence": influence.run,
    "booking": lambda folder: (booking.run(folder), []),
    "fanout": lambda folder: (fanout.run(folder), []),
    "following": following.run,
    "mailing": mailing.run,
    "growth": growth.run,
}
NEED_REGISTER = {"following", "import", "serving", "load", "finding"}


def main() -> None:
    """Run the chosen parts, by default all."""
    parser = argparse.ArgumentParser(prog="coburg bench", description=__doc__)
    parser.add_argument("--output", type=Path, metavar="FILE.json", help="also write the rows as JSON")
    parser.add_argument(
        "--only", choices=PARTS, action="append", help="measure only this part; may be repeated"
    )
    chosen = parser.parse_args()
    console = Console()
    rows: list[Row] = []
    figures: list[Figure] = []
    for name in chosen.only or PARTS:
        if name in NEED_REGISTER and not REGISTER.exists():
            console.print(f"[yellow]{name} is left out:[/] it needs {REGISTER}")
            continue
        with console.status(f"measuring {name} …"), tempfile.TemporaryDirectory() as folder:
            more_rows, more_figures = PARTS[name](Path(folder))
        rows += more_rows
        figures += more_figures
    report.show(rows, figures, console)
    if chosen.output:
        report.write(chosen.output, rows, figures)


if __name__ == "__main__":
    main()
