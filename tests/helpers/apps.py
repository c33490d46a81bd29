"""One application per adapter; all of them serve the same endpoints at the same paths.

``/plain``, ``/sealed`` and ``/cloud-run`` answer pushes, ``/mirror`` shows what the adapter made of the request, and
``/wechat/<appid>`` picks its endpoint by a function of the request. The others have something around them:
``/read-first/mirror`` and ``/read-after/plain`` a reader of the body, ``/consumed/plain`` one that leaves none of it,
``/guarded/plain`` a guard that wants a header, and ``/prefix/mirror`` a prefix. Where a framework limits the size of
bodies, it does so below `max_body`.
"""

from __future__ import annotations

import asyncio
import functools
import io
import json
import threading
from typing import Any
from wsgiref.util import shift_path_info

from attrs import asdict

from tests.helpers.hostile import CLOUD_RUN, PLAIN, SEALED
from wechat_msg import AsyncPushEndpoint, Message, PushEndpoint, PushRequest, PushResponse

_meeting = threading.Barrier(2)
_async_meeting = asyncio.Barrier(2)


def answer(message: Message) -> str | None:
    """Answer a text with its repr in ASCII, so that encoding the answer cannot hide a change."""
    content = getattr(message, "content", None)
    if content == "raise":
        raise RuntimeError("the handler failed")
    if content == "meet":
        _meeting.wait(5)  # until another handler waits here
    return content and ascii(content)


async def answer_async(message: Message) -> str | None:
    """Answer as `answer` does, but wait for the other handler without a thread."""
    if getattr(message, "content", None) == "meet":
        async with asyncio.timeout(5):
            await _async_meeting.wait()
        return "'meet'"
    return answer(message)


class Mirror(PushEndpoint):
    """An endpoint that answers with the request."""

    def handle(self, request: PushRequest) -> PushResponse:
        return _reflect(request)


class AsyncMirror(AsyncPushEndpoint):
    """An endpoint that answers with the request."""

    async def handle(self, request: PushRequest) -> PushResponse:
        return _reflect(request)


def _reflect(request: PushRequest) -> PushResponse:
    shown = {**asdict(request), "body": request.body.hex()}
    return PushResponse(203, json.dumps(shown).encode(), "application/x-mirror", {"X-Mirror": "yes"})


SYNC = {
    "plain": PushEndpoint(PLAIN, answer),
    "sealed": PushEndpoint(SEALED, answer),
    "cloud-run": PushEndpoint(CLOUD_RUN, answer),
    "mirror": Mirror(PLAIN),
}
ASYNC = {
    "plain": AsyncPushEndpoint(PLAIN, answer_async),
    "sealed": AsyncPushEndpoint(SEALED, answer_async),
    "cloud-run": AsyncPushEndpoint(CLOUD_RUN, answer_async),
    "mirror": AsyncMirror(PLAIN),
}


def _pick(endpoints: dict[str, Any], appid: str) -> Any:
    return {SEALED.appid: endpoints["sealed"]}.get(appid)


def _show_reading(body: bytes) -> None:
    print(f"{len(body)} bytes were read")


_LIMIT = 1_000_000


# --- WSGI and ASGI ---------------------------------------------------------------------------------------------------


def make_wsgi() -> Any:
    from wechat_msg.adapters.wsgi import push_app

    apps = {f"/{name}": push_app(endpoint) for name, endpoint in SYNC.items()}
    picking = push_app(lambda environ: _pick(SYNC, environ["PATH_INFO"].removeprefix("/wechat/")))

    def read_first(environ: dict[str, Any], start_response: Any) -> Any:
        body = environ["wsgi.input"].read()
        _show_reading(body)
        return apps["/mirror"]({**environ, "wsgi.input": io.BytesIO(body)}, start_response)

    def read_after(environ: dict[str, Any], start_response: Any) -> Any:
        kept = io.BytesIO(environ["wsgi.input"].read())
        answer = apps["/plain"]({**environ, "wsgi.input": kept}, start_response)
        _show_reading(kept.getvalue())
        return answer

    def consume(environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.input"].read()
        return apps["/plain"](environ, start_response)

    def guard(environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("HTTP_X_GUARD") == "open":
            return apps["/plain"](environ, start_response)
        start_response("401 Unauthorized", [("Content-Length", "0")])
        return []

    def shift(environ: dict[str, Any], start_response: Any) -> Any:
        shift_path_info(environ)
        return apps[environ["PATH_INFO"]](environ, start_response)

    around = {
        "/read-first/mirror": read_first,
        "/read-after/plain": read_after,
        "/consumed/plain": consume,
        "/guarded/plain": guard,
        "/prefix/mirror": shift,
    }
    served = {**apps, **around}
    return lambda environ, start_response: served.get(environ["PATH_INFO"], picking)(environ, start_response)


def make_asgi(endpoints: dict[str, Any]) -> Any:
    from wechat_msg.adapters.asgi import push_app

    apps = {f"/{name}": push_app(endpoint) for name, endpoint in endpoints.items()}
    picking = push_app(lambda scope: _pick(endpoints, scope["path"].removeprefix("/wechat/")))

    async def read_first(scope: Any, receive: Any, send: Any) -> None:
        body = await _read(receive)
        _show_reading(body)
        await apps["/mirror"](scope, _replay(body), send)

    async def read_after(scope: Any, receive: Any, send: Any) -> None:
        body = await _read(receive)
        await apps["/plain"](scope, _replay(body), send)
        _show_reading(body)

    async def consume(scope: Any, receive: Any, send: Any) -> None:
        await _read(receive)
        await apps["/plain"](scope, _replay(b""), send)

    async def guard(scope: Any, receive: Any, send: Any) -> None:
        if (b"x-guard", b"open") in scope["headers"]:
            await apps["/plain"](scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    async def shift(scope: Any, receive: Any, send: Any) -> None:
        await apps["/mirror"]({**scope, "root_path": "/prefix"}, receive, send)

    around = {
        "/read-first/mirror": read_first,
        "/read-after/plain": read_after,
        "/consumed/plain": consume,
        "/guarded/plain": guard,
        "/prefix/mirror": shift,
    }
    served = {**apps, **around}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await served.get(scope.get("path"), picking)(scope, receive, send)

    return app


async def _read(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        event = await receive()
        body, more = body + event["body"], event["more_body"]
    return body


def _replay(body: bytes) -> Any:
    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    return receive


# --- frameworks ------------------------------------------------------------------------------------------------------


def make_flask() -> Any:
    from flask import Blueprint, Flask, Response, abort, request

    from wechat_msg.adapters.flask import push_view

    app = Flask(__name__)  # none of the views needs a name
    app.config["MAX_CONTENT_LENGTH"] = _LIMIT
    for name, endpoint in SYNC.items():
        app.add_url_rule(f"/{name}", view_func=push_view(endpoint))
    app.add_url_rule("/wechat/<appid>", view_func=push_view(lambda request: _pick(SYNC, request.view_args["appid"])))
    app.add_url_rule("/read-first/mirror", view_func=push_view(SYNC["mirror"]))
    for around in ("read-after", "consumed", "guarded"):
        app.add_url_rule(f"/{around}/plain", view_func=push_view(SYNC["plain"]))
    blueprint = Blueprint("prefix", __name__, url_prefix="/prefix")
    blueprint.add_url_rule("/mirror", view_func=push_view(SYNC["mirror"]))
    app.register_blueprint(blueprint)

    @app.before_request
    def before() -> None:
        match request.path.split("/")[1]:
            case "read-first":
                _show_reading(request.get_data())
            case "consumed":
                request.stream.read()
            case "guarded" if request.headers.get("X-Guard") != "open":
                abort(401)

    @app.after_request
    def after(response: Response) -> Response:
        if request.path.startswith("/read-after/"):
            _show_reading(request.get_data())
        return response

    return app


def make_django(endpoints: dict[str, Any], kind: str) -> Any:
    from django.conf import settings
    from django.core.asgi import get_asgi_application
    from django.core.wsgi import get_wsgi_application
    from django.urls import include, path

    from wechat_msg.adapters.django import push_view

    settings.configure(
        SECRET_KEY="secret",
        ALLOWED_HOSTS=["*"],
        DATA_UPLOAD_MAX_MEMORY_SIZE=_LIMIT,
        MIDDLEWARE=[
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "tests.helpers.apps.django_middleware",
        ],
        ROOT_URLCONF=(
            *(path(name, push_view(endpoint)) for name, endpoint in endpoints.items()),
            path("wechat/<appid>", push_view(lambda request: _pick(endpoints, request.resolver_match.kwargs["appid"]))),
            path("read-first/mirror", push_view(endpoints["mirror"])),
            *(path(f"{name}/plain", push_view(endpoints["plain"])) for name in ("read-after", "consumed", "guarded")),
            path("prefix/", include([path("mirror", push_view(endpoints["mirror"]))])),
        ),
    )
    return {"wsgi": get_wsgi_application, "asgi": get_asgi_application}[kind]()


def django_middleware(get_response: Any) -> Any:
    from django.http import HttpResponse

    def handle(request: Any) -> Any:
        around = request.path.split("/")[1]
        match around:
            case "read-first":
                _show_reading(request.body)
            case "consumed":
                request.read()
            case "guarded" if request.headers.get("X-Guard") != "open":
                return HttpResponse(status=401)
        response = get_response(request)
        if around == "read-after":
            _show_reading(request.body)
        return response

    return handle


def make_fastapi(endpoints: dict[str, Any]) -> Any:
    from fastapi import APIRouter, Depends, FastAPI

    from tests.helpers.fastapi_dependencies import consume, guard, read_after
    from wechat_msg.adapters.fastapi import push_router

    app = FastAPI()
    for name, endpoint in endpoints.items():
        app.include_router(push_router(endpoint, f"/{name}"))
    picking = push_router(lambda request: _pick(endpoints, request.path_params["appid"]), "/wechat/{appid}")
    app.include_router(picking)

    for path, dependency in (("/read-after", read_after), ("/consumed", consume), ("/guarded", guard)):
        app.include_router(push_router(endpoints["plain"], "/plain"), prefix=path, dependencies=[Depends(dependency)])
    nested = APIRouter()
    nested.include_router(push_router(endpoints["mirror"], "/mirror"))
    app.include_router(nested, prefix="/prefix")

    reading = FastAPI()
    reading.include_router(push_router(endpoints["mirror"], "/mirror"))
    app.mount("/read-first", reading)

    @reading.middleware("http")
    async def read_first(request: Any, call_next: Any) -> Any:
        _show_reading(await request.body())
        return await call_next(request)

    return app


def make_fastapi_guards() -> Any:
    """Guard ``/plain`` of an application, of a router and of a router in it; all within an application of Starlette."""
    from fastapi import APIRouter, Depends, FastAPI
    from starlette.applications import Starlette
    from starlette.routing import Mount

    from tests.helpers.fastapi_dependencies import guard
    from wechat_msg.adapters.fastapi import push_router

    def make_router() -> Any:
        return push_router(SYNC["plain"], "/plain")

    guarded = FastAPI(dependencies=[Depends(guard)])
    guarded.include_router(make_router())
    router = APIRouter(dependencies=[Depends(guard)])
    router.include_router(make_router())
    outer, inner = APIRouter(), APIRouter()
    inner.include_router(make_router(), prefix="/inner", dependencies=[Depends(guard)])
    outer.include_router(inner)

    app = FastAPI()
    app.mount("/app", guarded)
    app.include_router(router, prefix="/router")
    app.include_router(outer, prefix="/outer")
    return Starlette(routes=[*make_router().routes, Mount("/fastapi", app)])


make_asgi_sync = functools.partial(make_asgi, SYNC)
make_asgi_async = functools.partial(make_asgi, ASYNC)
make_django_wsgi = functools.partial(make_django, SYNC, "wsgi")
make_django_asgi_sync = functools.partial(make_django, SYNC, "asgi")
make_django_asgi_async = functools.partial(make_django, ASYNC, "asgi")
make_fastapi_sync = functools.partial(make_fastapi, SYNC)
make_fastapi_async = functools.partial(make_fastapi, ASYNC)
