"""设备消息: subscription messages to the users of a device (设备订阅消息), and tickets of devices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wechat_msg.api._arguments import TemplateValue, texts, to_template_data, without_none
from wechat_msg.api.call import Call, post
from wechat_msg.api.results import Member, no_result

__all__ = ["get_sn_ticket", "send"]


def send(
    to_openid_list: Iterable[str],
    template_id: str,
    *,
    model_id: str | None = None,
    sn: str | None = None,
    page: str | None = None,
    miniprogram_state: str | None = None,
    lang: str | None = None,
    data: Mapping[str, TemplateValue] | None = None,
) -> Call[None]:
    """发送设备订阅消息: send a subscription message about a device to its users. For makers of devices.

    Args:
        to_openid_list: The users.
        template_id: The template.
        model_id: Model of the device (``modelId``).
        sn: Serial number of the device.
        page: Page that a tap on the message opens, with its query.
        miniprogram_state: Version that opens: ``developer``, ``trial`` or ``formal``.
        lang: ``zh_CN``, ``en_US``, ``zh_HK`` or ``zh_TW``.
        data: Values by key, as for `wechat_msg.api.subscribe.send`.

    Raises:
        CallError: *to_openid_list* is not a list of texts, *data* is not a mapping, or a value of it is not a text, a
            number or a mapping.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/hardware-device/sendHardwareDeviceMessage.html
    """
    body = without_none(
        to_openid_list=texts(to_openid_list, "to_openid_list"),
        template_id=template_id,
        modelId=model_id,
        sn=sn,
        page=page,
        miniprogram_state=miniprogram_state,
        lang=lang,
        data=None if data is None else to_template_data(data),
    )
    return post("/cgi-bin/message/device/subscribe/send", body, no_result)


def get_sn_ticket(sn: str, model_id: str) -> Call[str]:
    """获取设备票据: get a ticket with which a Mini Program asks for the consent to messages about a device.

    Args:
        sn: Serial number of the device.
        model_id: Model of the device.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/hardware-device/getSnTicket.html
    """
    return post("/wxa/getsnticket", {"sn": sn, "model_id": model_id}, Member("sn_ticket", str), is_repeatable=True)
