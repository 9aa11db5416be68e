"""Every code that a service answers with has its words in the town's folder, in German and English; no other has."""

import ast
import tomllib
from collections.abc import Iterator

from cli.home import ROOT
from libs.httpkit import problems
from tests.architecture.test_rules import modules, tree


def raised() -> set[str]:
    """The codes in the code: what errors are made with, what their classes have, and what HTTP refuses by itself."""
    return {code for file in modules("libs", "services") for code in codes(tree(file))} - {"failed"} | {
        *problems.CODES.values()
    }


def codes(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name != "FieldError":
                given: list[ast.expr] = [each.value for each in node.keywords if each.arg == "code"]
            case ast.Call(func=ast.Attribute()):
                given = [each.value for each in node.keywords if each.arg == "code"]
            case ast.ClassDef():
                given = [one.value for one in node.body if isinstance(one, ast.Assign) and is_code(one)]
            case _:
                given = []
        yield from (
            each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)
        )


def is_code(assignment: ast.Assign) -> bool:
    return [target.id for target in assignment.targets if isinstance(target, ast.Name)] == ["code"]


def test_the_catalogue_is_complete_and_has_nothing_else() -> None:
    catalogue = tomllib.loads((ROOT / "city/problems.toml").read_text(encoding="utf-8"))
    catalogue.pop("fields")
    assert set(catalogue) == raised()
    assert not [code for code, texts in catalogue.items() if not {"de", "en"} <= set(texts["title"])]
