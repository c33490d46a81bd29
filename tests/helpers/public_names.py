"""The public functions and classes of all modules."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import wechat_msg

PACKAGE = Path(wechat_msg.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
NAMES = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__") for path in SOURCES]
#: Those that can be imported anywhere; Django's models only where a project is configured.
MODULES = [name for name in NAMES if not name.startswith("wechat_msg.stores.django.")]


def walk_public(kind: Callable[[object], bool]) -> Iterator[tuple[str, Any]]:
    """Yield the public names of a kind in all modules, each once."""
    for module in map(importlib.import_module, MODULES):
        for name, value in vars(module).items():
            if not name.startswith("_") and kind(value) and value.__module__ == module.__name__:
                yield f"{module.__name__}.{name}", value


def walk_functions() -> Iterator[tuple[str, Any]]:
    """Yield all public functions, methods and classes, the latter for their ``__init__``."""
    yield from walk_public(inspect.isfunction)
    for place, cls in walk_public(inspect.isclass):
        yield place, cls
        for name, value in vars(cls).items():
            function = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
            if inspect.isfunction(function) and (not name.startswith("_") or name == "__call__"):
                yield f"{place}.{name}", function


def signature_of(function: Any) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except ValueError:  # C code and some built-in classes have no signature
        return inspect.Signature()
