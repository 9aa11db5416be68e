"""`coburg reindex`: has search build its index anew and follows it to the end."""

import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.errors import Trouble
from cli.gateway import Gateway, gateway
from cli.home import Home


def reindex(home: Home, url: str | None, console: Console) -> int:
    """Starts the rebuild and waits until the new index serves."""
    with gateway(home, "search", url, "operator") as search:
        search.ask("POST", "/v1/index/reindex")
        status = follow(search, console)
    if (status["reindex"] or {}).get("error"):
        raise Trouble(f"The rebuild failed: {status['reindex']['error']}.", "The old index still serves.")
    console.print(f"{status['documents']} documents in {status['index']}.")
    return 0


def follow(search: Gateway, console: Console) -> dict[str, Any]:
    """Shows the progress until no rebuild is running."""
    columns = (TextColumn("reindex"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("reindex", total=None)
        while True:
            status: dict[str, Any] = search.get("/v1/index/status")
            rebuild = status["reindex"]
            if not rebuild or not rebuild["running"]:
                return status
            progress.update(task, total=rebuild["total"], completed=rebuild["done"])
            time.sleep(0.1)
