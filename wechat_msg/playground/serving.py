"""Playground and run_playground: serve the playground until it is stopped."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterable

import uvicorn
from attrs import field

from wechat_msg._tracebacks import define
from wechat_msg._validators import Validators, is_whole_number
from wechat_msg.errors import SettingsError
from wechat_msg.playground.access import BrowserSession
from wechat_msg.playground.app import make_api, make_app
from wechat_msg.settings import PushSettings
from wechat_msg.testing.details import explain_os_error
from wechat_msg.testing.fake_api.fake import SECRET, FakeWeChatAPI

__all__ = ["Playground", "run_playground"]

_EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104, only compared

_check = Validators(SettingsError)
_is_host = _check.instance_of(str, what="this machine's name or address（应为本机的主机名或地址）")
_is_port = _check(is_whole_number(0, 65535), "a number from 0 to 65535（应为 0 到 65535 的整数）")


class _Server(uvicorn.Server):
    """A server that closes the event streams before it waits for open connections."""

    def __init__(self, config: uvicorn.Config, close_streams: Callable[[], None]) -> None:
        super().__init__(config)
        self._close_streams = close_streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the event streams, then shut down."""
        self._close_streams()
        await super().shutdown(sockets)


@define(eq=False, repr=False, slots=False)
class Playground:
    """A playground that listens as soon as it is created, and serves while `run` runs.

    Args:
        settings: The account's settings, the same as the bot's.
        url: Address of the bot.
        host: Where the playground listens; anyone who reaches it and knows `address` can use it.
        port: The port; 0 for a free one.
        allowed_hosts: Further host names that may reach it.
        secret: The AppSecret with which the bot calls the API here.
        time_limit: Seconds that WeChat waits for an answer.
        verified: Whether the account is verified (微信认证). If not, the API refuses customer-service messages with
            48001. The page can change it.

    Attributes:
        base: The address where it listens; a bot sends customer-service messages with ``Client(hosts=[base])``.
        address: The address to open in a browser.
        api: Plays WeChat's API for the bot.

    Raises:
        SettingsError: The URL is invalid, the port is not available, or a Mini Program is not verified.
    """

    settings: PushSettings
    url: str
    host: str = field(default="127.0.0.1", kw_only=True, validator=_is_host)
    port: int = field(default=8765, kw_only=True, validator=_is_port)
    allowed_hosts: Iterable[str] = field(default=(), kw_only=True)
    secret: str = field(default=SECRET, kw_only=True)
    time_limit: float = field(default=5.0, kw_only=True)
    verified: bool = field(default=True, kw_only=True)

    def __attrs_post_init__(self) -> None:
        self.api: FakeWeChatAPI = make_api(self.settings, self.secret, verified=self.verified)
        with contextlib.ExitStack() as undo:
            self._socket = undo.enter_context(_listen(self.host, self.port))
            is_everywhere = self.host in _EVERYWHERE
            name = "127.0.0.1" if is_everywhere else f"[{self.host}]" if ":" in self.host else self.host
            self.base: str = f"http://{name}:{self._socket.getsockname()[1]}"
            session = BrowserSession(self.base, self.allowed_hosts, at_any_address=is_everywhere)
            self.address: str = session.address
            app = make_app(self.settings, self.url, api=self.api, session=session, time_limit=self.time_limit)
            undo.pop_all()
        config = uvicorn.Config(
            app, log_config=None, log_level="error", access_log=False, server_header=False, timeout_graceful_shutdown=1
        )
        self._server = _Server(config, app.state.close)

    def run(self) -> None:
        """Serve until Ctrl-C, SIGTERM or a call of `stop`."""
        with contextlib.suppress(KeyboardInterrupt), self._socket:
            self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """End `run`; for another thread."""
        self._server.should_exit = True


def run_playground(
    settings: PushSettings,
    url: str,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    allowed_hosts: Iterable[str] = (),
    secret: str = SECRET,
    verified: bool = True,
    ready: Callable[[Playground], None] = lambda playground: print(playground.address, flush=True),  # noqa: T201
) -> None:
    """Serve a `Playground` until Ctrl-C or SIGTERM.

    Args:
        settings: The account's settings, the same as the bot's.
        url: Address of the bot.
        host: Where the playground listens.
        port: The port; 0 for a free one.
        allowed_hosts: Further host names that may reach it.
        secret: The AppSecret with which the bot calls the API here.
        verified: Whether the account is verified (微信认证). If not, the API refuses customer-service messages with
            48001. The page can change it.
        ready: Called with the playground before it serves; by default it prints the address.

    Raises:
        SettingsError: The URL is invalid, the port is not available, or a Mini Program is not verified.
    """
    playground = Playground(
        settings, url, host=host, port=port, allowed_hosts=allowed_hosts, secret=secret, verified=verified
    )
    ready(playground)
    playground.run()


def _listen(host: str, port: int) -> socket.socket:
    with contextlib.ExitStack() as undo:
        try:
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            # asyncio turns off Nagle's algorithm only for a socket that names its protocol.
            listener = undo.enter_context(socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP))
            if os.name == "posix":  # on Windows it would let other programs listen there, too
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(256)
        except (OSError, UnicodeError) as error:  # UnicodeError: the host is not a DNS name
            why = explain_os_error(error)
            hint = f"无法监听 {host}:{port}：{why.zh}"
            raise SettingsError(f"cannot listen on {host}:{port}: {why.en}", hint=hint) from None
        undo.pop_all()
    return listener
