"""Topic: access_tokens, tickets and quotas."""

from __future__ import annotations

import math
from typing import Any

from wechat_msg.testing.fake_api.access_tokens import LIFETIME, IssuedAccessToken
from wechat_msg.testing.fake_api.fake_account import ACCESS_TOKEN_QUOTA, FakeAccount
from wechat_msg.testing.fake_api.response import ErrcodeError, ok
from wechat_msg.testing.fake_api.routes import Params, constant, route

_MAX_CLEARS_A_MONTH = 10


@route("GET", "/cgi-bin/token", needs_access_token=False)
def _get_access_token(account: FakeAccount, params: Params) -> Any:
    _check_credentials(account, params)
    if account.access_token_quota <= 0:
        raise ErrcodeError(45009)
    account.access_token_quota -= 1
    return _to_json(account, account.classic.fetch())


@route("POST", "/cgi-bin/stable_token", needs_access_token=False)
def _get_stable_access_token(account: FakeAccount, params: Params) -> Any:
    _check_credentials(account, params)
    return _to_json(account, account.stable.force() if params.get("force_refresh") else account.stable.fetch())


def _check_credentials(account: FakeAccount, params: Params) -> None:
    if params.get("grant_type") != "client_credential":
        raise ErrcodeError(40002)
    check_app(account, params.get("appid"), params.get("secret"))
    address = params.request.address
    if account.allowed_ips is not None and address not in account.allowed_ips:
        raise ErrcodeError(40164, f"invalid ip {address} ipv6 ::ffff:{address}, not in whitelist")


def check_app(account: FakeAccount, appid: Any, secret: Any) -> None:
    """Check the AppID and the AppSecret."""
    if not appid:
        raise ErrcodeError(41002)
    if appid != account.appid:
        raise ErrcodeError(40013)
    if not secret:
        raise ErrcodeError(41004)
    if secret != account.secret:
        # WeChat may also return 40001 for a wrong AppSecret; when it does is unconfirmed.
        raise ErrcodeError(40125)


def _to_json(account: FakeAccount, issued: IssuedAccessToken) -> Any:
    return {"access_token": issued.value, "expires_in": math.ceil(issued.expires_at - account.clock())}


@route("GET", "/cgi-bin/ticket/getticket", "type")
def _get_ticket(account: FakeAccount, params: Params) -> Any:
    tickets, kind = account.created("tickets"), params["type"]
    if kind not in ("jsapi", "wx_card"):
        raise ErrcodeError(40097)
    if kind not in tickets or tickets[kind].expires_at <= account.clock():
        tickets[kind] = IssuedAccessToken(account.new_id(), account.clock() + LIFETIME)
    return ok(ticket=tickets[kind].value, expires_in=math.ceil(tickets[kind].expires_at - account.clock()))


@route("POST", "/cgi-bin/clear_quota")
def _clear_quota(account: FakeAccount, params: Params) -> None:
    check_app(account, params.get("appid"), account.secret)
    _clear(account)


@route("POST", "/cgi-bin/clear_quota/v2", needs_access_token=False)
def _clear_quota_v2(account: FakeAccount, params: Params) -> None:
    check_app(account, params.get("appid"), params.get("appsecret"))
    _clear(account)


def _clear(account: FakeAccount) -> None:
    cleared = account.created("quota clears")
    if len(cleared) >= _MAX_CLEARS_A_MONTH:
        raise ErrcodeError(48006)
    cleared[account.new_number()] = True
    account.access_token_quota = ACCESS_TOKEN_QUOTA


_RATE = {"call_count": 100, "refresh_second": 1}
_QUOTA = {"daily_limit": 500_000, "used": 12, "remain": 499_988}
_CALL = {
    "invoke_time": 1635156704,
    "cost_in_ms": 30,
    "request_url": "access_token=50_XXX",
    "request_body": "",
    "response_body": '{"errcode":45009,"errmsg":"reach max api daily quota limit"}',
    "client_ip": "127.0.0.1",
}
constant(
    "POST",
    "/cgi-bin/openapi/quota/get",
    "cgi_path",
    answer=ok(quota=_QUOTA, rate_limit=_RATE, component_rate_limit=_RATE),
)
constant("POST", "/cgi-bin/openapi/quota/clear", "cgi_path")
constant("POST", "/cgi-bin/openapi/rid/get", "rid", answer=ok(request=_CALL))
constant("GET", "/cgi-bin/get_api_domain_ip", answer={"ip_list": ["101.89.15.108", "101.226.233.235"]})
constant("GET", "/cgi-bin/getcallbackip", answer={"ip_list": ["101.226.103.0/25", "101.226.62.77"]})

_DNS = {"ip": "111.161.64.40", "real_operator": "UNICOM"}
_PING = {"ip": "111.161.64.40", "from_operator": "UNICOM", "package_loss": "0%", "time": "23.079ms"}
constant("POST", "/cgi-bin/callback/check", "action", "check_operator", answer={"dns": [_DNS], "ping": [_PING]})
