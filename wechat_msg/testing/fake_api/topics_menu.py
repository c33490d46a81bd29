"""Topic: menus, QR codes and short keys."""

from __future__ import annotations

from typing import Any

from wechat_msg.testing.fake_api.fake_account import FakeAccount
from wechat_msg.testing.fake_api.response import PNG, ErrcodeError, FakeResponse, make_response, ok
from wechat_msg.testing.fake_api.routes import Params, constant, route

_MAX_BUTTONS = 3
_DEFAULT = "default"
_CODES = ("QR_SCENE", "QR_LIMIT_SCENE")
_TEXT_CODES = ("QR_STR_SCENE", "QR_LIMIT_STR_SCENE")

# --- menus -----------------------------------------------------------------------------------------------------------


def _make_menu(account: FakeAccount, params: Params) -> dict[str, Any]:
    if len(params["button"]) > _MAX_BUTTONS:
        raise ErrcodeError(40016)
    return {"button": params["button"], "menuid": account.new_number()}


@route("POST", "/cgi-bin/menu/create", "button")
def _create_menu(account: FakeAccount, params: Params) -> None:
    account.created("menus")[_DEFAULT] = _make_menu(account, params)


@route("GET", "/cgi-bin/menu/get")
def _get_menu(account: FakeAccount, _: Params) -> Any:
    if not account.created("menus"):
        raise ErrcodeError(46003)
    conditional = list(account.created("conditional menus").values())
    return {"menu": account.created("menus")[_DEFAULT], **({"conditionalmenu": conditional} if conditional else {})}


@route("GET", "/cgi-bin/menu/delete")
def _delete_menu(account: FakeAccount, _: Params) -> None:
    account.created("menus").clear()
    account.created("conditional menus").clear()


@route("GET", "/cgi-bin/get_current_selfmenu_info")
def _get_current_menu(account: FakeAccount, _: Params) -> Any:
    menu = account.created("menus").get(_DEFAULT, {"button": []})
    return {
        "is_menu_open": int(bool(menu["button"])),
        "selfmenu_info": {"button": list(map(_to_current, menu["button"]))},
    }


def _to_current(button: dict[str, Any]) -> dict[str, Any]:
    return {**button, "sub_button": {"list": button["sub_button"]}} if button.get("sub_button") else button


@route("POST", "/cgi-bin/menu/addconditional", "button", "matchrule")
def _add_conditional(account: FakeAccount, params: Params) -> Any:
    if not account.created("menus"):
        raise ErrcodeError(65303)
    menu = {**_make_menu(account, params), "matchrule": params["matchrule"]}
    account.created("conditional menus")[str(menu["menuid"])] = menu
    return {"menuid": str(menu["menuid"])}


@route("POST", "/cgi-bin/menu/delconditional", "menuid")
def _delete_conditional(account: FakeAccount, params: Params) -> None:
    if account.created("conditional menus").pop(str(params["menuid"]), None) is None:
        raise ErrcodeError(65301)


@route("POST", "/cgi-bin/menu/trymatch", "user_id")
def _try_match(account: FakeAccount, params: Params) -> Any:
    tags = map(str, account.users.get(params["user_id"], {"tagid_list": ()})["tagid_list"])
    known, menus = set(tags), reversed(account.created("conditional menus").values())
    matching = (menu for menu in menus if str(menu["matchrule"].get("tag_id")) in known)
    return {"button": (next(matching, None) or _get_menu(account, params)["menu"])["button"]}


# --- QR codes --------------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/qrcode/create", "action_name", "action_info")
def _create_code(account: FakeAccount, params: Params) -> Any:
    kind, scene = params["action_name"], params["action_info"]["scene"]
    if kind not in _CODES + _TEXT_CODES:
        raise ErrcodeError(40035)
    if not scene.get("scene_str" if kind in _TEXT_CODES else "scene_id"):
        raise ErrcodeError(40129)
    # Like a real ticket, it must be quoted in URLs.
    ticket = f"gQH47joAAAAAAAAAASxodHRwOi8v+/{account.new_id()}=="
    account.created("QR codes")[ticket] = scene
    # Whether the default is 60 seconds or 30 days is unconfirmed.
    expiry = {} if "LIMIT" in kind else {"expire_seconds": params.get("expire_seconds", 60)}
    return {"ticket": ticket, **expiry, "url": f"http://weixin.qq.com/q/{account.new_number()}"}


@route("GET", "/cgi-bin/showqrcode", needs_access_token=False)
def _show_code(account: FakeAccount, params: Params) -> FakeResponse:
    if params.get("ticket") not in account.created("QR codes"):
        return make_response(b"", status=404, content_type="text/html")
    return make_response(PNG, content_type="image/png")  # WeChat's is a jpg


# --- short keys ------------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/shorten/gen", "long_data")
def _shorten(account: FakeAccount, params: Params) -> Any:
    short_key, expiry = account.new_id()[:15], params.get("expire_seconds", 2_592_000)
    kept = {"long_data": params["long_data"], "create_time": account.now, "expire_seconds": expiry}
    account.created("short keys")[short_key] = kept
    return ok(short_key=short_key)


@route("POST", "/cgi-bin/shorten/fetch", "short_key")
def _fetch_shortened(account: FakeAccount, params: Params) -> Any:
    return ok(**account.created("short keys")[params["short_key"]])


constant("POST", "/cgi-bin/shorturl", "action", "long_url", answer=ok(short_url="https://w.url.cn/s/AvCo6Ih"))
