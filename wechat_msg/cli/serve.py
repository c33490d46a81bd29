"""``wechat-msg serve``: run the echo bot, to try the other commands."""

from __future__ import annotations

import contextlib
import threading
from collections import ChainMap
from collections.abc import Iterator, Mapping

import click

from wechat_msg.api import customer_service
from wechat_msg.cli.account_options import (
    account_options,
    has_settings,
    listen_options,
    load_settings,
    make_and_show_settings,
)
from wechat_msg.cli.bot import PATH, EchoBot, Report, Send, listen
from wechat_msg.cli.client_options import api_option
from wechat_msg.cli.command import BilingualCommand, option
from wechat_msg.cli.logs import LinesHandler, handle_logs
from wechat_msg.cli.output import Output
from wechat_msg.cli.url import check_url
from wechat_msg.client import DEFAULT_HOSTS, Client
from wechat_msg.endpoint import AnswerLater
from wechat_msg.messages import Message, TextMessage
from wechat_msg.replies import Reply, TextReply
from wechat_msg.settings import PushSettings
from wechat_msg.testing.bilingual import Text
from wechat_msg.testing.fake_api.fake import APPID, SECRET

__all__ = ["serve"]


@click.command(
    cls=BilingualCommand,
    about=Text(
        "Run an echo bot. Send it a number N, and it answers after N seconds; send help for more.\n"
        "With WECHAT_SECRET or --api it sends late answers as customer-service messages.",
        "运行一个复读机器人：发送数字 N，N 秒后回复；发送 help 查看说明\n"
        "设置 WECHAT_SECRET 或 --api 后，超时的回复改用客服消息发送",
    ),
)
@listen_options(8000)
@api_option
@option("--verbose", "-v", is_flag=True, about=Text("Show what users write.", "显示用户发送的内容"))
@account_options
@click.pass_obj
def serve(output: Output, *, host: str, port: int, api: str | None, verbose: bool, environ: ChainMap[str, str]) -> int:
    """Run the bot until it is stopped."""
    settings = load_settings(environ) if has_settings(environ) else make_and_show_settings(output, environ)
    with contextlib.ExitStack() as opened:
        opened.enter_context(handle_logs(LinesHandler(output)))
        send = opened.enter_context(_open_sender(settings, environ, api))
        late = AnswerLater(send) if send else None
        bot = opened.enter_context(EchoBot(settings, late=late, report=_make_reporter(output, verbose=verbose)))
        url = opened.enter_context(listen(bot.app, host, port))
        with contextlib.suppress(KeyboardInterrupt):
            output.print_text(
                Text(f"Listening on {url}{PATH}; Ctrl-C stops it.", f"正在监听 {url}{PATH} ，按 Ctrl-C 结束")
            )
            threading.Event().wait()
    return 0


def _make_reporter(output: Output, *, verbose: bool) -> Report:
    """Return a function that prints the classes of each message and its reply, and their texts if *verbose*."""

    def report(message: Message, reply: Reply) -> None:
        said, answered = "", ""
        if verbose:
            said = f" {message.content!r}" if isinstance(message, TextMessage) else ""
            answered = f" {reply.content!r}" if isinstance(reply, TextReply) else ""
        output.print_line("pass", f"{type(message).__name__}{said}", f"→ {type(reply).__name__}{answered}")

    return report


@contextlib.contextmanager
def _open_sender(settings: PushSettings, environ: Mapping[str, str], api: str | None) -> Iterator[Send | None]:
    secret = environ.get("WECHAT_SECRET", "").strip()
    if not secret and not api:
        yield None
        return
    hosts = [check_url("--api", api, sample="http://127.0.0.1:8765")] if api else DEFAULT_HOSTS
    # The playground's AppSecret is public.
    with Client(settings.appid or APPID, secret or SECRET, hosts=hosts) as client:
        yield lambda message: client.call(customer_service.send_body(message))
