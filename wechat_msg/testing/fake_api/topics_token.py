"""Tokens, tickets, quotas and addresses."""

# Every function is given both, whether it needs them or not.
# ruff: noqa: ARG001

from __future__ import annotations

import math
from typing import Any

from wechat_msg.testing.fake_api.account import TOKEN_QUOTA, Account
from wechat_msg.testing.fake_api.answer import Refusal, ok
from wechat_msg.testing.fake_api.request import APIRequest
from wechat_msg.testing.fake_api.routes import ROUTES, route
from wechat_msg.testing.fake_api.tokens import Token

_CLEARS_A_MONTH = 10
_TICKET_LIFETIME = 7200


@route("GET", "/cgi-bin/token", needs_token=False)
def _get_token(account: Account, request: APIRequest) -> dict[str, Any]:
    _check_credentials(account, request, request.query)
    if account.token_quota <= 0:
        raise Refusal(45009)
    account.token_quota -= 1
    return _tell(account, account.classic.fetch())


@route("POST", "/cgi-bin/stable_token", needs_token=False)
def _get_stable_token(account: Account, request: APIRequest) -> dict[str, Any]:
    asked = request.json or {}
    _check_credentials(account, request, asked)
    stable = account.stable
    return _tell(account, stable.force() if asked.get("force_refresh") else stable.fetch())


def _check_credentials(account: Account, request: APIRequest, asked: Any) -> None:
    if asked.get("grant_type") != "client_credential":
        raise Refusal(40002)
    check_app(account, asked.get("appid"), asked.get("secret"))
    if account.allowed_ips is not None and request.address not in account.allowed_ips:
        raise Refusal(40164, f"invalid ip {request.address} ipv6 ::ffff:{request.address}, not in whitelist")


def check_app(account: Account, appid: Any, secret: Any) -> None:
    """Refuse what is not the AppID and the AppSecret of the account."""
    if not appid:
        raise Refusal(41002)
    if appid != account.appid:
        raise Refusal(40013)
    if not secret:
        raise Refusal(41004)
    if secret != account.secret:
        # /cgi-bin/token is said to answer 40001 as well; which of the two when is unconfirmed.
        raise Refusal(40125)


def _tell(account: Account, token: Token) -> dict[str, Any]:
    return {"access_token": token.value, "expires_in": math.ceil(token.expires_at - account.clock())}


@route("GET", "/cgi-bin/ticket/getticket")
def _get_ticket(account: Account, request: APIRequest) -> dict[str, Any]:
    kind = request.query.get("type", "jsapi")
    if kind not in ("jsapi", "wx_card"):
        raise Refusal(40097, "invalid args")
    tickets = account.made("tickets")
    ticket, expires_at = tickets.get(kind, ("", 0.0))
    if expires_at <= account.clock():
        ticket, expires_at = account.new_name("kgt8ON7yVITDhtdw"), account.clock() + _TICKET_LIFETIME
        tickets[kind] = ticket, expires_at
    return ok(ticket=ticket, expires_in=math.ceil(expires_at - account.clock()))


@route("POST", "/cgi-bin/clear_quota")
def _clear_quota(account: Account, request: APIRequest) -> None:
    if request.json.get("appid") != account.appid:
        raise Refusal(40013)
    _clear(account)


@route("POST", "/cgi-bin/clear_quota/v2", needs_token=False)
def _clear_quota_v2(account: Account, request: APIRequest) -> None:
    asked = {**request.query, **(request.json or {})}
    check_app(account, asked.get("appid"), asked.get("appsecret"))
    _clear(account)


def _clear(account: Account) -> None:
    cleared = account.made("quota clears")
    if len(cleared) >= _CLEARS_A_MONTH:
        raise Refusal(48006)
    cleared[account.new_number()] = True
    account.token_quota = TOKEN_QUOTA


@route("POST", "/cgi-bin/openapi/quota/get")
def _get_quota(account: Account, request: APIRequest) -> dict[str, Any]:
    _check_cgi_path(request)
    return ok(
        quota={"daily_limit": 500_000, "used": 12, "remain": 499_988},
        rate_limit={"call_count": 100, "refresh_second": 1},
        component_rate_limit={"call_count": 100, "refresh_second": 1},
    )


@route("POST", "/cgi-bin/openapi/quota/clear")
def _clear_api_quota(account: Account, request: APIRequest) -> None:
    _check_cgi_path(request)


def _check_cgi_path(request: APIRequest) -> None:
    if request.json["cgi_path"] not in ROUTES or request.json["cgi_path"].startswith("/sns/"):
        raise Refusal(76022)


@route("POST", "/cgi-bin/openapi/rid/get")
def _get_rid(account: Account, request: APIRequest) -> dict[str, Any]:
    asked = {
        "invoke_time": int(account.clock()),
        "cost_in_ms": 30,
        "request_url": "access_token=...",
        "request_body": "",
        "response_body": '{"errcode":40003,"errmsg":"invalid openid rid: ' + request.json["rid"] + '"}',
        "client_ip": request.address,
    }
    return ok(request=asked)


@route("GET", "/cgi-bin/get_api_domain_ip")
def _get_api_domain_ip(account: Account, request: APIRequest) -> dict[str, Any]:
    return {"ip_list": ["101.89.15.108", "101.226.233.235"]}


@route("GET", "/cgi-bin/getcallbackip")
def _get_callback_ip(account: Account, request: APIRequest) -> dict[str, Any]:
    return {"ip_list": ["101.226.103.0/25", "101.226.62.77"]}


@route("POST", "/cgi-bin/callback/check")
def _check_callback(account: Account, request: APIRequest) -> dict[str, Any]:
    if request.json["action"] not in ("dns", "ping", "all"):
        raise Refusal(40201, "invalid action")
    if request.json["check_operator"] not in ("DEFAULT", "CHINANET", "UNICOM", "CAP"):
        raise Refusal(40202, "invalid check_operator")
    dns = [{"ip": "111.161.64.40", "real_operator": "UNICOM"}]
    ping = [{"ip": "111.161.64.40", "from_operator": "UNICOM", "package_loss": "0%", "time": "23.079ms"}]
    wanted = request.json["action"]
    return ok(dns=dns if wanted != "ping" else [], ping=ping if wanted != "dns" else [])
