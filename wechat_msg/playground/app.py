"""The playground's application: the page, its requests, and WeChat's API for the bot."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeGuard

from attrs import field
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from wechat_msg._tracebacks import define
from wechat_msg.errors import PushError, SettingsError
from wechat_msg.playground.access import BrowserSession, Gate, refuse_request
from wechat_msg.playground.calls import SENDS, put_menu, record_call
from wechat_msg.playground.chat import Chat
from wechat_msg.playground.conversation_file import (
    MAX_FILE_BYTES,
    InvalidConversationFile,
    export_conversation,
    import_conversation,
)
from wechat_msg.playground.copies import list_copies
from wechat_msg.playground.page_push import PagePush
from wechat_msg.playground.reading import Refusal, read_body, read_object
from wechat_msg.playground.sender import PushSender, list_modes
from wechat_msg.playground.talks import Talks
from wechat_msg.playground.users import Users
from wechat_msg.settings import MINI_PROGRAM, PushSettings
from wechat_msg.testing.bilingual import Text, label
from wechat_msg.testing.details import explain_error
from wechat_msg.testing.fake_api.fake import APPID, SECRET, FakeWeChatAPI
from wechat_msg.testing.fake_api.fake_account import Media
from wechat_msg.testing.fake_api.request import APIRequest
from wechat_msg.testing.fake_api.response import FakeResponse

__all__ = ["make_api", "make_app"]

_STATIC = Path(__file__).parent / "static"
_MAX_UPLOAD_BYTES = 10 << 20  # WeChat's limit for images and videos
_MAX_CALL_BYTES = 12 << 20
_MAX_REQUESTS = 1000
_PUSHES_AT_ONCE = 64
#: Seconds that a message of a busy bot takes, so that an answer which the bot wrote just before it is shown first.
_ANSWER_FIRST = 0.1
_MAX_DELAY = 10.0
_COUNT = re.compile(r"[1-9][0-9]?", re.ASCII)
_RANGE = re.compile(r"bytes=([0-9]{1,15})-([0-9]{1,15})?", re.ASCII)
_KINDS = ("image", "voice", "video")

_NO_FIELDS = Text(
    "A push must be a JSON object of wire names and values, with MsgType.",
    "推送须为 JSON 对象（字段名与值），并带有 MsgType。",
)
_NO_MEDIA = Text("Only image, audio and video files can be sent.", "只能发送图片、音频或视频文件。")
_NOT_FOUND = Text("Not found.", "没有找到。")
_GONE = Text(
    "This message is still being sent, or its requests are no longer stored.",
    "这条消息还在发送，或其报文已不再保留。",
)
_NO_DELAY = Text("The delay must be a number of seconds from 0 to 10.", "延迟须为 0 到 10 秒的数字。")
_BAD_FILE = Text("Not a conversation that the playground has exported", "不是调试台导出的会话文件")


def make_app(
    settings: PushSettings,
    url: str,
    *,
    api: FakeWeChatAPI | None = None,
    session: BrowserSession | None = None,
    openid: str = "oUSER",
    time_limit: float = 5.0,
    max_media_bytes: int = 256 << 20,
) -> Starlette:
    """Create the application, for any ASGI server with one process.

    Args:
        settings: The account's settings, the same as the bot's.
        url: Address of the bot.
        api: The fake of WeChat's API for the bot, at all paths that the playground does not use. If None, a new one.
        session: Address and key of the playground. If None, port 8765 of this machine and a new key.
        openid: The first user who writes.
        time_limit: Seconds that WeChat waits for an answer.
        max_media_bytes: How many bytes of uploaded files are kept; beyond that, the oldest are removed.

    Raises:
        SettingsError: *settings*, the URL or *openid* is invalid.
    """
    session = session or BrowserSession("http://127.0.0.1:8765")
    api = api or make_api(settings)
    api.url = api.url or session.base
    playground = _Playground(settings, url, api, openid, time_limit, max_media_bytes)
    app = Starlette(
        routes=playground.routes,
        middleware=[Middleware(Gate, session=session)],
        exception_handlers=dict.fromkeys((Refusal, 404, 405), _refuse),
        lifespan=playground.run,
    )
    app.state.close = playground.chat.close
    return app


def make_api(settings: PushSettings, secret: str = SECRET, *, verified: bool = True) -> FakeWeChatAPI:
    """Create the fake API for the account of the settings.

    Raises:
        SettingsError: *settings* are not PushSettings, or a Mini Program is not verified.
    """
    if not isinstance(settings, PushSettings):
        raise SettingsError("settings must be PushSettings")
    if not verified and settings.account_kind == MINI_PROGRAM:
        raise SettingsError(
            "only an Official Account can lack verification here", hint="只有公众号可以设为未认证", setting="verified"
        )
    return FakeWeChatAPI(settings.appid or APPID, secret, verified=verified)


@define(eq=False, repr=False, slots=False)
class _Playground:
    """The routes and their state."""

    settings: PushSettings
    url: str
    api: FakeWeChatAPI
    openid: str
    time_limit: float
    max_media_bytes: int
    chat: Chat = field(factory=Chat, init=False)

    def __attrs_post_init__(self) -> None:
        self._users, self._talks = Users(self.chat, self.api, self.openid), Talks(self.time_limit)
        self._sender = PushSender(
            self.url, self.settings, self.chat, self.api, self._users, self._talks, self.time_limit
        )
        self.routes = [
            Route("/", self._show_page),
            Route("/playground/events", self._stream_events),
            Route("/playground/pushes", self._push, methods=["POST"]),
            Route("/playground/replays", self._replay, methods=["POST"]),
            Route("/playground/copies/{entry:int}", self._show_copies),
            Route("/playground/users", self._add_user, methods=["POST"]),
            Route("/playground/conversation", self._export),
            Route("/playground/conversation", self._import, methods=["POST"]),
            Route("/playground/verification", self._verify, methods=["POST"]),
            Route("/playground/clearing", self._clear, methods=["POST"]),
            Route("/playground/account", self._change_account, methods=["POST"]),
            Route("/playground/wires/{entry:int}", self._show_wire),
            Route("/playground/media", self._upload, methods=["POST"]),
            Route("/playground/media/{media_id}", self._show_media),
            Mount("/playground/static", StaticFiles(directory=_STATIC)),
            Route("/playground/{path:path}", self._refuse_path),
            Route("/favicon.ico", self._refuse_path),
            Route("/{path:path}", self._call_api, methods=["GET", "POST"]),
        ]

    @contextlib.asynccontextmanager
    async def run(self, _app: Starlette) -> AsyncIterator[None]:
        """Start and stop together with the application."""
        pushes = ThreadPoolExecutor(_PUSHES_AT_ONCE, "playground")
        asyncio.get_running_loop().set_default_executor(pushes)
        self.chat.put(
            "about",
            kind="about",
            url=self.url,
            modes=list_modes(self.settings),
            account_kind=self.settings.account_kind.value,
            appid=self.api.appid,
            openid=self.openid,
            api=self.api.url,
            time_limit=self.time_limit,
        )
        self._put_account()
        put_menu(self.chat, self.api)
        self._users.put()
        self._sender.watch_bot()
        yield
        self.chat.close()
        await self._sender.close()

    # --- the page -----------------------------------------------------------------------------------------------------

    async def _show_page(self, _request: Request) -> Response:
        return FileResponse(_STATIC / "index.html")

    async def _refuse_path(self, _request: Request) -> Response:
        raise Refusal(404, _NOT_FOUND)

    async def _stream_events(self, request: Request) -> Response:
        known = request.headers.get("last-event-id") or request.query_params.get("known", "")
        known_change = int(known) if re.fullmatch(r"[0-9]{1,15}", known, re.ASCII) else 0

        async def write() -> AsyncIterator[str]:
            async for change, entries in self.chat.follow(known_change):
                yield f"id: {change}\ndata: {entries}\n\n"

        return StreamingResponse(write(), media_type="text/event-stream")

    async def _push(self, request: Request) -> Response:
        wanted = await read_object(request)
        fields = wanted.get("fields")
        if not isinstance(fields, dict) or not isinstance(fields.get("MsgType"), str) or not fields["MsgType"]:
            raise Refusal(400, _NO_FIELDS)
        try:
            openid = str(wanted.get("openid") or self.openid)
            entry = self._sender.send(fields, str(wanted.get("mode")), str(wanted.get("format")), openid)
        except PushError as error:
            raise Refusal(400, explain_error(error)) from None
        return JSONResponse({"id": entry}, 202)

    async def _replay(self, request: Request) -> Response:
        wanted = await read_object(request)
        number = wanted.get("number")
        if number is not None and not _is_count(number):
            raise Refusal(404, _GONE)
        message = self._find(wanted.get("entry"))
        if not message.is_push:
            raise Refusal(404, _GONE)
        try:
            entry = self._sender.send_again(message) if wanted.get("is_new") else self._sender.replay(message, number)
        except PushError as error:
            raise Refusal(400, explain_error(error)) from None
        if entry is None:
            raise Refusal(404, _GONE)
        return JSONResponse({"id": entry}, 202)

    async def _show_copies(self, request: Request) -> Response:
        number = request.query_params.get("number", "")
        message = self._find(request.path_params["entry"])
        return JSONResponse(list_copies(self.url, message, int(number) if _COUNT.fullmatch(number) else None))

    def _find(self, entry: object) -> PagePush:
        """Return the message of an entry."""
        message = self.chat.get_source(entry) if _is_count(entry) else None
        if not isinstance(message, PagePush):
            raise Refusal(404, _GONE)
        return message

    async def _add_user(self, request: Request) -> Response:
        try:
            self._users.add([(await read_object(request)).get("openid")])
        except PushError as error:
            raise Refusal(400, explain_error(error)) from None
        return JSONResponse({}, 201)

    async def _export(self, _request: Request) -> Response:
        headers = {"Content-Disposition": 'attachment; filename="conversation.json"'}
        return Response(export_conversation(self.chat), headers=headers, media_type="application/json")

    async def _import(self, request: Request) -> Response:
        body = await read_body(request, MAX_FILE_BYTES)
        try:
            imported = import_conversation(self.chat, self._users, body)
        except InvalidConversationFile as error:
            raise Refusal(400, label(_BAD_FILE, error.why)) from None
        except PushError as error:
            raise Refusal(400, explain_error(error)) from None
        return JSONResponse({"entries": imported}, 201)

    async def _verify(self, _request: Request) -> Response:
        return JSONResponse({"id": self._sender.verify()}, 202)

    async def _clear(self, _request: Request) -> Response:
        self.chat.clear()
        return JSONResponse({})

    async def _change_account(self, request: Request) -> Response:
        wanted = await read_object(request)
        delay = wanted.get("delay", self._sender.delay)
        if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay <= _MAX_DELAY:
            raise Refusal(400, _NO_DELAY)
        self._sender.delay = float(delay)
        self.api.verified = bool(wanted.get("is_verified", self.api.verified))
        self._put_account()
        return JSONResponse({})

    def _put_account(self) -> None:
        """Put into the conversation whether the account is verified, and how slow WeChat is."""
        self.chat.put("account", kind="account", is_verified=self.api.verified, delay=self._sender.delay)

    async def _show_wire(self, request: Request) -> Response:
        return Response(self.chat.get_wire(request.path_params["entry"]), media_type="application/json")

    # --- media --------------------------------------------------------------------------------------------------------

    async def _upload(self, request: Request) -> Response:
        kind, name = request.query_params.get("kind", ""), request.query_params.get("name") or "file"
        content_type = request.headers.get("content-type", "")
        if kind not in _KINDS or not _is_media(content_type):
            raise Refusal(415, _NO_MEDIA)
        content = await read_body(request, _MAX_UPLOAD_BYTES)
        media_id = self.api.new_id()
        self.api.media[media_id] = Media(kind, name[:100], content, content_type, self.api.now, is_permanent=False)
        self._forget_media()
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()  # as PicMd5Sum
        return JSONResponse({"media_id": media_id, "url": self.api.url_of(media_id), "md5": md5}, 201)

    def _forget_media(self) -> None:
        """Remove the oldest files beyond the limit."""
        kept = list(self.api.media.items())
        excess = sum(len(media.content) for _, media in kept) - self.max_media_bytes
        for media_id, media in kept:
            if excess <= 0:
                return
            self.api.media.pop(media_id, None)  # the bot may have deleted it
            excess -= len(media.content)

    async def _show_media(self, request: Request) -> Response:
        media = self.api.media.get(request.path_params["media_id"])
        if media is None or not media.content:
            raise Refusal(404, _NOT_FOUND)
        return _show(request, media)

    # --- WeChat's API -------------------------------------------------------------------------------------------------

    async def _call_api(self, request: Request) -> Response:
        called = APIRequest(
            request.method,
            request.url.path,
            dict(request.query_params),
            dict(request.headers),
            await read_body(request, _MAX_CALL_BYTES),
            request.client.host if request.client else "",
        )
        await asyncio.sleep(self._sender.delay)
        if called.path in SENDS and self._sender.is_busy:
            await asyncio.sleep(_ANSWER_FIRST)
        answer = await run_in_threadpool(self.api.handle, called)
        self._forget_media()
        if len(self.api.requests) > _MAX_REQUESTS:
            self.api.clear()
        if answer is None:
            return Response(status_code=503)
        record_call(self.chat, self.api, self._users, self._talks, called, answer)
        return _pass_on(answer)


# --- requests and answers ---------------------------------------------------------------------------------------------


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _refuse(request: Request, error: Exception) -> Response:
    """Return the response to a refused request, or to one without a route."""
    refusal = error if isinstance(error, Refusal) else Refusal(404, _NOT_FOUND)
    return refuse_request(request.headers, refusal.status, refusal.why)


def _is_media(content_type: str) -> bool:
    """Return whether a browser may show this type; an SVG may contain scripts."""
    kind, _, name = content_type.partition(";")[0].strip().lower().partition("/")
    return kind in ("image", "audio", "video") and not name.startswith("svg")


def _pass_on(answer: FakeResponse) -> Response:
    """Return the API's answer; a browser may show files of harmless types only."""
    is_harmless = answer.content_type.startswith("application/json") or _is_media(answer.content_type)
    headers = {**answer.headers, "Content-Type": answer.content_type if is_harmless else "application/octet-stream"}
    return Response(answer.body, answer.status, headers)


def _show(request: Request, media: Media) -> Response:
    """Return a file, or the part that a player requests."""
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'", "Accept-Ranges": "bytes"}
    if not _is_media(media.content_type):
        headers["Content-Disposition"] = "attachment"
        return Response(media.content, headers=headers, media_type="application/octet-stream")
    wanted, size = _RANGE.fullmatch(request.headers.get("range", "")), len(media.content)
    if wanted is None or int(wanted[1]) >= size:
        return Response(media.content, headers=headers, media_type=media.content_type)
    first, last = int(wanted[1]), min(int(wanted[2] or size - 1), size - 1)
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Response(media.content[first : last + 1], 206, headers, media.content_type)
