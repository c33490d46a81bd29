"""The values of ``late=``: what an endpoint does about a reply that is not ready in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg._validators import Validators
from wechat_msg.errors import SettingsError

__all__ = ["After", "AnswerLater", "FallbackReply", "LostReason", "answers_first_try"]

After = Literal["first_try", "last_try"]
"""The try that is acknowledged if the reply is not ready."""

LostReason = Literal["failed", "gone", "late", "overload", "unreadable", "unsent", "window"]
"""Why an answer is lost; the second argument of ``on_lost``."""

_check = Validators(SettingsError)


@frozen
class AnswerLater:
    """Acknowledge in time, and send the reply as a customer-service message (客服消息) when the handler ends.

    For accounts that may send such messages: Mini Programs and verified Official Accounts. With a store that outlives
    the process, the push is kept until its reply was sent, and other processes continue if this one dies. So *send* and
    the handler may be called again.

    Attributes:
        send: Called with the message, the body of ``POST /cgi-bin/message/custom/send``: ``touser``, ``msgtype``, and
            the object of that name. In an AsyncPushEndpoint it may be async. An exception that it raises is logged, and
            the message is sent again after 5 and 60 seconds; an ``errcode`` of 48001, 45015, 45047 or 45002 is final.
        after: ``first_try``: acknowledge 4.5 seconds after the first try. ``last_try``: wait until WeChat sends the
            push for the last time, so that the reply may still be a passive one.

    Raises:
        SettingsError: *send* is not callable, or *after* is another text.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Service_Center_messages.html
    """

    send: Callable[[dict[str, Any]], object] = field(
        validator=_check(callable, "a function that sends a customer-service message（send 必须是发送客服消息的函数）")
    )
    after: After = field(default="first_try", validator=_check.one_of("first_try", "last_try"))

    @property
    def after_first_try(self) -> bool:
        """Whether the first try is acknowledged already."""
        return self.after == "first_try"


@frozen
class FallbackReply:
    """Answer the last try with a fixed text if the reply is not ready; for accounts that cannot send messages later.

    Attributes:
        content: The text that the user reads.

    Raises:
        SettingsError: *content* is not text, or is empty.
    """

    content: str = field(
        validator=_check(
            lambda value: isinstance(value, str) and value, "text, and not empty（FallbackReply 的文本不能为空）"
        )
    )


def answers_first_try(late: AnswerLater | FallbackReply | None, *, shares: bool) -> bool:
    """Return whether the first try is answered without the reply; *shares*: whether further tries find the reply."""
    return isinstance(late, AnswerLater) and (late.after_first_try or not shares)
