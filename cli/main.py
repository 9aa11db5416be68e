"""The table of commands. Each one hands over to the module of its concern; imports stay inside, so --help is quick."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.errors import Trouble
from cli.home import Home

app = typer.Typer(
    help="Coburg Digital: the open platform on which a town's digital projects hear each other.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
dead = typer.Typer(help="What could not be handled: look at it, send it back, drop it.", no_args_is_help=True)
app.add_typer(dead, name="dead", rich_help_panel="Bus and traces")
outbox = typer.Typer(
    help="Facts that the broker does not take: look at them, send them after all, drop them.",
    no_args_is_help=True,
)
app.add_typer(outbox, name="outbox", rich_help_panel="Bus and traces")

mail = typer.Typer(help="The mails that this stack would have sent.", no_args_is_help=True)
app.add_typer(mail, name="mail", rich_help_panel="Bus and traces")

partner = typer.Typer(help="Who may hear the town's facts from outside.", no_args_is_help=True)
app.add_typer(partner, name="partner", rich_help_panel="Bus and traces")

STACK, DATA, BUS, WORK = "Stack", "Data", "Bus and traces", "Development"
PASS_THROUGH = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Url = Annotated[str | None, typer.Option(help="Address of the service, when it is not this stack's own.")]
Consumer = Annotated[str | None, typer.Option(help="Only what this consumer could not handle.")]
Sequences = Annotated[list[int] | None, typer.Argument(metavar="[SEQ]...", help="Numbers from `dead list`.")]
ServiceName = Annotated[str, typer.Argument(metavar="SERVICE")]
PartnerName = Annotated[str, typer.Argument(metavar="NAME")]
OutboxIds = Annotated[list[int], typer.Argument(metavar="ID...", help="Numbers from `outbox list`.")]
All = Annotated[bool, typer.Option("--all", help="Every dead letter (of --consumer, if given).")]


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
    board: Annotated[str, typer.Argument(help="The board's slug, such as kita.")],
    file: Annotated[
        Path, typer.Argument(help="A .csv, .jsonl or .ndjson file.", exists=True, dir_okay=False)
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
    """Import offers from a file into a board; broken rows are reported, the others are imported."""
    from cli.imports import Order, import_file

    order = Order(board, file, mapping, source, dry_run, prune)
    raise typer.Exit(import_file(Home.current(), order, strict, url, Console()))


@app.command(rich_help_panel=DATA)
def reindex(url: Url = None) -> None:
    """Build the search index anew from the bus and wait until it serves."""
    from cli.index import reindex

    raise typer.Exit(reindex(Home.current(), url, Console()))


@app.command(rich_help_panel=BUS)
def audit(
    repair: Annotated[bool, typer.Option("--repair", help="Publish again what is missing or older.")] = False,
    take_bus: Annotated[
        bool, typer.Option("--take-bus", help="Where the bus knows newer versions: take them back in.")
    ] = False,
    go_above: Annotated[
        bool, typer.Option("--go-above", help="There: tell the database's state above them.")
    ] = False,
) -> None:
    """Compare what the services told with what the bus holds; exit code 1 if they differ."""
    from cli.audit import GO_ABOVE, TAKE_BUS, audit

    if take_bus and go_above:
        raise Trouble("Either --take-bus or --go-above.")
    way = TAKE_BUS if take_bus else GO_ABOVE if go_above else None
    raise typer.Exit(audit(Home.current(), repair, way, Console()))


@app.command(rich_help_panel=BUS)
def trace(
    which: Annotated[
        str, typer.Argument(metavar="ID|last", help="A trace id, its beginning, or `last`.")
    ] = "last",
) -> None:
    """Show one trace across all services as a waterfall; `last` is the newest write over HTTP."""
    from cli.trace import show

    show(Home.current(), which, Console())


@app.command(rich_help_panel=BUS)
def deliveries(
    fact: Annotated[
        str, typer.Argument(metavar="FACT_ID", help="An event's id, its beginning, or `last`.")
    ] = "last",
    as_json: Json = False,
    url: Url = None,
) -> None:
    """What became of one fact: who was told, by which way, when, or why not."""
    from cli.deliveries import show

    show(Home.current(), fact, as_json, url, Console())


@dead.command("list")
def dead_list(
    consumer: Consumer = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, oldest first.")] = 50,
) -> None:
    """List dead letters with the reason why each could not be handled."""
    from cli.dead import show_list

    show_list(Home.current(), consumer, limit, Console())


@dead.command("show")
def dead_show(sequence: Annotated[int, typer.Argument(metavar="SEQ")]) -> None:
    """Show one dead letter in full: headers and body."""
    from cli.dead import show_one

    show_one(Home.current(), sequence, Console())


@dead.command("replay")
def dead_replay(sequences: Sequences = None, all_: All = False, consumer: Consumer = None) -> None:
    """Send dead letters back to the consumer that could not handle them."""
    from cli.dead import Selection, replay

    replay(Home.current(), Selection(tuple(sequences or ()), all_, consumer), Console())


@dead.command("drop")
def dead_drop(
    sequences: Sequences = None,
    all_: All = False,
    consumer: Consumer = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete dead letters for good."""
    from cli.dead import Selection, drop

    drop(Home.current(), Selection(tuple(sequences or ()), all_, consumer), yes, Console())


@outbox.command("list")
def outbox_list(limit: Annotated[int, typer.Option(min=1, help="How many of each service.")] = 50) -> None:
    """List facts that were set aside, with the reason."""
    from cli.outbox import show_list

    show_list(Home.current(), limit, Console())


@outbox.command("retry")
def outbox_retry(service: ServiceName, ids: OutboxIds) -> None:
    """Send facts after all, once the cause is gone."""
    from cli.outbox import retry

    retry(Home.current(), service, ids, Console())


@outbox.command("drop")
def outbox_drop(service: ServiceName, ids: OutboxIds) -> None:
    """Never send these facts."""
    from cli.outbox import drop

    drop(Home.current(), service, ids, Console())


@mail.command("list")
def mail_list(as_json: Json = False) -> None:
    """List every mail, oldest first."""
    from cli.mail import show_list

    show_list(Home.current(), as_json, Console())


@mail.command("show")
def mail_show(
    number: Annotated[int, typer.Argument(metavar="N", help="Its number in `mail list`.")],
    html: Annotated[bool, typer.Option("--html", help="The HTML part instead of the text.")] = False,
) -> None:
    """Show one mail with what hangs on it."""
    from cli.mail import show_one

    show_one(Home.current(), number, html, Console())


@partner.command("add")
def partner_add(
    name: PartnerName,
    types: Annotated[
        list[str], typer.Option(help="What it hears: 'offers.*', offers.offer.published; may be repeated.")
    ],
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Its last day.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Let a partner in; prints its password this once."""
    from cli.partners import show_added

    show_added(Home.current(), name, types, until.date() if until else None, as_json)


@partner.command("list")
def partner_list(as_json: Json = False) -> None:
    """List partners: what they hear, how far behind they are, when they were last active."""
    from cli.partners import show_list

    show_list(Home.current(), as_json, Console())


@partner.command("revoke")
def partner_revoke(name: PartnerName) -> None:
    """Cut a partner off at once; its streams and consumers go with it."""
    from cli.partners import show_revoked

    show_revoked(Home.current(), name)


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
