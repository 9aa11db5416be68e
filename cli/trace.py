"""`coburg trace`: one trace across all services, from the files that the services append to."""

from rich.bar import Bar
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.errors import Trouble
from cli.home import Home
from cli.spans import ERROR, Span, read

SLIVER = 1 / 30


def show(home: Home, which: str, console: Console) -> None:
    """Prints the waterfall of one trace."""
    spans = read(home.traces)
    trace = latest(spans) if which == "last" else by_prefix(spans, which.lower())
    chosen = [span for span in spans if span.trace == trace]
    console.print(f"trace {trace}", highlight=False, style="bold")
    console.print(waterfall(chosen))


def latest(spans: list[Span]) -> str:
    """The newest trace that a write over HTTP began; without one, the newest of all."""
    if not spans:
        raise Trouble("There are no traces yet.", "Send the stack a request, then ask again.")
    writes = [span for span in spans if not span.parent and span.writes()]
    return max(writes or spans, key=lambda span: span.start).trace


def by_prefix(spans: list[Span], prefix: str) -> str:
    """The one trace whose id begins like this."""
    found = sorted({span.trace for span in spans if span.trace.startswith(prefix)})
    if len(found) > 1:
        raise Trouble(
            f"{len(found)} traces begin with {prefix}.", f"Give more of it: {', '.join(found[:4])} …"
        )
    if not found:
        raise Trouble(f"No trace begins with {prefix}.", "./coburg trace last shows the newest.")
    return found[0]


def waterfall(spans: list[Span]) -> Table:
    """One line per span, children below their parent, each with its bar on the common clock."""
    began, ended = min(span.start for span in spans), max(span.end for span in spans)
    table = Table("service", "span", "kind", box=None, header_style="dim", pad_edge=False)
    table.add_column("start", justify="right")
    table.add_column("took", justify="right")
    table.add_column(f"0 … {(ended - began) / 1e6:.1f} ms", min_width=20)
    for depth, span in in_order(spans):
        style = "red" if span.status == ERROR else ""
        times = (f"{(span.start - began) / 1e6:.1f}", f"{(span.end - span.start) / 1e6:.1f}")
        table.add_row(
            span.service, label(span, depth), span.kind, *times, bar(span, began, ended), style=style
        )
    return table


def label(span: Span, depth: int) -> Text:
    """Name, what went wrong, and the spans elsewhere that this one points to."""
    text = Text("  " * depth + span.name)
    if span.status == ERROR:
        text.append(f"  ✗ {span.message or 'error'}", style="red")
    for linked in span.links:
        text.append(f"  ⇠ {linked[:8]}", style="dim")
    return text


def bar(span: Span, began: int, ended: int) -> Bar:
    """Where in the trace's time the span lies; however short, it can be seen."""
    whole = max(ended - began, 1)
    begin = min(span.start - began, whole * (1 - SLIVER))
    end = max(span.end - began, begin + whole * SLIVER)
    return Bar(whole, begin, end, color="red" if span.status == ERROR else "cyan")


def in_order(spans: list[Span]) -> list[tuple[int, Span]]:
    """Depth first by start; a span whose parent was not recorded stands at the top."""
    known = {span.id for span in spans}
    children: dict[str, list[Span]] = {}
    for span in sorted(spans, key=lambda span: span.start):
        children.setdefault(span.parent if span.parent in known else "", []).append(span)

    def below(parent: str, depth: int) -> list[tuple[int, Span]]:
        return [
            line for span in children.get(parent, []) for line in [(depth, span), *below(span.id, depth + 1)]
        ]

    return below("", 0)
