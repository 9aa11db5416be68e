"""Meilisearch is taken from the nearest place, and only ever the one known binary is fetched."""

import platform
from pathlib import Path

import pytest

from cli import meilisearch
from cli.errors import Trouble
from cli.home import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Nothing on PATH, an empty cache."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Home.of({"COBURG_HOME": str(tmp_path / "home")})


def executable(path: Path, says: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {says}\n")
    path.chmod(0o755)
    return path


def something_else(target: Path) -> None:
    target.write_bytes(b"not Meilisearch")


def test_a_wrong_binary_is_thrown_away(home: Home) -> None:
    with pytest.raises(Trouble, match="instead of 5354d854"):
        meilisearch.keep(something_else)

    assert not any(meilisearch.cached().parent.iterdir())
    assert meilisearch.installed(home) is None


def test_the_known_binary_passes() -> None:
    meilisearch.verify(meilisearch.ensure(Home.current()))


def test_a_cached_copy_that_changed_is_fetched_anew(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(meilisearch.cached(), "something else")
    monkeypatch.setattr(meilisearch, "fetch", lambda _home: Path("fetched"))

    assert meilisearch.ensure(home) == Path("fetched")
    assert not meilisearch.cached().exists()


def test_an_operators_own_is_taken_as_it_is(home: Home, tmp_path: Path) -> None:
    own = executable(home.folder / "meilisearch" / "meilisearch")
    assert meilisearch.ensure(home) == own
    on_path = executable(tmp_path / "bin" / "meilisearch", "meilisearch 1.21.0")
    assert meilisearch.ensure(home) == on_path


def test_a_copy_in_the_home_is_taken_before_the_cache(home: Home) -> None:
    executable(meilisearch.cached())
    own = executable(home.folder / "meilisearch" / "meilisearch")

    assert meilisearch.installed(home) == own


@pytest.mark.parametrize(
    ("version", "taken"), [("1.21.0", True), ("1.30.2", True), ("2.0.0", True), ("1.9.1", False)]
)
def test_one_on_path_must_be_recent(home: Home, tmp_path: Path, version: str, taken: bool) -> None:
    found = executable(tmp_path / "bin" / "meilisearch", f"meilisearch {version}")

    assert (meilisearch.installed(home) == found) is taken


def test_when_none_can_be_had_it_says_what_was_tried(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")

    with pytest.raises(Trouble, match="riscv64") as caught:
        meilisearch.ensure(home)

    assert "COBURG_MEILISEARCH_URL" in caught.value.remedy
