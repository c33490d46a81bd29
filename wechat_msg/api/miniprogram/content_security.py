"""小程序内容安全: whether WeChat finds texts, pictures, sounds and users risky."""

from __future__ import annotations

from typing import Any

from wechat_msg.api._arguments import without_none
from wechat_msg.api.call import APPID, Call, post
from wechat_msg.api.results import Member, Result, ResultOf
from wechat_msg.fields import content as user_content
from wechat_msg.fields import items, model, nested

__all__ = [
    "MsgSecCheck",
    "MsgSecDetail",
    "MsgSecResult",
    "UserRiskRank",
    "get_user_risk_rank",
    "media_check_async",
    "msg_sec_check",
]

_VERSION = 2


@model
class MsgSecResult:
    """The verdict.

    Attributes:
        suggest: ``pass``, ``review`` or ``risky``.
        label: 100 normal, 10001 advertising, 20001 politics, 20002 pornography, 20003 abuse, 20006 crime, 20008 fraud,
            20012 vulgar, 20013 copyright, 21000 other.
    """

    suggest: str
    label: int | None = None


@model
class MsgSecDetail:
    """The verdict of one strategy.

    Attributes:
        strategy: Name of the strategy.
        errcode: 0 if this verdict is valid.
        suggest: As in `MsgSecResult`.
        label: As in `MsgSecResult`.
        keyword: The user's words that it is about. No repr shows them.
        level: A number.
        prob: Confidence, from 0 to 100.
    """

    strategy: str | None = None
    errcode: int | None = None
    suggest: str | None = None
    label: int | None = None
    keyword: str | None = user_content("keyword", default=None)
    level: int | None = None
    prob: int | None = None


@model
class MsgSecCheck(Result):
    """What WeChat thinks of a text.

    Attributes:
        result: The verdict.
        detail: The verdicts of the single strategies.
        trace_id: Id of this check.
    """

    result: MsgSecResult = nested("result", MsgSecResult)
    detail: tuple[MsgSecDetail, ...] = items("detail", MsgSecDetail)
    trace_id: str | None = None


def msg_sec_check(
    content: str,
    scene: int,
    openid: str,
    *,
    title: str | None = None,
    nickname: str | None = None,
    signature: str | None = None,
) -> Call[MsgSecCheck]:
    """文本内容安全识别: ask what WeChat thinks of a text; 4,000 times a minute, 2,000,000 a day.

    Args:
        content: Up to 2,500 characters.
        scene: Where the text stands: 1 to 4.
        openid: Who wrote it; must have used the Mini Program within 2 hours (61010).
        title: Its title.
        nickname: Name of who wrote it.
        signature: What they say about themselves.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/msgSecCheck.html
    """
    body = without_none(
        content=content,
        version=_VERSION,
        scene=scene,
        openid=openid,
        title=title,
        nickname=nickname,
        signature=signature,
    )
    return post("/wxa/msg_sec_check", body, ResultOf(MsgSecCheck), is_repeatable=True)


def media_check_async(media_url: str, media_type: int, scene: int, openid: str) -> Call[str]:
    """音视频内容安全识别: ask what WeChat thinks of a picture or a sound; 2,000 times a minute, 200,000 a day.

    The result is a trace_id. Within 30 minutes a `wechat_msg.WxaMediaCheckEvent` with the same one is pushed.

    Args:
        media_url: Where it is; up to 10 MB.
        media_type: 1: sound; 2: picture.
        scene: As for `msg_sec_check`.
        openid: As for `msg_sec_check`.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/mediaCheckAsync.html
    """
    body = {
        "media_url": media_url,
        "media_type": media_type,
        "version": _VERSION,
        "scene": scene,
        "openid": openid,
    }
    return post("/wxa/media_check_async", body, Member("trace_id", str))


@model
class UserRiskRank(Result):
    """What WeChat thinks of a user.

    Attributes:
        risk_rank: From 0 to 4, the riskiest.
        unoin_id: Id of this question, for WeChat's support. WeChat spells it so.
    """

    risk_rank: int
    unoin_id: str | None = None


def get_user_risk_rank(openid: str, scene: int, client_ip: str, **more: Any) -> Call[UserRiskRank]:
    """获取用户安全等级: ask what WeChat thinks of a user.

    Args:
        openid: The user.
        scene: What the user is doing: 0 to 2.
        client_ip: The user's address.
        **more: Further members, as WeChat's page lists them.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/safety-control-capability/getUserRiskRank.html
    """
    body = without_none(**more, appid=APPID, openid=openid, scene=scene, client_ip=client_ip)
    return post("/wxa/getuserriskrank", body, ResultOf(UserRiskRank), is_repeatable=True)
