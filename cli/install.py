"""Makes .venv and installs one hash-locked requirement file into it: `install.py ROOT run|dev`.

Runs before .venv exists, hence standard library only. A copy of the file is left behind as the stamp of a
finished installation; concurrent calls wait for one another, an interrupted one is simply done again.
"""

import fcntl
import filecmp
import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path


def main(root: Path, group: str) -> None:
    """Brings ROOT/.venv to the state that requirements/<group>.txt describes."""
    fcntl.flock(os.open(root, os.O_RDONLY), fcntl.LOCK_EX)  # held until this process ends
    wanted, stamp = root / "requirements" / f"{group}.txt", root / ".venv" / "installed.txt"
    if stamp.exists() and filecmp.cmp(wanted, stamp, shallow=False):
        return  # someone else installed it while we waited
    stamp.unlink(missing_ok=True)
    make(root / ".venv")
    install(root / ".venv", wanted)
    shutil.copyfile(wanted, stamp.with_suffix(".new"))
    stamp.with_suffix(".new").replace(stamp)


def make(folder: Path) -> None:
    """Makes the virtual environment unless it is there and whole."""
    if works(folder):
        return
    if importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        fail(
            f"{sys.executable} cannot make virtual environments: its ensurepip module is missing.",
            f"Debian or Ubuntu: apt install python{version}-venv",
        )
    venv.create(folder, clear=True, with_pip=True, symlinks=True)


def works(folder: Path) -> bool:
    """An interpreter that is gone, too old or without pip does not work."""
    probe = [str(folder / "bin" / "python"), "-c", "import sys, pip; sys.exit(sys.version_info < (3, 11))"]
    try:
        return subprocess.run(probe, check=False, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def install(folder: Path, wanted: Path) -> None:
    """Installs exactly what the file lists, each package checked by its hash."""
    print(f"coburg: installing {wanted.parent.name}/{wanted.name} (once; a minute or so) …", file=sys.stderr)
    command = [
        str(folder / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    # The lock is complete: with --no-deps pip need not resolve anything again.
    result = subprocess.run(
        [*command, "--no-deps", "--require-hashes", "-r", wanted], check=False, stdout=sys.stderr
    )
    if result.returncode:
        fail(
            "the requirements could not be installed (see above).",
            "Is the package index reachable? Then run it again.",
        )


def fail(problem: str, remedy: str) -> None:
    """Ends with one line that says what is wrong and one that says what to do."""
    sys.exit(f"coburg: {problem}\n  {remedy}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
