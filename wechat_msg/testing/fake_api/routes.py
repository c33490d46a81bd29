"""The table of paths, and the checks before a path is served."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from wechat_msg._tracebacks import frozen
from wechat_msg.testing.fake_api.fake_account import FakeAccount
from wechat_msg.testing.fake_api.request import APIRequest
from wechat_msg.testing.fake_api.response import ErrcodeError, FakeResponse, make_response, ok

__all__ = ["ROUTES", "Params", "constant", "route", "serve"]

_WRONG_METHOD = {"GET": 43001, "POST": 43002}
_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u([0-9a-fA-F]{4})")
_ASCII = 0x80
#: Errcodes for missing members; 40035 for the others.
_MISSING = {"code": 41008, "js_code": 41008, "template_id": 40037, "scene": 40129}
#: Prefixes of the paths that only a verified Official Account may call.
#: https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Explanation_of_interface_privileges.html
_VERIFIED_ONLY = (
    "/cgi-bin/comment/",
    "/cgi-bin/freepublish/",
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


class Params(dict[str, Any]):
    """Parameters of a request: the members of the query and of the JSON body."""

    def __init__(self, request: APIRequest) -> None:
        super().__init__({**request.query, **(request.json or {})})
        self.request = request


Serve = Callable[[FakeAccount, Params], Any]
"""Function that serves a path. It returns a JSON object, a `FakeResponse`, or None for a plain success."""


@frozen
class FakeRoute:
    """How a path is served: *methods* are separated by spaces, *needed* are the required members."""

    methods: str
    needed: tuple[str, ...]
    needs_access_token: bool
    serve: Serve


#: All paths. The topic modules register them.
ROUTES: dict[str, FakeRoute] = {}


def route(methods: str, path: str, *needed: str, needs_access_token: bool = True) -> Callable[[Serve], Serve]:
    """Return a decorator that registers a function for a path."""

    def register(function: Serve) -> Serve:
        ROUTES[path] = FakeRoute(methods, needed, needs_access_token, function)
        return function

    return register


def constant(methods: str, path: str, *needed: str, answer: Mapping[str, Any] | None = None) -> None:
    """Register a path that always returns *answer*."""
    route(methods, path, *needed)(lambda _account, _params: answer)


def serve(account: FakeAccount, request: APIRequest) -> FakeResponse:
    """Return the response to a request."""
    try:
        answer = _serve(account, request)
    except ErrcodeError as error:
        answer = error.to_json(account.new_rid())
    except (LookupError, TypeError, ValueError, AttributeError):
        # A member is missing or has another type.
        answer = ErrcodeError(40035).to_json(account.new_rid())
    return answer if isinstance(answer, FakeResponse) else make_response(ok() if answer is None else answer)


def _serve(account: FakeAccount, request: APIRequest) -> Any:
    route = ROUTES.get(request.path)
    if route is None:
        raise ErrcodeError(40066, "invalid url: the fake API does not have this path")
    if request.method not in route.methods.split():
        raise ErrcodeError(_WRONG_METHOD[route.methods])
    if route.needs_access_token:
        _check_access_token(account, request.query.get("access_token", ""))
    if not account.verified and request.path.startswith(_VERIFIED_ONLY):
        raise ErrcodeError(48001)
    if request.method == "POST" and not request.is_multipart:
        _check_body(request, is_needed=bool(route.needed))
    params = Params(request)
    for name in route.needed:
        _check_member(account, name, params.get(name))
    return route.serve(account, params)


def _check_access_token(account: FakeAccount, value: str) -> None:
    if not value:
        raise ErrcodeError(41001)
    issued = account.classic.find(value) or account.stable.find(value)
    if issued is None:
        raise ErrcodeError(40014)
    issued.check(account.clock())


def _check_body(request: APIRequest, *, is_needed: bool) -> None:
    if not request.body:
        if is_needed:
            raise ErrcodeError(44002)
        return
    if not isinstance(request.json, dict):
        raise ErrcodeError(47001)
    if any(int(code, 16) >= _ASCII for code in _ESCAPE.findall(request.body)):
        raise ErrcodeError(40033)


def _check_member(account: FakeAccount, name: str, value: Any) -> None:
    if name in ("openid", "touser", "kf_openid"):
        account.get_user(value)
    elif name == "media_id":
        account.get_media(value)
    elif value in (None, "", [], {}):
        raise ErrcodeError(_MISSING.get(name, 40035))
