"""Files and standard input: read whole, but never more than a push can have."""

from __future__ import annotations

import sys
from pathlib import Path

from wechat_msg.cli.language import Failure
from wechat_msg.testing.text import Text

__all__ = ["read_input"]

_MOST_BYTES = 1 << 20


def read_input(path: str) -> bytes:
    """Read a file; ``-``: standard input.

    Raises:
        Failure: It cannot be read, or is too long.
    """
    try:
        if path == "-":
            content = sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise Failure(Text(f"cannot read {path}: {reason}", f"无法读取 {path}：{reason}")) from None
    if len(content) > _MOST_BYTES:
        raise Failure(Text(f"{path} is longer than any push", f"{path} 过长，不可能是推送"))
    return content
