r"""Filters: functions of the message that say whether a handler of a `Router` is for it.

A filter returns what it found, or something false. The filters here look at the text of a message: the content of a
`TextMessage`, or the recognised speech of a `VoiceMessage`. They return something false for all other messages.
The text is compared as users write it:

- White space and invisible characters around it, such as zero-width spaces that were pasted, do not count.
- Words are compared without regard to case, to full-width forms (``／ＡＳＫ`` is ``/ask``, ``４２`` is ``42``, an
  ideographic space is a space), and to invisible characters.

Any function of the message is a filter, too. A filter must not be async, nor block: an `AsyncPushEndpoint` calls it in
the event loop.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

import attrs

from wechat_msg._handlers import is_async
from wechat_msg._tracebacks import frozen
from wechat_msg.errors import SettingsError
from wechat_msg.messages import Message, TextMessage, VoiceMessage

__all__ = ["Command", "any_of", "command", "keywords", "matches", "not_", "startswith"]

M = TypeVar("M", bound=Message)
V = TypeVar("V")
W = TypeVar("W")

_MARKS = "\xad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
_JOINERS = "\u200c\u200d"  # are parts of emoji and of some scripts
_AROUND = rf"\s{_MARKS}{_JOINERS}"
_INSIDE = re.compile(rf"[{_AROUND}]*+(.*[^{_AROUND}]|)", re.DOTALL)
_BEFORE = re.compile(rf"\A[{_AROUND}]+")
_INVISIBLE = re.compile(f"[{_MARKS}{_JOINERS}\ufe0e\ufe0f]")
_TO_HALF_WIDTH = {0x3000: " "} | {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}


@frozen
class Command:
    """What `command` found.

    Attributes:
        name: The command, as it was given to `command`.
        text: What the user wrote after it, without white space around it; may be empty.
    """

    name: str
    text: str = attrs.field(repr=False)


def matches(regex: str | re.Pattern[str]) -> Callable[[Message], re.Match[str] | None]:
    r"""Return a filter for texts that match a regular expression as a whole; it returns the match.

    Case matters, unless the expression says otherwise, as ``(?i)`` does. It is tried on the text as the user wrote it,
    so the groups of the match are the user's own text. Only if that does not match, it is tried on the text with
    letters, digits, signs and blanks in their half-width form and without zero-width characters: ``[0-9]+`` finds
    ``42`` in ``４２``. Note that ``\d`` matches full-width digits, and that ``int`` reads them.

    Users choose the text: an expression that needs exponential time for some of them, such as ``(a+)+b``, lets each
    user stop the bot. Avoid nested repetition.

    Raises:
        SettingsError: *regex* is not a regular expression for text.

    Example:
        >>> from wechat_msg import TextMessage
        >>> find = matches(r"(\w+) weather")
        >>> find(TextMessage(from_user_name="o", to_user_name="gh", create_time=0, content="北京　weather "))[1]
        '北京'
    """
    pattern = _compile(regex)

    def find(message: Message) -> re.Match[str] | None:
        text = _get_text(message)
        if text is None:
            return None
        return pattern.fullmatch(text) or pattern.fullmatch(_to_half_width(text))

    return find


def command(*names: str) -> Callable[[Message], Command | None]:
    """Return a filter for texts whose first word is one of *names*; it returns a `Command`.

    Any white space ends the word, also a line end or an ideographic space.

    Raises:
        SettingsError: There is no name, or one is not a word.

    Example:
        >>> from wechat_msg import TextMessage
        >>> find = command("/ask", "/问")
        >>> find(TextMessage(from_user_name="o", to_user_name="gh", create_time=0, content="／ASK　你好")).text
        '你好'
    """
    name_of = {folded: name for name, folded in reversed(_fold_words("command", names))}
    if any(name.split() != [name] for name in names):  # not what is compared: folding turns ￣ into a blank and a mark
        raise SettingsError("command needs words without white space（命令不能含空白）")

    def find(message: Message) -> Command | None:
        word, *rest = (_get_text(message) or "").split(maxsplit=1) or [""]
        name = name_of.get(_fold(word))
        return None if name is None else Command(name, _strip("".join(rest)))

    return find


def keywords(*words: str) -> Callable[[Message], str | None]:
    """Return a filter for texts that contain one of *words*; it returns the first of these words that occurs.

    A word may be part of a longer one: ``hi`` occurs in ``this``. Where that matters, use `matches`.

    Raises:
        SettingsError: There is no word, or one is empty.

    Example:
        >>> from wechat_msg import TextMessage
        >>> find = keywords("help", "帮助")
        >>> find(TextMessage(from_user_name="o", to_user_name="gh", create_time=0, content="Ｈｅｌｐ!"))
        'help'
    """
    folded_words = _fold_words("keywords", words)

    def find(message: Message) -> str | None:
        text = _fold(_get_text(message) or "")
        return next((word for word, folded in folded_words if folded in text), None)

    return find


def startswith(*prefixes: str) -> Callable[[Message], bool]:
    """Return a filter for texts that start with one of *prefixes*; it returns True or False.

    Raises:
        SettingsError: There is no prefix, or one is empty.

    Example:
        >>> from wechat_msg import TextMessage
        >>> startswith("天气")(TextMessage(from_user_name="o", to_user_name="gh", create_time=0, content="天气北京"))
        True
    """
    folded = tuple(_fold(_BEFORE.sub("", prefix)) for prefix, _ in _fold_words("startswith", prefixes))
    return lambda message: _fold(_get_text(message) or "").startswith(folded)


@overload
def any_of(first: Callable[[M], V], second: Callable[[M], W], /) -> Callable[[M], V | W | None]: ...
@overload
def any_of(*filters: Callable[[M], V]) -> Callable[[M], V | None]: ...
def any_of(*filters: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a filter that asks *filters* in order; it returns the first result that is true, or None.

    Raises:
        SettingsError: There is no filter, or one is a class, async, or not a function.

    Example:
        >>> from wechat_msg import TextMessage
        >>> find = any_of(command("/help"), keywords("帮助"))
        >>> find(TextMessage(from_user_name="o", to_user_name="gh", create_time=0, content="请帮助我"))
        '帮助'
    """
    _check_filters("any_of", filters)
    return lambda message: next((found for each in filters if (found := each(message))), None)


def not_(filter: Callable[[M], object]) -> Callable[[M], bool]:
    """Return a filter for messages that *filter* is not for; it returns True or False.

    Messages without text are among them: the classes given to `Router.on` choose the messages.

    Raises:
        SettingsError: *filter* is a class, async, or not a function.

    Example:
        >>> from wechat_msg import TextMessage
        >>> not_(keywords("help"))(TextMessage(from_user_name="o", to_user_name="gh", create_time=0, content="Hi"))
        True
    """
    _check_filters("not_", (filter,))
    return lambda message: not filter(message)


def _compile(regex: str | re.Pattern[str]) -> re.Pattern[str]:
    if not isinstance(regex, str | re.Pattern) or not isinstance(getattr(regex, "pattern", regex), str):
        raise SettingsError("matches needs a regular expression for text（正则表达式须为字符串）")
    try:
        return re.compile(regex)
    except (re.error, OverflowError, RecursionError) as error:
        raise SettingsError(f"matches cannot compile the regular expression: {error}（正则表达式有误）") from error


def _fold_words(filter_name: str, words: Iterable[str]) -> list[tuple[str, str]]:
    """Return the words, each with what is compared."""
    pairs = [(word, _fold(word)) for word in words if isinstance(word, str)]
    if not pairs or len(pairs) < len([*words]) or not all(folded.strip() for _, folded in pairs):
        raise SettingsError(
            f"{filter_name} needs texts that are not empty, as separate arguments（需要非空的文本，逐个传入）"
        )
    return pairs


def _check_filters(name: str, filters: tuple[object, ...]) -> None:
    if not filters or not all(callable(each) and not isinstance(each, type) and not is_async(each) for each in filters):
        raise SettingsError(f"{name} needs functions of the message, and not async（需要普通函数，不能是 async）")


def _get_text(message: Message) -> str | None:
    """Return the text of a message without what is invisible around it; None if it has no text."""
    if isinstance(message, TextMessage):
        return _strip(message.content)
    if isinstance(message, VoiceMessage) and message.recognition is not None:
        return _strip(message.recognition)
    return None


def _strip(text: str) -> str:
    return _INSIDE.match(text)[1]  # type: ignore[index]  # it always matches


def _to_half_width(text: str) -> str:
    return re.sub(f"[{_MARKS}]", "", text).translate(_TO_HALF_WIDTH)


def _fold(text: str) -> str:
    """Return a text as it is compared: without case, full-width forms and invisible characters."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold())
