"""House rules that no linter knows: where commits stand, what folders hold, what servicekit does not say."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest

from cli.home import ROOT

EDGES = {"api.py", "consumers.py"}
NAMELESS = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "base",
    "core",
    "shared",
    "manager",
    "tools",
}
# Words of the town's business in the singular; servicekit serves any of them and knows none.
KITS = ("servicekit", "httpkit", "bus", "telemetry", "publishing", "openapi", "serving")
BUSINESS = (
    "board",
    "offer",
    "kita",
    "story",
    "stories",
    "shop",
    "project",
    "lesson",
    "signal rule",
    "citizen",
    "caretaker's",
)
APP_LINES = 40
COMMITTER = Path("libs/servicekit/db.py")
CONNECTIONS = Path("libs/servicekit/writers.py")  # what a commit is, of one connection


def modules(*folders: str) -> list[Path]:
    """Every Python file below the folders, relative to the root."""
    return sorted(file.relative_to(ROOT) for folder in folders for file in (ROOT / folder).rglob("*.py"))


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"), str(file))


def services() -> list[Path]:
    return sorted(file.parent.relative_to(ROOT) for file in (ROOT / "services").glob("*/app.py"))


def calls(file: Path, method: str) -> list[int]:
    """The lines on which a method of this name is called."""
    return [
        node.lineno
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method
    ]


def test_one_place_commits() -> None:
    committing = {file for file in modules("libs", "services", "cli") if calls(file, "commit")}
    assert committing == {COMMITTER, CONNECTIONS}
    assert len(calls(COMMITTER, "commit")) == 1


def imported(file: Path) -> set[str]:
    """The packages that a module imports."""
    names = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("file", modules("libs/contracts"), ids=str)
def test_contracts_know_only_pydantic(file: Path) -> None:
    foreign = {
        name
        for name in imported(file)
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not re.match(r"pydantic(_core)?(\.|$)|libs\.contracts(\.|$)", name)
    }
    assert not foreign


@pytest.mark.parametrize("file", [f for f in modules("services") if f.name == "domain.py"], ids=str)
def test_rules_do_no_input_or_output(file: Path) -> None:
    """A domain module speaks of values: no database, no bus, no network, no files, no clock."""
    forbidden = r"(sqlalchemy|sqlmodel|nats|faststream|fastapi|starlette|httpx2|asyncio|pathlib|os|io|socket|time)(\.|$)"
    assert not {name for name in imported(file) if re.match(forbidden, name)}
    assert "libs.servicekit.db" not in imported(file)
    assert not [line for method in ("now", "today", "read_text", "open") for line in calls(file, method)]


@pytest.mark.parametrize("service", services(), ids=str)
def test_a_service_is_composed_in_one_short_file(service: Path) -> None:
    lines = (ROOT / service / "app.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= APP_LINES


@pytest.mark.parametrize("service", services(), ids=str)
def test_a_service_is_flat_and_has_an_edge(service: Path) -> None:
    files = [file.relative_to(service) for file in modules(str(service))]
    assert all(len(file.parts) <= 2 for file in files), "at most one folder per aggregate"
    aggregates = {file.parts[0] for file in files if len(file.parts) == 2} - {"migrations"}
    folders = [service / name for name in aggregates] if aggregates else [service]
    for folder in folders:
        assert EDGES & {file.name for file in (ROOT / folder).iterdir()}, f"{folder} has no edge"


def test_names_say_what_is_inside() -> None:
    files = modules("libs", "services", "cli", "tests")
    assert [str(file) for file in files if NAMELESS & {part.removesuffix(".py") for part in file.parts}] == []


def test_modules_say_what_they_are() -> None:
    files = modules("libs", "services", "cli")
    silent = [str(file) for file in files if tree(file).body and not ast.get_docstring(tree(file))]
    assert silent == [], "without a docstring"


@pytest.mark.parametrize("file", modules(*(f"libs/{kit}" for kit in KITS)), ids=str)
def test_the_kits_speak_of_no_business(file: Path) -> None:
    words = re.findall(r"[a-zäöüß]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", (ROOT / file).read_text()).lower())
    said = {word for word in words if word.removesuffix("s") in BUSINESS or word in BUSINESS}
    assert not said


def test_tests_mirror_the_code() -> None:
    """Every module of the kits is used by a test, and every service has its tests where one looks for them."""
    tests = "\n".join((ROOT / file).read_text(encoding="utf-8") for file in modules("tests"))
    for kit in KITS:
        names = {file.stem for file in modules(f"libs/{kit}") if "migrations" not in file.parts} - {
            "__init__"
        }
        assert not {
            name for name in names if not re.search(rf"{kit}(\.{name}\b| import .*\b{name}\b)", tests)
        }
    for service in services():
        conformance = ROOT / "tests" / service.name / "test_conformance.py"
        assert "(Conformance, access=ACCESS)" in conformance.read_text(encoding="utf-8")
