"""One test for a whole table of data: it reports all rows that fail, not only the first."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

Rows = Mapping[Any, Any] | Iterable[Any]
"""Rows by their names, or rows that are their own names."""


def check_rows(rows: Rows, check: Callable[..., object]) -> None:
    """Call *check* with each row, and raise all its errors, each with a note that names its row.

    Args:
        rows: The table. A tuple is passed as several arguments.
        check: Asserts what must be true of a row.
    """
    named = list(rows.items() if isinstance(rows, Mapping) else ((row, row) for row in rows))
    assert named, "a table without rows checks nothing"
    failures: list[BaseException] = []
    for name, row in named:
        try:
            check(*row) if isinstance(row, tuple) else check(row)
        except (Exception, pytest.fail.Exception) as error:
            error.add_note(f"row: {name!r}"[:500])
            failures.append(error)
    if failures:
        raise BaseExceptionGroup(f"{len(failures)} of {len(named)} rows fail", failures)


def each_row(names: str | tuple[str, ...], rows: Rows) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Decorate a test so that it checks each row of a table, as one test; the rows share its fixtures.

    Args:
        names: The parameter that takes a row, or the parameters that take the members of a row.
        rows: The table.
    """
    table = {name: (row,) for name, row in rows.items()} if isinstance(rows, Mapping) else [(row,) for row in rows]

    def decorate(test: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(test)
        def run(*args: Any, **fixtures: Any) -> None:
            def check(row: Any) -> None:
                values = {names: row} if isinstance(names, str) else dict(zip(names, row, strict=True))
                test(*args, **fixtures, **values)

            check_rows(table, check)

        signature = inspect.signature(test)
        own = {names} if isinstance(names, str) else {*names}
        parameters = [each for each in signature.parameters.values() if each.name not in own]
        run.__signature__ = signature.replace(parameters=parameters)  # pytest looks there for the fixtures
        return run

    return decorate
