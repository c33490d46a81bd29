"""Reader of XML documents: UTF-8 only, with limits of depth and size, on expat and the C code of `xml.etree`."""

from __future__ import annotations

from typing import Any, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from wechat_msg.errors import MalformedPush

__all__ = ["MAX_DEPTH", "MAX_ELEMENTS", "NOT_WELL_FORMED", "read_elements"]

MAX_DEPTH = 32  # real pushes nest five deep
MAX_ELEMENTS = 10_000  # real pushes have less than a hundred

NOT_WELL_FORMED = expat.ExpatError

_FEW = 1000  # elements that are cheap to build, even if they turn out to be nested too deep


def read_elements(body: bytes) -> tuple[dict[str, Any], bool]:
    """Read the children of the root element.

    Returns:
        The children by name, and whether elements of one name are separated by others, at any level.

    Raises:
        xml.parsers.expat.ExpatError: The document is not well-formed UTF-8.
        MalformedPush: The document has a DOCTYPE, and so may define entities; or its elements are too many, nested too
            deep, or missing.
    """
    builder = TreeBuilder()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.CharacterDataHandler = builder.data
    if body.count(b"<") < _FEW:
        parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    else:
        _build_counting(parser, builder)
    parser.Parse(body, True)  # noqa: FBT003
    root, apart = builder.close(), set[str]()
    if not len(root):
        raise MalformedPush("the XML document holds no elements")
    return _to_members(root, MAX_DEPTH, apart), bool(apart)


def _build_counting(parser: expat.XMLParserType, builder: TreeBuilder) -> None:
    """Make *parser* stop at the first element that exceeds a limit."""
    depth = elements = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, elements
        depth, elements = depth + 1, elements + 1
        if depth > MAX_DEPTH + 1:
            raise MalformedPush("the body is nested too deep")
        if elements > MAX_ELEMENTS:
            raise MalformedPush("the body has too many elements")
        builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    parser.StartElementHandler, parser.EndElementHandler = start, end


def _to_members(element: Element, levels: int, apart: set[str]) -> dict[str, Any]:
    """Return the children by name; the text between them, which is indentation, is ignored."""
    if not levels:
        raise MalformedPush("the body is nested too deep")
    members: dict[str, Any] = {}
    last = ""
    for child in element:
        name = child.tag
        value = _to_members(child, levels - 1, apart) if len(child) else child.text or ""
        if name not in members:
            members[name] = value
        else:
            if name != last:
                apart.add(name)
            earlier = members[name]
            members[name] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
        last = name
    return members


def _refuse_doctype(*_: object) -> NoReturn:
    raise MalformedPush("the body has a DOCTYPE")
