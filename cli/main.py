"""The table of commands. Each one hands over to the module of its concern; imports stay inside, so --help is quick."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli import bus_commands, development_commands
from cli.errors import Trouble
from cli.home import Home

app = typer.Typer(
    help="Coburg Digital: the open platform on which a town's digital projects hear each other.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
STACK, DATA = "Stack", "Data"

Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Url = Annotated[str | None, typer.Option(help="Address of the service, when it is not this stack's own.")]

app.add_typer(bus_commands.app)
app.add_typer(development_commands.app)


def run() -> None:
    """Runs the command line; foreseeable trouble ends in a sentence, not in a traceback."""
    try:
        app(prog_name="coburg")
    except Trouble as trouble:
        Console(stderr=True).print(
            f"coburg: {trouble}", style="red", markup=False, highlight=False, soft_wrap=True
        )
        sys.exit(1)


@app.command(rich_help_panel=STACK)
def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when everything is ready.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No logs on the console.")] = False,
) -> None:
    """Start everything: broker, search engine, all services."""
    from cli.up import up

    raise typer.Exit(up(Home.current(), detach, quiet, Console()))


@app.command(rich_help_panel=STACK)
def down() -> None:
    """Stop everything."""
    from cli.up import down

    raise typer.Exit(down(Home.current(), Console()))


@app.command(rich_help_panel=STACK)
def status(as_json: Json = False) -> None:
    """What runs, where, and whether it is ready; exit code 0 only if all of it is."""
    from cli.status import status

    raise typer.Exit(status(Home.current(), as_json, Console()))


@app.command(rich_help_panel=STACK)
def provision() -> None:
    """Declare streams and consumers on the broker (idempotent)."""
    from cli.up import provision

    raise typer.Exit(provision(Home.current()))


@app.command(rich_help_panel=STACK)
def token(
    role: Annotated[
        list[str], typer.Option(help="editor, caretaker, agenda, provider, merchant, operator, partner.")
    ],
    provider: Annotated[
        list[str] | None, typer.Option(help="A provider that the bearer may act for.")
    ] = None,
    hours: Annotated[float, typer.Option(min=0.01, help="How long it is valid.")] = 12,
    subject: Annotated[str, typer.Option(help="Who it says its bearer is.")] = "local",
) -> None:
    """Print an access token signed with this home's own key, for trying things out."""
    from cli.keys import token

    typer.echo(token(Home.current(), role, provider or [], hours, subject))


@app.command(rich_help_panel=DATA)
def seed(url: Url = None) -> None:
    """Import the demo town from city/demo; may be repeated."""
    from cli.seeds import seed

    raise typer.Exit(seed(Home.current(), url, Console()))


@app.command("import", rich_help_panel=DATA)
def import_(
    board: Annotated[str, typer.Argument(help="The board's slug, such as kita; or shops.")],
    file: Annotated[
        Path,
        typer.Argument(
            help="A table or JSON lines; of shops .geojson or .json.", exists=True, dir_okay=False
        ),
    ],
    *,
    mapping: Annotated[
        str | None, typer.Option(help="A name from city/imports, or `native`; default: the one that fits.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Without a mapping: whose file it is; --prune stays within it.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report what would change.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Withdraw what the file no longer holds.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 if any row was broken.")] = False,
    url: Url = None,
) -> None:
    """Import offers into a board, or shops from OpenStreetMap; broken rows are reported, the others are imported."""
    from cli.imports import Order, import_file

    order = Order(board, file, mapping, source, dry_run, prune)
    raise typer.Exit(import_file(Home.current(), order, strict, url, Console()))


@app.command(rich_help_panel=DATA)
def reindex(url: Url = None) -> None:
    """Build the search index anew from the bus and wait until it serves."""
    from cli.index import reindex

    raise typer.Exit(reindex(Home.current(), url, Console()))
