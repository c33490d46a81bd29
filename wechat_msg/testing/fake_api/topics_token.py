"""Tokens, tickets and quotas."""

from __future__ import annotations

import math
from typing import Any

from wechat_msg.testing.fake_api.account import TOKEN_QUOTA, Account
from wechat_msg.testing.fake_api.answer import Refusal, ok
from wechat_msg.testing.fake_api.routes import Asked, route, sample
from wechat_msg.testing.fake_api.tokens import LIFETIME, Token

_CLEARS_A_MONTH = 10


@route("GET", "/cgi-bin/token", needs_token=False)
def _get_token(account: Account, asked: Asked) -> Any:
    _check_credentials(account, asked)
    if account.token_quota <= 0:
        raise Refusal(45009)
    account.token_quota -= 1
    return _tell(account, account.classic.fetch())


@route("POST", "/cgi-bin/stable_token", needs_token=False)
def _get_stable_token(account: Account, asked: Asked) -> Any:
    _check_credentials(account, asked)
    return _tell(account, account.stable.force() if asked.get("force_refresh") else account.stable.fetch())


def _check_credentials(account: Account, asked: Asked) -> None:
    if asked.get("grant_type") != "client_credential":
        raise Refusal(40002)
    check_app(account, asked.get("appid"), asked.get("secret"))
    address = asked.request.address
    if account.allowed_ips is not None and address not in account.allowed_ips:
        raise Refusal(40164, f"invalid ip {address} ipv6 ::ffff:{address}, not in whitelist")


def check_app(account: Account, appid: Any, secret: Any) -> None:
    """Refuse what is not the AppID and the AppSecret of the account."""
    if not appid:
        raise Refusal(41002)
    if appid != account.appid:
        raise Refusal(40013)
    if not secret:
        raise Refusal(41004)
    if secret != account.secret:
        # 40001 is also said to mean a wrong AppSecret; which of the two when is unconfirmed.
        raise Refusal(40125)


def _tell(account: Account, token: Token) -> Any:
    return {"access_token": token.value, "expires_in": math.ceil(token.expires_at - account.clock())}


@route("GET", "/cgi-bin/ticket/getticket", "type")
def _get_ticket(account: Account, asked: Asked) -> Any:
    tickets, kind = account.made("tickets"), asked["type"]
    if kind not in ("jsapi", "wx_card"):
        raise Refusal(40097)
    if kind not in tickets or tickets[kind].expires_at <= account.clock():
        tickets[kind] = Token(account.new_name(), account.clock() + LIFETIME)
    return ok(ticket=tickets[kind].value, expires_in=math.ceil(tickets[kind].expires_at - account.clock()))


@route("POST", "/cgi-bin/clear_quota")
def _clear_quota(account: Account, asked: Asked) -> None:
    check_app(account, asked.get("appid"), account.secret)
    _clear(account)


@route("POST", "/cgi-bin/clear_quota/v2", needs_token=False)
def _clear_quota_v2(account: Account, asked: Asked) -> None:
    check_app(account, asked.get("appid"), asked.get("appsecret"))
    _clear(account)


def _clear(account: Account) -> None:
    cleared = account.made("quota clears")
    if len(cleared) >= _CLEARS_A_MONTH:
        raise Refusal(48006)
    cleared[account.new_number()] = True
    account.token_quota = TOKEN_QUOTA


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
sample(
    "POST",
    "/cgi-bin/openapi/quota/get",
    "cgi_path",
    answer=ok(quota=_QUOTA, rate_limit=_RATE, component_rate_limit=_RATE),
)
sample("POST", "/cgi-bin/openapi/quota/clear", "cgi_path")
sample("POST", "/cgi-bin/openapi/rid/get", "rid", answer=ok(request=_CALL))
sample("GET", "/cgi-bin/get_api_domain_ip", answer={"ip_list": ["101.89.15.108", "101.226.233.235"]})
sample("GET", "/cgi-bin/getcallbackip", answer={"ip_list": ["101.226.103.0/25", "101.226.62.77"]})

_DNS = {"ip": "111.161.64.40", "real_operator": "UNICOM"}
_PING = {"ip": "111.161.64.40", "from_operator": "UNICOM", "package_loss": "0%", "time": "23.079ms"}
sample("POST", "/cgi-bin/callback/check", "action", "check_operator", answer={"dns": [_DNS], "ping": [_PING]})
