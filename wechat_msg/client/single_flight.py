"""SingleFlight: of many flows of a process that want the same thing, one runs and the others wait for its result."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TypeVar

from wechat_msg._flow import Flow
from wechat_msg.errors import WeChatError

__all__ = ["SingleFlight"]

T = TypeVar("T")


class SingleFlight:
    """A guard that lets one flow of this process run at a time, so that hundreds do not ask a store at once.

    Args:
        limit: Seconds after which another flow may run: a fork may have copied the state of a flow that never ends in
            the new process.
        monotonic: The clock.
    """

    def __init__(self, limit: float, monotonic: Callable[[], float]) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._running: dict[str, float] = {}  # when the time of the running flow ends, which also identifies it
        self._failed_at = float("-inf")
        self._failure: WeChatError | None = None

    def run(self, flow: Flow[T], since: float) -> Flow[T | None]:
        """Run *flow* and return its result; return None if another flow is running.

        Args:
            flow: The flow.
            since: When the caller began to wait.

        Raises:
            WeChatError: The flow failed, or another one failed after *since*.
        """
        if self._failure is not None and self._failed_at > since:
            raise copy.copy(self._failure)
        end = self._begin()
        if end is None:
            return None
        try:
            return (yield from flow)
        except WeChatError as error:
            self._failed_at, self._failure = self._monotonic(), copy.copy(error)  # a copy holds no frames
            raise
        finally:
            if self._running.get("end") is end:
                self._running.clear()

    def _begin(self) -> float | None:
        """Return when the time of the caller's flow ends; None if another flow is running."""
        end = self._monotonic() + self._limit
        # One atomic step. A lock would not do: a fork could copy it while it is held.
        running = self._running.setdefault("end", end)
        if running is end:
            return end
        if self._monotonic() < running:
            return None
        self._running["end"] = end
        return end
