"""Search of a document for texts in CDATA, where an XML parser would fail; few documents need it.

WeChat writes ``<Name><![CDATA[text]]></Name>`` and does not split a ``]]>`` in the text, so a parser cannot find the
end of the text. This module tries all possible ends.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

__all__ = ["separate_texts"]

_NAME = rb"[A-Za-z_][A-Za-z0-9_.:-]{0,63}"
_BLANKS = b" \t\r\n\0"
_OPEN, _CLOSE, _SPLIT = b"<![CDATA[", b"]]>", b"]]]]><![CDATA[>"

_MAX_BYTES = 1 << 18  # of a document that is searched
_MAX_STEPS = 2000  # of a search; a real push needs less than a hundred
_MAX_SCANNED = 1 << 22  # bytes that a search looks at, with repetitions
_MAX_READINGS = 50
_MAX_DEPTH = 32
#: Elements that users do not write; their texts end at the first ``]]>``.
_HEAD = (b"ToUserName", b"FromUserName", b"CreateTime", b"MsgType", b"Event", b"InfoType", b"Encrypt")

_PROLOG = re.compile(rb"\s*+(?:<\?xml[^<>]*+>)?+")
_TAG = re.compile(
    rb"<(?:/(?P<close>%b)\s{0,64}+>|(?P<name>%b)\s{0,64}+(?:(?P<empty>/)>|>(?P<cdata>\s{0,64}+<!\[CDATA\[)?+))"
    % (_NAME, _NAME)
)
_TEXT_END = re.compile(rb"\]\]>\s{0,64}+</(%b)\s{0,64}+>" % _NAME)
_NOT_TEXT = re.compile(rb"\]\]>|&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")

Ends = Mapping[bytes, list[tuple[int, int]]]
"""For each name, where ``]]></Name>`` begins and ends."""


class _Open(NamedTuple):
    """An open element: its path, and the names of its children so far and of the last one."""

    path: tuple[bytes, ...]
    children: frozenset[bytes] = frozenset()
    last: bytes = b""


class _Reading(NamedTuple):
    """A reading of the document, up to a position.

    Attributes:
        position: Everything before it has been read.
        open: The open elements, the root first.
        msg_type: The MsgType; empty until it has been read.
        texts: For each text in CDATA: the start of the element's content and of the text, and the ends of both.
        shape: The paths of the elements, with a mark on those that are separated from others of their name.
        skip: The number of possible ends of the text at this position that have been tried.
    """

    position: int
    open: tuple[_Open, ...] = ()
    msg_type: bytes = b""
    texts: tuple[tuple[int, int, int, int], ...] = ()
    shape: frozenset[tuple[bytes, ...]] = frozenset()
    skip: int = 0

    @property
    def is_message(self) -> bool:
        """Whether the document is known to be a message, which has no lists and no nested elements."""
        return self.msg_type not in (b"", b"event")


def separate_texts(body: bytes) -> bytes | None:
    """Rewrite a document so that an XML parser reads its texts as they were written.

    Text of a user may look like elements, so the reading with the fewest elements is chosen. If there are several,
    which takes a malicious text, everything from the first ambiguous text on is left out. So WeChat wrote all fields
    of the result.

    Returns:
        The new document; None if it is unreadable, or needs no change.
    """
    ends: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for end in _TEXT_END.finditer(body):
        ends[end[1]].append(end.span())
    readings = _search(body, ends, strict=True)
    if readings == []:
        readings = _search(body, ends, strict=False)
    chosen = _choose(readings)
    if chosen is None:
        return _cut_at_doubt(body, ends) if readings != [] else None  # WeChat writes no document without a reading
    split = _split(body, chosen.texts)
    return None if split == body else split


def _choose(readings: list[_Reading] | None) -> _Reading | None:
    """Return the reading with the fewest elements; None if there is none, or more than one."""
    if not readings:
        return None
    first = min(readings, key=lambda reading: len(reading.shape))  # of several, that with the shortest texts
    others = [reading.shape for reading in readings if reading is not first]
    # Events may have lists, so two readings may have the same elements.
    is_clear = all(first.shape < shape or (first.shape == shape and not first.is_message) for shape in others)
    return first if is_clear else None


def _search(body: bytes, ends: Ends, *, strict: bool) -> list[_Reading] | None:
    """Return all readings, those with short texts first; None if the document is too large or has too many readings."""
    if len(body) > _MAX_BYTES:
        return None
    prolog = _PROLOG.match(body)
    waiting = [_Reading(prolog.end() if prolog else 0)]
    readings: list[_Reading] = []
    scanned = 0
    for _ in range(_MAX_STEPS):
        if not waiting:
            return readings
        reading = waiting.pop()
        if reading.position == len(body):
            readings.append(reading)
            if len(readings) == _MAX_READINGS:
                return None
            continue
        start = body.find(b"<", reading.position)
        scanned += max(start, reading.position) - reading.position
        if scanned > _MAX_SCANNED:
            return None
        tag = _TAG.match(body, start) if start >= 0 else None
        if tag is not None:
            text = body[reading.position : start]
            if tag["close"]:
                waiting += _close_element(reading, tag, body, text)
            elif not text.strip(_BLANKS) and len(reading.open) <= _MAX_DEPTH:
                waiting += _open_element(reading, tag, body, ends) if not strict or _is_expected(reading, tag) else ()
    return None


def _is_expected(reading: _Reading, tag: re.Match[bytes]) -> bool:
    """Return whether WeChat writes this element here: only events have nested elements, or several of one name."""
    if not reading.open:
        return True
    parent, name = reading.open[-1], tag["name"]
    if name in parent.children:
        return name == parent.last and not reading.is_message
    return not reading.is_message or bool(tag["cdata"] or tag["empty"] or _is_leaf(tag))


def _is_leaf(tag: re.Match[bytes]) -> bool:
    """Return whether the element that opens here contains only plain text."""
    following = tag.string.find(b"<", tag.end())
    return tag.string.startswith(b"</", following)


def _open_element(reading: _Reading, tag: re.Match[bytes], body: bytes, ends: Ends) -> Iterator[_Reading]:
    """Yield the readings that continue after the start of an element, the best one last."""
    name, start = tag["name"], tag.end()
    inside = _add_child(reading, name)
    if tag["cdata"]:
        index = bisect_left(ends[name], (start, 0)) + reading.skip if name in ends else 0
        if index < len(ends.get(name, ())):
            if name not in _HEAD:
                yield reading._replace(skip=reading.skip + 1)
            text_end, end = ends[name][index]
            texts = (*reading.texts, (tag.start("cdata"), start, text_end, body.rfind(b"</", text_end, end)))
            yield _record_msg_type(inside, name, body, start, text_end)._replace(position=end, texts=texts, skip=0)
    elif tag["empty"]:
        yield inside._replace(position=start, skip=0)
    else:
        path = (*(inside.open[-1].path if inside.open else ()), name)
        yield inside._replace(position=start, open=(*inside.open, _Open(path)), skip=0)


def _add_child(reading: _Reading, name: bytes) -> _Reading:
    if not reading.open:
        return reading
    *parents, parent = reading.open
    is_apart = name in parent.children and name != parent.last
    path = (*parent.path, name, b"apart") if is_apart else (*parent.path, name)
    parent = parent._replace(children=parent.children | {name}, last=name)
    return reading._replace(open=(*parents, parent), shape=reading.shape | {path})


def _record_msg_type(reading: _Reading, name: bytes, body: bytes, start: int, end: int) -> _Reading:
    """Set the MsgType if this element is it."""
    is_msg_type = name == b"MsgType" and len(reading.open) == 1
    return reading._replace(msg_type=body[start:end].strip(_BLANKS).lower()) if is_msg_type else reading


def _close_element(reading: _Reading, tag: re.Match[bytes], body: bytes, text: bytes) -> Iterator[_Reading]:
    """Yield the reading that continues after the end of an element, if it may end here."""
    if not reading.open:
        return
    *parents, closed = reading.open
    is_text = bool(text.strip(_BLANKS))
    if closed.path[-1] != tag["close"] or (is_text and closed.children) or _NOT_TEXT.search(text):
        return
    if parents:
        outside = reading._replace(open=tuple(parents), position=tag.end())
        yield _record_msg_type(outside, tag["close"], body, reading.position, tag.start())
    elif not body[tag.end() :].strip(_BLANKS):
        yield reading._replace(position=len(body), open=())


def _split(body: bytes, texts: tuple[tuple[int, int, int, int], ...]) -> bytes:
    pieces, done = [], 0
    for content_start, start, end, content_end in texts:
        text = body[start:end]
        if text.count(_CLOSE) > text.count(_SPLIT):  # otherwise its writer has split it
            text = text.replace(_CLOSE, _SPLIT)
        pieces += [body[done:content_start], _OPEN, text, _CLOSE]
        done = content_end
    return b"".join((*pieces, body[done:]))


def _cut_at_doubt(body: bytes, ends: Ends) -> bytes | None:
    """Leave out everything from the first child of the root on that is not certain to be one text."""
    prolog = _PROLOG.match(body)
    root = _TAG.match(body, body.find(b"<", prolog.end() if prolog else 0))
    if root is None or not root["name"] or not body.rstrip(_BLANKS).endswith(b"</%b>" % root["name"]):
        return None
    position = root.end()
    while tag := _TAG.match(body, body.find(b"<", position)):
        end = _end_of_text(body, tag, ends)
        if end is None or body[position : tag.start()].strip(_BLANKS):
            break
        position = end
    return body[:position] + b"</%b>" % root["name"]


def _end_of_text(body: bytes, tag: re.Match[bytes], ends: Ends) -> int | None:
    """Return the end of an element that contains one text; None if the end is in doubt."""
    name, start = tag["name"], tag.end()
    if not name or tag["empty"]:
        return start if tag["empty"] else None
    if not tag["cdata"]:
        closing = _TAG.match(body, body.find(b"<", start))
        return closing.end() if closing and closing["close"] == name else None
    found = ends.get(name, [])[bisect_left(ends.get(name, []), (start, 0)) :]
    is_certain = len(found) == 1 or (found and name in _HEAD)
    return found[0][1] if is_certain and _CLOSE not in body[start : found[0][0]] else None
