"""用户管理: the followers of an Official Account, their remarks and tags, and the blacklist."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from operator import attrgetter
from typing import Any

from wechat_msg._tracebacks import frozen
from wechat_msg.api._arguments import texts, without_none
from wechat_msg.api.call import Call, Pages, get, post
from wechat_msg.api.results import Member, Members, Result, ResultOf, no_result
from wechat_msg.fields import build, content, items, model, text, timestamp

__all__ = [
    "ChangedOpenID",
    "OpenIDPage",
    "Tag",
    "UserInfo",
    "batch_blacklist",
    "batch_get_info",
    "batch_tag",
    "batch_unblacklist",
    "batch_untag",
    "change_openids",
    "create_tag",
    "delete_tag",
    "get_info",
    "iterate_blacklist",
    "iterate_openids",
    "iterate_tag_members",
    "list_blacklist",
    "list_openids",
    "list_tag_ids",
    "list_tag_members",
    "list_tags",
    "update_remark",
    "update_tag",
]


# --- users -----------------------------------------------------------------------------------------------------------


@model
class UserInfo(Result):
    """A follower, or a former follower.

    Attributes:
        openid: OpenID.
        subscribe: 1 if the user follows the account; 0 if not, and WeChat returns only the OpenID.
        language: The user's language, such as ``zh_CN``.
        subscribe_time: Time of the latest follow, in seconds since the epoch.
        unionid: UnionID, if the account is bound to an Open Platform account.
        remark: Name that the account gave the user.
        groupid: Group; tags have replaced groups.
        tagid_list: Ids of the user's tags.
        subscribe_scene: Way to the follow, such as ``ADD_SCENE_QR_CODE`` or ``ADD_SCENE_SEARCH``; there may be others.
        qr_scene: Scene of the QR code, if it is a number.
        qr_scene_str: Scene of the QR code, if it is a text.
        nickname: Empty, like the five attributes below, since 27 December 2021.
        sex: A number.
        city: City.
        province: Province.
        country: Country.
        headimgurl: URL of the avatar.
    """

    openid: str
    subscribe: int = 0
    language: str = ""
    subscribe_time: int | None = timestamp("subscribe_time", default=None)
    unionid: str | None = None
    remark: str = content("remark", default="")
    groupid: int | None = None
    tagid_list: tuple[int, ...] = items("tagid_list", int)
    subscribe_scene: str | None = None
    qr_scene: int | None = None
    qr_scene_str: str | None = None
    nickname: str = content("nickname", default="")
    sex: int | None = None
    city: str = ""
    province: str = ""
    country: str = ""
    headimgurl: str = text("headimgurl", default="", repr=False)


def get_info(openid: str, *, lang: str | None = None) -> Call[UserInfo]:
    """获取用户基本信息: get one user.

    Args:
        openid: The user.
        lang: ``zh_CN``, ``zh_TW`` or ``en``.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/User_Management/Get_users_basic_information_UnionID.html
    """
    return get("/cgi-bin/user/info", ResultOf(UserInfo), openid=openid, lang=lang)


def batch_get_info(openids: Iterable[str], *, lang: str | None = None) -> Call[tuple[UserInfo, ...]]:
    """批量获取用户基本信息: get several users; the `raw` of each is empty.

    Args:
        openids: At most 100 users.
        lang: As for `get_info`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/User_Management/Get_users_basic_information_UnionID.html
    """
    user_list = [without_none(openid=openid, lang=lang) for openid in texts(openids)]
    return post(
        "/cgi-bin/user/info/batchget", {"user_list": user_list}, Members("user_info_list", UserInfo), is_repeatable=True
    )


def update_remark(openid: str, remark: str) -> Call[None]:
    """设置用户备注名: set the remark of a user. Certified service accounts only.

    Args:
        openid: The user.
        remark: Fewer than 30 characters.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/User_Management/Configuring_user_notes.html
    """
    body = {"openid": openid, "remark": remark}
    return post("/cgi-bin/user/info/updateremark", body, no_result, is_repeatable=True)


# --- pages of OpenIDs ------------------------------------------------------------------------------------------------


@model
class OpenIDPage(Result):
    """One page of OpenIDs.

    Attributes:
        total: Number of OpenIDs on all pages; 0 for the members of a tag, where WeChat does not return it.
        count: Number of OpenIDs on this page.
        openids: The OpenIDs.
        next_openid: Argument for the next page; None if this page is the last.
    """

    total: int = 0
    count: int = 0
    openids: tuple[str, ...] = items("openid", str, within="data")
    next_openid: str | None = None


@frozen
class _OpenIDPageResult:
    """Reader of the page after *begin*. A page that is empty, or whose next page is itself, is the last."""

    begin: str | None

    def __call__(self, answer: Mapping[str, Any]) -> OpenIDPage:
        page = ResultOf(OpenIDPage)(answer)
        if page.openids and page.next_openid not in ("", self.begin):
            return page
        return build(OpenIDPage, {**answer, "next_openid": None}, raw=answer)


def _iterate(
    list_page: Callable[[str | None], Call[OpenIDPage]], next_openid: str | None = None
) -> Pages[OpenIDPage, str]:
    return Pages(list_page(next_openid), attrgetter("openids"), partial(_next_page, list_page))


def _next_page(list_page: Callable[[str | None], Call[OpenIDPage]], page: OpenIDPage) -> Call[OpenIDPage] | None:
    return list_page(page.next_openid) if page.next_openid else None


def list_openids(next_openid: str | None = None) -> Call[OpenIDPage]:
    """获取用户列表: list one page of followers, 10,000 at most.

    Args:
        next_openid: OpenID after which the page begins; None for the first page.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/User_Management/Getting_a_User_List.html
    """
    return get("/cgi-bin/user/get", _OpenIDPageResult(next_openid), next_openid=next_openid)


def iterate_openids(next_openid: str | None = None) -> Pages[OpenIDPage, str]:
    """获取用户列表: iterate over all followers.

    Args:
        next_openid: OpenID after which to begin; None for the first follower.
    """
    return _iterate(list_openids, next_openid)


# --- tags ------------------------------------------------------------------------------------------------------------


@model
class Tag:
    """A tag. WeChat owns the ids 0, 1 and 2, which cannot be changed; 2 marks starred users (星标组).

    Attributes:
        id: Id.
        name: Name.
        count: Number of users with the tag; only `list_tags` returns it.
    """

    id: int
    name: str = ""
    count: int | None = None


def create_tag(name: str) -> Call[Tag]:
    """创建标签: create a tag; an account has 100 at most.

    Args:
        name: Up to 30 characters.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
    """
    return post("/cgi-bin/tags/create", {"tag": {"name": name}}, Member("tag", Tag))


def list_tags() -> Call[tuple[Tag, ...]]:
    """获取公众号已创建的标签: list all tags.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
    """
    return get("/cgi-bin/tags/get", Members("tags", Tag))


def update_tag(id: int, name: str) -> Call[None]:
    """编辑标签: rename a tag.

    Args:
        id: The tag.
        name: Up to 30 characters.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
    """
    return post("/cgi-bin/tags/update", {"tag": {"id": id, "name": name}}, no_result, is_repeatable=True)


def delete_tag(id: int) -> Call[None]:
    """删除标签: delete a tag. If more than 100,000 users have it, remove it from some of them first (45057).

    Args:
        id: The tag.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
    """
    return post("/cgi-bin/tags/delete", {"tag": {"id": id}}, no_result)


def list_tag_members(tagid: int, next_openid: str | None = None) -> Call[OpenIDPage]:
    """获取标签下粉丝列表: list one page of the users with a tag.

    Args:
        tagid: The tag.
        next_openid: OpenID after which the page begins; None for the first page.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
    """
    body = without_none(tagid=tagid, next_openid=next_openid)
    return post("/cgi-bin/user/tag/get", body, _OpenIDPageResult(next_openid), is_repeatable=True)


def iterate_tag_members(tagid: int) -> Pages[OpenIDPage, str]:
    """获取标签下粉丝列表: iterate over all users with a tag.

    Args:
        tagid: The tag.
    """
    return _iterate(partial(list_tag_members, tagid))


def batch_tag(tagid: int, openids: Iterable[str]) -> Call[None]:
    """批量为用户打标签: add a tag to users.

    Args:
        tagid: The tag.
        openids: At most 50 users (unconfirmed), each with at most 20 tags.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
    """
    body = {"openid_list": texts(openids), "tagid": tagid}
    return post("/cgi-bin/tags/members/batchtagging", body, no_result, is_repeatable=True)


def batch_untag(tagid: int, openids: Iterable[str]) -> Call[None]:
    """批量为用户取消标签: remove a tag from users.

    Args:
        tagid: The tag.
        openids: At most 50 users (unconfirmed).

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
    """
    body = {"openid_list": texts(openids), "tagid": tagid}
    return post("/cgi-bin/tags/members/batchuntagging", body, no_result, is_repeatable=True)


def list_tag_ids(openid: str) -> Call[tuple[int, ...]]:
    """获取用户身上的标签列表: list the ids of a user's tags.

    Args:
        openid: The user.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
    """
    return post("/cgi-bin/tags/getidlist", {"openid": openid}, Members("tagid_list", int), is_repeatable=True)


# --- blacklist -------------------------------------------------------------------------------------------------------


def list_blacklist(begin_openid: str | None = None) -> Call[OpenIDPage]:
    """获取公众号的黑名单列表: list one page of the blacklist: 1,000 users, or 10,000 by one sample (unconfirmed).

    Args:
        begin_openid: OpenID after which the page begins; None for the first page.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/User_Management/Manage_blacklist.html
    """
    body = without_none(begin_openid=begin_openid)
    return post("/cgi-bin/tags/members/getblacklist", body, _OpenIDPageResult(begin_openid), is_repeatable=True)


def iterate_blacklist() -> Pages[OpenIDPage, str]:
    """获取公众号的黑名单列表: iterate over all users on the blacklist."""
    return _iterate(list_blacklist)


def batch_blacklist(openids: Iterable[str]) -> Call[None]:
    """拉黑用户: add users to the blacklist; they get no messages.

    Args:
        openids: At most 20 users.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/User_Management/Manage_blacklist.html
    """
    body = {"openid_list": texts(openids)}
    return post("/cgi-bin/tags/members/batchblacklist", body, no_result, is_repeatable=True)


def batch_unblacklist(openids: Iterable[str]) -> Call[None]:
    """取消拉黑用户: remove users from the blacklist.

    Args:
        openids: At most 20 users.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/User_Management/Manage_blacklist.html
    """
    body = {"openid_list": texts(openids)}
    return post("/cgi-bin/tags/members/batchunblacklist", body, no_result, is_repeatable=True)


# --- account migration -----------------------------------------------------------------------------------------------


@model
class ChangedOpenID:
    """OpenIDs of a user before and after an account migration (账号迁移).

    Attributes:
        ori_openid: OpenID in the old account.
        new_openid: OpenID in this account; None if there is none, for the reason in `err_msg`.
        err_msg: ``ok``, or the reason.
    """

    ori_openid: str
    new_openid: str | None = None
    err_msg: str = ""


def change_openids(from_appid: str, openids: Iterable[str]) -> Call[tuple[ChangedOpenID, ...]]:
    """OpenID 转换: convert the OpenIDs of an account that was merged into this one.

    Args:
        from_appid: AppID of the old account.
        openids: At most 100 OpenIDs in the old account.

    Source:
        https://kf.qq.com/faq/1901177NrqMr190117nqYJze.html
    """
    body = {"from_appid": from_appid, "openid_list": texts(openids)}
    return post("/cgi-bin/changeopenid", body, Members("result_list", ChangedOpenID), is_repeatable=True)
