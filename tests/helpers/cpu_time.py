"""CPU time of a call, whatever else the process and the machine do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def measure(function: Callable[..., Any], *args: Any, times: int = 3) -> float:
    """Return the seconds of CPU of this thread that *function* needs, at best: one call may pay for a collection."""

    def measure_once() -> float:
        start = time.thread_time()
        function(*args)
        return time.thread_time() - start

    return min(measure_once() for _ in range(times))


def is_in_proportion(function: Callable[..., Any], short: tuple[Any, ...], long: tuple[Any, ...], spare: float) -> bool:
    """Return whether a call with eight times as much takes less than 25 times as long, and *spare* seconds.

    Quadratic time would be 64 times as long. What takes too long is measured again.
    """
    return any(measure(function, *long, times=1) < 25 * measure(function, *short) + spare for _ in range(3))
