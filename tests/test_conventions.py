"""Conventions that no linter checks: one name for one thing, and tests with plain names that patch nothing private."""

from __future__ import annotations

import ast
import functools
import logging
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.public_names import PACKAGE, SOURCES
from tests.helpers.servers import TIMEOUT

TESTS = Path(__file__).parent
ODD_WORDS = re.compile(
    "_(nobody|somebody|everybody|whoever|whom|tells?|told|says?|said|anew|afresh|alike|beside|mends?|heals?"
    "|for_ever|go_on|goes_on|as_it_were|comes?_again|becomes?_of|come_to_rest|out_of_reach)_"
)
"""Words for which Python libraries have a usual one: no caller, return, report, again, too, continue."""
CREDENTIAL = re.compile("(?<!_access)_tokens?_(?!server)")
"""What must be called access_token in tests of the client."""


@functools.cache
def parse_tests() -> dict[Path, list[ast.AST]]:
    """Return all nodes of each module."""
    return {path.relative_to(TESTS): list_nodes(path) for path in sorted(TESTS.rglob("*.py"))}


def list_nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_bytes())))


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def find_patches(nodes: list[ast.AST]) -> Iterator[ast.expr]:
    """Yield what patches a private name: ``setattr(x, "_y")``, ``patch("x._y")``, ``x._y = z``, ``del x._y``."""
    for node in nodes:
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


def test_no_module_hides_a_public_name_of_its_package():
    """To import a submodule sets an attribute of the package, whatever it was before."""
    for path in (each for each in SOURCES if each.name == "__init__.py"):
        names = {name.name for name in ast.parse(path.read_bytes()).body if isinstance(name, ast.FunctionDef)}
        modules = {
            each.stem for each in path.parent.iterdir() if each.suffix == ".py" or (each / "__init__.py").exists()
        }
        assert names & modules == set(), path


def test_no_test_patches_a_private_name():
    """What a test has to change is a parameter."""
    found = [
        f"{path}:{node.lineno}: {ast.unparse(node)}"
        for path, nodes in parse_tests().items()
        for node in find_patches(nodes)
    ]
    assert found == []


def find_names(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def is_plain(name: str, folder: str) -> bool:
    """Return whether a name has no odd word, and is a sentence if it is that of a test."""
    words = "_".join(["", *re.findall("[a-z0-9]+|[A-Z]+(?![a-z])|[A-Z][a-z0-9]*", name), ""]).lower()
    is_sentence = not name.startswith("test_") or words.count("_") > 3
    return is_sentence and not ODD_WORDS.search(words) and not (folder == "client" and CREDENTIAL.search(words))


def test_names_of_tests_and_helpers_are_plain():
    found = [
        f"{path}: {name}"
        for path, nodes in parse_tests().items()
        for name in find_names(nodes)
        if not is_plain(name, path.parent.name)
    ]
    assert found == []


def test_every_class_has_a_name_of_its_own():
    places = defaultdict(list)
    for path in SOURCES:
        for node in list_nodes(path):
            if isinstance(node, ast.ClassDef) and "management" not in path.parts:  # Django names those classes
                places[node.name].append(str(path.relative_to(PACKAGE)))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_the_random_source_of_the_application_is_left_alone():
    """A program may have seeded it, and Hypothesis refuses changes by a thread in the background."""
    calls = re.compile(r"(?<![_\w.])random\.(?!SystemRandom)[a-z]\w*\(")
    assert [str(path) for path in PACKAGE.rglob("*.py") if calls.search(path.read_text("utf-8"))] == []


def test_the_log_of_a_test_has_nothing_of_the_background_of_earlier_tests(caplog):
    log, may_log = logging.getLogger("wechat_msg"), threading.Event()

    def run(text):
        may_log.wait(TIMEOUT)
        log.error(text)

    def start(text):
        thread = threading.Thread(target=run, args=(text,), name="wechat_msg.upkeep")
        thread.start()
        return thread

    earlier = start("of an earlier test")
    [earlier_tests] = log.filters
    earlier_tests.forget_running()  # as before each test
    own = start("of this test")
    may_log.set()
    earlier.join()
    own.join()
    assert caplog.messages == ["of this test"]
