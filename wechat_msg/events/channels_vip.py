"""Events of the members (会员) of a shop of Channels (视频号小店, 微信小店).

Shops get JSON in secure mode only. The members are unconfirmed: they are those that one SDK reads. ``user_info`` has
others, which are only in `raw`.
"""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, model, nested, text

__all__ = [
    "ChannelsEcVipCloseEvent",
    "ChannelsEcVipGradeInfoUpdateEvent",
    "ChannelsEcVipJoinEvent",
    "ChannelsEcVipScoreExchangeEvent",
    "ChannelsEcVipScoreUpdateEvent",
    "ChannelsEcVipUserAutoAddEvent",
    "ChannelsEcVipUserInfoGetEvent",
    "ChannelsRelatedCoupon",
    "ChannelsRelatedProduct",
    "ChannelsScoreExchange",
    "ChannelsVip",
    "ChannelsVipUser",
]


@model
class ChannelsVip:
    """A member.

    Attributes:
        join_time: Only in `ChannelsEcVipJoinEvent`.
        phone_number: Only in `ChannelsEcVipJoinEvent`.
        close_time: Only in `ChannelsEcVipCloseEvent`.
        grade: The member's grade.
        experience_value: The member's experience.
        score: The member's points.
        delta_score: How many points were added, or taken.
    """

    join_time: str | None = text("join_time", default=None)
    phone_number: str | None = text("phone_number", default=None, repr=False)
    close_time: str | None = text("close_time", default=None)
    grade: str | None = text("grade", default=None)
    experience_value: str | None = text("experience_value", default=None)
    score: str | None = text("score", default=None)
    delta_score: str | None = text("delta_score", default=None)


@model
class _ChannelsVipEvent(Event):
    """Base class of the events of a member."""

    user_info: ChannelsVip = nested("user_info", ChannelsVip)


@register_event("channels_ec_vip_join")
class ChannelsEcVipJoinEvent(_ChannelsVipEvent):
    """用户加入会员: a user became a member."""


@register_event("channels_ec_vip_close")
class ChannelsEcVipCloseEvent(_ChannelsVipEvent):
    """用户注销会员: a user is no longer a member."""


@register_event("channels_ec_vip_grade_info_update")
class ChannelsEcVipGradeInfoUpdateEvent(_ChannelsVipEvent):
    """会员等级更新: a member's grade changed."""


@register_event("channels_ec_vip_score_update")
class ChannelsEcVipScoreUpdateEvent(_ChannelsVipEvent):
    """会员积分更新: a member's points changed."""


@model
class ChannelsRelatedCoupon:
    """The coupon that points were exchanged for."""

    related_coupon_id: str | None = text("related_coupon_id", default=None)


@model
class ChannelsRelatedProduct:
    """The product that points were exchanged for."""

    related_product_id: str | None = text("related_product_id", default=None)


@model
class ChannelsScoreExchange:
    """An exchange of points.

    Attributes:
        pay_score: How many points.
        score_item_type: What they were exchanged for.
        coupon_info: The coupon.
        product_info: The product.
    """

    pay_score: str | None = text("pay_score", default=None)
    score_item_type: str | None = text("score_item_type", default=None)
    coupon_info: ChannelsRelatedCoupon | None = nested("coupon_info", ChannelsRelatedCoupon, default=None)
    product_info: ChannelsRelatedProduct | None = nested("product_info", ChannelsRelatedProduct, default=None)


@register_event("channels_ec_vip_score_exchange")
class ChannelsEcVipScoreExchangeEvent(Event):
    """会员积分兑换: a member exchanged points."""

    exchange_info: ChannelsScoreExchange = nested("exchange_info", ChannelsScoreExchange)


@model
class ChannelsVipUser:
    """The user of a shop.

    Attributes:
        shop_appid: AppID of the shop.
        identity: Id of the user.
        outer_userid: The user's id in your system.
        add_time: Seconds since the epoch.
    """

    shop_appid: str | None = text("shop_appid", default=None)
    identity: str | None = text("identity", default=None)
    outer_userid: str | None = text("outer_userid", default=None)
    add_time: int | None = integer("add_time", default=None)


@register_event("channels_ec_vip_user_auto_add")
class ChannelsEcVipUserAutoAddEvent(Event):
    """会员自动入会: a member was added automatically."""

    info: ChannelsVipUser = nested("info", ChannelsVipUser)


@register_event("channels_ec_vip_user_info_get")
class ChannelsEcVipUserInfoGetEvent(Event):
    """获取会员信息: the shop asks for its member's data."""

    info: ChannelsVipUser = nested("info", ChannelsVipUser)
