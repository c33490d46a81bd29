"""``wechat-msg dev``: run a bot with the playground, and start it again when a file changes."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import threading
from collections import ChainMap
from collections.abc import Iterator
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from pathlib import Path

import click

from wechat_msg.cli.account_options import (
    account_options,
    has_settings,
    listen_options,
    load_settings,
    make_and_show_settings,
    name_sources,
    to_variables,
)
from wechat_msg.cli.application import split_name
from wechat_msg.cli.bot import refuse_address
from wechat_msg.cli.command import BilingualCommand, option
from wechat_msg.cli.dev_bot import DevBot
from wechat_msg.cli.logs import LinesHandler, handle_logs
from wechat_msg.cli.output import Output
from wechat_msg.cli.playground import import_playground, playground_options, print_address
from wechat_msg.testing.bilingual import Text

__all__ = ["dev", "read_times"]

_INTERVAL = 0.4  # seconds between two looks at the files
_PATIENCE = 3.0  # seconds that a bot has to end
_IGNORED = ("node_modules", "__pycache__")


@click.command(
    cls=BilingualCommand,
    about=Text(
        "Run your bot with the playground, and start it again whenever a .py file below this folder changes.\n"
        "The bot finds the settings, and the address of the API that the playground plays, in WECHAT_* variables.",
        "启动你的机器人与调试台，当前目录下的 .py 文件一改动就自动重启机器人\n"
        "配置与调试台模拟的微信接口地址通过 WECHAT_* 环境变量传给机器人",
    ),
    examples=["wechat-msg dev app:app --open", "wechat-msg dev app:endpoint"],
)
@click.argument("name", metavar="MODULE:APP")
@option(
    "--path",
    default="/wechat",
    metavar="PATH",
    about=Text("Path of the bot; default: /wechat.", "机器人的路径；默认 /wechat"),
)
@option(
    "--bot-port",
    type=click.IntRange(0, 65535),
    metavar="NUMBER",
    about=Text(
        "Port of the bot; default: the one after --port, 0: a free one.",
        "机器人的端口；默认为 --port 加一，0 表示自动选择",
    ),
)
@listen_options(8765)
@playground_options
@account_options
@click.pass_obj
def dev(
    output: Output,
    *,
    name: str,
    path: str,
    bot_port: int | None,
    host: str,
    port: int,
    open_browser: bool,
    unverified: bool,
    environ: ChainMap[str, str],
) -> int:
    """Serve the page and the bot until they are stopped."""
    split_name(name, "MODULE:APP")
    playground_class = import_playground()
    has_own = has_settings(environ)
    settings = load_settings(environ) if has_own else make_and_show_settings(output, environ)
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as opened:
        opened.enter_context(handle_logs(LinesHandler(output)))
        listener = opened.enter_context(_listen(_find_port(port) if bot_port is None else bot_port))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/{path.removeprefix('/')}"
        playground = playground_class(settings, url, host=host, port=port, verified=not unverified)
        variables = {
            **environ.maps[0],  # the options
            **({} if has_own else to_variables(settings)),
            "WECHAT_APPID": playground.api.appid,
            "WECHAT_SECRET": playground.api.secret,
            "WECHAT_API_HOSTS": playground.base,
        }
        print_address(output, playground, open_browser=open_browser)
        bot = _BotProcess(output, listener, DevBot(name, url, variables, _advise(name, environ, has_own=has_own)))
        opened.enter_context(bot.running())
        playground.run()
    return 0


def _find_port(port: int) -> int:
    """Return the port after *port*; 0, for a free one, if there is none or *port* is such a one."""
    return (port + 1) % (1 << 16) if port else 0


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=128)
    except OSError as error:
        raise refuse_address("127.0.0.1", port, error) from None


def _advise(name: str, environ: ChainMap[str, str], *, has_own: bool) -> Text:
    sources = name_sources(environ)
    used = Text(", ".join(sources), "、".join(sources)) if has_own else Text("new settings", "新生成的配置")
    return Text(
        f"dev uses {used.en}; let {name} use PushSettings.from_env(), or give dev the same settings as {name}:"
        " WECHAT_TOKEN, WECHAT_ENCODING_AES_KEY and WECHAT_APPID in .env, or --token, --aes-key and --appid"
        " (for a bot of Cloud Run WECHAT_CLOUD_RUN=1 and WECHAT_APPID);"
        " then start dev again",
        f"dev 使用{used.zh}；请让 {name} 使用 PushSettings.from_env()，或让 dev 使用与 {name} 相同的配置："
        "在 .env 中设置 WECHAT_TOKEN、WECHAT_ENCODING_AES_KEY、WECHAT_APPID，或用 --token、--aes-key、--appid"
        "（云托管的机器人：WECHAT_CLOUD_RUN=1 与 WECHAT_APPID），"
        "然后重新启动 dev",
    )


class _BotProcess:
    """The bot in a process of its own, which another one replaces when a file changes."""

    def __init__(self, output: Output, listener: socket.socket, bot: DevBot) -> None:
        self._output = output
        self._arguments = (bot, listener, output.language)
        self._ending = threading.Event()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Let the bot run during the block."""
        thread = threading.Thread(target=self._watch, name="bot", daemon=True)
        try:
            thread.start()
            yield
        finally:
            self._ending.set()
            if thread.is_alive():  # not if Ctrl-C came while it was started
                thread.join()

    def _watch(self) -> None:
        if hasattr(signal, "pthread_sigmask"):  # not on Windows; bots inherit it, as only this process ends them
            resource_tracker.ensure_running()  # its start unblocks the signal
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        folder = Path()
        times, process, has_ended = read_times(folder), self._start(), False
        while not self._ending.wait(_INTERVAL):
            if (now := read_times(folder)) != times:
                _end(process)
                self._print_changed(sorted({path for path, _ in times.items() ^ now.items()}))
                times, process, has_ended = now, self._start(), False
            elif process.exitcode is not None and not has_ended:
                has_ended = True
                if not self._ending.wait(_INTERVAL):  # the signal that ended the bot may end this process, too
                    self._print_end(process.exitcode)
                    process = self._start(has_ended=True)
        _end(process)

    def _start(self, *, has_ended: bool = False) -> BaseProcess:
        """Start the bot, or what answers 503 in its place after it has ended."""
        from wechat_msg.cli.bot_process import refuse_pushes, run_bot

        target = refuse_pushes if has_ended else run_bot
        process = multiprocessing.get_context("spawn").Process(target=target, args=self._arguments, daemon=True)
        process.start()
        return process

    def _print_changed(self, paths: list[str]) -> None:
        more = f" +{len(paths) - 1}" if len(paths) > 1 else ""
        self._output.print_line("skip", Text("changed", "已改动"), f"{paths[0]}{more}")

    def _print_end(self, status: int) -> None:
        if status < 0:
            cause = signal.Signals(-status).name
            text = Text(f"the bot was ended by the signal {cause}", f"机器人被信号 {cause} 结束")
        else:
            text = Text(f"the bot has ended with status {status}", f"机器人已退出（状态 {status}）")
        self._output.print_line(
            "fail", Text(f"{text.en}; it is started again when a file changes", f"{text.zh}，修改文件后会重新启动")
        )


def _end(process: BaseProcess) -> None:
    process.terminate()
    process.join(_PATIENCE)
    if process.exitcode is None:
        process.kill()
        process.join()


def read_times(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the times of change and the sizes of all ``.py`` files below a folder; not of hidden or virtual ones."""
    found = {}
    for root, folders, files in os.walk(folder):
        folders[:] = [
            each
            for each in folders
            if not each.startswith(".") and each not in _IGNORED and not Path(root, each, "pyvenv.cfg").exists()
        ]
        for path in (Path(root, each) for each in files if each.endswith(".py")):
            with contextlib.suppress(OSError):  # it may have been deleted in the meantime
                status = path.stat()
                found[str(path.relative_to(folder))] = (status.st_mtime_ns, status.st_size)
    return found
