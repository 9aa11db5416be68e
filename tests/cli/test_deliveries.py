"""`coburg deliveries` says of one fact whom it concerned and what became of it, by its id, its beginning, or the newest."""

import json

import pytest
from rich.console import Console
from uuid_utils import uuid7

from cli import deliveries
from cli.errors import Trouble
from libs.contracts.messages import TEMPLATES
from libs.contracts.notify import Subject
from tests.notify.conftest import Notify, lone

__all__ = ["lone"]

ANSWERED = TEMPLATES["contact-answered"].model_validate({"conversation": "c", "token": "t"})


def test_what_became_of_a_fact_is_told_without_an_address(
    lone: Notify, capsys: pytest.CaptureFixture[str]
) -> None:
    to, home, console = f"{uuid7().hex}@example.org", lone.stack.home, Console(width=240)
    recipient, _ = lone.confirmed(to)
    fact = lone.ask(recipient, ANSWERED, Subject(kind="offer", id="somewhere"))
    lone.settled(fact)
    for which in (fact, fact[:30], "last"):
        deliveries.show(home, which, False, None, console)
        said = capsys.readouterr().out
        assert fact in said and recipient in said and "contact-answered" in said and "sent" in said
        assert to not in said
    deliveries.show(home, fact, True, None, console)
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["channel"], one["status"], one["attempts"]) == ("mail", "sent", 1)
    deliveries.show(home, str(uuid7()), False, None, console)
    assert "Nobody" in capsys.readouterr().out
    lone.settled(lone.ask(recipient, ANSWERED, Subject(kind="offer", id="somewhere")))
    with pytest.raises(Trouble, match="facts begin with"):
        deliveries.show(home, "0", False, None, console)
