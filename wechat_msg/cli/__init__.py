"""The command ``wechat-msg``. This module works without click, rich and python-dotenv."""

import signal
import sys
from pathlib import Path

__all__ = ["allow_any_text", "main"]

_MISSING = """\
wechat-msg needs click, rich and python-dotenv (extra cli):  pip install click rich python-dotenv
wechat-msg 需要 click、rich 与 python-dotenv（extra cli）：  pip install click rich python-dotenv
"""


def main() -> None:
    """Run the command, and exit with its status."""
    try:
        from wechat_msg.cli.commands import app
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("click", "rich", "dotenv"):
            raise
        sys.stderr.write(_MISSING)
        sys.exit(2)
    allow_any_text()
    # As Ctrl-C does, which programs ignore if a script started them with &.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app.main(prog_name="wechat-msg", env_file=Path(".env"))


def allow_any_text() -> None:
    """Let a terminal without Chinese show the escapes of characters."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # it is None if it was closed
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
