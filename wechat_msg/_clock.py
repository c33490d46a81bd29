"""Clock: time that can be waited for; the real one, and the protocol of `wechat_msg.testing.VirtualClock`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, Final, Protocol, runtime_checkable

__all__ = ["REAL_CLOCK", "Clock", "RealClock"]


@runtime_checkable
class Clock(Protocol):
    """A clock that also waits; an option ``clock`` that is only a function tells the time, and others wait."""

    def __call__(self) -> float:
        """Return seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Return seconds, for time limits."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for a number of seconds."""
        ...

    async def pause(self, seconds: float) -> None:
        """Wait in an event loop, for what goes on in the background for ever."""
        ...

    def wait(self, future: Future[Any], seconds: float | None = None) -> None:
        """Wait until a future is done, for a number of seconds at most."""
        ...

    def start(self, name: str, function: Callable[..., Any], *args: Any, is_background: bool = False) -> Future[Any]:
        """Call a function in a thread of its own; *is_background*: it goes on for ever, and nobody waits for it."""
        ...


class RealClock:
    """The real time."""

    def monotonic(self) -> float:
        return time.monotonic()

    def start(
        self,
        name: str,
        function: Callable[..., Any],
        *args: Any,
        is_background: bool = False,  # noqa: ARG002
    ) -> Future[Any]:
        ended: Future[Any] = Future()

        def run() -> None:
            try:
                result = function(*args)
            except BaseException as error:
                ended.set_exception(error)
                raise
            ended.set_result(result)

        threading.Thread(target=run, name=name, daemon=True).start()
        return ended

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def wait(self, future: Future[Any], seconds: float | None = None) -> None:
        wait((future,), seconds)


REAL_CLOCK: Final = RealClock()
