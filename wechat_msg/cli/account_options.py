"""The options for the account and the simulator that several commands share."""

from __future__ import annotations

import functools
import os
import ssl
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any

import click

from wechat_msg.cli.command import option
from wechat_msg.cli.language import Failure
from wechat_msg.cli.output import Output
from wechat_msg.crypto import generate_encoding_aes_key, generate_token
from wechat_msg.errors import SettingsError
from wechat_msg.settings import PushSettings
from wechat_msg.testing.bilingual import Text, label
from wechat_msg.testing.details import explain_error
from wechat_msg.testing.fake_api.fake import APPID

__all__ = [
    "account_options",
    "has_settings",
    "insecure_option",
    "listen_options",
    "load_settings",
    "make_and_show_settings",
    "make_settings",
    "make_ssl_context",
    "name_sources",
    "to_variables",
]

_VARIABLES = {
    "token": "WECHAT_TOKEN",
    "aes_key": "WECHAT_ENCODING_AES_KEY",
    "appid": "WECHAT_APPID",
    "account_kind": "WECHAT_ACCOUNT_KIND",
}
_CLOUD_RUN = "WECHAT_CLOUD_RUN"
_OPTIONS = {variable: f"--{name.replace('_', '-')}" for name, variable in _VARIABLES.items()}
_NO_SETTINGS = Text(
    "give --token or set WECHAT_TOKEN, and for the safe mode WECHAT_ENCODING_AES_KEY and WECHAT_APPID;"
    " wechat-msg new-settings generates new ones",
    "请给出 --token 或设置 WECHAT_TOKEN，安全模式还需 WECHAT_ENCODING_AES_KEY 与 WECHAT_APPID；"
    "可用 wechat-msg new-settings 生成",
)
_ABOUT = {
    "token": Text(
        "The Token; better in WECHAT_TOKEN, because other users of this machine can see the command line.",
        "Token；建议放在 WECHAT_TOKEN 中，命令行会被同机其他用户看到",
    ),
    "aes_key": Text(
        "The EncodingAESKey; better in WECHAT_ENCODING_AES_KEY.", "EncodingAESKey；建议放在 WECHAT_ENCODING_AES_KEY 中"
    ),
    "appid": Text("The AppID; default: WECHAT_APPID.", "AppID；默认取 WECHAT_APPID"),
    "account_kind": Text(
        "official_account or mini_program; default: WECHAT_ACCOUNT_KIND.",
        "official_account（公众号）或 mini_program（小程序）；默认取 WECHAT_ACCOUNT_KIND",
    ),
}


def account_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options; the command receives ``environ``, in which they override the environment."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> int:
        given = {variable: options.pop(name) for name, variable in _VARIABLES.items()}
        overlay = {variable: value for variable, value in given.items() if value is not None}
        return command(*arguments, environ=ChainMap(overlay, os.environ), **options)

    decorated: Callable[..., int] = run
    for name in reversed(_VARIABLES):
        decorated = option(_OPTIONS[_VARIABLES[name]], about=_ABOUT[name])(decorated)
    return decorated


def has_settings(environ: Mapping[str, str]) -> bool:
    """Return whether there are settings for pushes; an AppID alone, which clients need too, is not enough."""
    return any(environ.get(name, "").strip() for name in (_VARIABLES["token"], _VARIABLES["aes_key"], _CLOUD_RUN))


def load_settings(environ: ChainMap[str, str]) -> PushSettings:
    """Read the settings.

    Raises:
        Failure: One is missing or malformed; the text names its option or variable.
    """
    token, key, appid = (_VARIABLES[name] for name in ("token", "aes_key", "appid"))
    if not has_settings(environ):
        raise Failure(_NO_SETTINGS)
    if environ.get(_CLOUD_RUN, "").strip():
        return _read(environ, environ.maps[0])
    if not environ.get(token, "").strip():
        raise Failure(_ask_for(token))
    if environ.get(key, "").strip() and not environ.get(appid, "").strip():
        source = _name_source(key, environ.maps[0])
        raise Failure(label(Text(f"{source} needs the AppID", f"{source} 需要 AppID"), _ask_for(appid)))
    return _read(environ, environ.maps[0])


def make_settings(environ: ChainMap[str, str] | None = None) -> PushSettings:
    """Generate settings for the account of `FakeWeChatAPI`; *environ* may set the kind of account.

    Raises:
        Failure: The kind of account is invalid.
    """
    environ = ChainMap() if environ is None else environ
    made = {
        _VARIABLES["token"]: generate_token(),
        _VARIABLES["aes_key"]: generate_encoding_aes_key(),
        _VARIABLES["appid"]: APPID,
    }
    return _read({**environ, **made}, environ.maps[0])


def make_and_show_settings(output: Output, environ: ChainMap[str, str]) -> PushSettings:
    """Generate settings as `make_settings` does, and print them as commands for a shell."""
    settings = make_settings(environ)
    output.print_text(Text("New settings, for the other commands:", "已生成新的配置，供其他命令使用："))
    for name, value in to_variables(settings).items():
        output.print_text(f"export {name}={value}", indent=2)
    return settings


def name_sources(environ: ChainMap[str, str]) -> list[str]:
    """Return where Token, key and AppID come from: options or variables; without those that are not set."""
    given = [*(_VARIABLES[name] for name in ("token", "aes_key", "appid")), _CLOUD_RUN]
    return [_name_source(each, environ.maps[0]) for each in given if environ.get(each, "").strip()]


def _read(environ: Mapping[str, str], given: Mapping[str, str]) -> PushSettings:
    try:
        return PushSettings.from_env(environ=environ)
    except SettingsError as error:
        error.setting = _name_source(error.setting, given)
        raise Failure(explain_error(error)) from None


def _name_source(variable: str, given: Mapping[str, str]) -> str:
    """Return where a value comes from: its option if it is *given*, else its variable."""
    return _OPTIONS[variable] if variable in given else variable


def _ask_for(variable: str) -> Text:
    option_name = _OPTIONS[variable]
    return Text(f"give {option_name}, or set {variable}", f"请给出 {option_name}，或设置 {variable}")


def to_variables(settings: PushSettings) -> dict[str, str]:
    """Return the environment variables for these settings.

    Example:
        >>> to_variables(PushSettings(token="spamtest"))
        {'WECHAT_TOKEN': 'spamtest'}
    """
    values = {"token": settings.token, "aes_key": settings.encoding_aes_key, "appid": settings.appid}
    given = {_VARIABLES[name]: value for name, value in values.items() if value}
    return {**given, _CLOUD_RUN: "1"} if settings.cloud_run else given


def listen_options(port: int) -> Callable[[Any], Any]:
    """Add the options for host and port of a server."""
    host_option = option(
        "--host", default="127.0.0.1", about=Text("Where to listen; default: 127.0.0.1.", "监听地址；默认 127.0.0.1")
    )
    port_option = option(
        "--port",
        default=port,
        type=click.IntRange(0, 65535),
        metavar="NUMBER",
        about=Text(f"Port; default: {port}, 0: a free one.", f"端口；默认 {port}，0 表示自动选择"),
    )
    return lambda command: host_option(port_option(command))


insecure_option: Callable[[Any], Any] = option(
    "--insecure", is_flag=True, about=Text("Do not check the certificate of https.", "不校验 https 证书")
)


def make_ssl_context(*, insecure: bool) -> ssl.SSLContext | None:
    """Return an SSL context for the simulator; None if it should check certificates."""
    if not insecure:
        return None
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
