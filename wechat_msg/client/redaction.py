"""Keeps secrets out of the logs of HTTP libraries, which write whole URLs."""

from __future__ import annotations

import logging
import re

__all__ = ["hide_secrets", "watch_logs"]

_SECRETS = re.compile(
    r"\b((?:[a-z_]*(?:access_token|secret|ticket|refresh_token|session_key)|js_code|code|signature)=[\"']?)[^&\s\"'#]+",
    re.IGNORECASE,
)
_LOGGERS = (
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.util.retry",
    "httpx2",
    "httpcore2.connection",
    "httpcore2.http11",
    "httpcore2.http2",
    "httpcore2.proxy",
    "httpcore2.socks",
    "hpack.hpack",
    "hpack.table",
)


def hide_secrets(text: str) -> str:
    """Return *text* with the values of secret query parameters taken out.

    Example:
        >>> hide_secrets("GET /cgi-bin/token?appid=wx1&secret=abc HTTP/1.1")
        'GET /cgi-bin/token?appid=wx1&secret=*** HTTP/1.1'
    """
    return _SECRETS.sub(r"\1***", text)


class _HideSecrets(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record if it has to be; never drop it."""
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001, a handler says so, and does not disturb whoever logs
            return True
        hidden = hide_secrets(text)
        if hidden != text:
            record.msg, record.args = hidden, ()
        return True


_FILTER = _HideSecrets()


def watch_logs() -> None:
    """Let nothing secret through the loggers of the HTTP libraries; to do it again changes nothing."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
