"""Read a ``.env`` file."""

from __future__ import annotations

from pathlib import Path

from dotenv import load_dotenv

from wechat_msg.cli.language import Failure
from wechat_msg.testing.bilingual import Text
from wechat_msg.testing.details import explain_os_error

__all__ = ["load_env_file"]


def load_env_file(path: Path) -> None:
    """Set the environment variables of a file that the environment does not have; without the file, none.

    Raises:
        Failure: The file cannot be read, or is not UTF-8.
    """
    if not path.is_file():
        return
    try:
        load_dotenv(path, override=False, encoding="utf-8-sig")  # Windows' editor writes a byte order mark
    except UnicodeError:
        raise Failure(Text(f"{path} is not UTF-8", f"{path} 不是 UTF-8 编码")) from None
    except (OSError, ValueError) as error:  # ValueError: a null character
        reason = explain_os_error(error)
        raise Failure(Text(f"cannot read {path}: {reason.en}", f"无法读取 {path}：{reason.zh}")) from None
