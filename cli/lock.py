"""Re-makes requirements/*.txt from pyproject.toml: hashes, no addresses; uv.lock stays out of git."""

import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from cli.components import SERVICES
from cli.errors import Trouble
from cli.home import ROOT

UV = str(Path(sys.executable).parent / "uv")
FORMAT = (
    "--format",
    "requirements.txt",
    "--no-emit-project",
    "--no-header",
    "--no-default-groups",
    "--quiet",
)
_OWN = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
# What is needed on top of the project's own dependencies: a service's own group, else that of the libraries in each
# image; node.txt stands alone.
GROUPS: Mapping[str, tuple[str, ...]] = {
    name: ("--group", name if name in _OWN else "town") for name in SERVICES
} | {
    "run": ("--group", "run"),
    "dev": ("--group", "dev"),
    "node": ("--only-group", "node"),
}


def lock(upgrade: bool) -> None:
    """Resolves once, then writes one file per group."""
    uv("lock", "--quiet", *(["--upgrade"] if upgrade else []))
    for name, group in GROUPS.items():
        uv("export", "--frozen", *FORMAT, *group, "--output-file", f"requirements/{name}.txt")


def uv(*words: str) -> None:
    """Runs uv in the project."""
    if subprocess.run([UV, *words], check=False, cwd=ROOT, stdout=subprocess.DEVNULL).returncode:
        raise Trouble(f"uv {words[0]} failed (see above).")
