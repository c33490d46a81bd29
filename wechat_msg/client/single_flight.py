"""Turn: of many flows of a process that want the same, one is at it, and the others wait for what comes of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TypeVar

from wechat_msg._flow import Flow
from wechat_msg.errors import WeChatError

__all__ = ["Turn"]

T = TypeVar("T")


class Turn:
    """Lets one flow of this process at a time ask a store, which hundreds at once would ask too much.

    Args:
        limit: Seconds after which the next one takes its turn all the same: a fork may have copied a turn that nobody
            ends in the new process.
        monotonic: The clock.
    """

    def __init__(self, limit: float, monotonic: Callable[[], float]) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._holder: dict[str, float] = {}  # who has the turn, known by the end of it
        self._failed_at = float("-inf")
        self._failure: WeChatError | None = None

    def take(self, flow: Flow[T], since: float) -> Flow[T | None]:
        """Go through *flow*; None: a neighbour is at the same.

        Args:
            flow: What is to be done.
            since: When the caller began to wait.

        Raises:
            WeChatError: The flow has failed, or that of a neighbour has after *since*.
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
            if self._holder.get("end") is end:
                self._holder.clear()

    def _begin(self) -> float | None:
        """Return when the turn of the caller ends; None: it is somebody else's."""
        end = self._monotonic() + self._limit
        # One step, so that one of many gets it; a lock could be copied by a fork while it is held.
        held = self._holder.setdefault("end", end)
        if held is end:
            return end
        if self._monotonic() < held:
            return None
        self._holder["end"] = end
        return end
