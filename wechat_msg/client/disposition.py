"""Reads the name of a file from the header Content-Disposition, which servers write in many ways."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

__all__ = ["decode_header", "read_filename"]

_PARAMETER = re.compile(r'(?:^|;)\s*([\w-]+\*?)\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)', re.ASCII | re.DOTALL)
_EXTENDED = re.compile(r"(utf-8|iso-8859-1)'[^']*'(.*)", re.ASCII | re.IGNORECASE | re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')  # no other characters, as some servers write Windows paths without escapes
#: Control characters, and characters that change the direction of a text.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_MAX_LENGTH = 255


def decode_header(value: str) -> str:
    r"""Decode a value as UTF-8 that was decoded as ISO 8859-1, if it is valid UTF-8.

    Example:
        >>> decode_header("\xe4\xbd\xa0")
        '你'
    """
    try:
        return value.encode("iso-8859-1").decode()
    except UnicodeError:
        return value


def read_filename(header: str) -> str | None:
    r"""Return the name without folders and control characters; None if there is none.

    ``filename*`` (RFC 5987) has priority over ``filename``.

    Example:
        >>> read_filename("attachment; filename=\"a.jpg\"; filename*=UTF-8''%E4%BD%A0.jpg")
        '你.jpg'
        >>> read_filename('attachment; FileName="C:\\pictures\\a.jpg"')
        'a.jpg'

    Source:
        https://www.rfc-editor.org/rfc/rfc6266
    """
    found: dict[str, str] = {}
    for parameter in _PARAMETER.finditer(header):
        found.setdefault(parameter[1].lower(), parameter[2].strip())
    return _clean(_read_extended(found.get("filename*", ""))) or _clean(_unquote(found.get("filename", ""))) or None


def _read_extended(value: str) -> str:
    extended = _EXTENDED.fullmatch(_unquote(value))
    return unquote_to_bytes(extended[2]).decode(extended[1], "replace") if extended else ""


def _unquote(value: str) -> str:
    return _ESCAPED.sub(r"\1", value[1:].removesuffix('"')) if value.startswith('"') else value


def _clean(name: str) -> str:
    last = _CONTROL.sub("", re.split(r"[/\\]", name)[-1]).strip()[-_MAX_LENGTH:]
    return "" if last in (".", "..") else last
