"""An image without Docker: what deploy/Dockerfile copies and installs, in a folder, run as the image runs it.

Reads of a Dockerfile what ours uses: stages, ARG, COPY of files of the context or of another stage, ENV, HEALTHCHECK
and CMD in their JSON form.
"""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from importlib.util import cache_from_source
from pathlib import Path
from string import Template

from packaging.requirements import Requirement

from cli.home import ROOT

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
# What the other stages make, and where it comes from here.
MADE = {"/venv": None, "/assets/node_modules/swagger-ui-dist": ROOT / "node_modules" / "swagger-ui-dist"}


@dataclass(frozen=True)
class Image:
    """The last stage of the Dockerfile for one service, laid out below `root`."""

    service: str
    root: Path

    @property
    def python(self) -> Path:
        """The interpreter that CMD finds on PATH."""
        return self.root / "venv" / "bin" / "python"

    @property
    def app(self) -> Path:
        """The working directory."""
        return self.root / "app"

    def build(self) -> "Image":
        """Install the requirements and copy what is copied."""
        install(ROOT / "requirements" / f"{self.service}.txt", self.root / "venv")
        for words in self._instructions("COPY"):
            *sources, target = [word for word in words.split() if not word.startswith("--")]
            for source in sources:
                self._copy(source, self.app / target)
        return self

    def environment(self) -> dict[str, str]:
        """What ENV says, with the interpreter where it lies here."""
        pairs = dict(word.split("=", 1) for line in self._instructions("ENV") for word in line.split())
        return {**pairs, "PATH": str(self.python.parent)}

    def command(self) -> list[str]:
        """What CMD says."""
        [line] = [line for line in self._instructions("CMD") if line.startswith("[")]
        return self._local(json.loads(line))

    def healthcheck(self) -> list[str]:
        """What HEALTHCHECK runs."""
        [line] = self._instructions("HEALTHCHECK")
        return self._local(json.loads(line.partition("CMD ")[2]))

    def _local(self, command: list[str]) -> list[str]:
        return [str(self.python) if word == "python" else word for word in command]

    def _copy(self, source: str, target: Path) -> None:
        origin = MADE.get(source, ROOT / source)
        if origin is None:
            return
        assert source in MADE or admitted(source), f".dockerignore keeps {source} out"
        target.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_dir():
            shutil.copytree(origin, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(origin, target)

    def _instructions(self, name: str) -> list[str]:
        stage = re.split(r"^FROM ", logical_lines(), flags=re.MULTILINE)[-1]
        found = re.findall(rf"^{name} +(.*)$", stage, flags=re.MULTILINE)
        return [Template(line).safe_substitute(SERVICE=self.service) for line in found]


def logical_lines() -> str:
    """The Dockerfile without comments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    return re.sub(r"\\\n\s*", " ", text)


def admitted(source: str) -> bool:
    """Whether .dockerignore, which starts by keeping everything out, lets a path of the context in."""
    first, *lines = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")
    ]
    assert first == "*"
    return any(line.startswith("!") and Path(source).is_relative_to(line[1:]) for line in lines)


def install(requirements: Path, venv: Path) -> None:
    """A fresh virtual environment with exactly these requirements.

    They are copied, bytecode and all, from where we run ourselves; they were held against the same hashes there.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    [packages] = venv.glob("lib/*/site-packages")
    ours = pinned(ROOT / "requirements" / "dev.txt")
    for line, hashes in pinned(requirements).items():
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate():
            assert hashes and hashes == ours[line], f"{wanted} is another one than ours"
            copy_package(wanted, packages)


def pinned(requirements: Path) -> dict[str, list[str]]:
    """What a requirement file lists, each with its hashes."""
    blocks = re.findall(
        r"^([^#\s].*?) \\\n((?: +--hash=.*\n)+)", requirements.read_text(), flags=re.MULTILINE
    )
    return {line: re.findall(r"--hash=(\S+)", hashes) for line, hashes in blocks}


def copy_package(wanted: Requirement, target: Path) -> None:
    """All files of an installed package but its commands, which belong to another interpreter."""
    found = metadata.distribution(wanted.name)
    assert wanted.specifier.contains(found.version, prereleases=True), f"{wanted} is not what is installed"
    for file in found.files or ():
        if ".." not in file.parts:
            copy(Path(str(file.locate())), target / file)


def copy(source: Path, target: Path) -> None:
    """A file and, for a module, its bytecode, which is good as long as the times are the same."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    compiled = Path(cache_from_source(str(source)))
    if source.suffix == ".py" and compiled.is_file():
        copy(compiled, Path(cache_from_source(str(target))))
