"""Waiting for what another thread or process does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from tests.helpers.servers import TIMEOUT

T = TypeVar("T")


def wait_until(
    read: Callable[[], T],
    explain: Callable[[], str] = lambda: "it did not happen in time",
    *,
    timeout: float = TIMEOUT,
) -> T:
    """Call *read* until it returns something true, and return that; *explain* gives the text if it never does."""
    deadline = time.monotonic() + timeout
    while not (found := read()):
        assert time.monotonic() < deadline, explain()
        time.sleep(0.005)
    return found
