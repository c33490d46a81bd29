"""One test for a whole table of data: it tells of every row that fails, not only of the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest


def check_rows(rows: Mapping[Any, Any] | Iterable[Any], check: Callable[..., object]) -> None:
    """Call *check* with each row, and raise all that it raised, each with a note that names its row.

    Args:
        rows: A mapping of names to rows, or rows that are their own names. A tuple is passed as several arguments.
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
