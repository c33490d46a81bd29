"""The command ``wechat-msg``. This module works without click and rich."""

import signal
import sys

__all__ = ["main"]

_MISSING = """\
wechat-msg needs click and rich (extra cli):  pip install click rich
wechat-msg 需要 click 与 rich（extra cli）：  pip install click rich
"""


def main() -> None:
    """Run the command, and exit with its status."""
    try:
        from wechat_msg.cli.commands import app
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("click", "rich"):
            raise
        sys.stderr.write(_MISSING)
        sys.exit(2)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # it is None if it was closed
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # for a terminal without Chinese
    # As Ctrl-C does, which programs ignore if a script started them with &.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app.main(prog_name="wechat-msg")
