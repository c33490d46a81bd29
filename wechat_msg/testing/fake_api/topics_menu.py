"""Menus, QR codes and short keys."""

from __future__ import annotations

from typing import Any

from wechat_msg.testing.fake_api.account import Account
from wechat_msg.testing.fake_api.answer import PNG, Answer, Refusal, make_answer, ok
from wechat_msg.testing.fake_api.routes import Asked, route, sample

_MOST_BUTTONS = 3
_DEFAULT = "default"
_CODES = ("QR_SCENE", "QR_LIMIT_SCENE")
_TEXT_CODES = ("QR_STR_SCENE", "QR_LIMIT_STR_SCENE")

# --- menus -----------------------------------------------------------------------------------------------------------


def _make_menu(account: Account, asked: Asked) -> dict[str, Any]:
    if len(asked["button"]) > _MOST_BUTTONS:
        raise Refusal(40016)
    return {"button": asked["button"], "menuid": account.new_number()}


@route("POST", "/cgi-bin/menu/create", "button")
def _create_menu(account: Account, asked: Asked) -> None:
    account.made("menus")[_DEFAULT] = _make_menu(account, asked)


@route("GET", "/cgi-bin/menu/get")
def _get_menu(account: Account, _: Asked) -> Any:
    if not account.made("menus"):
        raise Refusal(46003)
    conditional = list(account.made("conditional menus").values())
    return {"menu": account.made("menus")[_DEFAULT], **({"conditionalmenu": conditional} if conditional else {})}


@route("GET", "/cgi-bin/menu/delete")
def _delete_menu(account: Account, _: Asked) -> None:
    account.made("menus").clear()
    account.made("conditional menus").clear()


@route("GET", "/cgi-bin/get_current_selfmenu_info")
def _get_current_menu(account: Account, _: Asked) -> Any:
    menu = account.made("menus").get(_DEFAULT, {"button": []})
    return {"is_menu_open": int(bool(menu["button"])), "selfmenu_info": {"button": list(map(_show, menu["button"]))}}


def _show(button: dict[str, Any]) -> dict[str, Any]:
    return {**button, "sub_button": {"list": button["sub_button"]}} if button.get("sub_button") else button


@route("POST", "/cgi-bin/menu/addconditional", "button", "matchrule")
def _add_conditional(account: Account, asked: Asked) -> Any:
    if not account.made("menus"):
        raise Refusal(65303)
    menu = {**_make_menu(account, asked), "matchrule": asked["matchrule"]}
    account.made("conditional menus")[str(menu["menuid"])] = menu
    return {"menuid": str(menu["menuid"])}


@route("POST", "/cgi-bin/menu/delconditional", "menuid")
def _delete_conditional(account: Account, asked: Asked) -> None:
    if account.made("conditional menus").pop(str(asked["menuid"]), None) is None:
        raise Refusal(65301)


@route("POST", "/cgi-bin/menu/trymatch", "user_id")
def _try_match(account: Account, asked: Asked) -> Any:
    tags = map(str, account.users.get(asked["user_id"], {"tagid_list": ()})["tagid_list"])
    known, menus = set(tags), reversed(account.made("conditional menus").values())
    matching = (menu for menu in menus if str(menu["matchrule"].get("tag_id")) in known)
    return {"button": (next(matching, None) or _get_menu(account, asked)["menu"])["button"]}


# --- QR codes --------------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/qrcode/create", "action_name", "action_info")
def _create_code(account: Account, asked: Asked) -> Any:
    kind, scene = asked["action_name"], asked["action_info"]["scene"]
    if kind not in _CODES + _TEXT_CODES:
        raise Refusal(40035)
    if not scene.get("scene_str" if kind in _TEXT_CODES else "scene_id"):
        raise Refusal(40129)
    # Quoting is needed to put it into a URL, as for a real one.
    ticket = f"gQH47joAAAAAAAAAASxodHRwOi8v+/{account.new_name()}=="
    account.made("QR codes")[ticket] = scene
    # Whether it is 60 seconds or 30 days if nothing is said is unconfirmed.
    expiry = {} if "LIMIT" in kind else {"expire_seconds": asked.get("expire_seconds", 60)}
    return {"ticket": ticket, **expiry, "url": f"http://weixin.qq.com/q/{account.new_number()}"}


@route("GET", "/cgi-bin/showqrcode", needs_token=False)
def _show_code(account: Account, asked: Asked) -> Answer:
    if asked.get("ticket") not in account.made("QR codes"):
        return make_answer(b"", status=404, content_type="text/html")
    return make_answer(PNG, content_type="image/png")  # WeChat's is a jpg


# --- short keys ------------------------------------------------------------------------------------------------------


@route("POST", "/cgi-bin/shorten/gen", "long_data")
def _shorten(account: Account, asked: Asked) -> Any:
    short_key, expiry = account.new_name()[:15], asked.get("expire_seconds", 2_592_000)
    kept = {"long_data": asked["long_data"], "create_time": account.now, "expire_seconds": expiry}
    account.made("short keys")[short_key] = kept
    return ok(short_key=short_key)


@route("POST", "/cgi-bin/shorten/fetch", "short_key")
def _fetch_shortened(account: Account, asked: Asked) -> Any:
    return ok(**account.made("short keys")[asked["short_key"]])


sample("POST", "/cgi-bin/shorturl", "action", "long_url", answer=ok(short_url="https://w.url.cn/s/AvCo6Ih"))
