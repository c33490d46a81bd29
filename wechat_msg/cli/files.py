"""Read files and standard input, up to 1 MB."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from wechat_msg.cli.language import Failure
from wechat_msg.cli.output import Output
from wechat_msg.testing.bilingual import Text
from wechat_msg.testing.details import explain_os_error

__all__ = ["read_input"]

_MAX_BYTES = 1 << 20


def read_input(output: Output, path: str) -> bytes:
    """Read a file, or standard input if *path* is ``-``.

    Raises:
        Failure: It is not readable, or is too long.
    """
    try:
        content = _read_stdin(output) if path == "-" else _read_file(path)
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = explain_os_error(error)
        raise Failure(Text(f"cannot read {path}: {reason.en}", f"无法读取 {path}：{reason.zh}")) from None
    if len(content) > _MAX_BYTES:
        raise Failure(Text(f"{path} is longer than 1 MB", f"{path} 超过 1 MB"))
    return content


def _read_stdin(output: Output) -> bytes:
    if sys.stdin is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    if sys.stdin.isatty():
        output.print_error(Text("reading standard input; press Ctrl-D to end it", "正在读取标准输入，按 Ctrl-D 结束"))
    return sys.stdin.buffer.read(_MAX_BYTES + 1)


def _read_file(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(_MAX_BYTES + 1)
