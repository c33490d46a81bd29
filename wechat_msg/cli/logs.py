"""Handle the package's log records while a command runs."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from wechat_msg.cli.output import Output
from wechat_msg.errors import WeChatError
from wechat_msg.testing.bilingual import Text, label, same
from wechat_msg.testing.details import explain_error

__all__ = ["LinesHandler", "handle_logs"]


class LinesHandler(logging.Handler):
    """A handler that prints the package's warnings, such as refused pushes, between the other lines."""

    def __init__(self, output: Output) -> None:
        super().__init__(logging.WARNING)
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record."""
        error = record.exc_info[1] if record.exc_info else None
        text = explain_error(WeChatError(record.getMessage()))
        self._output.print_line("warn", text, _explain(error) if error else "")


def _explain(error: BaseException) -> Text:
    text = explain_error(error) if isinstance(error, WeChatError) else same(str(error))
    return label(same(type(error).__name__), text)


@contextlib.contextmanager
def handle_logs(handler: logging.Handler) -> Iterator[None]:
    """Add *handler* to the package's logger for the duration of the block."""
    log = logging.getLogger("wechat_msg")
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
