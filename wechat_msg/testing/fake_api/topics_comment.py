"""Topic: comments on articles, and the automatic replies of the console."""

from __future__ import annotations

from typing import Any

from wechat_msg.testing.fake_api.fake_account import FakeAccount
from wechat_msg.testing.fake_api.response import ErrcodeError, ok
from wechat_msg.testing.fake_api.routes import Params, constant, route

_MAX_PAGE_SIZE = 49
#: Which comments a list of each type has, by their comment_type.
_TYPES = {0: (0, 1), 1: (0,), 2: (1,)}

# --- comments --------------------------------------------------------------------------------------------------------

constant("POST", "/cgi-bin/comment/open", "msg_data_id")
constant("POST", "/cgi-bin/comment/close", "msg_data_id")


@route("POST", "/cgi-bin/comment/list", "msg_data_id", "count")
def _list(account: FakeAccount, params: Params) -> Any:
    if params["count"] > _MAX_PAGE_SIZE:
        raise ErrcodeError(40035)
    comments = account.get_comments(params["msg_data_id"], params.get("index")).values()
    found = [comment for comment in comments if comment["comment_type"] in _TYPES[params["type"]]]
    return ok(total=len(found), comment=found[params["begin"] :][: params["count"]])


def _get(account: FakeAccount, params: Params) -> dict[str, Any]:
    # Which errcode WeChat returns for an unknown comment is unconfirmed; here it is 40035.
    comments = account.get_comments(params["msg_data_id"], params.get("index"))
    found: dict[str, Any] = comments[int(params["user_comment_id"])]
    return found


@route("POST", "/cgi-bin/comment/markelect", "msg_data_id", "user_comment_id")
def _mark_elect(account: FakeAccount, params: Params) -> None:
    _get(account, params)["comment_type"] = 1


@route("POST", "/cgi-bin/comment/unmarkelect", "msg_data_id", "user_comment_id")
def _unmark_elect(account: FakeAccount, params: Params) -> None:
    _get(account, params)["comment_type"] = 0


@route("POST", "/cgi-bin/comment/delete", "msg_data_id", "user_comment_id")
def _delete(account: FakeAccount, params: Params) -> None:
    del account.get_comments(params["msg_data_id"], params.get("index"))[int(params["user_comment_id"])]


@route("POST", "/cgi-bin/comment/reply/add", "msg_data_id", "user_comment_id", "content")
def _add_reply(account: FakeAccount, params: Params) -> None:
    _get(account, params)["reply"] = [{"content": params["content"], "create_time": account.now}]


@route("POST", "/cgi-bin/comment/reply/delete", "msg_data_id", "user_comment_id")
def _delete_reply(account: FakeAccount, params: Params) -> None:
    del _get(account, params)["reply"]


# --- automatic replies -----------------------------------------------------------------------------------------------

_RULE = {
    "rule_name": "营业时间",
    "create_time": 1763703600,
    "reply_mode": "reply_all",
    "keyword_list_info": [{"type": "text", "match_mode": "contain", "content": "几点"}],
    "reply_list_info": [{"type": "text", "content": "9:00–18:00"}],
}
constant(
    "GET",
    "/cgi-bin/get_current_autoreply_info",
    answer={
        "is_add_friend_reply_open": 1,
        "is_autoreply_open": 1,
        "add_friend_autoreply_info": {"type": "text", "content": "欢迎关注"},
        "message_default_autoreply_info": {"type": "text", "content": "您好"},
        "keyword_autoreply_info": {"list": [_RULE]},
    },
)
