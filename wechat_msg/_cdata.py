"""Where texts in CDATA end: WeChat writes ``<Name><![CDATA[text]]></Name>`` and does not split a ``]]>`` in it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from wechat_msg.errors import MalformedPush

__all__ = ["find_encrypts", "split_texts"]

_NAME = rb"[A-Za-z_][A-Za-z0-9_.:-]*"
_BLANKS = b" \t\r\n\0"
_OPEN, _CLOSE = b"<![CDATA[", b"]]>"


# --- a ``]]>`` that was not split ------------------------------------------------------------------------------------

_MOST_BYTES = 1 << 16  # of a document that is searched, and ...
_MOST_STEPS = 2000  # ... of the search: a real push needs less than a hundred
_MOST_LEVELS = 32
#: By users; what is in them ends at the first ``]]>``.
_NEVER_WRITTEN = (b"ToUserName", b"FromUserName", b"MsgType", b"Event", b"Encrypt")

_PROLOG = re.compile(rb"\s*(?:<\?xml[^<>]*>)?")
_TAG = re.compile(
    rb"\s*(?:</(?P<close>%b)\s*>|<(?P<name>%b)\s*(?:(?P<empty>/>)|>(?:(?P<blanks>\s*)(?P<cdata><!\[CDATA\[)"
    rb"|(?P<text>[^<]*)</(?P=name)\s*>)?))" % (_NAME, _NAME)
)
_TEXT_END = re.compile(rb"\]\]>\s*</(%b)\s*>" % _NAME)

Ends = Mapping[bytes, list[tuple[int, int]]]
"""Of each name: where ``]]></Name>`` begins and ends."""


class _Open(NamedTuple):
    """An open element: its name, the names of its children so far, and of the last of them."""

    name: bytes
    children: frozenset[bytes] = frozenset()
    last: bytes = b""


class _Place(NamedTuple):
    """How far a search has come.

    Attributes:
        position: Everything before it is read.
        path: The open elements, the root first.
        msg_type: The MsgType, once it is read.
        texts: Of each text in CDATA: where its element's content begins, where the text does, and where they end.
        skip: How many possible ends of the text at this position have been tried.
    """

    position: int
    path: tuple[_Open, ...] = ()
    msg_type: bytes = b""
    texts: tuple[tuple[int, int, int, int], ...] = ()
    skip: int = 0


def split_texts(body: bytes, *, strict: bool = True) -> bytes | None:
    """Split each ``]]>`` inside a text, so that an XML parser reads the texts as they were written.

    A text ends at the first ``]]></Name>`` with which the rest of the document makes sense.

    Args:
        body: The document.
        strict: Accept only what WeChat sends: children of one name side by side and in events only, and nothing nested
            in a message. So what looks like an element inside a text stays text.

    Returns:
        The document, also without blanks around the sections; None if there is no such reading, or nothing to change.
    """
    if len(body) > _MOST_BYTES:
        return None
    ends: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for end in _TEXT_END.finditer(body):
        ends[end[1]].append(end.span())
    prolog = _PROLOG.match(body)
    waiting = [_Place(prolog.end() if prolog else 0)]
    for _ in range(_MOST_STEPS):
        if not waiting:
            return None
        place = waiting.pop()
        if place.position == len(body):
            split = _split(body, place.texts)
            return None if split == body else split
        tag = _TAG.match(body, place.position)
        if tag is None:
            continue
        if tag["close"]:
            waiting += _leave(place, tag, body)
        elif not strict or _is_expected(place, tag):
            waiting += _enter(place, tag, body, ends)
    return None


def _is_expected(place: _Place, tag: re.Match[bytes]) -> bool:
    """Tell whether WeChat may go on with this element; see *strict* of `split_texts`."""
    if not place.path:
        return True
    is_message = place.msg_type not in (b"", b"event")
    parent = place.path[-1]
    if tag["name"] in parent.children:
        return tag["name"] == parent.last and not is_message
    return not is_message or tag.lastgroup != "name"


def _enter(place: _Place, tag: re.Match[bytes], body: bytes, ends: Ends) -> Iterator[_Place]:
    """Yield the places to go on from at the start of an element, the best one last."""
    name, start = tag["name"], tag.end()
    if tag["cdata"]:
        index = bisect_left(ends[name], (start, 0)) + place.skip
        if index < len(ends[name]):
            if name not in _NEVER_WRITTEN:
                yield place._replace(skip=place.skip + 1)
            text_end, end = ends[name][index]
            texts = (*place.texts, (tag.start("blanks"), start, text_end, body.rfind(b"</", text_end, end)))
            yield _move(place._replace(texts=texts), end, name, body[start:text_end])
    elif tag.lastgroup != "name":
        yield _move(place, start, name, tag["text"] or b"")
    elif len(place.path) < _MOST_LEVELS:
        inside = _move(place, start, name)
        yield inside._replace(path=(*inside.path, _Open(name)))


def _move(place: _Place, position: int, name: bytes, value: bytes = b"") -> _Place:
    """Go on from *position*, with one child more in the open element."""
    path, msg_type = place.path, place.msg_type
    if path:
        *parents, parent = path
        path = (*parents, parent._replace(children=parent.children | {name}, last=name))
    if name == b"MsgType" and len(path) == 1:
        msg_type = value.strip(_BLANKS).lower()
    return place._replace(position=position, path=path, msg_type=msg_type, skip=0)


def _leave(place: _Place, tag: re.Match[bytes], body: bytes) -> Iterator[_Place]:
    """Yield the place to go on from at the end of an element: behind it, or at the end of the document."""
    if place.path and place.path[-1].name == tag["close"]:
        path = place.path[:-1]
        if path:
            yield place._replace(position=tag.end(), path=path)
        elif not body[tag.end() :].strip(_BLANKS):
            yield place._replace(position=len(body), path=path)


def _split(body: bytes, texts: tuple[tuple[int, int, int, int], ...]) -> bytes:
    pieces, done = [], 0
    for content_start, start, end, content_end in texts:
        text = body[start:end]
        if text.count(_CLOSE) > text.count(_CLOSE + _OPEN):  # else its writer has split it
            text = text.replace(_CLOSE, b"]]]]><![CDATA[>")
        pieces += [body[done:content_start], _OPEN, text, _CLOSE]
        done = content_end
    return b"".join((*pieces, body[done:]))


# --- Encrypt, before its signature is verified -----------------------------------------------------------------------

_MOST_MARKS = 1000
_MOST_TAGS = 250_000
_LONGEST_TAG = 100
_MOST_ABSENT = 8  # each costs a look through the whole body

_MARK = re.compile(
    rb"<(?:!(?:(?P<comment>--)|(?P<cdata>\[CDATA\[)|(?P<doctype>DOCTYPE))|(?P<encrypt>Encrypt)(?:\s[^<>]*?)?(?P<empty>/)?>)"
)
_ROOT = re.compile(rb"<(%b)" % _NAME)
_TAG_BEFORE = re.compile(rb"<(%b)(?:\s[^<>]*)?>\s*\Z" % _NAME)


def find_encrypts(body: bytes) -> list[str]:
    """Find the texts of all ``Encrypt`` elements without parsing the document, the rest of which may be damaged.

    An element in a comment, or in the text of another element, does not count. The texts are not checked: that is what
    their signature is for.

    Raises:
        MalformedPush: The document has a DOCTYPE, is cut off, or has too many tags or sections.
    """
    if body.count(b"<") > _MOST_TAGS:
        raise MalformedPush("the body has too many elements")
    encrypts: list[str] = []
    absent: set[bytes] = set()
    position = 0
    for _ in range(_MOST_MARKS):
        mark = _MARK.search(body, position)
        if mark is None:
            _check_end(body, encrypts)
            return encrypts
        position = mark.end()
        if mark["doctype"]:
            raise MalformedPush("the body has a DOCTYPE")
        if mark["encrypt"]:
            encrypts.append("" if mark["empty"] else _read_text(body, position))
        else:
            position = _find_first(body, _list_ends(body, mark), position, absent)
    raise MalformedPush("the body has too many sections")


def _list_ends(body: bytes, mark: re.Match[bytes]) -> list[bytes]:
    """List what ends a comment or a section; a section that is all of an element's text may hold a ``]]>``."""
    if mark["comment"]:
        return [b"-->"]
    tag = _TAG_BEFORE.search(body, max(0, mark.start() - _LONGEST_TAG), mark.start())
    return [b"]]></%b>" % tag[1], _CLOSE] if tag else [_CLOSE]


def _find_first(body: bytes, ends: list[bytes], position: int, absent: set[bytes]) -> int:
    """Find the first of *ends* that there is; *absent* are those that are known not to be there, of a few at most."""
    for end in ends:
        if end not in absent and (len(absent) < _MOST_ABSENT or end == _CLOSE):
            found = body.find(end, position)
            if found >= 0:
                return found
            absent.add(end)
    return position


def _check_end(body: bytes, encrypts: list[str]) -> None:
    root, last = _ROOT.search(body), body[body.rfind(b"</") :].strip(_BLANKS)
    if encrypts and root and not (last.endswith(b">") and last[2:-1].strip() == root[1]):
        raise MalformedPush("the body is cut off")


def _read_text(body: bytes, start: int) -> str:
    end = body.find(b"</Encrypt", start)
    if end < 0:
        raise MalformedPush("the body is cut off")
    text = body[start:end].replace(_OPEN, b"").replace(_CLOSE, b"").decode("utf-8", "replace")
    if "&" in text:
        from html import unescape

        text = unescape(text)
    return text.strip()
