"""The table of commands for those who work on the code."""

from typing import Annotated

import typer
from rich.console import Console

WORK = "Development"
PASS_THROUGH = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
app = typer.Typer()


@app.command(rich_help_panel=WORK)
def check() -> None:
    """Run every static check: style, types, import rules, dependencies, images, event reference."""
    from cli.checks import check

    raise typer.Exit(check(Console()))


@app.command(rich_help_panel=WORK, context_settings=PASS_THROUGH)
def test(context: typer.Context) -> None:
    """Run the tests; what follows goes to pytest."""
    from cli.checks import test

    raise typer.Exit(test(context.args))


@app.command("format", rich_help_panel=WORK)
def format_() -> None:
    """Format the code and fix what can be fixed by itself."""
    from cli.checks import format_code

    raise typer.Exit(format_code())


@app.command(rich_help_panel=WORK, context_settings=PASS_THROUGH)
def bench(context: typer.Context) -> None:
    """Run the benchmarks; what follows goes to them."""
    from cli.checks import bench

    raise typer.Exit(bench(context.args))


@app.command(rich_help_panel=WORK)
def lock(
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="To the newest versions that pyproject.toml allows.")
    ] = False,
) -> None:
    """Make requirements/*.txt anew after a change of pyproject.toml."""
    from cli.lock import lock

    lock(upgrade)
