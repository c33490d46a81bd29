"""Hides secrets in the logs of HTTP libraries, which log whole URLs."""

from __future__ import annotations

import logging
import re

__all__ = ["hide_secrets", "hide_secrets_in_logs"]

_SECRETS = re.compile(
    r"\b((?:[a-z_]*(?:access_token|secret|ticket|refresh_token|session_key)|js_code|code|signature|pay_sig)=[\"']?)[^&\s\"'#]+",
    re.IGNORECASE,
)
LOGGERS = (
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
    """Return *text* with the values of secret query parameters masked.

    Example:
        >>> hide_secrets("GET /cgi-bin/token?appid=wx1&secret=abc HTTP/1.1")
        'GET /cgi-bin/token?appid=wx1&secret=*** HTTP/1.1'
    """
    return _SECRETS.sub(r"\1***", text)


class _HideSecrets(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the secrets of the record; never drop it."""
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001, a handler reports the mistake, and the caller that logs is not disturbed
            return True
        hidden = hide_secrets(text)
        if hidden != text:
            record.msg, record.args = hidden, ()
        return True


_FILTER = _HideSecrets()


def hide_secrets_in_logs() -> None:
    """Mask the secrets in the log records of the HTTP libraries; a repeated call has no effect."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
