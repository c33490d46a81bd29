"""客服管理: the agents of an Official Account, their sessions with users, and the records of messages."""

from __future__ import annotations

from functools import partial
from operator import attrgetter

from wechat_msg._tracebacks import clears_locals
from wechat_msg.api._arguments import without_none
from wechat_msg.api.call import Call, FileSource, Pages, Progress, get, post
from wechat_msg.api.media import make_upload
from wechat_msg.api.results import Members, Result, ResultOf, no_result
from wechat_msg.fields import content, integer, items, model, timestamp

__all__ = [
    "KfAccount",
    "KfSession",
    "MsgRecord",
    "MsgRecordPage",
    "OnlineKfAccount",
    "UserSession",
    "WaitCase",
    "WaitCases",
    "add_account",
    "cancel_admin",
    "close_session",
    "create_session",
    "delete_account",
    "get_msg_list",
    "get_session",
    "get_wait_cases",
    "invite_worker",
    "iterate_msg_records",
    "list_accounts",
    "list_online_accounts",
    "list_sessions",
    "set_admin",
    "update_account",
    "upload_head_img",
]

# --- agents ----------------------------------------------------------------------------------------------------------


@clears_locals
def add_account(
    kf_account: str, nickname: str, *, business_id: str | None = None, password: str | None = None
) -> Call[None]:
    """添加客服账号: add an agent; an account has 100 at most.

    Args:
        kf_account: Up to 10 letters, digits or ``_``, then ``@`` and the WeChat id of the Official Account; 30
            characters in all.
        nickname: Up to 16 characters.
        business_id: Id of the sub-merchant.
        password: MD5 of the password in hexadecimal digits; older pages describe it.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html
    """
    body = without_none(kf_account=kf_account, nickname=nickname, business_id=business_id, password=password)
    return post("/customservice/kfaccount/add", body, no_result)


@clears_locals
def update_account(
    kf_account: str, nickname: str, *, business_id: str | None = None, password: str | None = None
) -> Call[None]:
    """设置客服信息: change an agent's nickname; the arguments are those of `add_account`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html
    """
    body = without_none(kf_account=kf_account, nickname=nickname, business_id=business_id, password=password)
    return post("/customservice/kfaccount/update", body, no_result, is_repeatable=True)


def delete_account(kf_account: str) -> Call[None]:
    """删除客服账号: delete an agent.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html
    """
    return post("/customservice/kfaccount/del", {"kf_account": kf_account}, no_result)


def invite_worker(kf_account: str, invite_wx: str) -> Call[None]:
    """邀请绑定客服账号: invite a person to act as an agent.

    Args:
        kf_account: The agent; no person is bound to it yet.
        invite_wx: WeChat id of the person.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html
    """
    return post("/customservice/kfaccount/inviteworker", {"kf_account": kf_account, "invite_wx": invite_wx}, no_result)


def upload_head_img(
    kf_account: str,
    file: FileSource,
    *,
    filename: str | None = None,
    content_type: str | None = None,
    progress: Progress | None = None,
) -> Call[None]:
    """上传客服头像: set the avatar of an agent.

    Args:
        kf_account: The agent.
        file: Up to 5 MB; 640 x 640 is recommended.
        filename: As for `wechat_msg.api.media.upload`.
        content_type: As for `wechat_msg.api.media.upload`.
        progress: As for `wechat_msg.api.media.upload`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html
    """
    return Call(
        "POST",
        "/customservice/kfaccount/uploadheadimg",
        no_result,
        {"kf_account": kf_account},
        upload=make_upload("image", file, filename=filename, content_type=content_type, progress=progress),
        is_repeatable=True,
    )


def set_admin(kf_openid: str, *, business_id: str | None = None) -> Call[None]:
    """设为管理员: make an agent an administrator of the agents.

    Args:
        kf_openid: OpenID of the agent.
        business_id: Id of the sub-merchant.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html
    """
    return get("/customservice/kfaccount/setadmin", no_result, kf_openid=kf_openid, business_id=business_id)


def cancel_admin(kf_openid: str, *, business_id: str | None = None) -> Call[None]:
    """取消管理员: make an administrator an ordinary agent again; the arguments are those of `set_admin`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html
    """
    return get("/customservice/kfaccount/canceladmin", no_result, kf_openid=kf_openid, business_id=business_id)


@model
class KfAccount:
    """One agent.

    Attributes:
        kf_account: Account, with ``@`` and the WeChat id of the Official Account.
        kf_nick: Nickname.
        kf_id: Number of the agent, as text.
        kf_headimgurl: URL of the avatar.
        kf_wx: WeChat id of the person bound to the agent; None if there is none yet.
        invite_wx: WeChat id of the invited person; None if there is none.
        invite_expire_time: Expiry of the invitation, in seconds since the epoch.
        invite_status: ``waiting``, ``rejected`` or ``expired``.
        kf_openid: OpenID of the agent.
    """

    kf_account: str
    kf_nick: str | None = None
    kf_id: str | None = None
    kf_headimgurl: str | None = None
    kf_wx: str | None = None
    invite_wx: str | None = None
    invite_expire_time: int | None = timestamp("invite_expire_time", default=None)
    invite_status: str | None = None
    kf_openid: str | None = None


def list_accounts() -> Call[tuple[KfAccount, ...]]:
    """获取所有客服账号: list the agents.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html
    """
    return get("/cgi-bin/customservice/getkflist", Members("kf_list", KfAccount))


@model
class OnlineKfAccount:
    """One agent who is online.

    Attributes:
        kf_account: Account, with ``@`` and the WeChat id of the Official Account.
        status: Online status, a number.
        kf_id: Number of the agent, as text.
        accepted_case: Number of current sessions.
        kf_openid: OpenID of the agent.
    """

    kf_account: str
    status: int | None = None
    kf_id: str | None = None
    accepted_case: int | None = None
    kf_openid: str | None = None


def list_online_accounts() -> Call[tuple[OnlineKfAccount, ...]]:
    """获取在线客服: list the agents who are online.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html
    """
    return get("/cgi-bin/customservice/getonlinekflist", Members("kf_online_list", OnlineKfAccount))


# --- sessions --------------------------------------------------------------------------------------------------------


def create_session(kf_account: str, openid: str) -> Call[None]:
    """创建会话: start a session of a user with an agent.

    Args:
        kf_account: The agent.
        openid: The user.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Session_control.html
    """
    return post("/customservice/kfsession/create", {"kf_account": kf_account, "openid": openid}, no_result)


def close_session(kf_account: str, openid: str) -> Call[None]:
    """关闭会话: end the session of a user with an agent.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Session_control.html
    """
    return post("/customservice/kfsession/close", {"kf_account": kf_account, "openid": openid}, no_result)


@model
class UserSession(Result):
    """The session of a user.

    Attributes:
        kf_account: The agent; None or empty if there is no session (which of the two is unconfirmed).
        createtime: Time of its start, in seconds since the epoch.
    """

    kf_account: str | None = None
    createtime: int | None = timestamp("createtime", default=None)


def get_session(openid: str) -> Call[UserSession]:
    """获取客户会话状态: get the session of a user.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Session_control.html
    """
    return get("/customservice/kfsession/getsession", ResultOf(UserSession), openid=openid)


@model
class KfSession:
    """One session of an agent.

    Attributes:
        openid: The user.
        createtime: Time of its start, in seconds since the epoch.
    """

    openid: str
    createtime: int | None = timestamp("createtime", default=None)


def list_sessions(kf_account: str) -> Call[tuple[KfSession, ...]]:
    """获取客服会话列表: list the sessions of an agent.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Session_control.html
    """
    path = "/customservice/kfsession/getsessionlist"
    return get(path, Members("sessionlist", KfSession), kf_account=kf_account)


@model
class WaitCase:
    """A user who waits for an agent.

    Attributes:
        openid: The user.
        latest_time: Time of the user's latest message, in seconds since the epoch.
    """

    openid: str
    latest_time: int | None = timestamp("latest_time", default=None)


@model
class WaitCases(Result):
    """The users who wait for an agent.

    Attributes:
        count: Number of users who wait.
        waitcaselist: At most 100 of them.
    """

    count: int = integer("count", default=0)
    waitcaselist: tuple[WaitCase, ...] = items("waitcaselist", WaitCase)


def get_wait_cases() -> Call[WaitCases]:
    """获取未接入会话列表: list the users who wait for an agent.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Session_control.html
    """
    return get("/customservice/kfsession/getwaitcase", ResultOf(WaitCases))


# --- records ---------------------------------------------------------------------------------------------------------


@model
class MsgRecord:
    """One message between a user and an agent.

    Attributes:
        openid: The user.
        opercode: 2002 if the agent sent it; 2003 if the agent received it. Older numbers are 1000 to 1005.
        text: Text of the message. No repr shows it.
        time: Time of the message, in seconds since the epoch.
        worker: Account of the agent.
    """

    openid: str
    opercode: int | None = None
    text: str = content("text", default="")
    time: int | None = timestamp("time", default=None)
    worker: str | None = None


@model
class MsgRecordPage(Result):
    """One page of messages.

    Attributes:
        recordlist: The messages; fewer than requested on the last page.
        number: Number of messages on the page.
        msgid: Argument for the next page.
    """

    recordlist: tuple[MsgRecord, ...] = items("recordlist", MsgRecord)
    number: int = integer("number", default=0)
    msgid: int | None = None


def get_msg_list(starttime: int, endtime: int, *, msgid: int = 1, number: int = 10000) -> Call[MsgRecordPage]:
    """获取聊天记录: list one page of messages between users and agents; `iterate_msg_records` lists all.

    Args:
        starttime: Seconds since the epoch.
        endtime: Seconds since the epoch; at most 24 hours later and on the same day.
        msgid: 1 for the first page, then the `msgid` of the previous page.
        number: Messages per page, 10,000 at most.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Obtain_chat_transcript.html
    """
    body = {"starttime": starttime, "endtime": endtime, "msgid": msgid, "number": number}
    return post("/customservice/msgrecord/getmsglist", body, ResultOf(MsgRecordPage), is_repeatable=True)


def iterate_msg_records(starttime: int, endtime: int, *, number: int = 10000) -> Pages[MsgRecordPage, MsgRecord]:
    """获取聊天记录: iterate over the messages between users and agents, as `get_msg_list` lists them.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Obtain_chat_transcript.html
    """
    first = get_msg_list(starttime, endtime, number=number)
    return Pages(first, attrgetter("recordlist"), partial(_next_page, starttime, endtime, number))


def _next_page(starttime: int, endtime: int, number: int, page: MsgRecordPage) -> Call[MsgRecordPage] | None:
    if page.msgid is None or len(page.recordlist) < number:
        return None
    return get_msg_list(starttime, endtime, msgid=page.msgid, number=number)
