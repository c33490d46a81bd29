"""Events of cards and vouchers (卡券), member cards (会员卡) and gift cards (礼品卡)."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, model, text

__all__ = [
    "CardMerchantCheckResultEvent",
    "CardNotPassCheckEvent",
    "CardPassCheckEvent",
    "CardPayOrderEvent",
    "CardSkuRemindEvent",
    "GiftcardPayDoneEvent",
    "GiftcardSendToFriendEvent",
    "GiftcardUserAcceptEvent",
    "SubmitMembercardUserInfoEvent",
    "UpdateMemberCardEvent",
    "UserConsumeCardEvent",
    "UserDelCardEvent",
    "UserEnterSessionFromCardEvent",
    "UserGetCardEvent",
    "UserGiftingCardEvent",
    "UserPayFromPayCellEvent",
    "UserViewCardEvent",
]


@model
class _CardEvent(Event):
    card_id: str = text("CardId")


@model
class _UserCardEvent(_CardEvent):
    """Base class of the events of one user's card.

    Attributes:
        card_id: The kind of card.
        user_card_code: The code of the user's card; None if the push has none.
    """

    user_card_code: str | None = text("UserCardCode", default=None)


@register_event("card_pass_check")
class CardPassCheckEvent(_CardEvent):
    """卡券通过审核: a card passed the review."""


@register_event("card_not_pass_check")
class CardNotPassCheckEvent(_CardEvent):
    """卡券未通过审核: a card did not pass the review, for the `refuse_reason`."""

    refuse_reason: str | None = text("RefuseReason", default=None)


@register_event("user_get_card")
class UserGetCardEvent(_UserCardEvent):
    """用户领取卡券: the user received a card.

    Attributes:
        is_give_by_friend: 1 if another user gave it.
        friend_user_name: OpenID of the user who gave it.
        outer_id: Scene value, a number as text. Old; see `outer_str`.
        old_user_card_code: Its code before it was given away.
        outer_str: Scene value of the channel through which the card was received.
        is_restore_member_card: 1 if the user had deleted this member card before.
        is_recommend_by_friend: 1 if another user recommended it.
        union_id: The user's UnionID.
        source_scene: Where the user received it, such as ``SOURCE_SCENE_QRCODE`` (unconfirmed).
    """

    is_give_by_friend: int | None = integer("IsGiveByFriend", default=None)
    friend_user_name: str | None = text("FriendUserName", default=None)
    outer_id: str | None = text("OuterId", default=None)
    old_user_card_code: str | None = text("OldUserCardCode", default=None)
    outer_str: str | None = text("OuterStr", default=None)
    is_restore_member_card: int | None = integer("IsRestoreMemberCard", default=None)
    is_recommend_by_friend: int | None = integer("IsRecommendByFriend", default=None)
    union_id: str | None = text("UnionId", default=None)
    source_scene: str | None = text("SourceScene", default=None)


@register_event("user_gifting_card")
class UserGiftingCardEvent(_UserCardEvent):
    """用户转赠卡券: the user gives a card away.

    Attributes:
        is_return_back: 1 if the gift came back, as it was not accepted in time.
        friend_user_name: OpenID of the user who receives it.
        is_chat_room: 1 if it was given in a group chat.
    """

    is_return_back: int | None = integer("IsReturnBack", default=None)
    friend_user_name: str | None = text("FriendUserName", default=None)
    is_chat_room: int | None = integer("IsChatRoom", default=None)


@register_event("user_del_card")
class UserDelCardEvent(_UserCardEvent):
    """用户删除卡券: the user deleted a card."""


@register_event("user_consume_card")
class UserConsumeCardEvent(_UserCardEvent):
    """核销卡券: a card was redeemed.

    Attributes:
        consume_source: ``FROM_API``, ``FROM_MP`` (the console) or ``FROM_MOBILE_HELPER``.
        location_name: Name of the shop.
        location_id: Id of the shop.
        staff_open_id: OpenID of the employee.
        verify_code: Code that the user entered.
        remark_amount: Amount that the user entered, as received.
        outer_str: As in `UserGetCardEvent`.
        outer_id: As in `UserGetCardEvent`.
    """

    consume_source: str | None = text("ConsumeSource", default=None)
    location_name: str | None = text("LocationName", default=None)
    location_id: str | None = text("LocationId", default=None)
    staff_open_id: str | None = text("StaffOpenId", default=None)
    verify_code: str | None = text("VerifyCode", default=None, repr=False)
    remark_amount: str | None = text("RemarkAmount", default=None, repr=False)
    outer_str: str | None = text("OuterStr", default=None)
    outer_id: str | None = text("OuterId", default=None)


@register_event("user_pay_from_pay_cell")
class UserPayFromPayCellEvent(_UserCardEvent):
    """微信买单: the user paid with a card.

    Attributes:
        trans_id: Transaction id of WeChat Pay.
        location_id: Id of the shop.
        location_name: Name of the shop.
        fee: Amount paid, in cents (分).
        original_fee: Amount before the discount, in cents.
    """

    trans_id: str | None = text("TransId", default=None)
    location_id: str | None = text("LocationId", default=None)
    location_name: str | None = text("LocationName", default=None)
    fee: int | None = integer("Fee", default=None)
    original_fee: int | None = integer("OriginalFee", default=None)


@register_event("user_view_card")
class UserViewCardEvent(_UserCardEvent):
    """进入会员卡: the user opened a member card. The scene values are as in `UserGetCardEvent`."""

    outer_str: str | None = text("OuterStr", default=None)
    outer_id: str | None = text("OuterId", default=None)


@register_event("user_enter_session_from_card")
class UserEnterSessionFromCardEvent(_UserCardEvent):
    """从卡券进入公众号会话: the user opened the account's chat from a card."""


@register_event("update_member_card")
class UpdateMemberCardEvent(_UserCardEvent):
    """会员卡内容更新: the points or the balance of a member card changed.

    Attributes:
        modify_bonus: Change of the points.
        modify_balance: Change of the balance.
    """

    modify_bonus: int | None = integer("ModifyBonus", default=None)
    modify_balance: int | None = integer("ModifyBalance", default=None)


@register_event("submit_membercard_user_info")
class SubmitMembercardUserInfoEvent(_UserCardEvent):
    """会员卡激活: the user sent the form that activates a member card; its data must be asked for."""


@register_event("card_sku_remind")
class CardSkuRemindEvent(_CardEvent):
    """库存报警: few of a card are left, as `detail` says."""

    detail: str | None = text("Detail", default=None)


@register_event("card_pay_order")
class CardPayOrderEvent(Event):
    """券点流水详情: an order of coins, which pay for cards, changed.

    Attributes:
        order_id: The order.
        status: State of the order, such as ``ORDER_STATUS_FINANCE_SUCC``.
        create_order_time: When the order was made, in seconds since the epoch.
        pay_finish_time: When it was paid, in seconds since the epoch.
        desc: Description.
        free_coin_count: Free coins.
        pay_coin_count: Paid coins.
        refund_free_coin_count: Free coins that were returned.
        refund_pay_coin_count: Paid coins that were returned.
        order_type: Type of the order.
        memo: Remark.
        receipt_info: The invoice.
    """

    order_id: str = text("OrderId")
    status: str | None = text("Status", default=None)
    create_order_time: int | None = integer("CreateOrderTime", default=None)
    pay_finish_time: int | None = integer("PayFinishTime", default=None)
    desc: str | None = text("Desc", default=None)
    free_coin_count: int | None = integer("FreeCoinCount", default=None)
    pay_coin_count: int | None = integer("PayCoinCount", default=None)
    refund_free_coin_count: int | None = integer("RefundFreeCoinCount", default=None)
    refund_pay_coin_count: int | None = integer("RefundPayCoinCount", default=None)
    order_type: str | None = text("OrderType", default=None)
    memo: str | None = text("Memo", default=None)
    receipt_info: str | None = text("ReceiptInfo", default=None)


@register_event("card_merchant_check_result")
class CardMerchantCheckResultEvent(Event):
    """子商户审核: the result of the review of a sub-merchant of cards.

    Attributes:
        merchant_id: The sub-merchant.
        is_pass: 1 if it passed.
        reason: Reason, if it did not pass.
    """

    merchant_id: str | None = text("MerchantId", default=None)
    is_pass: int | None = integer("IsPass", default=None)
    reason: str | None = text("Reason", default=None)


@model
class _GiftcardEvent(Event):
    """Base class of the events of gift cards.

    Attributes:
        order_id: The order.
        page_id: The page of gift cards where it was bought.
    """

    order_id: str = text("OrderId")
    page_id: str | None = text("PageId", default=None)


@register_event("giftcard_pay_done")
class GiftcardPayDoneEvent(_GiftcardEvent):
    """用户购买礼品卡付款成功: the user paid for gift cards."""


@register_event("giftcard_send_to_friend")
class GiftcardSendToFriendEvent(_GiftcardEvent):
    """用户购买后赠送: the user sent gift cards to others.

    Attributes:
        is_chat_room: 1 if they were sent to a group chat.
        is_return_back: 1 if they came back, as nobody accepted them in time.
    """

    is_chat_room: int | None = integer("IsChatRoom", default=None)
    is_return_back: int | None = integer("IsReturnBack", default=None)


@register_event("giftcard_user_accept")
class GiftcardUserAcceptEvent(_GiftcardEvent):
    """用户领取礼品卡成功: a user accepted a gift card. `is_chat_room` is 1 if it was sent to a group chat."""

    is_chat_room: int | None = integer("IsChatRoom", default=None)
