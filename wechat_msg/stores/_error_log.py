"""StoreErrorLog: says that a store fails, and does not say it all the time."""

from __future__ import annotations

import logging
from collections.abc import Callable

from wechat_msg.errors import StoreError

__all__ = ["StoreErrorLog"]

_log = logging.getLogger("wechat_msg")

_SILENCE = 60.0  # seconds


class StoreErrorLog:
    """Logs that a store fails: once, and again each minute while it lasts.

    Args:
        what: What suffers from it.
        monotonic: Seconds.
    """

    def __init__(self, what: str, monotonic: Callable[[], float]) -> None:
        self._what = what
        self._monotonic = monotonic
        self._quiet_until: float | None = None
        self._unsaid = 0

    def report(self, error: StoreError) -> None:
        """Log the error, or only count it."""
        now = self._monotonic()
        if self._quiet_until is not None and now < self._quiet_until:
            self._unsaid += 1
            return
        # Its text only: who keeps the record would keep the frames of the error, and they hold values of the store.
        _log.error("%s suffers: %s; %d more since this was last said", self._what, str(error), self._unsaid)
        self._quiet_until, self._unsaid = now + _SILENCE, 0
