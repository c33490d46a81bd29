"""Meanings of errcodes: the table in errcodes.toml, and the error for an errcode."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wechat_msg import errors
from wechat_msg._tracebacks import frozen
from wechat_msg.errors import APIError, InvalidParameter

__all__ = ["Meaning", "list_meanings", "make_api_error"]

_RID = re.compile(r",?\s*\brid:\s*([0-9A-Za-z-]{8,64})")
_MAX_ERRMSG = 500


@frozen
class Meaning:
    """Meaning of one errcode.

    Attributes:
        errcode: The number.
        error: The error class that is raised.
        meaning: What the number says, in English.
        hint: What to do, in English and Chinese.
    """

    errcode: int
    error: type[APIError]
    meaning: str
    hint: str


@functools.cache
def list_meanings() -> dict[int, Meaning]:
    """Return the table, by errcode.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Global_Return_Code.html
    """
    table = tomllib.loads(Path(__file__).with_name("errcodes.toml").read_text("utf-8"))
    return {code: _make_meaning(code, entry) for entry in table["errors"] for code in _list_codes(entry["codes"])}


def _list_codes(codes: list[int | str]) -> Iterator[int]:
    for code in codes:
        first, _, last = str(code).rpartition("-") if isinstance(code, str) else (str(code), "", str(code))
        yield from range(int(first), int(last) + 1)


def _make_meaning(code: int, entry: dict[str, Any]) -> Meaning:
    hint = f"{entry['hint']} {entry['hint_zh']}"
    return Meaning(code, getattr(errors, entry["error"]), entry["meaning"], hint)


def make_api_error(errcode: int, errmsg: str, rid: str | None = None) -> APIError:
    """Return the error for an errcode; `InvalidParameter` if the errcode is not in the table.

    Example:
        >>> make_api_error(45015, "response out of time limit rid: 61725984-6126f6f9-040f19c4")
        ... # doctest: +ELLIPSIS
        WindowClosed(45015, 'response out of time limit', '61725984-6126f6f9-040f19c4', ...)
    """
    found = _RID.search(errmsg)
    if found:
        rid = found[1]
        errmsg = errmsg[: found.start()] + errmsg[found.end() :]
    meaning = list_meanings().get(errcode)
    error = meaning.error if meaning else InvalidParameter
    return error(errcode, errmsg.strip()[:_MAX_ERRMSG], rid, meaning.hint if meaning else "")
