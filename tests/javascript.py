"""Readers of other people, written in JavaScript: run from the locked packages, each in a folder of its own."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from cli import node
from cli.home import ROOT

QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}
PATIENCE_SECONDS = 170


def run(folder: Path, script: str, *words: str | Path) -> str:
    """What a script says on its output; `script` is a package's own, or a file's path. It must end well."""
    modules = node.install(ROOT)
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(modules)
    command = [node.node(), str(modules / script if not Path(script).is_absolute() else script)]
    done = subprocess.run(
        [*command, *map(str, words)],
        cwd=folder,
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{script}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def findings(folder: Path, document: Any) -> list[str]:
    """What Redocly's recommended rules say against an API document."""
    (folder / "document.json").write_text(json.dumps(document), encoding="utf-8")
    options = ("--extends", "recommended", "--format", "json", "--max-problems", "500")
    told = run(folder, "@redocly/cli/bin/cli.js", "lint", "document.json", *options)
    return [f"{each['ruleId']}: {each['message']}" for each in json.loads(told)["problems"]]
