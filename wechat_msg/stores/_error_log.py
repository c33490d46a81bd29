"""StoreErrorLog: logs that a store fails, at most once a minute."""

from __future__ import annotations

import logging
from collections.abc import Callable

from wechat_msg.errors import StoreError

__all__ = ["StoreErrorLog"]

_log = logging.getLogger("wechat_msg")

_INTERVAL = 60.0  # seconds


class StoreErrorLog:
    """A log of the errors of a store: one line, and another each minute while the store fails.

    Args:
        what: What is degraded.
        monotonic: Seconds.
    """

    def __init__(self, what: str, monotonic: Callable[[], float]) -> None:
        self._what = what
        self._monotonic = monotonic
        self._quiet_until: float | None = None
        self._unlogged = 0

    def report(self, error: StoreError) -> None:
        """Log the error, or only count it."""
        now = self._monotonic()
        if self._quiet_until is not None and now < self._quiet_until:
            self._unlogged += 1
            return
        # The text only: a log record that holds the error would hold its frames, and with them values of the store.
        _log.error("%s is degraded: %s (%d more errors since the last line)", self._what, str(error), self._unlogged)
        self._quiet_until, self._unlogged = now + _INTERVAL, 0
