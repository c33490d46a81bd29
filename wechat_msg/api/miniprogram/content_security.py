"""小程序内容安全: check texts, images, audio and users for risks."""

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
    """Verdict on a text.

    Attributes:
        suggest: ``pass``, ``review`` or ``risky``.
        label: 100 normal, 10001 advertising, 20001 politics, 20002 pornography, 20003 abuse, 20006 crime, 20008 fraud,
            20012 vulgar, 20013 copyright, 21000 other.
    """

    suggest: str
    label: int | None = None


@model
class MsgSecDetail:
    """Verdict of one strategy.

    Attributes:
        strategy: Name of the strategy.
        errcode: 0 if the verdict is valid.
        suggest: As in `MsgSecResult`.
        label: As in `MsgSecResult`.
        keyword: Words of the user that caused the verdict. No repr shows them.
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
    """Result of a check of a text.

    Attributes:
        result: The verdict.
        detail: The verdicts of the strategies.
        trace_id: Id of the check.
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
    """文本内容安全识别: check a text; at most 4,000 times a minute and 2,000,000 a day.

    Args:
        content: The text, up to 2,500 characters.
        scene: Place of the text: 1 to 4.
        openid: Author of the text, who must have used the Mini Program within the last 2 hours (61010).
        title: Title of the text.
        nickname: Nickname of the author.
        signature: Personal signature of the author.

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
    """音视频内容安全识别: check an image or audio; at most 2,000 times a minute and 200,000 a day.

    The result is a trace_id. WeChat pushes a `wechat_msg.WxaMediaCheckEvent` with it within 30 minutes.

    Args:
        media_url: URL of a file of up to 10 MB.
        media_type: 1 for audio, 2 for an image.
        scene: As for `msg_sec_check`.
        openid: As for `msg_sec_check`.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/mediaCheckAsync.html
    """
    body = {"media_url": media_url, "media_type": media_type, "version": _VERSION, "scene": scene, "openid": openid}
    return post("/wxa/media_check_async", body, Member("trace_id", str))


@model
class UserRiskRank(Result):
    """Risk rank of a user.

    Attributes:
        risk_rank: From 0 to 4, the riskiest.
        unoin_id: Id of the request, for WeChat's support. The spelling is WeChat's.
    """

    risk_rank: int
    unoin_id: str | None = None


def get_user_risk_rank(openid: str, scene: int, client_ip: str, **more: Any) -> Call[UserRiskRank]:
    """获取用户安全等级: get the risk rank of a user.

    Args:
        openid: The user.
        scene: Activity of the user: 0 to 2.
        client_ip: IP address of the user.
        **more: Further members of WeChat's page.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/safety-control-capability/getUserRiskRank.html
    """
    body = without_none(**more, appid=APPID, openid=openid, scene=scene, client_ip=client_ip)
    return post("/wxa/getuserriskrank", body, ResultOf(UserRiskRank), is_repeatable=True)
