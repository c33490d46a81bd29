"""The values of ``late=``: what an endpoint does about an answer that does not go out whole with the push."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from functools import partial
from typing import Any, Literal

import attrs
from attrs import field

from wechat_msg._handlers import is_async
from wechat_msg._tracebacks import frozen
from wechat_msg._validators import Validators, is_seconds
from wechat_msg.errors import SettingsError
from wechat_msg.messages import TextMessage
from wechat_msg.wire import clean_text

__all__ = [
    "After",
    "AnswerLater",
    "FallbackReply",
    "KeepReply",
    "LatePolicy",
    "LostReason",
    "Meanwhile",
    "find_keep_reply",
    "is_first_try_enough",
]

After = Literal["at_once", "first_try", "last_try"]
"""When a push is answered without its answer: at once; 4.5 seconds after its first try, or after its last one."""

LostReason = Literal["failed", "full", "gone", "late", "overload", "unreadable", "unsent", "window"]
"""Why an answer is lost; the second argument of ``on_lost``."""

_check = Validators(SettingsError)
_optional = attrs.validators.optional
_text = _check(lambda value: isinstance(value, str) and clean_text(value), "text, and not empty（必须是非空文本）")
_after = _check.one_of("at_once", "first_try", "last_try")


@frozen
class KeepReply:
    """Keep the answer that is not ready in time, and answer the user's next message with it.

    For accounts that cannot send customer-service messages (客服消息), such as unverified subscription accounts
    (未认证订阅号). Kept answers wait in the store, in order, for every process; each is delivered once.

    Attributes:
        text: What the user reads meanwhile; it should say that any text fetches the answer.
        after: When the user reads it. ``last_try``: after about 14 seconds, so that slow answers still go out by
            themselves. ``first_try``: after 4.5 seconds. ``at_once``: immediately.
        more: Is added to a part of an answer if another one is kept.
        keep: Seconds for which an answer is kept.
        fetch: A function of a `TextMessage`: whether this text fetches what is kept, if anything is; other texts are
            handled. If None, every text fetches.

    Raises:
        SettingsError: A value is invalid.

    Example:
        >>> policy = KeepReply("正在思考，回复 1 查看答案", fetch=lambda message: message.content == "1")
    """

    text: str = field(validator=_text)
    after: After = field(default="last_try", kw_only=True, validator=_after)
    more: str = field(
        default="\n（回复任意文字查看后文）", kw_only=True, validator=_check.instance_of(str, what="text")
    )
    keep: float = field(
        default=86400.0,
        kw_only=True,
        validator=_check(partial(is_seconds, maximum=31536000.0), "a number of seconds greater than 0"),
    )
    fetch: Callable[[TextMessage], object] | None = field(
        default=None,
        kw_only=True,
        validator=_optional(
            _check(lambda value: callable(value) and not is_async(value), "a function of the message that is not async")
        ),
    )


Meanwhile = Callable[[Any], AbstractContextManager[object] | AbstractAsyncContextManager[object]]


@frozen
class AnswerLater:
    """Acknowledge in time, and send the answer as customer-service messages (客服消息) when the handler ends.

    For accounts that may send such messages: Mini Programs and verified Official Accounts. With a store that outlives
    the process, the push is kept until its answer was sent, and other processes continue if this one dies. So *send*
    and the handler may be called again.

    Attributes:
        send: Called with a message, the body of ``POST /cgi-bin/message/custom/send``: ``touser``, ``msgtype``, and
            the object of that name. In an AsyncPushEndpoint it may be async. An exception that it raises is logged, and
            the message is sent again after 5 and 60 seconds; an ``errcode`` of 48001, 45015, 45047 or 45002 is final.
        text: What the user reads when the push is acknowledged; if None, nothing. Not for Mini Programs.
        after: When the push is acknowledged. ``first_try``: after 4.5 seconds. ``last_try``: when WeChat sends it for
            the last time, so that the answer may still be a passive reply. ``at_once``: immediately.
        unsent: What WeChat refuses, or *send* could not deliver, is kept as this policy says, and the user's next
            message gets it. If None, it is lost. Not for Mini Programs.
        meanwhile: Called with the message when its handler starts; returns a context manager, which may be async in an
            AsyncPushEndpoint, and which is left when the handler ends.

    Raises:
        SettingsError: A value is invalid.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Service_Center_messages.html
    """

    send: Callable[[dict[str, Any]], object] = field(
        validator=_check(callable, "a function that sends a customer-service message（send 必须是发送客服消息的函数）")
    )
    text: str | None = field(default=None, kw_only=True, validator=_optional(_text))
    after: After = field(default="first_try", kw_only=True, validator=_after)
    unsent: KeepReply | None = field(default=None, kw_only=True, validator=_optional(_check.instance_of(KeepReply)))
    meanwhile: Meanwhile | None = field(
        default=None,
        kw_only=True,
        validator=_optional(_check(callable, "a function of the message that returns a context manager")),
    )


@frozen
class FallbackReply:
    """Answer with a fixed text if the answer is not ready; for accounts that cannot send messages later.

    Attributes:
        text: The text that the user reads.
        after: ``last_try``: about 14 seconds after the message. ``first_try``: after 4.5 seconds.

    Raises:
        SettingsError: A value is invalid.
    """

    text: str = field(validator=_text)
    after: Literal["first_try", "last_try"] = field(
        default="last_try",
        kw_only=True,
        validator=_check.one_of("first_try", "last_try"),
    )


LatePolicy = AnswerLater | FallbackReply | KeepReply
"""A value of ``late=``."""


def find_keep_reply(late: LatePolicy | None) -> KeepReply | None:
    """Return the policy for answers that are kept: all late ones, or those that could not be sent."""
    policy = late.unsent if isinstance(late, AnswerLater) else late
    return policy if isinstance(policy, KeepReply) else None


def is_first_try_enough(late: LatePolicy | None, *, shares: bool) -> bool:
    """Return whether any try may be answered without the answer; *shares*: whether further tries find the answer."""
    if late is None:
        return False
    return late.after != "last_try" or (isinstance(late, AnswerLater) and not shares)
