"""The table of the paths, and what is checked before any of them is served."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from wechat_msg.testing.fake_api.account import Account
from wechat_msg.testing.fake_api.answer import Answer, Refusal, make_answer, ok
from wechat_msg.testing.fake_api.request import APIRequest

__all__ = ["ROUTES", "Serve", "route", "serve"]

Serve = Callable[[Account, APIRequest], "Mapping[str, Any] | Answer | None"]
"""Does what a path is for; None: there is nothing to say but that it is done."""

_METHODS = {"GET": 43001, "POST": 43002}
_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u([0-9a-fA-F]{4})")
_ASCII = 0x80


@frozen
class Route:
    """How a path is served: *methods* are parted by a blank."""

    methods: str
    serve: Serve
    needs_token: bool


#: All paths; the modules of the topics fill it in.
ROUTES: dict[str, Route] = {}


def route(methods: str, path: str, *, needs_token: bool = True) -> Callable[[Serve], Serve]:
    """Enter a function into the table."""

    def enter(function: Serve) -> Serve:
        ROUTES[path] = Route(methods, function, needs_token)
        return function

    return enter


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


def _serve(account: Account, request: APIRequest) -> Mapping[str, Any] | Answer | None:
    route = ROUTES.get(request.path)
    if route is None:
        raise Refusal(40066, "invalid url")
    if request.method not in route.methods.split():
        raise Refusal(_METHODS[route.methods])
    if route.needs_token:
        _check_token(account, request.query.get("access_token", ""))
    if request.method == "POST" and not request.is_multipart:
        _check_body(request, is_needed=route.needs_token)
    return route.serve(account, request)


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
