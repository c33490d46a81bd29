"""What both transports share: limits, and the translation of an HTTP library's errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wechat_msg.errors import AnswerLost, ConnectFailed, TransportError, WeChatError

__all__ = ["CHUNK_SIZE", "MAX_IDLE", "translate_error"]

CHUNK_SIZE = 1 << 16
"""The number of bytes that are read from a file or a connection at once."""
MAX_IDLE = 30.0
"""Seconds after which an idle connection is not used again: a NAT may drop it silently after 60."""

_SYSTEM_MODULES = ("builtins", "socket", "ssl")


def translate_error(
    error: Exception, failures: tuple[type[Exception], ...], was_before_sending: Callable[[BaseException], bool]
) -> TransportError | None:
    """Return the TransportError for an error of the HTTP library; None if *error* is this package's or the user's.

    The original must not be its cause: its text holds the URL, and the URL holds access_token and AppSecret.

    Args:
        error: The error that was raised while a request was sent.
        failures: What the HTTP library raises after the first byte of the request was sent; before, it may raise any
            error.
        was_before_sending: Tells whether an error was raised before the first byte was sent.
    """
    chain = list(_walk(error))
    was_sent = not any(map(was_before_sending, chain))
    if isinstance(error, WeChatError) or (was_sent and not isinstance(error, failures)):
        return None
    names = dict.fromkeys(type(each).__name__ for each in chain)
    reasons = [str(each) for each in chain if type(each).__module__ in _SYSTEM_MODULES and isinstance(each, OSError)]
    text = ": ".join([*names, *filter(None, reasons[-1:])])
    return AnswerLost(text) if was_sent else ConnectFailed(text)


def _walk(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and its causes, which HTTP libraries keep in several places.

    Its context is left out: it may be an error of the user's, who calls WeChat while handling it.
    """
    seen: set[int] = set()
    found: list[object] = [error]
    while found:
        each = found.pop(0)
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            found += [*each.args, getattr(each, "reason", None), each.__cause__]
