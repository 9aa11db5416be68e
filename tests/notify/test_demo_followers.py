"""The demo town's followers: registered, confirmed from their mailbox and subscribed, once."""

from pathlib import Path

from cli.followers import follow
from cli.gateway import gateway
from cli.home import ROOT
from tests.notify.conftest import Notify

FILE: Path = ROOT / "city" / "demo" / "followers.toml"


def test_everybody_of_the_file_follows_what_it_says_once(notify: Notify) -> None:
    with gateway(notify.stack.home, "notify", None, "operator") as service:
        assert follow(notify.stack.home, service, FILE) == FILE.read_text(encoding="utf-8").count(
            "[[follower]]"
        )
        assert follow(notify.stack.home, service, FILE) == 0
