"""Followers, tags and the blacklist."""

from __future__ import annotations

from typing import Any

from wechat_msg.testing.fake_api.account import Account
from wechat_msg.testing.fake_api.answer import Refusal, ok
from wechat_msg.testing.fake_api.routes import Asked, route

_SYSTEM_TAGS = (0, 1, 2)
_FIRST_TAG = 100
_MOST_TAGS = 100
_MOST_TAGS_OF_A_USER = 20
_LONGEST_NAME = 30

# --- followers -------------------------------------------------------------------------------------------------------


def _tell(user: dict[str, Any]) -> Any:
    return user if user["subscribe"] else {"subscribe": 0, "openid": user["openid"]}


@route("GET", "/cgi-bin/user/info", "openid")
def _get_info(account: Account, asked: Asked) -> Any:
    return _tell(account.users[asked["openid"]])


@route("POST", "/cgi-bin/user/info/batchget", "user_list")
def _batch_get_info(account: Account, asked: Asked) -> Any:
    users = account.get_users([one["openid"] for one in asked["user_list"]], range(1, 101))
    return {"user_info_list": list(map(_tell, users))}


@route("GET", "/cgi-bin/user/get")
def _list_openids(account: Account, asked: Asked) -> Any:
    followers = [openid for openid, user in account.users.items() if user["subscribe"]]
    return {"total": len(followers), **_page(account, followers, asked.get("next_openid"))}


def _page(account: Account, openids: list[str], after: str | None) -> dict[str, Any]:
    if after and after not in openids:
        raise Refusal(40003)
    page = openids[openids.index(after) + 1 if after else 0 :][: account.page_size]
    # Also the last page with somebody on it names a next one; behind it there is an empty one.
    found = {"data": {"openid": page}, "next_openid": page[-1]} if page else {"next_openid": ""}
    return {"count": len(page), **found}


@route("POST", "/cgi-bin/user/info/updateremark", "openid")
def _update_remark(account: Account, asked: Asked) -> None:
    account.users[asked["openid"]]["remark"] = asked["remark"]


@route("POST", "/cgi-bin/changeopenid", "from_appid", "openid_list")
def _change_openids(_: Account, asked: Asked) -> Any:
    changed = ({"ori_openid": one, "new_openid": f"{one}-new", "err_msg": "ok"} for one in asked["openid_list"])
    return ok(result_list=list(changed))


# --- tags ------------------------------------------------------------------------------------------------------------


def _get_tag(account: Account, tag: Any, *, is_own: bool = False) -> dict[str, Any]:
    if is_own and tag in _SYSTEM_TAGS:
        raise Refusal(45058)
    found: dict[str, Any] | None = account.made("tags").get(tag)
    if found is None:
        raise Refusal(45159)
    return found


def _check_name(account: Account, name: str) -> str:
    if len(name) > _LONGEST_NAME:
        raise Refusal(45158)
    if not name or any(tag["name"] == name for tag in account.made("tags").values()):
        raise Refusal(45157)
    return name


@route("POST", "/cgi-bin/tags/create", "tag")
def _create_tag(account: Account, asked: Asked) -> Any:
    tags = account.made("tags")
    if len(tags) >= _MOST_TAGS:
        raise Refusal(45056)
    tag = {"id": max(_FIRST_TAG, *(one + 1 for one in tags)), "name": _check_name(account, asked["tag"]["name"])}
    tags[tag["id"]] = tag
    return {"tag": tag}


@route("GET", "/cgi-bin/tags/get")
def _list_tags(account: Account, _: Asked) -> Any:
    tags = account.made("tags").values()
    return {"tags": [{**tag, "count": len(_list_tagged(account, tag["id"]))} for tag in tags]}


def _list_tagged(account: Account, tag: int) -> list[str]:
    return [openid for openid, user in account.users.items() if tag in user["tagid_list"]]


@route("POST", "/cgi-bin/tags/update", "tag")
def _update_tag(account: Account, asked: Asked) -> None:
    tag = _get_tag(account, asked["tag"]["id"], is_own=True)
    tag["name"] = _check_name(account, asked["tag"]["name"])


@route("POST", "/cgi-bin/tags/delete", "tag")
def _delete_tag(account: Account, asked: Asked) -> None:
    tag = _get_tag(account, asked["tag"]["id"], is_own=True)["id"]
    for openid in _list_tagged(account, tag):
        account.users[openid]["tagid_list"].remove(tag)
    del account.made("tags")[tag]


@route("POST", "/cgi-bin/user/tag/get")
def _list_tagged_users(account: Account, asked: Asked) -> Any:
    tag = _get_tag(account, asked.get("tagid"))["id"]
    return _page(account, _list_tagged(account, tag), asked.get("next_openid"))


# The number of 50 is unconfirmed.
@route("POST", "/cgi-bin/tags/members/batchtagging", "openid_list")
def _tag_users(account: Account, asked: Asked) -> None:
    tag = _get_tag(account, asked.get("tagid"))["id"]
    for user in account.get_users(asked["openid_list"], range(1, 51)):
        if len(user["tagid_list"]) >= _MOST_TAGS_OF_A_USER:
            raise Refusal(45059)
        user["tagid_list"] = [*(one for one in user["tagid_list"] if one != tag), tag]


@route("POST", "/cgi-bin/tags/members/batchuntagging", "openid_list")
def _untag_users(account: Account, asked: Asked) -> None:
    tag = _get_tag(account, asked.get("tagid"))["id"]
    for user in account.get_users(asked["openid_list"], range(1, 51)):
        user["tagid_list"] = [one for one in user["tagid_list"] if one != tag]


@route("POST", "/cgi-bin/tags/getidlist", "openid")
def _list_tags_of_user(account: Account, asked: Asked) -> Any:
    return {"tagid_list": account.users[asked["openid"]]["tagid_list"]}


# --- blacklist -------------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/tags/members/getblacklist")
def _list_blacklist(account: Account, asked: Asked) -> Any:
    return {"total": len(account.blacklist), **_page(account, account.blacklist, asked.get("begin_openid"))}


@route("POST", "/cgi-bin/tags/members/batchblacklist", "openid_list")
def _block_users(account: Account, asked: Asked) -> None:
    account.get_users(asked["openid_list"], range(1, 21))
    account.blacklist.extend(openid for openid in asked["openid_list"] if openid not in account.blacklist)


@route("POST", "/cgi-bin/tags/members/batchunblacklist", "openid_list")
def _unblock_users(account: Account, asked: Asked) -> None:
    account.get_users(asked["openid_list"], range(1, 21))
    account.blacklist[:] = [openid for openid in account.blacklist if openid not in asked["openid_list"]]
