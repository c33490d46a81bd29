"""What becomes of an answer that is not there in time: the policies an endpoint takes as ``late=``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.errors import SettingsError

__all__ = ["After", "AnswerLater", "FallbackReply"]

After = Literal["first_try", "last_try"]
"""The try that is acknowledged without the reply."""


def _check_callable(_instance: object, _attribute: object, send: Any) -> None:
    if not callable(send):
        raise SettingsError("AnswerLater takes a function that sends a customer-service message（send 必须是函数）")


def _check_after(_instance: object, _attribute: object, after: After) -> None:
    if after not in ("first_try", "last_try"):
        raise SettingsError("AnswerLater: after is 'first_try' or 'last_try'")


def _check_content(_instance: object, _attribute: object, content: Any) -> None:
    if not isinstance(content, str) or not content:
        raise SettingsError("FallbackReply takes the text to answer with")


@frozen
class AnswerLater:
    """Acknowledge in time, and send the reply as a customer-service message (客服消息) when the handler ends.

    For accounts that may send such messages: Mini Programs and verified Official Accounts.

    Attributes:
        send: Called with the message, the body of ``POST /cgi-bin/message/custom/send``: ``touser``, ``msgtype``, and
            the object of that name. In an AsyncPushEndpoint it may be async. What it raises is logged.
        after: ``first_try``: acknowledge 4.5 seconds after the first try. ``last_try``: let WeChat come again as often
            as it will before that, so that the reply may still be a passive one.

    Raises:
        SettingsError: *send* is not callable, or *after* is another word.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Service_Center_messages.html
    """

    send: Callable[[dict[str, Any]], object] = field(validator=_check_callable)
    after: After = field(default="first_try", validator=_check_after)

    @property
    def at_once(self) -> bool:
        """Whether the first try already is acknowledged."""
        return self.after == "first_try"


@frozen
class FallbackReply:
    """Answer the last try with a fixed text if the reply is not there, for accounts that can send nothing later.

    Attributes:
        content: What the user gets to read.

    Raises:
        SettingsError: *content* is not text, or empty.
    """

    content: str = field(validator=_check_content)
