"""Stage: the bots and the fake API of the demo."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import attrs
from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.api import customer_service
from wechat_msg.cli.account_options import make_settings
from wechat_msg.cli.bot import PATH, EchoBot, listen
from wechat_msg.cli.logs import handle_logs
from wechat_msg.client import Client
from wechat_msg.endpoint import AnswerLater, KeepReply
from wechat_msg.endpoint.late import LatePolicy
from wechat_msg.messages import Message, UserMessage
from wechat_msg.replies import Reply
from wechat_msg.settings import PushSettings
from wechat_msg.testing.fake_api import FakeWeChatAPI

__all__ = ["Stage", "open_stage"]


@frozen
class Stage:
    """The bots and the fake API of the demo.

    Attributes:
        settings: The account's settings.
        bot: URL of a bot that accepts only sealed pushes.
        plain_bot: URL of a bot that also accepts plain pushes.
        late_bot: URL of a bot that sends late answers as customer-service messages.
        keeping_bot: URL of a bot that keeps late answers for the user's next message.
        api: The fake of WeChat's API.
        handled: A MsgId for each run of a handler.
    """

    settings: PushSettings = field(repr=False)
    bot: str
    plain_bot: str
    late_bot: str
    keeping_bot: str
    api: FakeWeChatAPI
    handled: list[str]


@contextlib.contextmanager
def open_stage() -> Iterator[Stage]:
    """Start the bots and the API."""
    settings, handled = make_settings(), list[str]()

    def report(message: Message, _: Reply) -> None:
        handled.append(message.msg_id if isinstance(message, UserMessage) else "")

    with contextlib.ExitStack() as opened:
        opened.enter_context(handle_logs(logging.NullHandler()))  # the demo prints forgeries itself
        api = opened.enter_context(FakeWeChatAPI())
        client = opened.enter_context(Client(api.appid, api.secret, hosts=[api.url]))

        def start(settings: PushSettings, late: LatePolicy | None = None) -> str:
            bot = opened.enter_context(EchoBot(settings, late=late, report=report))
            return opened.enter_context(listen(bot.app)) + PATH

        yield Stage(
            settings,
            bot=start(settings),
            plain_bot=start(attrs.evolve(settings, allow_plaintext=True)),
            late_bot=start(settings, AnswerLater(lambda message: client.call(customer_service.send_body(message)))),
            keeping_bot=start(settings, KeepReply("正在思考，回复任意文字查看答案 (Send any text)", after="first_try")),
            api=api,
            handled=handled,
        )
