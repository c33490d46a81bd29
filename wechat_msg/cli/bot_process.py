"""The process of the bot of ``wechat-msg dev``: import the application, and serve it until the process is ended."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import multiprocessing
import os
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from wsgiref.types import StartResponse

import uvicorn

from wechat_msg._handlers import FlowHandler, takes_arguments
from wechat_msg._wsgi_server import QuietHandler, ThreadingServer
from wechat_msg.adapters import asgi, wsgi
from wechat_msg.cli import allow_any_text
from wechat_msg.cli.dev_bot import DevBot, watch_asgi, watch_wsgi
from wechat_msg.cli.output import Output
from wechat_msg.endpoint import AsyncPushEndpoint, PushEndpoint
from wechat_msg.settings import PushSettings
from wechat_msg.testing.bilingual import Language, Text

__all__ = ["refuse_pushes", "run_bot"]

_ARGUMENTS = (2, 3)  # of an application for WSGI, and for ASGI
#: The files of the frames between this module and the application.
_OWN_FILES = (__file__, importlib.__file__, "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")


def run_bot(bot: DevBot, listener: socket.socket, language: Language) -> None:
    """Serve an application; if it cannot be imported, print why, and answer 503.

    Args:
        bot: The application.
        listener: The socket of the server.
        language: The language of what is printed.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    allow_any_text()
    with contextlib.suppress(OSError):  # it was closed
        sys.stdin = open(0, closefd=False)  # noqa: SIM115, for breakpoint(); multiprocessing took it away
    os.environ.update(bot.variables)
    sys.path.insert(0, "")
    output = Output(language)
    try:
        found = _find(bot.name)
        app, is_async = _to_app(found)
    except (Exception, SystemExit) as error:  # noqa: BLE001, a module of the user's may raise anything
        _print_traceback(error)
        output.print_line(
            "fail",
            Text(
                f"cannot import {bot.name}; it is tried again when a file changes",
                f"无法导入 {bot.name}，修改文件后会重试",
            ),
        )
        _serve_wsgi(_refuse, listener, lambda: None)
        return
    watch, serve = (watch_asgi, _serve_asgi) if is_async else (watch_wsgi, _serve_wsgi)
    serve(watch(app, _warn_of_refusals(output, bot)), listener, lambda: _print_start(output, bot, found))


def refuse_pushes(_bot: DevBot, listener: socket.socket, _language: Language) -> None:
    """Answer 503 in the place of a bot that has ended; the arguments are those of `run_bot`."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _serve_wsgi(_refuse, listener, lambda: None)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _find(name: str) -> Any:
    """Return the application or the endpoint; a function that needs no arguments makes it."""
    module, _, path = name.partition(":")
    found = functools.reduce(getattr, path.split("."), importlib.import_module(module))
    return found() if inspect.isfunction(found) and _needs_nothing(found) else found


def _needs_nothing(function: Callable[..., Any]) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return all(each.default is not each.empty or each.kind is each.VAR_KEYWORD for each in parameters)


def _to_app(found: Any) -> tuple[Callable[..., Any], bool]:
    """Return the application, and whether it is ASGI."""
    match found:
        case PushEndpoint():
            return wsgi.push_app(found), False
        case AsyncPushEndpoint():
            return asgi.push_app(found), True
        case FlowHandler():
            name = type(found).__name__
            raise TypeError(f"a {name} needs an endpoint: PushEndpoint(settings, ...)（{name} 须放进 PushEndpoint）")
        case _ if not callable(found) or not any(takes_arguments(found, count) for count in _ARGUMENTS):
            raise TypeError(
                f"{_describe(found)} is neither a WSGI or ASGI application, nor an endpoint, nor a function that"
                " returns one（不是 WSGI、ASGI 应用或 endpoint，也不是返回它们的函数）"
            )
    call = found if inspect.isroutine(found) else type(found).__call__
    return found, inspect.iscoroutinefunction(call)


def _describe(found: object) -> str:
    if inspect.isroutine(found) or inspect.isclass(found):
        return f"{found.__name__}()"
    return f"the {type(found).__name__}"


def _print_traceback(error: BaseException) -> None:
    """Print an error as Python does, from the first frame of the application on."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename in _OWN_FILES:
        frames = frames.tb_next
    traceback.print_exception(error.with_traceback(frames))


def _refuse(_: Mapping[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    start_response("503 Service Unavailable", [("Content-Type", "text/plain; charset=utf-8")])
    return [b"the bot does not run; see the terminal"]


def _print_start(output: Output, bot: DevBot, found: Any) -> None:
    """Print that the bot is running, and a warning if it is an endpoint with another Token than the playground."""
    output.print_line("pass", Text(f"{bot.name} is running", f"{bot.name} 已启动"), bot.url)
    if isinstance(found, PushEndpoint | AsyncPushEndpoint) and not _has_same_token(found.settings):
        output.print_line("warn", Text(f"{bot.name} has another Token", f"{bot.name} 的 Token 不同"), bot.advice)


def _has_same_token(settings: PushSettings) -> bool:
    own = PushSettings.from_env()
    if settings.cloud_run or own.cloud_run:  # no Token is used
        return settings.cloud_run == own.cloud_run
    return not {*settings.tokens}.isdisjoint(own.tokens)


def _warn_of_refusals(output: Output, bot: DevBot) -> Callable[[], None]:
    """Return a function that prints, when it is first called, why the bot probably refuses pushes."""
    title = Text(
        f"{bot.name} refused a push (403); its Token or key may be another one",
        f"{bot.name} 拒绝了推送（403），Token 或密钥可能不一致",
    )
    return functools.cache(lambda: output.print_line("warn", title, bot.advice))


def _serve_wsgi(app: Callable[..., Any], listener: socket.socket, on_start: Callable[[], None]) -> None:
    server = ThreadingServer(listener.getsockname(), QuietHandler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.server_name, server.server_port = listener.getsockname()[:2]
    server.setup_environ()
    server.set_app(app)
    on_start()
    server.serve_forever(0.05)


class _StartingServer(uvicorn.Server):
    """A server that calls a function when the application has started."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application and the server."""
        await super().startup(sockets)
        self._on_start()


def _serve_asgi(app: Callable[..., Any], listener: socket.socket, on_start: Callable[[], None]) -> None:
    config = uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=1
    )
    _StartingServer(config, on_start).run(sockets=[listener])
