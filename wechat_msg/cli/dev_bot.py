"""DevBot: the bot of ``wechat-msg dev``, and how its process notices that it refuses pushes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.testing.bilingual import Text

__all__ = ["DevBot", "watch_asgi", "watch_wsgi"]

_Scope = MutableMapping[str, Any]
_WSGIApp = Callable[..., Iterable[bytes]]
_ASGIApp = Callable[..., Awaitable[None]]


@frozen
class DevBot:
    """The bot that a process runs.

    Attributes:
        name: The module and the name of the application or the endpoint in it, joined by a colon.
        url: The address of the bot.
        variables: Environment variables that it sees.
        advice: What to do if its settings differ from those of the playground.
    """

    name: str
    url: str
    variables: Mapping[str, str] = field(repr=False)
    advice: Text


def watch_wsgi(app: _WSGIApp, on_refusal: Callable[[], None]) -> _WSGIApp:
    """Return *app* as a WSGI application that calls *on_refusal* before it answers a push with 403."""

    def watched(environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, *arguments: Any) -> Any:
            if status.startswith("403") and "signature=" in environ.get("QUERY_STRING", ""):
                on_refusal()
            return start_response(status, *arguments)

        return app(environ, start)

    return watched


def watch_asgi(app: _ASGIApp, on_refusal: Callable[[], None]) -> _ASGIApp:
    """Return *app* as an ASGI application that calls *on_refusal* before it answers a push with 403."""

    async def watched(scope: _Scope, receive: Callable[[], Awaitable[_Scope]], send: Callable[..., Any]) -> None:
        async def send_watched(event: _Scope) -> None:
            if event.get("status") == 403 and b"signature=" in scope.get("query_string", b""):
                on_refusal()
            await send(event)

        await app(scope, receive, send_watched)

    return watched
