"""Who plays in the demo: bots, and WeChat's API."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

import attrs
from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.api import customer_service
from wechat_msg.cli.bot import PATH, EchoBot, listen
from wechat_msg.cli.logs import handle_logs
from wechat_msg.cli.settings import make_settings
from wechat_msg.client import Client
from wechat_msg.messages import Message, UserMessage
from wechat_msg.replies import Reply
from wechat_msg.settings import PushSettings
from wechat_msg.testing.fake_api import FakeWeChatAPI

__all__ = ["Stage", "open_stage"]


@frozen
class Stage:
    """Who plays.

    Attributes:
        settings: The account's settings.
        bot: URL of a bot that takes sealed pushes only.
        plain_bot: URL of one that also takes plain ones.
        late_bot: URL of one whose late answers go out as customer-service messages.
        api: Plays WeChat's API.
        handled: MsgIds, once for each time that a handler ran.
    """

    settings: PushSettings = field(repr=False)
    bot: str
    plain_bot: str
    late_bot: str
    api: FakeWeChatAPI
    handled: list[str]


@contextlib.contextmanager
def open_stage() -> Iterator[Stage]:
    """Start everybody who plays."""
    settings, handled = make_settings(), list[str]()

    def report(message: Message, _: Reply) -> None:
        handled.append(message.msg_id if isinstance(message, UserMessage) else "")

    with contextlib.ExitStack() as opened:
        opened.enter_context(handle_logs(logging.NullHandler()))  # forgeries have lines of their own
        api = opened.enter_context(FakeWeChatAPI())
        client = opened.enter_context(Client(api.appid, api.secret, hosts=[api.url]))

        def start(settings: PushSettings, send: Callable[[dict[str, Any]], object] | None = None) -> str:
            bot = opened.enter_context(EchoBot(settings, send=send, report=report))
            return opened.enter_context(listen(bot.app)) + PATH

        yield Stage(
            settings,
            bot=start(settings),
            plain_bot=start(attrs.evolve(settings, allow_plaintext=True)),
            late_bot=start(settings, lambda message: client.call(customer_service.send_body(message))),
            api=api,
            handled=handled,
        )
