"""Texts in CDATA, and Encrypt: what must be found in a document before, or although, an XML parser can read it.

WeChat writes ``<Name><![CDATA[text]]></Name>`` and does not split a ``]]>`` in the text, so no parser can tell where a
text ends. Here the ends are found by trying.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from wechat_msg.errors import MalformedPush

__all__ = ["find_encrypts", "separate_texts"]

_NAME = rb"[A-Za-z_][A-Za-z0-9_.:-]{0,63}"
_BLANKS = b" \t\r\n\0"
_OPEN, _CLOSE, _SPLIT = b"<![CDATA[", b"]]>", b"]]]]><![CDATA[>"


# --- texts -----------------------------------------------------------------------------------------------------------

_MOST_BYTES = 1 << 18  # of a document that is searched
_MOST_STEPS = 2000  # of a search: a real push needs less than a hundred ...
_MOST_SCANNED = 1 << 22  # ... and bytes that it looks at, again and again
_MOST_READINGS = 50
_MOST_LEVELS = 32
#: Never written by users: their texts end at the first ``]]>``.
_HEAD = (b"ToUserName", b"FromUserName", b"CreateTime", b"MsgType", b"Event", b"InfoType", b"Encrypt")

_PROLOG = re.compile(rb"\s*+(?:<\?xml[^<>]*+>)?+")
_TAG = re.compile(
    rb"<(?:/(?P<close>%b)\s{0,64}+>|(?P<name>%b)\s{0,64}+(?:(?P<empty>/)>|>(?P<cdata>\s{0,64}+<!\[CDATA\[)?+))"
    % (_NAME, _NAME)
)
_TEXT_END = re.compile(rb"\]\]>\s{0,64}+</(%b)\s{0,64}+>" % _NAME)
_NOT_TEXT = re.compile(rb"\]\]>|&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")

Ends = Mapping[bytes, list[tuple[int, int]]]
"""Of each name: where ``]]></Name>`` begins and ends."""


class _Open(NamedTuple):
    """An open element: its path, the names of its children so far, and of the last of them."""

    path: tuple[bytes, ...]
    children: frozenset[bytes] = frozenset()
    last: bytes = b""


class _Place(NamedTuple):
    """How far a reading has come.

    Attributes:
        position: Everything before it is read.
        open: The open elements, the root first.
        msg_type: The MsgType, once it is read.
        texts: Of each text in CDATA: where its element's content begins, where the text does, and where they end.
        shape: The paths of the elements; those that stand apart from others of their name are marked.
        skip: How many possible ends of the text at this position have been tried.
    """

    position: int
    open: tuple[_Open, ...] = ()
    msg_type: bytes = b""
    texts: tuple[tuple[int, int, int, int], ...] = ()
    shape: frozenset[tuple[bytes, ...]] = frozenset()
    skip: int = 0

    @property
    def is_message(self) -> bool:
        """Whether it is known to be a message, which has no lists and nests nothing."""
        return self.msg_type not in (b"", b"event")


def separate_texts(body: bytes) -> bytes | None:
    """Rewrite a document so that an XML parser reads the texts in it as they were written.

    Of all ways to read it the one with the fewest elements is taken, as what a user writes may look like elements. If
    that leaves a choice, as only a text that was made for it does, all from the first text on that is in doubt is left
    out: nobody learns of anything that WeChat did not write.

    Returns:
        None if the document cannot be read, or needs no change.
    """
    ends: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for end in _TEXT_END.finditer(body):
        ends[end[1]].append(end.span())
    readings = _search(body, ends, strict=True)
    if readings == []:
        readings = _search(body, ends, strict=False)
    chosen = _choose(readings)
    if chosen is None:
        return _cut(body, ends) if readings != [] else None  # without any, WeChat did not write it
    split = _split(body, chosen.texts)
    return None if split == body else split


def _choose(readings: list[_Place] | None) -> _Place | None:
    """Return the reading with the fewest elements; None if there is none, or a choice."""
    if not readings:
        return None
    first = min(readings, key=lambda place: len(place.shape))  # of events, which may have lists: the shortest texts
    others = [place for place in readings if place is not first]
    if all(first.shape < place.shape or (first.shape == place.shape and not first.is_message) for place in others):
        return first
    return None


def _search(body: bytes, ends: Ends, *, strict: bool) -> list[_Place] | None:
    """Return all readings, those with short texts first; None if the document is too large, or has too many."""
    if len(body) > _MOST_BYTES:
        return None
    prolog = _PROLOG.match(body)
    waiting = [_Place(prolog.end() if prolog else 0)]
    readings: list[_Place] = []
    scanned = 0
    for _ in range(_MOST_STEPS):
        if not waiting:
            return readings
        place = waiting.pop()
        if place.position == len(body):
            readings.append(place)
            if len(readings) == _MOST_READINGS:
                return None
            continue
        start = body.find(b"<", place.position)
        scanned += max(start, place.position) - place.position
        if scanned > _MOST_SCANNED:
            return None
        tag = _TAG.match(body, start) if start >= 0 else None
        if tag is not None:
            text = body[place.position : start]
            if tag["close"]:
                waiting += _leave(place, tag, body, text)
            elif not text.strip(_BLANKS) and len(place.open) <= _MOST_LEVELS:
                waiting += _enter(place, tag, body, ends) if not strict or _is_expected(place, tag) else ()
    return None


def _is_expected(place: _Place, tag: re.Match[bytes]) -> bool:
    """Tell whether WeChat goes on with this element: with one name twice, or nested, it does in events only."""
    if not place.open:
        return True
    parent, name = place.open[-1], tag["name"]
    if name in parent.children:
        return name == parent.last and not place.is_message
    return not place.is_message or bool(tag["cdata"] or tag["empty"] or _is_leaf(tag))


def _is_leaf(tag: re.Match[bytes]) -> bool:
    """Tell whether the element that opens here holds plain text only."""
    following = tag.string.find(b"<", tag.end())
    return tag.string.startswith(b"</", following)


def _enter(place: _Place, tag: re.Match[bytes], body: bytes, ends: Ends) -> Iterator[_Place]:
    """Yield the places to go on from at the start of an element, the best one last."""
    name, start = tag["name"], tag.end()
    inside = _add_child(place, name)
    if tag["cdata"]:
        index = bisect_left(ends[name], (start, 0)) + place.skip if name in ends else 0
        if index < len(ends.get(name, ())):
            if name not in _HEAD:
                yield place._replace(skip=place.skip + 1)
            text_end, end = ends[name][index]
            texts = (*place.texts, (tag.start("cdata"), start, text_end, body.rfind(b"</", text_end, end)))
            yield _note(inside, name, body, start, text_end)._replace(position=end, texts=texts, skip=0)
    elif tag["empty"]:
        yield inside._replace(position=start, skip=0)
    else:
        path = (*(inside.open[-1].path if inside.open else ()), name)
        yield inside._replace(position=start, open=(*inside.open, _Open(path)), skip=0)


def _add_child(place: _Place, name: bytes) -> _Place:
    if not place.open:
        return place
    *parents, parent = place.open
    is_apart = name in parent.children and name != parent.last
    path = (*parent.path, name, b"apart") if is_apart else (*parent.path, name)
    parent = parent._replace(children=parent.children | {name}, last=name)
    return place._replace(open=(*parents, parent), shape=place.shape | {path})


def _note(place: _Place, name: bytes, body: bytes, start: int, end: int) -> _Place:
    """Take note of the MsgType."""
    is_msg_type = name == b"MsgType" and len(place.open) == 1
    return place._replace(msg_type=body[start:end].strip(_BLANKS).lower()) if is_msg_type else place


def _leave(place: _Place, tag: re.Match[bytes], body: bytes, text: bytes) -> Iterator[_Place]:
    """Yield the place to go on from at the end of an element: behind it, or at the end of the document."""
    if not place.open:
        return
    *parents, closed = place.open
    is_text = bool(text.strip(_BLANKS))
    if closed.path[-1] != tag["close"] or (is_text and closed.children) or _NOT_TEXT.search(text):
        return
    if parents:
        outside = place._replace(open=tuple(parents), position=tag.end())
        yield _note(outside, tag["close"], body, place.position, tag.start())
    elif not body[tag.end() :].strip(_BLANKS):
        yield place._replace(position=len(body), open=())


def _split(body: bytes, texts: tuple[tuple[int, int, int, int], ...]) -> bytes:
    pieces, done = [], 0
    for content_start, start, end, content_end in texts:
        text = body[start:end]
        if text.count(_CLOSE) > text.count(_SPLIT):  # else its writer has split it
            text = text.replace(_CLOSE, _SPLIT)
        pieces += [body[done:content_start], _OPEN, text, _CLOSE]
        done = content_end
    return b"".join((*pieces, body[done:]))


def _cut(body: bytes, ends: Ends) -> bytes | None:
    """Leave out all from the first child of the root on that is not, or not certainly, one text."""
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
    """Return where an element ends that holds one text; None if that is in doubt."""
    name, start = tag["name"], tag.end()
    if not name or tag["empty"]:
        return start if tag["empty"] else None
    if not tag["cdata"]:
        closing = _TAG.match(body, body.find(b"<", start))
        return closing.end() if closing and closing["close"] == name else None
    found = ends.get(name, [])[bisect_left(ends.get(name, []), (start, 0)) :]
    is_certain = len(found) == 1 or (found and name in _HEAD)
    return found[0][1] if is_certain and _CLOSE not in body[start : found[0][0]] else None


# --- Encrypt, before its signature is verified -----------------------------------------------------------------------

_MOST_ENCRYPTS = 100
_LONGEST_ESCAPED = 1 << 16

_DOCTYPE = re.compile(rb"\s*+(?:<\?[^>]*+>\s*+)?+(?:<!--(?:(?!-->).)*+-->\s*+)*+<!DOCTYPE", re.DOTALL)
_ENCRYPT_START = re.compile(rb"<Encrypt(?:\s[^<>]{0,200}+)?+(?P<empty>/)?>")
_ENCRYPT = re.compile(
    rb"%b\s*+(?:<!\[CDATA\[\s*+)?+([A-Za-z0-9+/=]++)\s*+(?:\]\]>\s*+)?+</Encrypt\s*+>" % _ENCRYPT_START.pattern
)


def find_encrypts(body: bytes) -> list[str]:
    """Find what may be the text of an ``Encrypt`` element, without parsing the document, which may be damaged.

    A text of a user may hold such elements, too: only the signature tells which one is WeChat's.

    Returns:
        The last hundred of them, in order; if none is base64, the last one as it is.

    Raises:
        MalformedPush: The document begins with a DOCTYPE, or is cut off.
    """
    if _DOCTYPE.match(body):
        raise MalformedPush("the body has a DOCTYPE")
    found = [match[2] for match in _ENCRYPT.finditer(body)]
    if found:
        return [text.decode("ascii") for text in found[-_MOST_ENCRYPTS:]]
    start = _ENCRYPT_START.search(body, body.rfind(b"<Encrypt") if b"<Encrypt" in body else len(body))
    if start is None:
        return []
    end = start.end() if start["empty"] else body.find(b"</Encrypt", start.end())
    if end < 0:
        raise MalformedPush("the body is cut off")
    return [_to_text(body[start.end() : end])]


def _to_text(content: bytes) -> str:
    text = content.replace(_OPEN, b"").replace(_CLOSE, b"").decode("utf-8", "replace")
    if "&" in text and len(text) < _LONGEST_ESCAPED:
        from html import unescape

        text = unescape(text)
    return text.strip()
