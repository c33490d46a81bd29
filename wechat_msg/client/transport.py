"""What both transports share: limits, and the translation of an HTTP library's errors."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from wechat_msg.errors import AnswerLost, ConnectFailed, TransportError, WeChatError

__all__ = ["CHUNK_SIZE", "MAX_IDLE", "translate_error"]

CHUNK_SIZE = 1 << 16
"""The number of bytes that are read from a file or a connection at once."""
MAX_IDLE = 30.0
"""Seconds after which an idle connection is not used again: a NAT may drop it silently after 60."""

_SYSTEM_MODULES = ("builtins", "socket", "ssl")
#: Causes by parts of the names of classes in HTTP libraries.
_REASONS = {
    "Timeout": "timed out",
    "Disconnected": "the connection was closed",
    "EndOfStream": "the connection was closed",
    "IncompleteRead": "the connection was closed",
    "ProtocolError": "the connection was closed, or the answer is not HTTP",
    "LocationParseError": "the host name is invalid",
    "ProxyError": "the proxy refused the connection",
}


def translate_error(
    error: Exception,
    url: str,
    failures: tuple[type[Exception], ...],
    was_before_sending: Callable[[BaseException], bool],
) -> TransportError | None:
    """Return the TransportError for an error of the HTTP library; None if *error* is this package's or the user's.

    The original must not be its cause: its text holds the URL, and the URL holds access_token and AppSecret.

    Args:
        error: The error that was raised while a request was sent.
        url: The URL of the request.
        failures: What the HTTP library raises after the first byte of the request was sent; before, it may raise any
            error.
        was_before_sending: Tells whether an error was raised before the first byte was sent.
    """
    chain = list(_walk(error))
    was_sent = not any(map(was_before_sending, chain))
    if isinstance(error, WeChatError) or (was_sent and not isinstance(error, failures)):
        return None
    names = [type(each).__name__ for each in chain]
    host, reason = urlsplit(url).netloc.rpartition("@")[2], _find_reason(chain, names)
    if was_sent:
        return AnswerLost(f"no answer from {host}: {reason}", hint=f"{host}：{AnswerLost.hint}")
    if "ProxyError" in names:
        text, hint = f"cannot connect to {host} through the proxy", f"无法通过代理连接 {host}"
    else:
        text, hint = f"cannot connect to {host}", f"无法连接 {host}"
    return ConnectFailed(f"{text}: {reason}", hint=f"{hint}：{ConnectFailed.hint}")


def _find_reason(chain: list[BaseException], names: list[str]) -> str:
    """Return the first cause in words of the operating system, else in those of `_REASONS`, else its class."""
    found = [each for each in chain if type(each).__module__ in _SYSTEM_MODULES and isinstance(each, OSError)]
    if reason := _describe(found[-1]) if found else "":
        return reason
    return next((words for part, words in _REASONS.items() for name in names if part in name), names[-1])


def _describe(error: OSError) -> str:
    match error:
        case TimeoutError():
            return "timed out"
        case ssl.SSLCertVerificationError():
            return str(error.verify_message)
        case ssl.SSLError():
            return str(error.reason or "")
        case _ if type(error).__module__ == "builtins" and error.errno:  # asyncio adds the address
            return os.strerror(error.errno)
    return error.strerror or str(error)


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
