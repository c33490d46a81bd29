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

from wechat_msg._wsgi_server import QuietHandler, ThreadingServer
from wechat_msg.adapters import asgi, wsgi
from wechat_msg.cli import allow_any_text
from wechat_msg.cli.output import Output
from wechat_msg.endpoint import AsyncPushEndpoint, PushEndpoint
from wechat_msg.settings import PushSettings
from wechat_msg.testing.bilingual import Language, Text

__all__ = ["run_bot"]

#: The files of the frames between this module and the application.
_OWN_FILES = (__file__, importlib.__file__, "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")


def run_bot(name: str, listener: socket.socket, variables: Mapping[str, str], language: Language) -> None:
    """Serve an application; if it cannot be imported, print why, and answer 503.

    Args:
        name: The module and the name of the application or the endpoint in it, joined by a colon.
        listener: The socket of the server.
        variables: Environment variables that the application sees.
        language: The language of what is printed.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    allow_any_text()
    with contextlib.suppress(OSError):  # it was closed
        sys.stdin = open(0, closefd=False)  # noqa: SIM115, for breakpoint(); multiprocessing took it away
    os.environ.update(variables)
    sys.path.insert(0, "")
    output = Output(language)
    try:
        found = _find(name)
        app, is_async = _to_app(found)
    except (Exception, SystemExit) as error:  # noqa: BLE001, a module of the user's may raise anything
        _print_traceback(error)
        output.print_line(
            "fail",
            Text(f"cannot import {name}; it is tried again when a file changes", f"无法导入 {name}，修改文件后会重试"),
        )
        app, is_async = _refuse, False
    else:
        output.print_line("pass", Text(f"{name} is running", f"{name} 已启动"))
        _check_token(output, name, found)
    (_serve_asgi if is_async else _serve_wsgi)(app, listener)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _find(name: str) -> Any:
    module, _, path = name.partition(":")
    return functools.reduce(getattr, path.split("."), importlib.import_module(module))


def _to_app(found: Any) -> tuple[Callable[..., Any], bool]:
    """Return the application, and whether it is ASGI."""
    match found:
        case PushEndpoint():
            return wsgi.push_app(found), False
        case AsyncPushEndpoint():
            return asgi.push_app(found), True
        case _ if not callable(found):
            raise TypeError(f"a {type(found).__name__} is neither a WSGI or ASGI application nor an endpoint")
    call = found if inspect.isroutine(found) else type(found).__call__
    return found, inspect.iscoroutinefunction(call)


def _print_traceback(error: BaseException) -> None:
    """Print an error as Python does, from the first frame of the application on."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename in _OWN_FILES:
        frames = frames.tb_next
    traceback.print_exception(error.with_traceback(frames))


def _refuse(_: Mapping[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    start_response("503 Service Unavailable", [("Content-Type", "text/plain; charset=utf-8")])
    return [b"the bot cannot be imported; see the terminal"]


def _check_token(output: Output, name: str, found: Any) -> None:
    """Print a warning if an endpoint has another Token than the playground."""
    if not isinstance(found, PushEndpoint | AsyncPushEndpoint):
        return
    if set(found.settings.tokens).isdisjoint(PushSettings.from_env().tokens):
        output.print_line(
            "warn",
            Text(
                f"{name} does not use PushSettings.from_env(): set WECHAT_TOKEN to its Token, or it refuses all pushes",
                f"{name} 没有使用 PushSettings.from_env()：请把 WECHAT_TOKEN 设为它的 Token，否则会拒绝所有推送",
            ),
        )


def _serve_wsgi(app: Callable[..., Any], listener: socket.socket) -> None:
    server = ThreadingServer(listener.getsockname(), QuietHandler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.server_name, server.server_port = listener.getsockname()[:2]
    server.setup_environ()
    server.set_app(app)
    server.serve_forever(0.05)


def _serve_asgi(app: Callable[..., Any], listener: socket.socket) -> None:
    config = uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=1
    )
    uvicorn.Server(config).run(sockets=[listener])
