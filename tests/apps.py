"""One application per adapter; all of them serve the same endpoints at the same paths.

``/plain`` and ``/sealed`` answer pushes, ``/mirror`` shows what the adapter made of the request, ``/read-first/mirror``
does so after a middleware has read the body, and ``/wechat/<appid>`` picks its endpoint by a function of the request.
"""

from __future__ import annotations

import asyncio
import functools
import io
import json
import threading
from typing import Any

from attrs import asdict

from tests.hostile import PLAIN, SEALED
from wechat_msg import AsyncPushEndpoint, Message, PushEndpoint, PushRequest, PushResponse

_meeting = threading.Barrier(2)
_async_meeting = asyncio.Barrier(2)


def answer(message: Message) -> str | None:
    """Answer a text with what arrived, in ASCII, so that nothing that happens to the answer can hide a change."""
    content = getattr(message, "content", None)
    if content == "raise":
        raise RuntimeError("the handler failed")
    if content == "meet":
        _meeting.wait(5)  # until another handler is here, too
    return content and ascii(content)


async def answer_async(message: Message) -> str | None:
    """Do the same, but meet without a thread."""
    if getattr(message, "content", None) == "meet":
        async with asyncio.timeout(5):
            await _async_meeting.wait()
        return "'meet'"
    return answer(message)


class Mirror(PushEndpoint):
    """Answers with what it is asked."""

    def handle(self, request: PushRequest) -> PushResponse:
        return _reflect(request)


class AsyncMirror(AsyncPushEndpoint):
    """Answers with what it is asked."""

    async def handle(self, request: PushRequest) -> PushResponse:
        return _reflect(request)


def _reflect(request: PushRequest) -> PushResponse:
    shown = {**asdict(request), "body": request.body.hex()}
    return PushResponse(203, json.dumps(shown).encode(), "application/x-mirror", {"X-Mirror": "yes"})


SYNC = {"plain": PushEndpoint(PLAIN, answer), "sealed": PushEndpoint(SEALED, answer), "mirror": Mirror(PLAIN)}
ASYNC = {
    "plain": AsyncPushEndpoint(PLAIN, answer_async),
    "sealed": AsyncPushEndpoint(SEALED, answer_async),
    "mirror": AsyncMirror(PLAIN),
}


def _pick(endpoints: dict[str, Any], appid: str) -> Any:
    return {SEALED.appid: endpoints["sealed"]}.get(appid)


def _show_reading(body: bytes) -> None:
    print(f"the middleware has read {len(body)} bytes")


# --- WSGI and ASGI ---------------------------------------------------------------------------------------------------


def make_wsgi() -> Any:
    from wechat_msg.adapters.wsgi import push_app

    apps = {f"/{name}": push_app(endpoint) for name, endpoint in SYNC.items()}
    picking = push_app(lambda environ: _pick(SYNC, environ["PATH_INFO"].removeprefix("/wechat/")))

    def reading(environ: dict[str, Any], start_response: Any) -> Any:
        body = environ["wsgi.input"].read()
        _show_reading(body)
        return apps["/mirror"]({**environ, "wsgi.input": io.BytesIO(body)}, start_response)

    apps["/read-first/mirror"] = reading
    return lambda environ, start_response: apps.get(environ["PATH_INFO"], picking)(environ, start_response)


def make_asgi(endpoints: dict[str, Any]) -> Any:
    from wechat_msg.adapters.asgi import push_app

    apps = {f"/{name}": push_app(endpoint) for name, endpoint in endpoints.items()}
    picking = push_app(lambda scope: _pick(endpoints, scope["path"].removeprefix("/wechat/")))

    async def reading(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event["body"], event["more_body"]
        _show_reading(body)

        async def replay() -> Any:
            return {"type": "http.request", "body": body}

        await apps["/mirror"](scope, replay, send)

    apps["/read-first/mirror"] = reading

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await apps.get(scope.get("path"), picking)(scope, receive, send)

    return app


# --- frameworks ------------------------------------------------------------------------------------------------------


def make_flask() -> Any:
    from flask import Flask, request

    from wechat_msg.adapters.flask import push_view

    app = Flask(__name__)  # none of the views needs a name
    for name, endpoint in SYNC.items():
        app.add_url_rule(f"/{name}", view_func=push_view(endpoint))
    app.add_url_rule("/wechat/<appid>", view_func=push_view(lambda request: _pick(SYNC, request.view_args["appid"])))
    app.add_url_rule("/read-first/mirror", view_func=push_view(SYNC["mirror"]))

    @app.before_request
    def read_first() -> None:
        if request.path.startswith("/read-first/"):
            _show_reading(request.get_data())

    return app


def make_django(endpoints: dict[str, Any], kind: str) -> Any:
    from django.conf import settings
    from django.core.asgi import get_asgi_application
    from django.core.wsgi import get_wsgi_application
    from django.urls import path

    from wechat_msg.adapters.django import push_view

    settings.configure(
        SECRET_KEY="secret",
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=[
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "tests.apps.read_first_in_django",
        ],
        ROOT_URLCONF=(
            *(path(name, push_view(endpoint)) for name, endpoint in endpoints.items()),
            path("wechat/<appid>", push_view(lambda request: _pick(endpoints, request.resolver_match.kwargs["appid"]))),
            path("read-first/mirror", push_view(endpoints["mirror"])),
        ),
    )
    return {"wsgi": get_wsgi_application, "asgi": get_asgi_application}[kind]()


def read_first_in_django(get_response: Any) -> Any:
    def read_first(request: Any) -> Any:
        if request.path.startswith("/read-first/"):
            _show_reading(request.body)
        return get_response(request)

    return read_first


def make_fastapi(endpoints: dict[str, Any]) -> Any:
    from fastapi import FastAPI

    from wechat_msg.adapters.fastapi import push_router

    app = FastAPI()
    for name, endpoint in endpoints.items():
        app.include_router(push_router(endpoint, f"/{name}"))
    picking = push_router(lambda request: _pick(endpoints, request.path_params["appid"]), "/wechat/{appid}")
    app.include_router(picking)

    reading = FastAPI()
    reading.include_router(push_router(endpoints["mirror"], "/mirror"))
    app.mount("/read-first", reading)

    @reading.middleware("http")
    async def read_first(request: Any, call_next: Any) -> Any:
        _show_reading(await request.body())
        return await call_next(request)

    return app


make_asgi_sync = functools.partial(make_asgi, SYNC)
make_asgi_async = functools.partial(make_asgi, ASYNC)
make_django_wsgi = functools.partial(make_django, SYNC, "wsgi")
make_django_asgi_sync = functools.partial(make_django, SYNC, "asgi")
make_django_asgi_async = functools.partial(make_django, ASYNC, "asgi")
make_fastapi_sync = functools.partial(make_fastapi, SYNC)
make_fastapi_async = functools.partial(make_fastapi, ASYNC)
