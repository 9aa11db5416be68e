"""The table of commands about the bus: what could not be handled or sent, what was, and who hears it from outside."""

from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console

from cli.errors import Trouble
from cli.home import Home

BUS = "Bus and traces"
app = typer.Typer()
dead = typer.Typer(help="What could not be handled: look at it, send it back, drop it.", no_args_is_help=True)
app.add_typer(dead, name="dead", rich_help_panel=BUS)
outbox = typer.Typer(
    help="Facts that the broker does not take: look at them, send them after all, drop them.",
    no_args_is_help=True,
)
app.add_typer(outbox, name="outbox", rich_help_panel=BUS)

mail = typer.Typer(help="The mails that this stack would have sent.", no_args_is_help=True)
app.add_typer(mail, name="mail", rich_help_panel=BUS)

partner = typer.Typer(help="Who may hear the town's facts from outside.", no_args_is_help=True)
app.add_typer(partner, name="partner", rich_help_panel=BUS)


Url = Annotated[str | None, typer.Option(help="Address of the service, when it is not this stack's own.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Consumer = Annotated[str | None, typer.Option(help="Only what this consumer could not handle.")]
Sequences = Annotated[list[int] | None, typer.Argument(metavar="[SEQ]...", help="Numbers from `dead list`.")]
ServiceName = Annotated[str, typer.Argument(metavar="SERVICE")]
PartnerName = Annotated[str, typer.Argument(metavar="NAME")]
OutboxIds = Annotated[list[int], typer.Argument(metavar="ID...", help="Numbers from `outbox list`.")]
All = Annotated[bool, typer.Option("--all", help="Every dead letter (of --consumer, if given).")]


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
