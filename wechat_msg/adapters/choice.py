"""What the adapters share: which endpoint a request is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from wechat_msg.endpoint import AsyncPushEndpoint, PushEndpoint
from wechat_msg.errors import SettingsError
from wechat_msg.push import PushResponse

__all__ = ["NOT_FOUND", "Choice", "SyncChoice", "check_sync", "choose"]

R = TypeVar("R")
Endpoint = PushEndpoint | AsyncPushEndpoint

SyncChoice = PushEndpoint | Callable[[R], PushEndpoint | None]
"""An endpoint, or a function that picks one from the framework's request; None: there is no such account (404)."""
Choice = Endpoint | Callable[[R], Endpoint | None]
"""The same, for frameworks that can await."""

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
