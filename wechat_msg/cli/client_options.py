"""The options for the client of WeChat's API that several commands share."""

from __future__ import annotations

import functools
import os
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any

from wechat_msg.cli.command import option
from wechat_msg.cli.language import Failure
from wechat_msg.cli.url import check_url
from wechat_msg.client import Client, RemoteTokenSource
from wechat_msg.testing.bilingual import Text
from wechat_msg.testing.fake_api.fake import APPID, SECRET

__all__ = ["OpenClient", "api_option", "client_options"]

OpenClient = Callable[[], Client]

_NO_SECRET = Text(
    "set WECHAT_TOKEN_SERVER_SECRET, the secret that the token server requires",
    "请设置 WECHAT_TOKEN_SERVER_SECRET，即中控服务器的共享密钥",
)

api_option: Callable[[Any], Any] = option(
    "--api",
    metavar="URL",
    about=Text("Address of WeChat's API, such as the playground's.", "微信接口地址，例如调试台的网址"),
)


def client_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options; the command receives ``open_client``, which makes a client of them and of the environment."""

    @functools.wraps(command)
    def run(*arguments: Any, appid: str | None, api: str | None, token_server: str | None, **options: Any) -> int:
        given = {"WECHAT_APPID": appid, "WECHAT_TOKEN_SERVER": token_server}
        environ = ChainMap({name: value for name, value in given.items() if value is not None}, os.environ)
        return command(*arguments, open_client=lambda: _open_client(environ, api), **options)

    server_option = option(
        "--token-server",
        metavar="URL",
        about=Text(
            "Get the access_token from this server; default: WECHAT_TOKEN_SERVER.",
            "从该中控服务器获取 access_token；默认取 WECHAT_TOKEN_SERVER",
        ),
    )
    appid_option = option("--appid", about=Text("The AppID; default: WECHAT_APPID.", "AppID；默认取 WECHAT_APPID"))
    return appid_option(api_option(server_option(run)))  # type: ignore[no-any-return]


def _open_client(environ: Mapping[str, str], api: str | None) -> Client:
    options: dict[str, Any] = {}
    if api is not None:
        options["hosts"] = [check_url("--api", api, sample="http://127.0.0.1:8765")]
        # The playground's AppSecret is public.
        environ = {"WECHAT_APPID": APPID, "WECHAT_SECRET": SECRET} | {n: each for n, each in environ.items() if each}
    if server := environ.get("WECHAT_TOKEN_SERVER", "").strip():
        secret = environ.get("WECHAT_TOKEN_SERVER_SECRET", "").strip()
        if not secret:
            raise Failure(_NO_SECRET)
        url = check_url("--token-server", server, sample="https://tokens.example.com")
        options["token_source"] = RemoteTokenSource(url, secret)
    return Client.from_env(environ=environ, **options)
