"""The echo bot of ``serve``, ``demo`` and ``playground``; sent a number, it answers after that many seconds."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self
from wsgiref.simple_server import make_server

from wechat_msg._wsgi_server import QuietHandler, ThreadingServer
from wechat_msg.adapters.wsgi import push_app
from wechat_msg.answering import list_replies, may_reply, to_reply
from wechat_msg.cli.language import Failure
from wechat_msg.endpoint import AnswerLater, PushEndpoint
from wechat_msg.endpoint.late import LatePolicy
from wechat_msg.events.menu import ClickEvent
from wechat_msg.events.relation import SubscribeEvent
from wechat_msg.messages import ImageMessage, Message, TextMessage, VoiceMessage
from wechat_msg.replies import ImageReply, Reply, VoiceReply
from wechat_msg.routing import Router
from wechat_msg.settings import PushSettings
from wechat_msg.testing.bilingual import Text
from wechat_msg.testing.details import explain_os_error
from wechat_msg.testing.simulator.in_process import WSGIApp

__all__ = ["PATH", "EchoBot", "Report", "Send", "listen", "refuse_address"]

PATH = "/wechat"

Send = Callable[[dict[str, Any]], object]
Report = Callable[[Message, Reply], object]

_SECONDS = re.compile(r"(\d{1,2}(?:\.\d)?)\.?", re.ASCII)
_HELP = "发什么回什么；发数字 N，N 秒后回复。 I echo; to N I answer after N seconds."
_WELCOME = "欢迎关注！发送 help 看看我会什么。 Welcome! Send help."


class EchoBot:
    """An echo bot for one account; close it, or use it in a ``with`` block.

    Args:
        settings: The account's settings.
        late: What happens to late answers. If None, they wait for WeChat's next try.
        report: Called with each message and its reply.

    Example:
        >>> from wechat_msg.testing import PushSimulator
        >>> settings = PushSettings(token="spamtest")
        >>> with EchoBot(settings) as bot, PushSimulator("/wechat", settings, wsgi=bot.app) as wechat:
        ...     wechat.push_text("hi").text
        'hi'
    """

    def __init__(
        self, settings: PushSettings, *, late: LatePolicy | None = None, report: Report = lambda _message, _reply: None
    ) -> None:
        self._sends = isinstance(late, AnswerLater)
        self._account_kind = settings.account_kind
        self._report = report
        self._closing = threading.Event()
        self._router = self._make_router()
        self._executor = ThreadPoolExecutor(32, thread_name_prefix="bot")
        endpoint = PushEndpoint(settings, self._handle, late=late, executor=self._executor)
        self.app: WSGIApp = push_app(lambda environ: endpoint if environ.get("PATH_INFO") == PATH else None)

    def close(self) -> None:
        """Stop the bot and its waiting handlers."""
        self._closing.set()
        self._executor.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _handle(self, message: Message) -> Reply:
        (reply,) = list_replies(message, self._router(message))
        if not self._sends and not may_reply(self._account_kind, reply):
            reply = to_reply(message, None)
        self._report(message, reply)
        return reply

    def _make_router(self) -> Router:
        router = Router()

        @router.on(TextMessage, content="help")
        @router.on(ClickEvent, event_key="HELP")
        def answer_help(_: Message) -> str:
            return _HELP

        @router.on(TextMessage, lambda message: _SECONDS.fullmatch(message.content))
        def answer_slowly(message: TextMessage) -> str:
            seconds = message.content.rstrip(".")
            self._closing.wait(float(seconds))  # in place of a database, a language model ...
            return f"{seconds} 秒后的回复 ({seconds} seconds later)"

        @router.on(TextMessage)
        def answer_text(message: TextMessage) -> str:
            return message.content

        @router.on(ImageMessage)
        def answer_image(message: ImageMessage) -> ImageReply:
            return ImageReply(media_id=message.media_id)

        @router.on(VoiceMessage)
        def answer_voice(message: VoiceMessage) -> VoiceReply:
            return VoiceReply(media_id=message.media_id)

        @router.on(SubscribeEvent)
        def answer_subscribe(_: SubscribeEvent) -> str:
            return _WELCOME

        return router


@contextlib.contextmanager
def listen(app: WSGIApp, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve *app* in a thread; yield the server's address.

    Raises:
        Failure: The address is not available.
    """
    try:
        server = make_server(host, port, app, ThreadingServer, QuietHandler)
    except (OSError, OverflowError, TypeError, UnicodeError) as error:  # UnicodeError: not a DNS name
        raise refuse_address(host, port, error) from None
    with server:
        threading.Thread(target=server.serve_forever, args=(0.05,), name="server", daemon=True).start()
        try:
            yield f"http://{host}:{server.server_port}"
        finally:
            server.shutdown()


def refuse_address(host: str, port: int, error: Exception) -> Failure:
    """Return the error for an address on which a server cannot listen."""
    why = explain_os_error(error)
    return Failure(Text(f"cannot listen on {host}:{port}: {why.en}", f"无法监听 {host}:{port}：{why.zh}"))
