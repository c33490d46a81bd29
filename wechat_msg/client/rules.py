"""What a client is told about time: how patient it is, and which clocks it reads."""

from __future__ import annotations

from collections.abc import Callable

from wechat_msg._tracebacks import frozen

__all__ = ["Clocks", "Rules"]


@frozen
class Clocks:
    """Time and chance, as parameters.

    Attributes:
        now: Seconds since the epoch.
        monotonic: Seconds, for time limits.
        random: A number from 0 to 1.
    """

    now: Callable[[], float]
    monotonic: Callable[[], float]
    random: Callable[[], float]


@frozen(kw_only=True)
class Rules:
    """How patient a client is.

    Attributes:
        connect_timeout: Seconds; None: for ever.
        read_timeout: Seconds; None: for ever.
        total_timeout: Seconds after which no further try begins.
        retries: How many further tries there are.
    """

    connect_timeout: float | None
    read_timeout: float | None
    total_timeout: float
    retries: int
