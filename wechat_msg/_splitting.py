"""Finds the places to cut a text that is too long for one message; few texts are, so only `split_text` imports this."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["split"]

_LINK = re.compile(r"(<a\s[^<>]*>)([^<]*+(?:<(?!/?a\b)[^<]*+)*+)(</a\s*>)", re.IGNORECASE)
_ADDRESS = r"https?://[\w.~:/?#\[\]@!$&'()*+,;=%-]*[\w/#=&~%+@$*-]"  # the full stop of the sentence is no part of it
_WHOLE = re.compile(f"{_LINK.pattern}|{_ADDRESS}", re.IGNORECASE | re.ASCII)
#: What stands for the first character and for the others of a link or an address while places to cut are looked for.
#: No text has these characters once `clean_text` has dropped what cannot be sent.
_FIRST, _INSIDE = "\ud800", "\udfff"

_OPENING = "“‘「『（【《〈〔［｛(\\[{<"
_CLOSING = "”’」』）】》〉〕］｝)\\]}>\"'"
_STOPS = "。！？；…"
#: Places to cut, the best first; a place is the end of the match. Each looks at the next character, and finds the last
#: place, because what precedes it is greedy.
_PLACES = [
    re.compile(place, re.DOTALL)
    for place in (
        r".*\n(?=[^\S\n]*\n)",  # the end of a paragraph
        r".*\n(?=.)",  # of a line
        (  # of a sentence
            rf".*(?:[{_STOPS}][{_CLOSING}]*+(?=[^{_STOPS}{_CLOSING}])"
            rf"|(?:[!?;]|(?<!\d)\.)[{_CLOSING}]*+(?=[\s\u2e80-\uffef]))"
        ),
        rf".*[，、：\s](?=[^{_CLOSING}])",  # of a clause or a word
        rf".+(?<![{_OPENING}])(?=[^，、：{_STOPS}{_CLOSING}{_INSIDE}])(?:(?<![A-Za-z0-9])|(?![A-Za-z0-9]))",
    )
]
_ANY_PLACE = re.compile(f".+(?=[^{_INSIDE}])", re.DOTALL)
_SPACES = re.compile(r"\s*")
_GAP = re.compile(r"\s*\n|\s*")  # a line keeps its indentation

_LEADING_JAMO, _VOWELS_AND_TRAILING_JAMO = "\u1100-\u115f\ua960-\ua97c", "\u1160-\u11ff\ud7b0-\ud7fb"
_SYLLABLES = "\uac00-\ud7a3"
#: Two characters that belong together, by Unicode Standard Annex 29; marks, conjuncts and flags are in `_is_joined`.
_TOGETHER = re.compile(
    f"[{_LEADING_JAMO}][{_LEADING_JAMO}{_SYLLABLES}]"
    f"|[{_LEADING_JAMO}{_VOWELS_AND_TRAILING_JAMO}{_SYLLABLES}][{_VOWELS_AND_TRAILING_JAMO}]"
    f"|\u200d[^\\s{_FIRST}]"  # joiner
    "|.[\u200c\u200d\u0e33\u0eb3\uff9e\uff9f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"  # skin tones, tags
    f"|[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e][^\\s{_FIRST}]"  # signs before a number
)
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))
_VIRAMA = 9  # its combining class: the next consonant joins with the last


def split(text: str, room: int, limit: int) -> list[str]:
    """Split a text into parts of *room* bytes, the last one of *limit* bytes; see `wechat_msg.text.split_text`."""
    if len(text.encode()) <= limit:
        return [text] if text else []
    return [part for part in _cut(_LINK.sub(lambda link: _divide(link, room), text), room, limit) if part]


def _divide(link: re.Match[str], room: int) -> str:
    """Return a link as several ones if it is longer than *room* bytes."""
    if len(link[0].encode()) <= room:
        return link[0]
    opening, text, closing = link.groups()
    room_inside = room - len(f"{opening}{closing}".encode())
    if room_inside < room / 2:
        return text
    return "".join([f"{opening}{part}{closing}" for part in split(text, room_inside, room_inside)])


def _cut(text: str, room: int, limit: int) -> list[str]:
    """Cut a text into parts of *room* bytes, the last one of *limit* bytes. Parts may be empty."""

    def mask(whole: re.Match[str]) -> str:
        is_short = len(whole[0].encode()) <= room
        return _FIRST + _INSIDE * (len(whole[0]) - 1) if is_short else whole[0]

    text = text.rstrip()
    masked = _WHOLE.sub(mask, text)
    parts, start = [], 0
    while len(text[start : start + limit + 1].encode()) > limit:
        length = len(text[start : start + room].encode()[:room].decode(errors="ignore"))
        cut = _find_place(masked, start, start + length)
        parts.append(text[start:cut].rstrip())
        start = _GAP.match(masked, start + len(parts[-1])).end()  # type: ignore[union-attr]
        if start > cut and _is_joined(masked, cut, start):
            start -= 1  # a space with a mark on it
    return [*parts, text[start:]]


def _find_place(masked: str, start: int, end: int) -> int:
    """Return the best place for the end of a part that starts at *start*; *end* is the last that is possible.

    The place may be after *end* if only white space is between them.
    """
    stop = _SPACES.match(masked, end).end()  # type: ignore[union-attr]
    half = (start + end) // 2
    for pattern, first in [*((place, half) for place in _PLACES), (_ANY_PLACE, start)]:
        before = stop + 1
        while found := pattern.match(masked, first, before):
            before = found.end()
            if not _is_joined(masked, start, before):
                return before
    return end


def _is_joined(masked: str, start: int, place: int) -> bool:
    """Return whether a place is inside a character as users see it, which begins at *start* or later."""
    if _TOGETHER.match(masked, place - 1):
        return True
    before, after = masked[place - 1], masked[place]
    category = unicodedata.category(after)
    if after in _FLAG_LETTERS:
        flags = masked[start:place]
        return (len(flags) - len(flags.rstrip(_FLAG_LETTERS))) % 2 == 1
    return category[0] == "M" or (category == "Lo" and unicodedata.combining(before) == _VIRAMA)
