"""Write documents as WeChat does, and read the answers of bots as it does.

Nothing here uses the parser of `wechat_msg.wire`: the code that wrote a bot's answer must not judge it.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn, cast
from xml.parsers import expat

import xmltodict

from wechat_msg.errors import MalformedPush, ReplyError, SettingsError
from wechat_msg.wire import Format, detect_format

__all__ = ["MAX_DOCUMENT_BYTES", "MAX_TEXT_BYTES", "read_document", "write_document"]

MAX_DOCUMENT_BYTES = 1 << 17
"""Size limit of an answer, in bytes: far more than any reply. Parsed, a document may need 60 times its size."""

MAX_TEXT_BYTES = 2047
"""Size limit of the text of a reply or customer-service message, in bytes of UTF-8. Some reports say 2,048."""

_MAX_DEPTH = 32  # real replies nest four deep

# --- writing ---------------------------------------------------------------------------------------------------------

_JSON_WRITER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_XML_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)


def write_document(fields: Mapping[str, Any], form: Format) -> bytes:
    """Write a push as WeChat does: user text stays unchanged, even if no XML parser accepts it.

    In XML a text becomes CDATA in which ``]]>`` is not split, a number has no CDATA, a mapping nests, and a list
    repeats its element. Control characters and halves of surrogate pairs are written, too. None values are left out.

    Raises:
        SettingsError: *form* is neither ``xml`` nor ``json``.
        ReplyError: A name is not an XML name, or a value has another type.

    Example:
        >>> write_document({"CreateTime": 1700000000, "Content": "a]]>b"}, "xml")
        b'<xml><CreateTime>1700000000</CreateTime><Content><![CDATA[a]]>b]]></Content></xml>'
        >>> write_document({"CreateTime": 1700000000, "Content": "a]]>b"}, "json")
        b'{"CreateTime":1700000000,"Content":"a]]>b"}'
    """
    if form not in ("xml", "json"):
        raise SettingsError("format must be xml or json", hint="format 应为 xml 或 json")
    try:
        text = f"<xml>{_write_members(fields)}</xml>" if form == "xml" else _JSON_WRITER.encode(_to_json(fields))
    except (TypeError, ValueError, RecursionError):
        raise ReplyError(f"cannot write these fields as {form}", hint=f"这些字段无法写成 {form.upper()}") from None
    return text.encode("utf-8", "surrogatepass")


def _write_members(fields: Mapping[str, Any]) -> str:
    return "".join([_write_element(_check_name(name), value) for name, value in fields.items() if value is not None])


def _write_element(name: str, value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "".join([_write_element(name, item) for item in value])
    if isinstance(value, str):
        content = f"<![CDATA[{value}]]>"
    elif isinstance(value, Mapping):
        content = _write_members(value)
    elif isinstance(value, (int, float)):
        content = _JSON_WRITER.encode(value)
    else:
        raise TypeError
    return f"<{name}>{content}</{name}>"


def _to_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_check_name(name): _to_json(member) for name, member in value.items() if member is not None}
    if isinstance(value, (list, tuple)):
        return [_to_json(item) for item in value]
    return value


def _check_name(name: str) -> str:
    if not _XML_NAME.fullmatch(name):
        raise ReplyError(
            "a field name is not an XML name", hint="字段名只能含英文字母、数字、_、- 和 .，且以字母或 _ 开头"
        )
    return name


# --- reading ---------------------------------------------------------------------------------------------------------


def read_document(body: bytes) -> dict[str, Any]:
    """Read an answer strictly.

    XML: the children of the root element; text keeps its white space, an empty element is ``""``, repeated elements
    are a list, attributes are ignored. JSON: the root object.

    Raises:
        MalformedPush: The document is not well-formed, not UTF-8, has no object at the root, has a DOCTYPE or a
            repeated JSON member, is nested too deep, or is longer than `MAX_DOCUMENT_BYTES`.

    Example:
        >>> read_document(b"<xml><MsgType><![CDATA[text]]></MsgType><Content> hi </Content></xml>")
        {'MsgType': 'text', 'Content': ' hi '}
    """
    if len(body) > MAX_DOCUMENT_BYTES:
        raise MalformedPush(f"the document is longer than {MAX_DOCUMENT_BYTES} bytes")
    try:
        root = _read_xml(body) if detect_format(body) == "xml" else _read_json(body)
    except (expat.ExpatError, ValueError, RecursionError):
        raise MalformedPush("the document is not well-formed in UTF-8") from None
    if not isinstance(root, dict):
        raise MalformedPush("the root of the document has no members")
    _check_depth(root)
    return cast("dict[str, Any]", root)


def _check_depth(value: Any, left: int = _MAX_DEPTH) -> None:
    if left < 0:
        raise MalformedPush("the document is nested too deep")
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_depth(member, left - 1)


def _create_parser(_encoding: str | None, namespace_separator: str | None = None) -> expat.XMLParserType:
    """Create a parser that reads UTF-8, whatever the document declares, and refuses a DOCTYPE, hence all entities."""
    parser = expat.ParserCreate("utf-8", namespace_separator)
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


class _HardenedExpat:
    """The replacement for the expat module that xmltodict uses."""

    ParserCreate = staticmethod(_create_parser)


def _refuse_doctype(*_: object) -> NoReturn:
    raise MalformedPush("the document has a DOCTYPE")


_parse_xml = functools.partial(
    xmltodict.parse, expat=_HardenedExpat, xml_attribs=False, strip_whitespace=False, disable_entities=False
)


def _read_xml(body: bytes) -> Any:
    (root,) = _parse_xml(body).values()
    return _tidy(root) if isinstance(root, dict) else None


def _tidy(value: Any) -> Any:
    """Replace empty elements by ``""`` and remove the white space between elements, xmltodict's ``#text``."""
    if isinstance(value, dict):
        return {name: _tidy(member) for name, member in value.items() if name != "#text"}
    if isinstance(value, list):
        return [_tidy(member) for member in value]
    return "" if value is None else value


def _read_json(body: bytes) -> Any:
    root = _JSON_READER.decode(body.decode())
    _JSON_WRITER.encode(root).encode()  # refuses half of a surrogate pair, and 1e999
    return root


def _unique_members(members: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(members)
    if len(unique) != len(members):
        raise MalformedPush("a JSON member is given twice")
    return unique


def _refuse_constant(_: str) -> NoReturn:
    raise MalformedPush("NaN and Infinity are not JSON")


_JSON_READER = json.JSONDecoder(object_pairs_hook=_unique_members, parse_constant=_refuse_constant)
