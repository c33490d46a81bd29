"""The command ``wechat-msg``; here only what works without click and rich."""

import signal
import sys

__all__ = ["main"]

_MISSING = """\
wechat-msg needs click and rich:  pip install "wechat-msg-sdk[cli]"
wechat-msg 需要 click 与 rich：   pip install "wechat-msg-sdk[cli]"
"""


def main() -> None:
    """Run the command, and exit with its status."""
    try:
        from wechat_msg.cli.app import app
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("click", "rich"):
            raise
        sys.stderr.write(_MISSING)
        sys.exit(2)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # which it is where it was closed
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # of a terminal without Chinese
    # The same as Ctrl-C, which a program ignores that a script has started with &.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app.main(prog_name="wechat-msg")
