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


def test_without_python_it_says_what_is_needed(tmp_path: Path) -> None:
    shutil.copy(ROOT / "coburg", tmp_path)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "dirname", "cmp"):
        (tools / name).symlink_to(str(shutil.which(name)))

    result = call(tmp_path, tmp_path / "coburg", "up", PATH=str(tools))

    assert result.returncode == 1
    assert "Python 3.11 or newer is needed" in result.stderr


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
