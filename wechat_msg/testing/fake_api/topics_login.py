"""Users who log in: on web pages and in Mini Programs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from typing import Any

from wechat_msg.testing.fake_api.account import Account
from wechat_msg.testing.fake_api.answer import Refusal, ok
from wechat_msg.testing.fake_api.routes import Asked, route, sample
from wechat_msg.testing.fake_api.tokens import LIFETIME
from wechat_msg.testing.fake_api.topics_token import check_app

_SHOWN = ("openid", "nickname", "sex", "province", "city", "country", "headimgurl", "unionid")


def _use_code(account: Account, code: str) -> tuple[str, str]:
    """Return the OpenID and the scope that a code stands for; it is good once."""
    used = account.made("used codes")
    if code in used:
        raise Refusal(40163)
    used[code] = True
    return account.codes.get(code) or (next(iter(account.users)), "snsapi_userinfo")


def _check_grant(account: Account, asked: Asked) -> None:
    check_app(account, asked.get("appid"), asked.get("secret"))
    if asked.get("grant_type") != "authorization_code":
        raise Refusal(40002)


# --- web pages -------------------------------------------------------------------------------------------------------


@route("GET", "/sns/oauth2/access_token", "code", needs_token=False)
def _get_user_token(account: Account, asked: Asked) -> Any:
    _check_grant(account, asked)
    refresh_token = account.new_name()
    account.made("refresh tokens")[refresh_token] = _use_code(account, asked["code"])
    return _hand_out(account, refresh_token)


@route("GET", "/sns/oauth2/refresh_token", needs_token=False)
def _refresh_user_token(account: Account, asked: Asked) -> Any:
    check_app(account, asked.get("appid"), account.secret)
    if asked.get("refresh_token") not in account.made("refresh tokens"):
        raise Refusal(40030)
    return _hand_out(account, asked["refresh_token"])


def _hand_out(account: Account, refresh_token: str) -> Any:
    token, (openid, scope) = account.new_name(), account.made("refresh tokens")[refresh_token]
    account.made("user tokens")[token] = (account.clock() + LIFETIME, openid, scope)
    return {
        "access_token": token,
        "expires_in": int(LIFETIME),
        "refresh_token": refresh_token,
        "openid": openid,
        "scope": scope,
        "unionid": account.users[openid]["unionid"],
    }


@route("GET", "/sns/auth", needs_token=False)
def _check_user_token(account: Account, asked: Asked) -> None:
    expires_at, openid, _ = account.made("user tokens").get(asked.get("access_token"), (0, None, ""))
    if openid is None:
        raise Refusal(40001)
    if account.clock() >= expires_at:
        raise Refusal(42001)
    if asked.get("openid") != openid:
        raise Refusal(40003)


@route("GET", "/sns/userinfo", needs_token=False)
def _get_user_info(account: Account, asked: Asked) -> Any:
    _check_user_token(account, asked)
    if account.made("user tokens")[asked["access_token"]][2] != "snsapi_userinfo":
        raise Refusal(48001)
    return {**{name: account.users[asked["openid"]][name] for name in _SHOWN}, "privilege": []}


# --- Mini Programs ---------------------------------------------------------------------------------------------------


@route("GET", "/sns/jscode2session", "js_code", needs_token=False)
def _log_in(account: Account, asked: Asked) -> Any:
    _check_grant(account, asked)
    openid, _ = _use_code(account, asked["js_code"])
    return {**_start_session(account, openid), "unionid": account.users[openid]["unionid"]}


def _start_session(account: Account, openid: str) -> dict[str, Any]:
    session_key = base64.b64encode(os.urandom(16)).decode()
    account.made("session keys")[openid] = session_key
    return {"openid": openid, "session_key": session_key}


@route("GET", "/wxa/checksession", "openid")
def _check_session(account: Account, asked: Asked) -> None:
    session_key = account.made("session keys").get(asked["openid"])
    if session_key is None:
        raise Refusal(87007)
    if asked.get("sig_method") != "hmac_sha256":
        raise Refusal(87008)
    # That the key is taken as it is written, not decoded, is unconfirmed.
    if asked.get("signature") != hmac.new(session_key.encode(), b"", hashlib.sha256).hexdigest():
        raise Refusal(87009)


@route("GET", "/wxa/resetusersessionkey", "openid")
def _reset_session(account: Account, asked: Asked) -> Any:
    _check_session(account, asked)
    return ok(**_start_session(account, asked["openid"]))


@route("GET", "/wxa/business/getuserencryptkey", "openid")
def _list_encrypt_keys(account: Account, asked: Asked) -> Any:
    _check_session(account, asked)
    key = {"encrypt_key": "VI6BpyrK9XH4i4AIGe86tg==", "version": 10, "expire_in": 3597, "iv": "6003f73ec441c386"}
    return ok(key_info_list=[{**key, "create_time": account.now}])


@route("POST", "/wxa/business/getuserphonenumber", "code")
def _get_phone_number(account: Account, asked: Asked) -> Any:
    _use_code(account, asked["code"])
    phone = {"phoneNumber": "+8613580006666", "purePhoneNumber": "13580006666", "countryCode": "86"}
    return ok(phone_info={**phone, "watermark": {"timestamp": account.now, "appid": account.appid}})


@route("GET", "/wxa/getpaidunionid", "openid")
def _get_paid_unionid(account: Account, asked: Asked) -> Any:
    return ok(unionid=account.users[asked["openid"]]["unionid"])


@route("POST", "/wxa/getpluginopenpid", "code")
def _get_plugin_openpid(account: Account, asked: Asked) -> Any:
    return ok(openpid=f"plugin-{_use_code(account, asked['code'])[0]}")


sample("POST", "/wxa/business/checkencryptedmsg", "encrypted_msg_hash", answer=ok(vaild=True, create_time=1763703600))
