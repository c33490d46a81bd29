"""用户管理: who follows an Official Account, and their remarks, tags and blacklist."""

from __future__ import annotations

from wechat_msg.api.call import Call, get
from wechat_msg.api.reading import Reads, Result
from wechat_msg.fields import content, integer, items, model, text, timestamp

__all__ = ["OpenIDPage", "UserInfo", "get_info", "list_openids"]


@model
class UserInfo(Result):
    """A follower, or someone who once was.

    Attributes:
        subscribe: 1: follows the account; 0: does not, and nothing else is told but the OpenID.
        openid: OpenID.
        ...
    """

    openid: str = text("openid")
    subscribe: int = integer("subscribe", default=0)
    nickname: str = content("nickname", default="")
    subscribe_time: int | None = timestamp("subscribe_time", default=None)
    tagid_list: tuple[int, ...] = items("tagid_list", int)


def get_info(openid: str, *, lang: str | None = None) -> Call[UserInfo]:
    """获取用户基本信息: tell about one user.

    Args:
        openid: The user.
        lang: ``zh_CN``, ``zh_TW`` or ``en``.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/User_Management/Get_users_basic_information_UnionID.html
    """
    return get("/cgi-bin/user/info", Reads(UserInfo), openid=openid, lang=lang)


@model
class OpenIDPage(Result):
    """One page of OpenIDs."""

    total: int = integer("total", default=0)
    count: int = integer("count", default=0)
    openids: tuple[str, ...] = items("openid", str, within="data")
    next_openid: str | None = text("next_openid", default=None)


def list_openids(next_openid: str | None = None) -> Call[OpenIDPage]:
    """获取用户列表: list who follows; 10,000 a page."""
    return get("/cgi-bin/user/get", Reads(OpenIDPage), next_openid=next_openid)
