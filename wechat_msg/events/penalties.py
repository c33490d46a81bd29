"""Events of penalties, appeals, bad scores and complaints about a Mini Program (违规, 申诉, 差评, 投诉)."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import build_from_json, content, integer, items, model, nested, text

__all__ = [
    "AppealMaterial",
    "AppealRecordMaterial",
    "BadScoreResult",
    "ComplaintCallbackEvent",
    "ComplaintCallbackInfo",
    "ComplaintHistoryItem",
    "IllegalMaterial",
    "PunishDetail",
    "WxaAppealRecordEvent",
    "WxaCommentBadScoreEvent",
    "WxaIllegalRecordEvent",
    "WxaPunishEvent",
]


@model
class PunishDetail:
    """The penalty of a `WxaPunishEvent`; which members it has depends on the event's `event_type`.

    Attributes:
        warned_type: Kind of the warning; of warnings.
        rectify_deadline: The time limit for a correction; of warnings.
        warned_function_names: The functions that the warning is about.
        warned_ban_days: For how many days each would be banned.
        banned_days: For how many days; of banned functions one number for each, of a banned account one.
        banned_function_names: The banned functions.
        suspended_days: For how many days the Mini Program is taken off the shelf.
        path: The banned page.
    """

    warned_type: str | None = text("warned_type", default=None)
    rectify_deadline: str | None = text("rectify_deadline", default=None)
    warned_function_names: tuple[str, ...] = items("warned_function_names", str)
    warned_ban_days: tuple[str, ...] = items("warned_ban_days", str)
    banned_days: tuple[str, ...] = items("banned_days", str)
    banned_function_names: tuple[str, ...] = items("banned_function_names", str)
    suspended_days: str | None = text("suspended_days", default=None)
    path: str | None = text("path", default=None)


@register_event("wxa_punish_event")
class WxaPunishEvent(Event):
    """小程序处罚通知: a penalty for the Mini Program.

    Attributes:
        punish_id: The penalty.
        appid: AppID of the Mini Program.
        punish_time: When it was imposed, as received.
        illegal_reason: The reason.
        illegal_content: What is against the rules; a tuple of texts, also if only one arrives.
        rule_name: The rule.
        rule_url: URL of the rule.
        adjust_guide_url: URL of a guide to a correction.
        event_type: 1 warning, 2 functions banned, 3 taken off the shelf, 4 account banned; page banned is 5 or 10:
            sources differ.
        detail: The penalty as JSON text; `punish_detail` reads it.
    """

    punish_id: str | None = text("punish_id", default=None)
    appid: str | None = text("appid", default=None)
    punish_time: str | None = text("punish_time", default=None)
    illegal_reason: str | None = text("illegal_reason", default=None)
    illegal_content: tuple[str, ...] = items("illegal_content", str)
    rule_name: str | None = text("rule_name", default=None)
    rule_url: str | None = text("rule_url", default=None)
    adjust_guide_url: str | None = text("adjust_guide_url", default=None)
    event_type: int | None = integer("event_type", default=None)
    detail: str | None = text("detail", default=None)

    @property
    def punish_detail(self) -> PunishDetail | None:
        """The members of `detail`; None if it is missing or unreadable."""
        return build_from_json(PunishDetail, self.detail or "")


@model
class IllegalMaterial:
    """What was against the rules: its text, and the URL where it was."""

    content: str | None = text("content", default=None)
    content_url: str | None = text("content_url", default=None)


@model
class AppealMaterial:
    """The reason of an appeal, and the media ids of its proofs."""

    reason: str | None = text("reason", default=None)
    proof_material_id: tuple[str, ...] = items("proof_material_id", str)


@model
class AppealRecordMaterial:
    """One thing that was against the rules, with what the appeal says about it."""

    illegal_material: IllegalMaterial | None = nested("illegal_material", IllegalMaterial, default=None)
    appeal_material: AppealMaterial | None = nested("appeal_material", AppealMaterial, default=None)


@register_event("wxa_appeal_record")
class WxaAppealRecordEvent(Event):
    """申诉记录推送: the state of an appeal against a penalty.

    Attributes:
        appeal_record_id: The appeal.
        appid: AppID of the Mini Program.
        appeal_time: When the appeal was made, in seconds since the epoch.
        appeal_count: Number of appeals.
        appeal_from: Who made the appeal, a number.
        appeal_status: State of the appeal, a number.
        audit_time: When it was reviewed, in seconds since the epoch.
        audit_reason: Reason of the result.
        punish_description: The penalty.
        material: What the appeal is about.
    """

    appeal_record_id: str | None = text("appeal_record_id", default=None)
    appid: str | None = text("appid", default=None)
    appeal_time: int | None = integer("appeal_time", default=None)
    appeal_count: int | None = integer("appeal_count", default=None)
    appeal_from: int | None = integer("appeal_from", default=None)
    appeal_status: int | None = integer("appeal_status", default=None)
    audit_time: int | None = integer("audit_time", default=None)
    audit_reason: str | None = text("audit_reason", default=None)
    punish_description: str | None = text("punish_description", default=None)
    material: tuple[AppealRecordMaterial, ...] = items("material", AppealRecordMaterial)


@model
class BadScoreResult:
    """The comment with the bad score; its id is a number as text."""

    comment_id: str | None = text("comment_id", default=None)


@register_event("wxa_comment_bad_score")
class WxaCommentBadScoreEvent(Event):
    """小程序评价差评通知: a user gave the Mini Program a bad score."""

    result: BadScoreResult = nested("result", BadScoreResult)


@model
class ComplaintHistoryItem:
    """What one side said or did about a complaint. No repr shows it.

    Attributes:
        time: When, as received.
        content: What it was.
        media_id_list: Media ids of what was added.
    """

    time: str | None = text("time", default=None)
    content: str | None = content("content", default=None)
    media_id_list: tuple[str, ...] = items("media_id_list", str, repr=False)


@model
class ComplaintCallbackInfo:
    """A complaint about a transaction. Numbers, amounts and times are as received, as text.

    Attributes:
        appid: AppID of the Mini Program.
        option_type: What happened to the complaint.
        complaint_order_id: The complaint.
        status: State of the complaint.
        create_time: When it was made.
        expire_time: Until when it must be answered.
        type: Kind of the complaint.
        order_id: The order.
        out_trade_no: The merchant's id of the order.
        phone_number: The user's phone number; no repr shows it.
        open_id: The user's OpenID.
        pay_time: When the order was paid.
        total_cost: Amount of the order.
        product_name: The product.
        customer_material_content: What the user wrote; no repr shows it.
        customer_material_media_id_list: Media ids of what the user added.
        history: What was said and done.
    """

    appid: str | None = text("appid", default=None)
    option_type: str | None = text("option_type", default=None)
    complaint_order_id: str | None = text("complaint_order_id", default=None)
    status: str | None = text("status", default=None)
    create_time: str | None = text("create_time", default=None)
    expire_time: str | None = text("expire_time", default=None)
    type: str | None = text("type", default=None)
    order_id: str | None = text("order_id", default=None)
    out_trade_no: str | None = text("out_trade_no", default=None)
    phone_number: str | None = text("phone_number", default=None, repr=False)
    open_id: str | None = text("open_id", default=None)
    pay_time: str | None = text("pay_time", default=None)
    total_cost: str | None = text("total_cost", default=None)
    product_name: str | None = text("product_name", default=None)
    customer_material_content: str | None = content("customer_material_content", default=None)
    customer_material_media_id_list: tuple[str, ...] = items("customer_material_media_id_list", str)
    history: tuple[ComplaintHistoryItem, ...] = items("history", ComplaintHistoryItem)


@register_event("complaint_callback")
class ComplaintCallbackEvent(Event):
    """交易投诉通知: a complaint about a transaction was made or changed.

    In JSON, the complaint's members are among those of the event. One sample spells the name ``complaint callback``;
    both work.
    """

    bussi_call_back_info: ComplaintCallbackInfo = nested("BussiCallBackInfo", ComplaintCallbackInfo, flat=True)


@register_event("wxa_illegal_record")
class WxaIllegalRecordEvent(Event):
    """小程序违规记录: a violation was recorded. Unconfirmed.

    Attributes:
        illegal_record_id: Id of the record.
        appid: AppID of the Mini Program.
        own_create_time: Time of the record, the member ``create_time`` of the push.
        illegal_reason: Why it is a violation.
        illegal_content: What violates the rule.
        rule_url: Page of the rule.
        rule_name: Name of the rule.
    """

    illegal_record_id: str = text("illegal_record_id")
    appid: str | None = text("appid", default=None)
    own_create_time: str | None = text("create_time", default=None)
    illegal_reason: str | None = text("illegal_reason", default=None)
    illegal_content: str | None = text("illegal_content", default=None)
    rule_url: str | None = text("rule_url", default=None)
    rule_name: str | None = text("rule_name", default=None)
