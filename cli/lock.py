"""Re-makes requirements/*.txt from pyproject.toml: hashes, no addresses; uv.lock stays out of git."""

import subprocess
import sys
from pathlib import Path

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
# What is needed on top of the project's own dependencies; node.txt stands alone.
GROUPS = {
    "offers": ("--group", "offers"),
    "notify": ("--group", "notify"),
    "search": ("--group", "search"),
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
