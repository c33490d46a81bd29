"""Topic: logins on web pages and in Mini Programs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from typing import Any

from wechat_msg.testing.fake_api.access_tokens import LIFETIME
from wechat_msg.testing.fake_api.fake_account import FakeAccount
from wechat_msg.testing.fake_api.response import ErrcodeError, ok
from wechat_msg.testing.fake_api.routes import Params, constant, route
from wechat_msg.testing.fake_api.topics_access_token import check_app

_PROFILE = ("openid", "nickname", "sex", "province", "city", "country", "headimgurl", "unionid")


def _use_code(account: FakeAccount, code: str) -> tuple[str, str]:
    """Return the OpenID and the scope of a code, which can be used once."""
    used = account.created("used codes")
    if code in used:
        raise ErrcodeError(40163)
    used[code] = True
    return account.codes.get(code) or (next(iter(account.users)), "snsapi_userinfo")


def _check_grant(account: FakeAccount, params: Params) -> None:
    check_app(account, params.get("appid"), params.get("secret"))
    if params.get("grant_type") != "authorization_code":
        raise ErrcodeError(40002)


# --- web pages -------------------------------------------------------------------------------------------------------


@route("GET", "/sns/oauth2/access_token", "code", needs_access_token=False)
def _get_user_access_token(account: FakeAccount, params: Params) -> Any:
    _check_grant(account, params)
    refresh_token = account.new_id()
    account.created("refresh tokens")[refresh_token] = _use_code(account, params["code"])
    return _grant_access_token(account, refresh_token)


@route("GET", "/sns/oauth2/refresh_token", needs_access_token=False)
def _refresh_user_access_token(account: FakeAccount, params: Params) -> Any:
    check_app(account, params.get("appid"), account.secret)
    if params.get("refresh_token") not in account.created("refresh tokens"):
        raise ErrcodeError(40030)
    return _grant_access_token(account, params["refresh_token"])


def _grant_access_token(account: FakeAccount, refresh_token: str) -> Any:
    access_token, (openid, scope) = account.new_id(), account.created("refresh tokens")[refresh_token]
    account.created("user access_tokens")[access_token] = (account.clock() + LIFETIME, openid, scope)
    return {
        "access_token": access_token,
        "expires_in": int(LIFETIME),
        "refresh_token": refresh_token,
        "openid": openid,
        "scope": scope,
        "unionid": account.users[openid]["unionid"],
    }


@route("GET", "/sns/auth", needs_access_token=False)
def _check_user_access_token(account: FakeAccount, params: Params) -> None:
    expires_at, openid, _ = account.created("user access_tokens").get(params.get("access_token"), (0, None, ""))
    if openid is None:
        raise ErrcodeError(40001)
    if account.clock() >= expires_at:
        raise ErrcodeError(42001)
    if params.get("openid") != openid:
        raise ErrcodeError(40003)


@route("GET", "/sns/userinfo", needs_access_token=False)
def _get_user_info(account: FakeAccount, params: Params) -> Any:
    _check_user_access_token(account, params)
    if account.created("user access_tokens")[params["access_token"]][2] != "snsapi_userinfo":
        raise ErrcodeError(48001)
    return {**{name: account.users[params["openid"]][name] for name in _PROFILE}, "privilege": []}


# --- Mini Programs ---------------------------------------------------------------------------------------------------


@route("GET", "/sns/jscode2session", "js_code", needs_access_token=False)
def _log_in(account: FakeAccount, params: Params) -> Any:
    _check_grant(account, params)
    openid, _ = _use_code(account, params["js_code"])
    return {**_start_session(account, openid), "unionid": account.users[openid]["unionid"]}


def _start_session(account: FakeAccount, openid: str) -> dict[str, Any]:
    session_key = base64.b64encode(os.urandom(16)).decode()
    account.created("session keys")[openid] = session_key
    return {"openid": openid, "session_key": session_key}


@route("GET", "/wxa/checksession", "openid")
def _check_session(account: FakeAccount, params: Params) -> None:
    session_key = account.created("session keys").get(params["openid"])
    if session_key is None:
        raise ErrcodeError(87007)
    if params.get("sig_method") != "hmac_sha256":
        raise ErrcodeError(87008)
    # That the text of the key, not its decoded bytes, is used is unconfirmed.
    if params.get("signature") != hmac.new(session_key.encode(), b"", hashlib.sha256).hexdigest():
        raise ErrcodeError(87009)


@route("GET", "/wxa/resetusersessionkey", "openid")
def _reset_session(account: FakeAccount, params: Params) -> Any:
    _check_session(account, params)
    return ok(**_start_session(account, params["openid"]))


@route("GET", "/wxa/business/getuserencryptkey", "openid")
def _list_encrypt_keys(account: FakeAccount, params: Params) -> Any:
    _check_session(account, params)
    key = {"encrypt_key": "VI6BpyrK9XH4i4AIGe86tg==", "version": 10, "expire_in": 3597, "iv": "6003f73ec441c386"}
    return ok(key_info_list=[{**key, "create_time": account.now}])


@route("POST", "/wxa/business/getuserphonenumber", "code")
def _get_phone_number(account: FakeAccount, params: Params) -> Any:
    _use_code(account, params["code"])
    phone = {"phoneNumber": "+8613580006666", "purePhoneNumber": "13580006666", "countryCode": "86"}
    return ok(phone_info={**phone, "watermark": {"timestamp": account.now, "appid": account.appid}})


@route("GET", "/wxa/getpaidunionid", "openid")
def _get_paid_unionid(account: FakeAccount, params: Params) -> Any:
    return ok(unionid=account.users[params["openid"]]["unionid"])


@route("POST", "/wxa/getpluginopenpid", "code")
def _get_plugin_openpid(account: FakeAccount, params: Params) -> Any:
    return ok(openpid=f"plugin-{_use_code(account, params['code'])[0]}")


constant("POST", "/wxa/business/checkencryptedmsg", "encrypted_msg_hash", answer=ok(vaild=True, create_time=1763703600))
