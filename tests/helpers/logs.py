"""A handler for all loggers, for tests that look for secrets."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from wechat_msg.client.redaction import hide_secrets_in_logs


@contextlib.contextmanager
def listen_to_all(handler: logging.Handler) -> Iterator[None]:
    """Attach *handler* to all loggers, at the lowest level."""
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    hide_secrets_in_logs()
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
