"""`coburg status`: what runs, and whether it is ready right now."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli import readiness, state
from cli.errors import Trouble
from cli.home import Home


@dataclass(frozen=True)
class Line:
    """One component as the table shows it."""

    component: str
    pid: int | None
    port: int
    url: str
    ready: bool
    problem: str
    memory_mb: int
    restarts: int
    uptime_seconds: int


def status(home: Home, as_json: bool, console: Console) -> int:
    """Prints the table; 0 only if every component is ready."""
    current = state.running(home)
    if current is None:
        raise Trouble("The stack is not up.", "Start it with ./coburg up --detach")
    with ThreadPoolExecutor() as pool:
        lines = list(pool.map(lambda item: line(*item), current.components.items()))
    if as_json:
        console.print_json(json.dumps([asdict(each) for each in lines]))
    else:
        console.print(table(lines))
    return 0 if current.phase == state.READY and all(each.ready for each in lines) else 1


def line(name: str, component: state.Running) -> Line:
    """Asks one component."""
    problem = readiness.problem(component.probe)
    process = component.process
    return Line(
        component=name,
        pid=process.pid if process else None,
        port=component.port,
        url=component.url,
        ready=problem is None,
        problem=problem or "",
        memory_mb=process.memory() // 2**20 if process else 0,
        restarts=component.restarts,
        uptime_seconds=int(time.time() - component.since),
    )


def table(lines: list[Line]) -> Table:
    """For people."""
    result = Table("component", box=None, header_style="dim", pad_edge=False, collapse_padding=True)
    result.add_column("url", min_width=max(len(each.url) for each in lines))
    result.add_column("ready")
    for heading in ("pid", "port", "memory", "restarts", "uptime"):
        result.add_column(heading, justify="right")
    for each in lines:
        ready = "[green]✓[/]" if each.ready else f"[red]✗ {escape(each.problem)}[/]"
        pid, memory = (str(each.pid), f"{each.memory_mb} MB") if each.pid else ("external", "")
        result.add_row(
            each.component, each.url, ready, pid, str(each.port), memory, str(each.restarts), age(each)
        )
    return result


def age(line: Line) -> str:
    """Hours and minutes, or seconds for the young."""
    minutes, seconds = divmod(line.uptime_seconds, 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes else f"{seconds} s"
