"""What both transports share: how an error of an HTTP library becomes one of ours, without the URL in its text."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wechat_msg.errors import AnswerLost, ConnectFailed, TransportError, WeChatError

__all__ = ["MAX_IDLE", "PIECE", "explain"]

PIECE = 1 << 16
"""Bytes that are read from a file or a connection at once."""
MAX_IDLE = 30.0
"""Seconds after which an idle connection is not used again: a NAT on the way may forget it after 60, without a word."""

_OF_THE_SYSTEM = ("builtins", "socket", "ssl")


def explain(
    error: Exception, failures: tuple[type[Exception], ...], was_before_sending: Callable[[BaseException], bool]
) -> TransportError | None:
    """Make the error that says what happened; None: *error* is ours, or the user's, and not about the connection.

    The original is not kept as its cause: its text holds the URL, and the URL access_token and AppSecret.

    Args:
        error: What was raised while a request was sent.
        failures: What the HTTP library raises after the first byte of the request has been sent.
        was_before_sending: Tells of an error whether it was raised before that, where the library may raise anything.
    """
    chain = list(_walk(error))
    was_sent = not any(map(was_before_sending, chain))
    if isinstance(error, WeChatError) or (was_sent and not isinstance(error, failures)):
        return None
    names = dict.fromkeys(type(each).__name__ for each in chain)
    reasons = [str(each) for each in chain if type(each).__module__ in _OF_THE_SYSTEM and isinstance(each, OSError)]
    text = ": ".join([*names, *filter(None, reasons[-1:])])
    return AnswerLost(text) if was_sent else ConnectFailed(text)


def _walk(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what led to it, in whatever way the library has kept that.

    Not its context: that may be an error of the user's, who calls WeChat while handling it.
    """
    seen: set[int] = set()
    found: list[object] = [error]
    while found:
        each = found.pop(0)
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            found += [*each.args, getattr(each, "reason", None), each.__cause__]
