"""Topic: followers, tags and the blacklist."""

from __future__ import annotations

from typing import Any

from wechat_msg.testing.fake_api.fake_account import FakeAccount
from wechat_msg.testing.fake_api.response import ErrcodeError, ok
from wechat_msg.testing.fake_api.routes import Params, route

_SYSTEM_TAGS = (0, 1, 2)
_FIRST_TAG = 100
_MAX_TAGS = 100
_MAX_TAGS_OF_A_USER = 20
_MAX_NAME_LENGTH = 30

# --- followers -------------------------------------------------------------------------------------------------------


def _to_json(user: dict[str, Any]) -> Any:
    return user if user["subscribe"] else {"subscribe": 0, "openid": user["openid"]}


@route("GET", "/cgi-bin/user/info", "openid")
def _get_info(account: FakeAccount, params: Params) -> Any:
    return _to_json(account.users[params["openid"]])


@route("POST", "/cgi-bin/user/info/batchget", "user_list")
def _batch_get_info(account: FakeAccount, params: Params) -> Any:
    users = account.get_users([one["openid"] for one in params["user_list"]], range(1, 101))
    return {"user_info_list": list(map(_to_json, users))}


@route("GET", "/cgi-bin/user/get")
def _list_openids(account: FakeAccount, params: Params) -> Any:
    followers = [openid for openid, user in account.users.items() if user["subscribe"]]
    return {"total": len(followers), **_page(account, followers, params.get("next_openid"))}


def _page(account: FakeAccount, openids: list[str], after: str | None) -> dict[str, Any]:
    if after and after not in openids:
        raise ErrcodeError(40003)
    page = openids[openids.index(after) + 1 if after else 0 :][: account.page_size]
    # The last page with users also names a next page, which is empty.
    found = {"data": {"openid": page}, "next_openid": page[-1]} if page else {"next_openid": ""}
    return {"count": len(page), **found}


@route("POST", "/cgi-bin/user/info/updateremark", "openid")
def _update_remark(account: FakeAccount, params: Params) -> None:
    account.users[params["openid"]]["remark"] = params["remark"]


@route("POST", "/cgi-bin/changeopenid", "from_appid", "openid_list")
def _change_openids(_: FakeAccount, params: Params) -> Any:
    changed = ({"ori_openid": one, "new_openid": f"{one}-new", "err_msg": "ok"} for one in params["openid_list"])
    return ok(result_list=list(changed))


# --- tags ------------------------------------------------------------------------------------------------------------


def _get_tag(account: FakeAccount, tag: Any, *, is_own: bool = False) -> dict[str, Any]:
    if is_own and tag in _SYSTEM_TAGS:
        raise ErrcodeError(45058)
    found: dict[str, Any] | None = account.created("tags").get(tag)
    if found is None:
        raise ErrcodeError(45159)
    return found


def _check_name(account: FakeAccount, name: str) -> str:
    if len(name) > _MAX_NAME_LENGTH:
        raise ErrcodeError(45158)
    if not name or any(tag["name"] == name for tag in account.created("tags").values()):
        raise ErrcodeError(45157)
    return name


@route("POST", "/cgi-bin/tags/create", "tag")
def _create_tag(account: FakeAccount, params: Params) -> Any:
    tags = account.created("tags")
    if len(tags) >= _MAX_TAGS:
        raise ErrcodeError(45056)
    tag = {"id": max(_FIRST_TAG, *(one + 1 for one in tags)), "name": _check_name(account, params["tag"]["name"])}
    tags[tag["id"]] = tag
    return {"tag": tag}


@route("GET", "/cgi-bin/tags/get")
def _list_tags(account: FakeAccount, _: Params) -> Any:
    tags = account.created("tags").values()
    return {"tags": [{**tag, "count": len(_list_tagged(account, tag["id"]))} for tag in tags]}


def _list_tagged(account: FakeAccount, tag: int) -> list[str]:
    return [openid for openid, user in account.users.items() if tag in user["tagid_list"]]


@route("POST", "/cgi-bin/tags/update", "tag")
def _update_tag(account: FakeAccount, params: Params) -> None:
    tag = _get_tag(account, params["tag"]["id"], is_own=True)
    tag["name"] = _check_name(account, params["tag"]["name"])


@route("POST", "/cgi-bin/tags/delete", "tag")
def _delete_tag(account: FakeAccount, params: Params) -> None:
    tag = _get_tag(account, params["tag"]["id"], is_own=True)["id"]
    for openid in _list_tagged(account, tag):
        account.users[openid]["tagid_list"].remove(tag)
    del account.created("tags")[tag]


@route("POST", "/cgi-bin/user/tag/get")
def _list_tagged_users(account: FakeAccount, params: Params) -> Any:
    tag = _get_tag(account, params.get("tagid"))["id"]
    return _page(account, _list_tagged(account, tag), params.get("next_openid"))


# The number of 50 is unconfirmed.
@route("POST", "/cgi-bin/tags/members/batchtagging", "openid_list")
def _tag_users(account: FakeAccount, params: Params) -> None:
    tag = _get_tag(account, params.get("tagid"))["id"]
    for user in account.get_users(params["openid_list"], range(1, 51)):
        if len(user["tagid_list"]) >= _MAX_TAGS_OF_A_USER:
            raise ErrcodeError(45059)
        user["tagid_list"] = [*(one for one in user["tagid_list"] if one != tag), tag]


@route("POST", "/cgi-bin/tags/members/batchuntagging", "openid_list")
def _untag_users(account: FakeAccount, params: Params) -> None:
    tag = _get_tag(account, params.get("tagid"))["id"]
    for user in account.get_users(params["openid_list"], range(1, 51)):
        user["tagid_list"] = [one for one in user["tagid_list"] if one != tag]


@route("POST", "/cgi-bin/tags/getidlist", "openid")
def _list_tags_of_user(account: FakeAccount, params: Params) -> Any:
    return {"tagid_list": account.users[params["openid"]]["tagid_list"]}


# --- blacklist -------------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/tags/members/getblacklist")
def _list_blacklist(account: FakeAccount, params: Params) -> Any:
    return {"total": len(account.blacklist), **_page(account, account.blacklist, params.get("begin_openid"))}


@route("POST", "/cgi-bin/tags/members/batchblacklist", "openid_list")
def _block_users(account: FakeAccount, params: Params) -> None:
    account.get_users(params["openid_list"], range(1, 21))
    account.blacklist.extend(openid for openid in params["openid_list"] if openid not in account.blacklist)


@route("POST", "/cgi-bin/tags/members/batchunblacklist", "openid_list")
def _unblock_users(account: FakeAccount, params: Params) -> None:
    account.get_users(params["openid_list"], range(1, 21))
    account.blacklist[:] = [openid for openid in account.blacklist if openid not in params["openid_list"]]
