"""``wechat-msg playground``: try a bot in the browser, on a page that looks like a WeChat chat."""

from __future__ import annotations

import contextlib
import threading
import webbrowser
from collections import ChainMap
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from wechat_msg.api import customer_service
from wechat_msg.cli.account_options import account_options, has_settings, listen_options, load_settings, make_settings
from wechat_msg.cli.bot import PATH, EchoBot, listen
from wechat_msg.cli.command import BilingualCommand, option
from wechat_msg.cli.language import Failure
from wechat_msg.cli.logs import LinesHandler, handle_logs
from wechat_msg.cli.output import Output
from wechat_msg.cli.url import check_url
from wechat_msg.client import Client
from wechat_msg.endpoint import AnswerLater, KeepReply
from wechat_msg.settings import MINI_PROGRAM, PushSettings
from wechat_msg.testing.bilingual import Text

if TYPE_CHECKING:
    from wechat_msg.playground import Playground

__all__ = ["import_playground", "playground", "playground_options", "print_address"]

Connect = Callable[["Playground"], None]


def playground_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options for the page: ``open_browser`` and ``unverified``."""
    open_option = option("--open", "open_browser", is_flag=True, about=Text("Open the browser.", "打开浏览器"))
    unverified_option = option(
        "--unverified",
        is_flag=True,
        about=Text(
            "The account is not verified: it has no customer-service messages (48001).",
            "未认证的公众号：没有客服消息权限（48001）",
        ),
    )
    return open_option(unverified_option(command))  # type: ignore[no-any-return]


@click.command(
    cls=BilingualCommand,
    about=Text(
        "Chat with your bot in the browser, as in WeChat; without a URL, with an echo bot.",
        "打开调试台，在浏览器里像用微信一样与机器人对话；不给网址则使用复读机器人",
    ),
    examples=[
        "wechat-msg playground",
        "wechat-msg playground http://127.0.0.1:8000/wechat --open",
        "wechat-msg playground http://127.0.0.1:8000/wechat --unverified",
    ],
)
@click.argument("url", required=False)
@listen_options(8765)
@playground_options
@account_options
@click.pass_obj
def playground(
    output: Output,
    *,
    url: str | None,
    host: str,
    port: int,
    open_browser: bool,
    unverified: bool,
    environ: ChainMap[str, str],
) -> int:
    """Serve the page until it is stopped."""
    playground_class = import_playground()
    settings = load_settings(environ) if url is not None or has_settings(environ) else make_settings(environ)

    with contextlib.ExitStack() as opened:
        opened.enter_context(handle_logs(LinesHandler(output)))
        address, connect = (check_url("URL", url), None) if url is not None else _start_bot(opened, settings)
        started = playground_class(settings, address, host=host, port=port, verified=not unverified)
        if connect:
            connect(started)
        print_address(output, started, open_browser=open_browser)
        started.run()
    return 0


def import_playground() -> type[Playground]:
    """Return the class of the playground.

    Raises:
        Failure: A package that it needs is not installed.
    """
    try:
        from wechat_msg.playground import Playground
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn"):
            raise
        how = "pip install starlette uvicorn"
        raise Failure(Text(f"needs starlette and uvicorn: {how}", f"需要 starlette 与 uvicorn：{how}")) from None
    return Playground


def print_address(output: Output, started: Playground, *, open_browser: bool) -> None:
    """Print the address of the page; open it in a browser if *open_browser*."""
    output.print_text(Text(f"Open {started.address} (Ctrl-C stops it)", f"请打开 {started.address} （按 Ctrl-C 结束）"))
    if open_browser:  # in a thread: a browser in the terminal would block the server
        threading.Thread(target=webbrowser.open, args=(started.address,), daemon=True).start()


def _start_bot(opened: contextlib.ExitStack, settings: PushSettings) -> tuple[str, Connect]:
    """Start the echo bot; it sends late answers to the playground, with which it is connected later."""
    clients: list[Client] = []
    is_mini_program = settings.account_kind == MINI_PROGRAM
    unsent = None if is_mini_program else KeepReply("正在思考，回复任意文字查看答案 (Send any text)")
    late = AnswerLater(lambda message: clients[0].call(customer_service.send_body(message)), unsent=unsent)
    bot = opened.enter_context(EchoBot(settings, late=late))
    address = opened.enter_context(listen(bot.app))

    def connect(started: Playground) -> None:
        api = started.api
        clients.append(opened.enter_context(Client(api.appid, api.secret, hosts=[started.base])))

    return address + PATH, connect
