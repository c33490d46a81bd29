"""Reader and writer of XML and JSON documents; it refuses DTDs and entities, and repairs texts of users."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any, Literal, NoReturn, cast

from wechat_msg._encrypt import find_encrypts
from wechat_msg._fork import importing
from wechat_msg._xml import MAX_DEPTH, MAX_ELEMENTS, NOT_WELL_FORMED, read_elements, read_plain
from wechat_msg.errors import MalformedPush, ReplyError

__all__ = [
    "Format",
    "clean_text",
    "decode_damaged",
    "detect_format",
    "parse_body",
    "parse_json",
    "parse_rendered",
    "read_encrypt",
    "read_encrypts",
    "render_body",
    "replace_surrogates",
]

Format = Literal["xml", "json"]
"""The data format (数据格式) of a push and its reply."""

_BOM = b"\xef\xbb\xbf"
# WeChat sends raw control characters in texts. No other byte of UTF-8 is below 0x20, so they can be removed as bytes.
_CONTROL_BYTES = bytes(set(range(0x20)) - set(b"\t\n\r"))
_SURROGATE = re.compile("[\ud800-\udfff]")  # half of a pair
_SURROGATE_BYTES = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")  # half of a pair, encoded as a character
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REPLACEMENT = "\ufffd"
_JSON_TEXT = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_MAX_DIGITS = 100  # the time to read a number grows with the square of its length
# What follows the first character is looked ahead at, as the search for a single character is the fastest.
_UNUSUAL_START = re.compile(rb"<(?=!--|\?|(?<!><)!\[CDATA\[)")
_UNUSUAL_END = re.compile(rb"\](?=\]>(?!</))")
_XML_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)


# --- reading ---------------------------------------------------------------------------------------------------------


def detect_format(body: bytes) -> Format:
    """Return the format, which the first character shows; the Content-Type of a push is not reliable.

    Raises:
        MalformedPush: The body is neither XML nor JSON, or not UTF-8.
    """
    if body.startswith(b"<xml>"):
        return "xml"
    start = body.removeprefix(_BOM).lstrip()[:4]
    if b"\0" in start:
        raise MalformedPush("the body is not UTF-8")
    if start.startswith(b"<"):
        return "xml"
    if start.startswith((b"{", b"[")):
        return "json"
    raise MalformedPush("the body is neither XML nor JSON")


def parse_body(body: bytes) -> dict[str, Any]:
    """Read an XML or JSON document into a plain mapping.

    Of XML, the mapping has the children of the root element: text keeps its white space, an empty element is ``""``,
    repeated elements are a list, attributes are left out. Of JSON, it is the root object.

    Text of a user never makes a document unreadable: raw control characters are removed, other characters that UTF-8
    or XML do not allow become U+FFFD, and a text in CDATA may contain ``]]>``.

    Raises:
        MalformedPush: The document is not well-formed, has no object at the root, has a DOCTYPE or an entity, is nested
            too deep, or has too many elements.

    Example:
        >>> parse_body(b"<xml><MsgType><![CDATA[text]]></MsgType><Content> hi </Content></xml>")
        {'MsgType': 'text', 'Content': ' hi '}
        >>> parse_body(b'{"MsgType": "text", "Content": " hi "}')
        {'MsgType': 'text', 'Content': ' hi '}
        >>> parse_body(b"<xml><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[a]]>b]]></Content></xml>")
        {'MsgType': 'text', 'Content': 'a]]>b'}
    """
    return _parse_xml(body) if detect_format(body) == "xml" else parse_json(body)


def parse_rendered(document: str) -> dict[str, Any]:
    """Read a document that `render_body` wrote; of XML, all values are text.

    Raises:
        MalformedPush: It did not write the document.
    """
    try:
        if document.startswith("<"):  # a parser reads a bare carriage return as a line end
            return read_elements(document.replace("\r", "]]>&#13;<![CDATA[").encode())[0]
        return dict(json.loads(document))
    except (TypeError, ValueError, NOT_WELL_FORMED):
        raise MalformedPush("a document is not one that was rendered") from None


def read_encrypts(body: bytes, form: Format) -> list[str]:
    """Read the ``Encrypt`` of the outer document, whose format is *form*. XML may have several, of which one is signed.

    XML is searched, not parsed, so everything else in it may be damaged.

    Raises:
        MalformedPush: The document is XML that has a DOCTYPE or is cut off; or it is JSON that is not well-formed, or
            has ``Encrypt`` twice or not as text.
    """
    if form == "xml":
        return find_encrypts(body)
    try:
        # Only Encrypt counts, and it is ASCII. In Latin-1 all other bytes are readable, too.
        root = _read_json(body.removeprefix(_BOM).strip(b" \t\r\n\0").decode("latin-1"), _LENIENT_JSON)
    except _NOT_JSON:
        raise MalformedPush("the body is not well-formed JSON") from None
    if not isinstance(root, dict):
        raise MalformedPush("the JSON root is not an object")
    encrypt = root.get("Encrypt")
    if encrypt is not None and not isinstance(encrypt, str):
        raise MalformedPush("Encrypt is not text")
    return [] if encrypt is None else [encrypt]


def read_encrypt(body: bytes) -> str | None:
    """Return the ``Encrypt`` of an outer document that is known to be genuine; None if there is none."""
    encrypts = read_encrypts(body, detect_format(body))
    return encrypts[-1] if encrypts else None


def _parse_xml(body: bytes) -> dict[str, Any]:
    try:
        return _read_xml(body)
    except NOT_WELL_FORMED:
        pass
    body = _NOT_XML.sub(_REPLACEMENT, decode_damaged(body)).encode()
    try:
        return _read_xml(body)
    except NOT_WELL_FORMED:
        separated = _separate_texts(body)
    try:
        return read_elements(separated or b"")[0]
    except NOT_WELL_FORMED:
        raise MalformedPush("the body is not well-formed XML") from None


def _read_xml(document: bytes) -> dict[str, Any]:
    """Read a well-formed document. Text of a user that looks like elements is read as text."""
    plain = read_plain(document)
    if plain is not None and _is_flat_or_event(plain):
        return plain
    fields, has_separated = read_elements(document)
    if has_separated or _has_unusual_markup(document) or not _is_flat_or_event(fields):
        separated = _separate_texts(document)
        return fields if separated is None else read_elements(separated)[0]
    return fields


def _separate_texts(document: bytes) -> bytes | None:
    with importing:
        from wechat_msg._cdata import separate_texts

    return separate_texts(document)


def _has_unusual_markup(document: bytes) -> bool:
    """Return whether there are comments, instructions or limits of CDATA where WeChat writes none."""
    return bool(_UNUSUAL_START.search(document, len("<?xml")) or _UNUSUAL_END.search(document))


def _is_flat_or_event(fields: Mapping[str, Any]) -> bool:
    """Return whether the document is an event, or has only texts, as WeChat's messages do."""
    return {*map(type, fields.values())} == {str} or str(fields.get("MsgType", "event")).strip().lower() == "event"


def decode_damaged(body: bytes) -> str:
    """Decode a damaged body: drop control characters, and put U+FFFD for bytes that are not UTF-8."""
    body = body.removeprefix(_BOM).translate(None, _CONTROL_BYTES).strip()
    return _SURROGATE_BYTES.sub(_REPLACEMENT.encode(), body).decode("utf-8", "replace")


def replace_surrogates(text: str) -> str:
    """Replace halves of surrogate pairs, which cannot be encoded, by U+FFFD."""
    return _SURROGATE.sub(_REPLACEMENT, text)


def parse_json(body: bytes) -> dict[str, Any]:
    """Read a JSON document as `parse_body` does."""
    try:
        text = body.decode()
        root = _read_json(text, _STRICT_JSON)
    except _NOT_JSON:
        try:
            text = decode_damaged(body)
            root = _read_json(text, _LENIENT_JSON)
        except _NOT_JSON:
            raise MalformedPush("the body is not well-formed JSON") from None
    # Perhaps half of a surrogate pair. The search for a single character is the fastest, so it comes first.
    if "\\" in text and ("\\ud" in text or "\\uD" in text):
        root = json.loads(replace_surrogates(json.dumps(root, ensure_ascii=False)))
    if not isinstance(root, dict):
        raise MalformedPush("the JSON root is not an object")
    return cast("dict[str, Any]", root)


def _read_json(text: str, decoder: json.JSONDecoder) -> Any:
    if _count_elements(text) > MAX_ELEMENTS and (
        text.count('"') > 4 * MAX_ELEMENTS or _count_elements(_JSON_TEXT.sub("", text)) > MAX_ELEMENTS
    ):
        raise MalformedPush("the body has too many elements")
    root = decoder.decode(text)
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(root)
    return root


def _count_elements(text: str) -> int:
    return text.count("{") + text.count("[") + text.count(",")


def _check_depth(value: Any, left: int = MAX_DEPTH) -> None:
    if left < 0:
        raise MalformedPush("the body is nested too deep")
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_depth(member, left - 1)


def _unique_members(members: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(members)
    if len(unique) != len(members):
        raise MalformedPush("a JSON member is given twice")
    return unique


def _read_integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise MalformedPush("the body has a number with too many digits")
    return int(digits)


def _refuse_constant(_: str) -> NoReturn:
    raise MalformedPush("NaN and Infinity are not JSON")


_STRICT_JSON, _LENIENT_JSON = (
    json.JSONDecoder(
        object_pairs_hook=_unique_members, parse_int=_read_integer, parse_constant=_refuse_constant, strict=is_strict
    )
    for is_strict in (True, False)  # the lenient one also accepts raw tabs and line breaks in texts
)
_NOT_JSON = (ValueError, RecursionError)


# --- writing ---------------------------------------------------------------------------------------------------------

_JSON_WRITER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def clean_text(text: str) -> str:
    r"""Drop the characters that XML does not allow: control characters, lone surrogates, U+FFFE and U+FFFF.

    Example:
        >>> clean_text("tea\x00 or coffee\x1f?")
        'tea or coffee?'
    """
    # Most texts are printable but for their line breaks, and isprintable is much faster.
    return text if text.isprintable() or text.replace("\n", "").isprintable() else _NOT_XML.sub("", text)


def render_body(fields: Mapping[str, Any], form: Format) -> str:
    """Write a document that `parse_body` reads back.

    In XML, text becomes CDATA, so that it cannot open an element; a mapping becomes nested elements, and a list repeats
    its element. In both formats, characters that XML does not allow are dropped, and values that are None are left out.

    Raises:
        ReplyError: A name is not an XML name, or a value is not text, a number, a mapping, a list, a tuple or None.

    Example:
        >>> render_body({"CreateTime": 1700000000, "Content": "a]]>b"}, "xml")
        '<xml><CreateTime>1700000000</CreateTime><Content><![CDATA[a]]]]><![CDATA[>b]]></Content></xml>'
        >>> render_body({"CreateTime": 1700000000, "Content": "你好"}, "json")
        '{"CreateTime":1700000000,"Content":"你好"}'
    """
    try:
        if form == "xml":
            return f"<xml>{_render_members(fields)}</xml>"
        return _JSON_WRITER.encode(_clean_value(fields))
    except (TypeError, ValueError, RecursionError):
        raise ReplyError(f"these fields cannot be written as {form}") from None


def _render_members(fields: Mapping[str, Any]) -> str:
    return "".join([_render_element(_check_name(name), value) for name, value in fields.items() if value is not None])


def _render_element(name: str, value: Any) -> str:
    if isinstance(value, str):
        return f"<{name}><![CDATA[{clean_text(value).replace(']]>', ']]]]><![CDATA[>')}]]></{name}>"
    if isinstance(value, (int, float)):
        written = int.__repr__(value) if type(value) is int else _JSON_WRITER.encode(value)
        return f"<{name}>{written}</{name}>"
    if isinstance(value, Mapping):
        return f"<{name}>{_render_members(value)}</{name}>"
    if isinstance(value, (list, tuple)):
        return "".join([_render_element(name, item) for item in value])
    raise TypeError


def _clean_value(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return {_check_name(name): _clean_value(member) for name, member in value.items() if member is not None}
    if isinstance(value, (list, tuple)):
        return [_clean_value(item) for item in value]
    return value


@functools.lru_cache(maxsize=512)
def _check_name(name: str) -> str:
    if not _XML_NAME.fullmatch(name):
        raise ReplyError("a field name is not an XML name")
    return name
