"""小程序动态消息: shared cards that can be updated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wechat_msg.api._arguments import as_mapping, optional_mappings, without_none
from wechat_msg.api.call import Call, post
from wechat_msg.api.results import Result, ResultOf, no_result
from wechat_msg.fields import model, timestamp

__all__ = ["ActivityId", "create_activity_id", "send_chattool_msg", "send_updatable_msg"]


@model
class ActivityId(Result):
    """Id for sharing a card.

    Attributes:
        activity_id: The id, for the client and for `send_updatable_msg`.
        expiration_time: Expiry, in seconds since the epoch; 24 hours after creation.
    """

    activity_id: str
    expiration_time: int | None = timestamp("expiration_time", default=None)


def create_activity_id(*, unionid: str | None = None, openid: str | None = None) -> Call[ActivityId]:
    """创建 activity_id: create an id for sharing a card.

    That the call is a GET is unconfirmed.

    Args:
        unionid: UnionID of the user who shares a private message (私密消息).
        openid: OpenID of that user.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/updatable-message/createActivityId.html
    """
    query = without_none(unionid=unionid, openid=openid)
    return Call("GET", "/cgi-bin/message/wxopen/activityid/create", ResultOf(ActivityId), query)


def send_updatable_msg(activity_id: str, target_state: int, parameters: Mapping[str, str]) -> Call[None]:
    """修改动态消息: update a shared card.

    Args:
        activity_id: Id of the card.
        target_state: 0 if the activity has not begun; 1 if it has begun, after which no update is possible.
        parameters: In state 0 ``member_count`` and ``room_limit``; in state 1 ``path`` and ``version_type``
            (``develop``, ``trial`` or ``release``).

    Raises:
        CallError: *parameters* is not a mapping.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/updatable-message/setUpdatableMsg.html
    """
    parameter_list = [
        {"name": name, "value": str(value)} for name, value in as_mapping(parameters, "parameters").items()
    ]
    body = {
        "activity_id": activity_id,
        "target_state": target_state,
        "template_info": {"parameter_list": parameter_list},
    }
    return post("/cgi-bin/message/wxopen/updatablemsg/send", body, no_result)


def send_chattool_msg(
    activity_id: str,
    target_state: int,
    template_id: str,
    *,
    participator_info_list: Iterable[Mapping[str, Any]] | None = None,
    version_type: int = 0,
) -> Call[None]:
    """修改小程序聊天工具的动态卡片消息: update a card of a chat tool (聊天工具).

    Args:
        activity_id: Id of the card.
        target_state: State to show, a number.
        template_id: The template.
        participator_info_list: Participants and their states: ``{"group_openid": ..., "state": 1}`` each.
        version_type: Version that opens: 0 is release, 1 is develop, 2 is trial.

    Raises:
        CallError: *participator_info_list* is not a list of mappings.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/updatable-message/setChatToolMsg.html
    """
    body = without_none(
        activity_id=activity_id,
        target_state=target_state,
        template_id=template_id,
        participator_info_list=optional_mappings(participator_info_list, "participator_info_list"),
        version_type=version_type,
    )
    return post("/cgi-bin/message/wxopen/chattoolmsg/send", body, no_result)
