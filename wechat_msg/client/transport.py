"""What both transports share: how an error of an HTTP library becomes one of ours, without the URL in its text."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from wechat_msg.errors import AnswerLost, ConnectFailed, TransportError

__all__ = ["PIECE", "explain"]

PIECE = 1 << 16
"""Bytes that are read from a file or a connection at once."""

_NEVER_SENT = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)
_OF_THE_SYSTEM = ("builtins", "socket", "ssl")


def explain(error: BaseException, never_sent: tuple[type[BaseException], ...]) -> TransportError:
    """Make the error that says what happened.

    The original is not kept as its cause: its text holds the URL, and the URL access_token and AppSecret.

    Args:
        error: What the HTTP library raised.
        never_sent: Its errors that mean that no request was sent.
    """
    chain = list(_walk(error))
    was_sent = not any(isinstance(each, (*never_sent, *_NEVER_SENT)) for each in chain)
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
