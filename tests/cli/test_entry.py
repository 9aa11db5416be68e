"""The shell script, and what it installs from."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from cli import install
from cli.home import ROOT


def call(cwd: Path, *command: str | Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder for PATH with what the script itself needs, beside a copy of the script."""
    shutil.copy(ROOT / "coburg", tmp_path)
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "dirname", "cmp"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


@pytest.mark.parametrize("python", ["nowhere", "old"])
def test_without_python_it_says_what_is_needed(tools: Path, python: str) -> None:
    (tools / "old").write_text("#!/bin/sh\nexit 1\n")
    (tools / "old").chmod(0o755)

    result = call(tools, tools.parent / "coburg", "up", PATH=str(tools), COBURG_PYTHON=python)

    assert result.returncode == 1
    assert f"Python 3.11 or newer is needed and was not found ({python})" in result.stderr


def test_the_python_that_was_named_is_the_one_taken(tools: Path) -> None:
    (tools / "mine").write_text('#!/bin/sh\n[ "$1" = -c ] || echo "$@"\n')
    (tools / "mine").chmod(0o755)

    result = call(tools, tools.parent / "coburg", "up", PATH=str(tools), COBURG_PYTHON="mine")

    assert result.stdout == f"{tools.parent}/cli/install.py {tools.parent} run\n"


def test_without_ensurepip_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(SystemExit, match=r"apt install python3\.\d+-venv"):
        install.make(tmp_path / ".venv")


def test_a_finished_installation_is_not_done_again(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / ".venv").mkdir()
    for path in (tmp_path / "requirements" / "run.txt", tmp_path / ".venv" / "installed.txt"):
        path.write_text("the same\n")

    install.main(tmp_path, "run")

    assert not (tmp_path / ".venv" / "bin").exists()


def test_lock_files_name_hashes_and_no_addresses() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "--hash=sha256:" in text, path
        assert "://" not in text, path


def test_npm_lock_files_name_no_addresses() -> None:
    for path in (ROOT / "package-lock.json", ROOT / "tools" / "meilisearch" / "package-lock.json"):
        text = path.read_text()
        assert '"integrity"' in text, path
        assert '"resolved"' not in text, path


def test_every_image_has_its_requirements() -> None:
    services = {path.parent.name for path in (ROOT / "services").glob("*/app.py")}

    assert services <= {path.stem for path in (ROOT / "requirements").glob("*.txt")}
