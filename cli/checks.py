"""`coburg check`, `test`, `format`, `bench`: the tools of development, run as one list of steps."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from cli import node
from cli.errors import Trouble
from cli.home import ROOT
from cli.processes import Process

BIN = Path(sys.executable).parent
PYTHON = str(sys.executable)
MEMORY = Path("/dev/shm")  # noqa: S108  # where Linux keeps files in memory
SCRATCH = "coburg-test-"
MEMORY_NEEDED = 6 * 1024**3  # bytes; a whole run leaves less than 1 GiB


def steps() -> dict[str, list[str]]:
    """Every check and its command line, in the order in which they run."""
    modules = ROOT / "node_modules"
    return {
        "ruff": [str(BIN / "ruff"), "check", "."],
        "ruff format": [str(BIN / "ruff"), "format", "--check", "."],
        "mypy": [str(BIN / "mypy")],
        "import rules": [str(BIN / "lint-imports"), "--no-logo"],
        "dependencies": [str(BIN / "deptry"), "."],
        "Dockerfile": [str(BIN / "hadolint"), "deploy/Dockerfile"],
        "docker-compose.yml": [
            node.node(),
            str(modules / "dclint" / "bin" / "dclint.cjs"),
            "docker-compose.yml",
        ],
        "event reference": [PYTHON, "-m", "libs.contracts.docs", "--check"],
        "AsyncAPI": [node.node(), "docs/events/validate.mjs"],
    }


def check(console: Console) -> int:
    """Runs all steps even if one fails; 1 if any did."""
    with console.status("npm ci"):
        node.install(ROOT)
    failed = [name for name, command in steps().items() if not passed(name, command, console)]
    console.print(f"[red]Failed: {', '.join(failed)}[/]" if failed else "[green]All checks passed.[/]")
    return 1 if failed else 0


def passed(name: str, command: list[str], console: Console) -> bool:
    """Runs one step; its output is shown only if it failed."""
    began = time.monotonic()
    with console.status(name):
        code, output = outcome(command)
    seconds = f"[dim]{time.monotonic() - began:.1f} s[/]"
    console.print(
        f"[red]✗[/] {name}  {seconds}" if code else f"[green]✓[/] {name}  {seconds}", highlight=False
    )
    if code:
        console.print(output.strip(), markup=False, highlight=False, soft_wrap=True)
    return code == 0


def outcome(command: list[str]) -> tuple[int, str]:
    """Exit code and output; a tool that is missing has failed."""
    try:
        result = subprocess.run(
            command, check=False, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as error:
        return 127, f"{command[0]} cannot be run: {error}"
    return result.returncode, result.stdout


def test(arguments: list[str]) -> int:
    """pytest on everything side by side, or on what the arguments name, one after the other.

    `offers` stands for the tests of that folder, `faults` for all files of tests with that word in their names.
    """
    arguments = [path for argument in arguments for path in named_tests(argument)]
    node.install(ROOT)
    # What stays together says tests/sharing.py.
    named = any(not argument.startswith("-") for argument in arguments)
    spread = [] if named else ["-n", "4", "--dist", "loadscope", "--no-loadscope-reorder"]
    command = [PYTHON, "-m", "pytest", *spread, *arguments]
    with scratch() as folder:
        # Forty services and commands start in the tests; compiling us again for each would be a minute.
        environ = os.environ | {"PYTHONDONTWRITEBYTECODE": "", "TMPDIR": str(folder)}
        return subprocess.run(command, check=False, cwd=ROOT, env=environ).returncode


def named_tests(word: str) -> list[str]:
    """What a word on the command line stands for; itself, if nothing is called so."""
    if not word.isidentifier():
        return [word]
    folder = ROOT / "tests" / word
    if folder.is_dir():
        return [str(folder.relative_to(ROOT))]
    found = sorted((ROOT / "tests").glob(f"**/test_*{word}*.py"))
    return [str(file.relative_to(ROOT)) for file in found] or [word]


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder for what tests leave behind; in memory where there is room, as brokers and databases sync all the time."""
    given = os.environ.get("TMPDIR")
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED
    place = Path(given or (MEMORY if roomy else tempfile.gettempdir()))
    for left in place.glob(f"{SCRATCH}*"):
        if not Process.of(int(left.name.split("-")[2])).born:
            shutil.rmtree(left, ignore_errors=True)  # its run was killed
    prefix = f"{SCRATCH}{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=place, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL, which never runs as root, passes through
        yield folder


def format_code() -> int:
    """First the fixes, then the layout."""
    commands = (["check", "--fix", "."], ["format", "."])
    return max(subprocess.run([BIN / "ruff", *words], check=False, cwd=ROOT).returncode for words in commands)


def bench(arguments: list[str]) -> int:
    """The benchmarks, if this checkout has them."""
    if not (ROOT / "benchmarks").is_dir():
        raise Trouble("There is no folder benchmarks/ in this checkout.")
    return subprocess.run([PYTHON, "-m", "benchmarks", *arguments], check=False, cwd=ROOT).returncode
