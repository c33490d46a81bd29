"""Packages that import their public names when they are first used (PEP 562)."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping

__all__ = ["import_lazily"]


def import_lazily(
    package: str, names_of_modules: Mapping[str, str], *, others: str = "", modules: Iterable[str] = ()
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Make ``__getattr__`` and ``__dir__`` of a package; its ``__init__`` calls this after ``__all__``.

    Args:
        package: The package's ``__name__``.
        names_of_modules: The public names that each module defines, separated by spaces.
        others: The module that defines all other names of ``__all__``.
        modules: Further modules that are attributes of the package before they have been imported.
    """
    namespace = vars(sys.modules[package])
    public = namespace["__all__"]
    module_of = {name: module for module, names in names_of_modules.items() for name in names.split()}
    attributes = {*names_of_modules, *modules} - module_of.keys()

    def get(name: str) -> object:
        if name in attributes:
            return importlib.import_module(f"{package}.{name}")
        if name not in public:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{package}.{module_of.get(name, others)}"), name)
        namespace[name] = value
        return value

    return get, lambda: sorted({*namespace, *public})
