"""The table of the paths, and what is checked before any of them is served."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from wechat_msg._tracebacks import frozen
from wechat_msg.testing.fake_api.account import Account
from wechat_msg.testing.fake_api.answer import Answer, Refusal, make_answer, ok
from wechat_msg.testing.fake_api.request import APIRequest

__all__ = ["ROUTES", "Asked", "route", "sample", "serve"]

_WRONG_METHOD = {"GET": 43001, "POST": 43002}
_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u([0-9a-fA-F]{4})")
_ASCII = 0x80
#: What the lack of a member is answered with, if not with 40035.
_MISSING = {"code": 41008, "js_code": 41008, "template_id": 40037, "scene": 40129}
#: What the paths begin with that only a verified Official Account may call.
#: https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Explanation_of_interface_privileges.html
_OF_VERIFIED = (
    "/cgi-bin/message/custom/",
    "/cgi-bin/message/mass/",
    "/cgi-bin/message/subscribe/bizsend",
    "/cgi-bin/message/template/",
    "/cgi-bin/customservice/",
    "/customservice/",
    "/cgi-bin/template/",
    "/cgi-bin/user/",
    "/cgi-bin/tags/",
    "/cgi-bin/qrcode/",
    "/cgi-bin/shorturl",
)


class Asked(dict[str, Any]):
    """What a request asks for: the members of the query and of the JSON body."""

    def __init__(self, request: APIRequest) -> None:
        super().__init__({**request.query, **(request.json or {})})
        self.request = request


Serve = Callable[[Account, Asked], Any]
"""Does what a path is for; answers a JSON object, an `Answer`, or None: there is nothing to say but that it is done."""


@frozen
class Route:
    """How a path is served: *methods* are parted by a blank, *needed* are the members that must not be missing."""

    methods: str
    needed: tuple[str, ...]
    needs_token: bool
    serve: Serve


#: All paths; the modules of the topics fill it in.
ROUTES: dict[str, Route] = {}


def route(methods: str, path: str, *needed: str, needs_token: bool = True) -> Callable[[Serve], Serve]:
    """Enter a function into the table."""

    def enter(function: Serve) -> Serve:
        ROUTES[path] = Route(methods, needed, needs_token, function)
        return function

    return enter


def sample(methods: str, path: str, *needed: str, answer: Mapping[str, Any] | None = None) -> None:
    """Enter a path that always answers the same."""
    route(methods, path, *needed)(lambda _account, _asked: answer)


def serve(account: Account, request: APIRequest) -> Answer:
    """Answer a request."""
    try:
        answer = _serve(account, request)
    except Refusal as refusal:
        answer = refusal.to_json(account.new_rid())
    except (LookupError, TypeError, ValueError, AttributeError):
        # A member is missing or of another kind.
        answer = Refusal(40035).to_json(account.new_rid())
    return answer if isinstance(answer, Answer) else make_answer(ok() if answer is None else answer)


def _serve(account: Account, request: APIRequest) -> Any:
    route = ROUTES.get(request.path)
    if route is None:
        raise Refusal(40066)
    if request.method not in route.methods.split():
        raise Refusal(_WRONG_METHOD[route.methods])
    if route.needs_token:
        _check_token(account, request.query.get("access_token", ""))
    if not account.verified and request.path.startswith(_OF_VERIFIED):
        raise Refusal(48001)
    if request.method == "POST" and not request.is_multipart:
        _check_body(request, is_needed=bool(route.needed))
    asked = Asked(request)
    for name in route.needed:
        _check_member(account, name, asked.get(name))
    return route.serve(account, asked)


def _check_token(account: Account, value: str) -> None:
    if not value:
        raise Refusal(41001)
    token = account.classic.find(value) or account.stable.find(value)
    if token is None:
        raise Refusal(40014)
    token.check(account.clock())


def _check_body(request: APIRequest, *, is_needed: bool) -> None:
    if not request.body:
        if is_needed:
            raise Refusal(44002)
        return
    if not isinstance(request.json, dict):
        raise Refusal(47001)
    if any(int(code, 16) >= _ASCII for code in _ESCAPE.findall(request.body)):
        raise Refusal(40033)


def _check_member(account: Account, name: str, value: Any) -> None:
    if name in ("openid", "touser", "kf_openid"):
        account.get_user(value)
    elif name == "media_id":
        account.get_media(value)
    elif value in (None, "", [], {}):
        raise Refusal(_MISSING.get(name, 40035))
