"""Read a ``.env`` file."""

from __future__ import annotations

import logging
from pathlib import Path

from dotenv import load_dotenv

from wechat_msg.cli.language import Failure
from wechat_msg.cli.output import Output
from wechat_msg.testing.bilingual import Text
from wechat_msg.testing.details import explain_os_error

__all__ = ["load_env_file"]


def load_env_file(output: Output, path: Path) -> None:
    """Set the environment variables of a file that the environment does not have; without the file, none.

    Args:
        output: Prints which lines are no variables.
        path: The file.

    Raises:
        Failure: The file cannot be read, or is not UTF-8.
    """
    if not path.is_file():
        return
    log, handler = logging.getLogger("dotenv.main"), _DotenvHandler(output, path)
    log.addHandler(handler)
    try:
        load_dotenv(path, override=False, encoding="utf-8-sig")  # Windows' editor writes a byte order mark
    except UnicodeError:
        raise Failure(Text(f"{path} is not UTF-8", f"{path} 不是 UTF-8 编码")) from None
    except (OSError, ValueError) as error:  # ValueError: a null character
        reason = explain_os_error(error)
        raise Failure(Text(f"cannot read {path}: {reason.en}", f"无法读取 {path}：{reason.zh}")) from None
    finally:
        log.removeHandler(handler)


class _DotenvHandler(logging.Handler):
    """A handler of python-dotenv's warnings, whose argument is the number of a line."""

    def __init__(self, output: Output, path: Path) -> None:
        super().__init__(logging.WARNING)
        self._output = output
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        """Print a warning, without the line, which may have a secret."""
        place = ":".join(map(str, [self._path, *(record.args or ())]))
        self._output.print_error(Text(f"{place}: ignored, as it is not NAME=value", f"{place}：不是 名称=值，已忽略"))
