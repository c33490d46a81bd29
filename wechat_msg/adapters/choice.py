"""What the adapters share: which endpoint a request is for, and how ASGI hands on its body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeVar

from wechat_msg.endpoint import AsyncPushEndpoint, PushEndpoint
from wechat_msg.errors import SettingsError
from wechat_msg.push import PushResponse

__all__ = ["NOT_FOUND", "Choice", "Receive", "SyncChoice", "check_sync", "choose", "read_body"]

R = TypeVar("R")
Endpoint = PushEndpoint | AsyncPushEndpoint

SyncChoice = PushEndpoint | Callable[[R], PushEndpoint | None]
"""An endpoint, or a function that picks one from the framework's request; None: there is no such account (404)."""
Choice = Endpoint | Callable[[R], Endpoint | None]
"""The same, for frameworks that can await."""
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
"""What ASGI hands a request's body on with."""

NOT_FOUND = PushResponse(404, b"Not Found")


def choose(choice: Choice[R], request: R) -> Endpoint | None:
    """Return the endpoint for *request*; None if there is no such account."""
    return choice if isinstance(choice, (PushEndpoint, AsyncPushEndpoint)) else choice(request)


def check_sync(endpoint: Endpoint | Callable[..., object] | None) -> None:
    """Refuse an asynchronous endpoint where nothing can await it.

    Raises:
        SettingsError: The endpoint is asynchronous.
    """
    if isinstance(endpoint, AsyncPushEndpoint):
        raise SettingsError("this framework cannot await; use PushEndpoint（同步框架请使用 PushEndpoint）")


async def read_body(receive: Receive, limit: int) -> bytes:
    """Read the body, or as much of it as shows that it is longer than *limit*.

    A client that hangs up ends the body, too; what is cut short is malformed, so the endpoint refuses it.
    """
    body, more = b"", True
    while more and len(body) <= limit:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    return body
