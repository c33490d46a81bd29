"""Bytes to one plain mapping and back, XML and JSON; refuses DTDs, entities and everything that is not UTF-8."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NoReturn, TypeVar, cast
from xml.parsers import expat

import xmltodict

from wechat_msg.errors import MalformedPush, ReplyError

__all__ = ["Format", "clean_text", "detect_format", "parse_body", "parse_json", "read_encrypt", "render_body"]

T = TypeVar("T")

Format = Literal["xml", "json"]
"""The data format (数据格式) of a push; its reply goes out in the same."""

_BOM = b"\xef\xbb\xbf"
_MAX_DEPTH = 32  # real pushes nest five deep
# WeChat does send raw control characters in texts. No other byte of UTF-8 is below 0x20, so they can be cut as bytes.
_CONTROL_BYTES = bytes(set(range(0x20)) - set(b"\t\n\r"))
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_WELL_FORMED = (expat.ExpatError, ValueError, RecursionError)
_XML_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)


# --- reading ---------------------------------------------------------------------------------------------------------


def detect_format(body: bytes) -> Format:
    """Tell the format by the first character, as the Content-Type of a push cannot be relied on.

    Raises:
        MalformedPush: Neither XML nor JSON, or not UTF-8.
    """
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

    XML: the children of the root element; text keeps its white space, an empty element is ``""``, repeated elements
    are a list, attributes are left out. JSON: the root object. Raw control characters are cut out of both.

    Raises:
        MalformedPush: Not well-formed, not UTF-8, not an object at the root, a DOCTYPE or an entity, nested too deep.

    Example:
        >>> parse_body(b"<xml><MsgType><![CDATA[text]]></MsgType><Content> hi </Content></xml>")
        {'MsgType': 'text', 'Content': ' hi '}
        >>> parse_body(b'{"MsgType": "text", "Content": " hi "}')
        {'MsgType': 'text', 'Content': ' hi '}
    """
    return _parse_xml(body) if detect_format(body) == "xml" else parse_json(body)


def read_encrypt(body: bytes) -> str | None:
    """Read only the ``Encrypt`` member of the outer document; None if it has none.

    Raises:
        MalformedPush: As `parse_body`; also ``Encrypt`` given twice or not text.
    """
    if detect_format(body) == "json":
        encrypt = parse_json(body).get("Encrypt")
        if encrypt is not None and not isinstance(encrypt, str):
            raise MalformedPush("Encrypt is not text")
        return encrypt
    return _parse("XML", body, _read_encrypt_element, _read_encrypt_element)


def _parse(name: str, body: bytes, parse: Callable[[bytes], T], parse_cleaned: Callable[[bytes], T]) -> T:
    """Parse *body*, and what is not well-formed once more without its raw control characters."""
    try:
        return parse(body)
    except _NOT_WELL_FORMED:
        pass
    try:
        return parse_cleaned(body.removeprefix(_BOM).translate(None, _CONTROL_BYTES).strip())
    except _NOT_WELL_FORMED:
        raise MalformedPush(f"the body is not well-formed {name} in UTF-8") from None


def _check_depth(value: Any, left: int = _MAX_DEPTH) -> None:
    if left < 0:
        raise MalformedPush("the body is nested too deep")
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_depth(member, left - 1)


def _read_encrypt_element(body: bytes) -> str | None:
    """Keep the text of the ``Encrypt`` element and nothing else."""
    texts: list[str] = []
    names: list[str] = []
    parser = _create_parser("utf-8")
    parser.StartElementHandler = lambda name, _: names.append(name)
    parser.CharacterDataHandler = lambda text: texts.append(text) if names[-1] == "Encrypt" else None
    parser.Parse(body, True)  # noqa: FBT003
    if names.count("Encrypt") > 1:
        raise MalformedPush("Encrypt is given twice")
    return "".join(texts).strip() if "Encrypt" in names else None


def _parse_xml(body: bytes) -> dict[str, Any]:
    fields = _parse("XML", body, _read_elements, _read_elements)
    if not fields:
        raise MalformedPush("the XML document holds no elements")
    return fields


def _read_elements(body: bytes) -> dict[str, Any]:
    """Take the root's children one by one: that costs less than a dict of everything, and keeps their white space."""
    fields: dict[str, Any] = {}

    def take(path: Sequence[tuple[str, object]], value: Any) -> bool:
        name = path[-1][0]
        if not isinstance(value, str):
            _check_depth(value, _MAX_DEPTH - 1)
            value = _tidy(value)
        if name not in fields:
            fields[name] = value
        elif isinstance(fields[name], list):
            fields[name].append(value)
        else:
            fields[name] = [fields[name], value]
        return True

    _xmltodict(body, item_callback=take)
    return fields


def _tidy(value: Any) -> Any:
    """Make empty elements ``""``, and drop the white space between elements, which xmltodict files as ``#text``."""
    if isinstance(value, dict):
        return {name: _tidy(member) for name, member in value.items() if name != "#text"}
    if isinstance(value, list):
        return [_tidy(member) for member in value]
    return "" if value is None else value


def _create_parser(encoding: str | None, namespace_separator: str | None = None) -> expat.XMLParserType:
    """Make a parser that takes UTF-8 whatever the document declares, and no DOCTYPE, hence no entities."""
    parser = expat.ParserCreate(encoding, namespace_separator)
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.buffer_text = True
    return parser


class _HardenedExpat:
    """What xmltodict takes for the expat module."""

    ParserCreate = staticmethod(_create_parser)


# Its own guard against entities is not needed: without the DOCTYPE that is refused, none can be declared.
_xmltodict = functools.partial(
    xmltodict.parse,
    encoding="utf-8",
    expat=_HardenedExpat,
    xml_attribs=False,
    strip_whitespace=False,
    item_depth=2,
    disable_entities=False,
)


def _refuse_doctype(*_: object) -> NoReturn:
    raise MalformedPush("the body has a DOCTYPE")


def parse_json(body: bytes) -> dict[str, Any]:
    """Read a JSON document as `parse_body` does."""
    text, root = _parse("JSON", body, _read_strict_json, _read_lenient_json)
    if text.count("{") + text.count("[") > _MAX_DEPTH:
        _check_depth(root)
    # Perhaps half of a surrogate pair, which no encoder would take later on. One character is looked for much faster.
    if "\\" in text and ("\\ud" in text or "\\uD" in text):
        root = json.loads(
            json.dumps(root, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        )
    if not isinstance(root, dict):
        raise MalformedPush("the JSON root is not an object")
    return cast("dict[str, Any]", root)


def _read_strict_json(body: bytes) -> tuple[str, Any]:
    text = body.decode("utf-8")
    return text, _STRICT_JSON.decode(text)


def _read_lenient_json(body: bytes) -> tuple[str, Any]:
    """Take raw tabs and line breaks in texts, too."""
    text = body.decode("utf-8")
    return text, _LENIENT_JSON.decode(text)


def _unique_members(members: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(members)
    if len(unique) != len(members):
        raise MalformedPush("a JSON member is given twice")
    return unique


def _refuse_constant(_: str) -> NoReturn:
    raise MalformedPush("NaN and Infinity are not JSON")


_STRICT_JSON = json.JSONDecoder(object_pairs_hook=_unique_members, parse_constant=_refuse_constant)
_LENIENT_JSON = json.JSONDecoder(object_pairs_hook=_unique_members, parse_constant=_refuse_constant, strict=False)


# --- writing ---------------------------------------------------------------------------------------------------------

_JSON_WRITER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def clean_text(text: str) -> str:
    r"""Drop the characters that XML cannot hold: control characters, lone surrogates, U+FFFE and U+FFFF.

    Example:
        >>> clean_text("tea\x00 or coffee\x1f?")
        'tea or coffee?'
    """
    return text if text.isprintable() else _NOT_XML.sub("", text)  # most are; the question is much cheaper


def render_body(fields: Mapping[str, Any], form: Format) -> str:
    """Write a document that `parse_body` reads back.

    Text becomes CDATA, so that nothing in it can open an element; numbers are bare, a mapping nests, a list repeats its
    element. Characters that XML cannot hold are dropped in both formats, None values are left out.

    Raises:
        ReplyError: A name is not an XML name, or a value is none of the above.

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
        return f"<{name}>{_render_cdata(value)}</{name}>"
    if isinstance(value, (int, float)):
        return f"<{name}>{_JSON_WRITER.encode(value)}</{name}>"
    if isinstance(value, Mapping):
        return f"<{name}>{_render_members(value)}</{name}>"
    if isinstance(value, (list, tuple)):
        return "".join([_render_element(name, item) for item in value])
    raise TypeError


def _render_cdata(text: str) -> str:
    return "<![CDATA[" + clean_text(text).replace("]]>", "]]]]><![CDATA[>") + "]]>"


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
