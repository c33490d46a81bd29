"""The table of kinds of push: the answer that WeChat wants, how long it waits, repeats and lets messages follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from wechat_msg._tracebacks import frozen
from wechat_msg.events.base import Event
from wechat_msg.messages import Message

__all__ = ["KINDS", "MESSAGE", "USUAL", "PushKind", "find_kind", "get_kind"]

_DAY = 86400.0


@frozen(kw_only=True)
class PushKind:
    """What is special about a kind of push.

    Attributes:
        nothing: What tells WeChat that the push was handled, and that there is nothing to say: the text ``success``, or
            a document with an ``ErrCode`` or ``errcode`` of 0. A document of its own has no such form, so a handler
            without an answer gives ``success``, too.
        members: The members that the document of the answer must have; empty if it is a passive reply.
        answer_within: Seconds after which WeChat hangs up.
        resent_for: Seconds after which WeChat no longer re-sends it; 0 if WeChat makes only the usual three tries.
        messages: Number of customer-service messages that it allows; 0 for what is no action of a user.
        answered_for: Seconds in which the user can get a customer-service message because of it, or of an earlier push.
    """

    nothing: Literal["success", "ErrCode", "errcode"] = "success"
    members: tuple[str, ...] = ()
    answer_within: float = 5.0
    resent_for: float = 0.0
    messages: int = 0
    answered_for: float = 172800.0

    @property
    def may_be_acknowledged(self) -> bool:
        """Whether an answer that is not ready may be replaced by an acknowledgement, which then means "received".

        In the other kinds it means "done", replaces the document that WeChat waits for, or ends hours of re-sends.
        """
        return not self.members and not self.resent_for

    @property
    def may_be_refused(self) -> bool:
        """Whether an ``err_code`` other than 0 asks WeChat to send the event again; in some kinds it is an answer."""
        return self.members[:1] != ("errcode",)

    @property
    def is_lower_case(self) -> bool:
        """Whether the number and the text that an answer begins with have names in lower case."""
        return self.members[:1] in (("errcode",), ("resultcode",))


USUAL = PushKind()
"""Events that are not in the table."""
MESSAGE = PushKind(messages=5)
"""Messages of users."""
_ACTION = PushKind(messages=3, answered_for=60.0)
_PAYMENT = PushKind(nothing="ErrCode", members=("ErrCode",), resent_for=_DAY)
_DAY_OF_GAMES = _DAY + 3600  # the last re-send is after 24 hours
#: Virtual payment of mini games; 3 seconds are unconfirmed.
_GAME = PushKind(nothing="ErrCode", members=("ErrCode",), answer_within=3.0, resent_for=_DAY_OF_GAMES)
_EXPRESS = PushKind(members=("ResultCode",))
_DELIVERY = PushKind(members=("resultcode",))

#: The kinds by the beginning of the event's name.
_FAMILIES: Mapping[str, PushKind] = {
    "xpay_": _PAYMENT,  # virtual payment (虚拟支付), up to 15 re-sends in 18 hours
    "minigame_": PushKind(nothing="ErrCode", members=("ErrCode",), resent_for=_DAY_OF_GAMES),
    "retail_": PushKind(resent_for=_DAY),  # B2b stores, the last re-send after 23 hours
    "transport_": _DELIVERY,  # immediate delivery (即时配送), the delivery company's side
}
KINDS: Mapping[str, PushKind] = {
    "click": _ACTION,
    "scancode_push": _ACTION,
    "scancode_waitmsg": _ACTION,
    "subscribe": _ACTION,
    "scan": _ACTION,
    "user_enter_tempsession": PushKind(messages=2, answered_for=60.0),
    # Asked three times; how long that takes is unconfirmed.
    "xpay_subscribe_ios_refund_query_notify": PushKind(
        nothing="ErrCode", members=("ErrCode", "IosRefundQueryResponse"), answer_within=3.0, resent_for=_DAY
    ),
    "wxa_novel_chapter_permission": PushKind(members=("ErrCode", "ChapterPerms"), answer_within=4.0),
    "iot_voip_notify": PushKind(nothing="errcode", members=("errcode",)),
    "open_product_receive_coupon": PushKind(members=("ret_code",)),
    # Shops of Channels (微信小店) ask about members of a Mini Program, and about the prices for them.
    "channels_ec_vip_user_info_get": PushKind(members=("errcode", "info")),
    "channels_ec_gen_order_info_init": PushKind(members=("errcode",)),
    "channels_ec_order_use_vip_discount": PushKind(members=("errcode", "result")),
    **dict.fromkeys(
        (
            "minigame_coin_deliver_completed",
            "minigame_h5_goods_deliver_notify",
            "minigame_game_pay_goods_deliver_notify",
        ),
        _GAME,
    ),
    **dict.fromkeys(
        (  # logistics (物流助手), the delivery company's side
            "add_waybill",
            "cancel_waybill",
            "check_biz",
            "get_quota",
            "waybill_notify_query",
            "add_single_waybill",
            "cancel_single_waybill",
            "notify_single_waybill_pay",
            "query_single_waybill",
            "query_single_waybill_fee",
            "remind_waybill",
            "waybill_complaint",
            "waybill_evaluate_agent",
            "waybill_query_expect_time_range",
        ),
        _EXPRESS,
    ),
    **dict.fromkeys(
        ("mock_update_order_status", "get_pre_auth_code", "get_auth_info", "cancel_auth_account"), _DELIVERY
    ),
}
"""The kinds of events by their names in lower case."""


def find_kind(event: str) -> PushKind:
    """Return the kind of an event by its name, whose case does not matter."""
    name = event.lower()
    if name in KINDS:
        return KINDS[name]
    return next((kind for prefix, kind in _FAMILIES.items() if name.startswith(prefix)), USUAL)


def get_kind(message: Message) -> PushKind:
    """Return the kind of a push."""
    return find_kind(message.event) if isinstance(message, Event) else MESSAGE
