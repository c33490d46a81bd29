"""Conventions that no linter checks: one name for one thing, and tests that leave private names alone."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.public_names import PACKAGE, SOURCES

TESTS = Path(__file__).parent


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def find_patches(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield what patches a private name: ``setattr(x, "_y")``, ``patch("x._y")``, ``x._y = z``, ``del x._y``."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="setattr" | "delattr" | "object") | ast.Name("setattr" | "delattr")):
                names = node.args[:2]
            case ast.Call(func=ast.Attribute(attr="patch") | ast.Name("patch")):
                names = node.args[:1]
            case ast.Attribute(value=ast.Name("self" | "cls")):
                continue
            case ast.Attribute(attr=name, ctx=ast.Store() | ast.Del()) if is_private(name):
                yield node
                continue
            case _:
                continue
        for name in names:
            if isinstance(name, ast.Constant) and is_private(str(name.value).rpartition(".")[2]):
                yield node


def test_no_test_patches_a_private_name():
    """What a test has to change is a parameter."""
    found = [
        f"{path.relative_to(TESTS)}:{node.lineno}: {ast.unparse(node)}"
        for path in sorted(TESTS.rglob("*.py"))
        for node in find_patches(ast.parse(path.read_bytes()))
    ]
    assert found == []


def test_every_class_has_a_name_of_its_own():
    places = defaultdict(list)
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path.relative_to(PACKAGE)))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}
