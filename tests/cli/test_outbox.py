"""Facts that were set aside, as operators see them: listed with the reason, sent after all, dropped."""

from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import update

from cli import outbox as command
from cli.errors import Trouble
from cli.home import ROOT, Home
from libs.contracts.offers import ProviderChanged
from libs.publishing import refusals
from libs.servicekit import outbox
from libs.servicekit.db import Database
from libs.servicekit.outbox import Publisher
from libs.servicekit.tables import outbox as table


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose offers service has two facts set aside."""
    home = Home.of({"COBURG_HOME": str(tmp_path)})
    db = Database(command.url(home, "offers"), Publisher("offers", "de.coburg", "http://x"))
    db.migrate(ROOT / "services" / "offers" / "migrations")
    with db.transaction() as session:
        for thing in ("a", "b"):
            outbox.add(session, ProviderChanged(title={"de": thing}), thing_id=thing, version=1)
        session.execute(update(table).values(refused="too [large]"))
    db.dispose()
    return home


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_what_is_set_aside_is_listed_sent_after_all_and_dropped(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    console = Console(width=200)
    command.show_list(home, 10, console)
    assert said(capsys).count("too [large]") == 2
    command.retry(home, "offers", [1, 7], console)
    assert said(capsys).startswith("1 will be sent.\nNot set aside, or overtaken by a later fact: 7.")
    command.drop(home, "offers", [2], console)
    assert said(capsys) == "1 dropped.\n"
    command.show_list(home, 10, console)
    assert said(capsys) == "Nothing is set aside.\n"
    with command.database(home, "offers") as db:
        assert refusals.waiting(db) == 0


def test_a_service_without_a_database_is_named(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Trouble, match="search has no database"):
        command.retry(home, "search", [1], Console())
