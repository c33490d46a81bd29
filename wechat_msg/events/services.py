"""Events of other services of Mini Programs: service cards (服务卡片), calls of devices (设备), insurance (运费险)."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, model, nested, text

__all__ = [
    "InsuranceClaim",
    "IotVoipNotifyEvent",
    "NotifyServiceMsgSendResultEvent",
    "WxainsuranceClaimResultEvent",
]


@register_event("iot_voip_notify")
class IotVoipNotifyEvent(Event):
    """设备音视频通话: a user joins a call from a device; in secure mode only.

    The answer is JSON with lower-case names, ``{"errcode": 0, "errmsg": "ok"}``; after another errcode the phone does
    not ring.

    Attributes:
        action: ``join_voip_room``.
        payload: Data of the call.
        room_id: The room of the call.
        session_key: Key of the call.
        server_token: Token of the call.
        model_id: Model of the device.
        sn: Serial number of the device.
    """

    action: str | None = text("Action", default=None)
    payload: str | None = text("Payload", default=None, repr=False)
    room_id: str | None = text("RoomId", default=None)
    session_key: str | None = text("SessionKey", default=None, repr=False)
    server_token: str | None = text("ServerToken", default=None, repr=False)
    model_id: str | None = text("ModelId", default=None)
    sn: str | None = text("Sn", default=None)


@register_event("notify_service_msg_send_result")
class NotifyServiceMsgSendResultEvent(Event):
    """服务卡片发送失败: a service card could not be sent.

    Attributes:
        openid: The user's OpenID.
        notify_code: Code of the service card.
        notify_type: Kind of the service card.
        card_status: State of the service card.
        fail_ret: -10001 error of the system, -10002 refused by the content check, -1003 template not added, -1004
            the user refuses the template, -1005 too frequent.
        fail_msg: The text of `fail_ret`.
    """

    openid: str | None = text("openid", default=None)
    notify_code: str | None = text("notify_code", default=None)
    notify_type: int | None = integer("notify_type", default=None)
    card_status: int | None = integer("card_status", default=None)
    fail_ret: int | None = integer("fail_ret", default=None)
    fail_msg: str | None = text("fail_msg", default=None)


@model
class InsuranceClaim:
    """The claim of one order.

    Attributes:
        order_no: The order.
        status: Result of the claim.
        finish_time: Seconds since the epoch.
        pay_fail_reason: Why nothing was paid.
    """

    order_no: str | None = text("OrderNo", default=None)
    status: int | None = integer("Status", default=None)
    finish_time: int | None = integer("FinishTime", default=None)
    pay_fail_reason: str | None = text("PayFailReason", default=None)


@register_event("wxainsurance_claim_result")
class WxainsuranceClaimResultEvent(Event):
    """运费险理赔结果: the result of a claim on the insurance of return shipping.

    The answer is ``success``, not sealed. The members of the claim may also be among those of the event.
    """

    upload_event: InsuranceClaim = nested("upload_event", InsuranceClaim, flat=True)
