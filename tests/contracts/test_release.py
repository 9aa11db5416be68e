"""Released schemas: every event is promised, today's events keep the promise, a broken one is not frozen."""

import json
from pathlib import Path
from typing import Any

import pytest

from libs.contracts import release
from libs.contracts.catalogue import EVERY

NAME = "offers.offer.published.v1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the released schemas that may be changed."""
    for name, promised in release.released().items():
        (tmp_path / f"{name}.json").write_text(release.text(promised), encoding="utf-8")
    monkeypatch.setattr(release, "FOLDER", tmp_path)
    return tmp_path


def promise(folder: Path, name: str, promised: dict[str, Any]) -> None:
    (folder / f"{name}.json").write_text(json.dumps(promised), encoding="utf-8")


def test_every_event_is_released() -> None:
    assert release.released().keys() == EVERY.keys()


def test_todays_events_are_what_their_readers_were_promised() -> None:
    assert [str(one) for one in release.broken_promises()] == []


def test_a_break_is_refused_and_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    promised = release.released()[NAME]
    promised["$defs"]["OfferPublished"]["properties"]["colour"] = {"type": "string", "default": "red"}
    promise(folder, NAME, promised)
    before = (folder / f"{NAME}.json").read_bytes()
    assert release.main([]) == 1
    assert f"{NAME} at $.data.colour: was removed" in capsys.readouterr().err
    assert (folder / f"{NAME}.json").read_bytes() == before


def test_an_event_that_left_the_catalogue_is_a_break(folder: Path) -> None:
    promise(folder, "offers.offer.lost.v1", release.released()[NAME])
    assert [one.event for one in release.broken_promises()] == ["offers.offer.lost.v1"]


def test_an_addition_is_frozen(folder: Path) -> None:
    promised = release.released()[NAME]
    del promised["$defs"]["Card"]["properties"]["boost"]
    promise(folder, NAME, promised)
    assert release.main(["--check"]) == 0
    assert "boost" not in release.released()[NAME]["$defs"]["Card"]["properties"]
    assert release.main([]) == 0
    assert "boost" in release.released()[NAME]["$defs"]["Card"]["properties"]
