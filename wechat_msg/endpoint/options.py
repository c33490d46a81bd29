"""What an endpoint may be told: a rule for each of its options."""

from __future__ import annotations

import enum
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Final

from wechat_msg.endpoint.late import AnswerLater, FallbackReply
from wechat_msg.errors import SettingsError
from wechat_msg.routing import is_async
from wechat_msg.settings import PushSettings
from wechat_msg.stores import Store

__all__ = ["NO_DEDUP", "NoDedup", "check_options", "require"]


class NoDedup(enum.Enum):
    """The type of `NO_DEDUP`."""

    NO_DEDUP = enum.auto()


NO_DEDUP: Final = NoDedup.NO_DEDUP
"""Given as ``store=``: every delivery is handled, and so is every re-send."""


def require(condition: bool, text: str) -> None:  # noqa: FBT001
    """Raise SettingsError unless *condition* holds."""
    if not condition:
        raise SettingsError(text)


def check_options(**options: object) -> None:
    """Refuse what an option cannot be, so that no push has to find out.

    Raises:
        SettingsError: One of them is of another kind.
    """
    for name, option in options.items():
        is_allowed, text = _RULES[name]
        require(is_allowed(option), text)


def _is_store(store: object) -> bool:
    return isinstance(store, (Store, NoDedup)) and not isinstance(store, type)


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "settings": (lambda it: isinstance(it, PushSettings), "an endpoint takes PushSettings"),
    "handler": (lambda it: it is None or callable(it), "a handler is a function of the message"),
    "store": (lambda it: it is None or _is_store(it), "store is a Store, an AsyncStore or NO_DEDUP"),
    "late": (
        lambda it: it is None or isinstance(it, (AnswerLater, FallbackReply)),
        "late is AnswerLater or FallbackReply",
    ),
    "executor": (lambda it: it is None or isinstance(it, Executor), "executor is an Executor"),
    "on_error": (
        lambda it: it in ("raise", "acknowledge") or callable(it),
        "on_error is 'raise', 'acknowledge' or a function of the message and the error",
    ),
    "on_store_error": (lambda it: it in ("handle", "refuse"), "on_store_error is 'handle' or 'refuse'"),
    "dedup_key": (
        lambda it: it is None or (callable(it) and not is_async(it)),
        "dedup_key is a function of the message, and not async",
    ),
    "deliveries": (lambda it: isinstance(it, int) and it >= 1, "deliveries is a whole number from 1"),
    "handler_limit": (
        lambda it: isinstance(it, (int, float)) and it > 0,
        "handler_limit is seconds, more than 0",
    ),
}
