"""``wechat-msg call``: call a function of `wechat_msg.api`, and print its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import click
from click.shell_completion import CompletionItem

from wechat_msg.api import Call, File, Pages, Result
from wechat_msg.api.jsapi import Ticket
from wechat_msg.api.menu import Button
from wechat_msg.cli.api_functions import APIFunction, find_function, list_functions
from wechat_msg.cli.client_options import OpenClient, client_options
from wechat_msg.cli.command import BilingualCommand, option
from wechat_msg.cli.language import Failure
from wechat_msg.cli.output import Output
from wechat_msg.client.redaction import hide_secrets
from wechat_msg.testing.bilingual import Text
from wechat_msg.testing.details import explain_os_error

__all__ = ["call", "to_json"]

_HIDDEN = "***"
#: Members of results that are credentials; and tickets, by their class, as others are public.
_CREDENTIALS = ("access_token", "refresh_token", "session_key", "encrypt_key")


def _complete_function(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    found = (each for name, each in list_functions().items() if name.startswith(incomplete))
    return [CompletionItem(each.name, help=each.summary) for each in found]


@click.command(
    cls=BilingualCommand,
    about=Text(
        "Call a function of wechat_msg.api with WECHAT_APPID and WECHAT_SECRET, and print its result as JSON.\n"
        "Arguments are texts, numbers, true or false, JSON, or @FILE; in order or as name=value.\n"
        "Without a function, all functions are listed.",
        "用 WECHAT_APPID 与 WECHAT_SECRET 调用 wechat_msg.api 的函数，以 JSON 输出结果\n"
        "参数可以是文本、数字、true 或 false、JSON、@文件；按顺序给出，或写成 名称=值\n"
        "不给函数则列出所有函数",
    ),
    examples=[
        "wechat-msg call user.get_info oUSER lang=en",
        'wechat-msg call user.batch_get_info \'["oUSER", "oUSER2"]\'',
        "wechat-msg call media.upload image @photo.jpg",
        "wechat-msg call media.download MEDIA_ID --output photo.jpg",
    ],
)
@click.argument("name", metavar="FUNCTION", required=False, shell_complete=_complete_function)
@click.argument("words", metavar="[ARGUMENT]...", nargs=-1)
@option(
    "--output",
    "-o",
    "path",
    metavar="FILE",
    about=Text("Where to write a file that is the result.", "结果为文件时的保存位置"),
)
@option("--show-secrets", is_flag=True, about=Text("Print also credentials in the result.", "结果中的凭据也照样输出"))
@client_options
@click.pass_obj
def call(
    output: Output,
    *,
    name: str | None,
    words: tuple[str, ...],
    path: str | None,
    show_secrets: bool,
    open_client: OpenClient,
) -> int:
    """Call the function; return 0."""
    if name is None:
        _print_functions(output)
        return 0
    function = find_function(name)
    if function.returns_file != (path is not None):
        raise Failure(
            Text("--output is for results that are files", "只有结果为文件时才能用 --output")
            if path is not None
            else Text("the result is a file: give --output FILE", "结果是文件：请用 --output 给出保存位置")
        )
    arguments = function.read_arguments(output, words)
    result = _call(output, function, arguments, open_client)
    if path is not None:
        _write(Path(path), result)
    output.print_json(to_json(result, show_secrets=show_secrets))
    return 0


def _print_functions(output: Output) -> None:
    for function in list_functions().values():
        output.print_text(f"{function.name} {function.usage}".rstrip(), style="cyan")
        output.print_text(function.summary, style="dim", indent=4)


def _call(output: Output, function: APIFunction, arguments: dict[str, Any], open_client: OpenClient) -> Any:
    if not function.transfers:
        made = function.function(**arguments)
        return _send(made, open_client) if isinstance(made, (Call, Pages)) else made
    with output.transfer() as progress:
        return _send(function.function(**arguments, progress=progress), open_client)


def _send(made: Call[Any] | Pages[Any, Any], open_client: OpenClient) -> Any:
    with open_client() as client:
        return client.call(made) if isinstance(made, Call) else list(client.iterate(made))


def _write(path: Path, file: File) -> None:
    try:
        path.write_bytes(file.content)
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        why = explain_os_error(error)
        raise Failure(Text(f"cannot write {path}: {why.en}", f"无法写入 {path}：{why.zh}")) from None


def to_json(value: Any, *, show_secrets: bool = False) -> Any:
    """Return a result as JSON: its attributes, without credentials.

    Example:
        >>> from wechat_msg.api.access_token import AccessToken
        >>> to_json(AccessToken(access_token="secret", expires_in=7200))
        {'access_token': '***', 'expires_in': 7200}
    """
    members = _list_members(value)
    if isinstance(members, Mapping):
        shown = {name: to_json(each, show_secrets=show_secrets) for name, each in members.items()}
        if show_secrets:
            return shown
        secrets = (*_CREDENTIALS, "ticket") if isinstance(value, Ticket) else _CREDENTIALS
        return {name: _hide(name, each, secrets) for name, each in shown.items()}
    if isinstance(members, (list, tuple)):
        return [to_json(each, show_secrets=show_secrets) for each in members]
    return members


def _list_members(value: Any) -> Any:
    """Return the members of an object of this package; other values as they are."""
    match value:
        case Button():
            return value.to_json()
        case File():
            return {"size": value.size, "content_type": value.content_type, "filename": value.filename}
        case Result() if type(value) is Result:  # it has no attributes of its own
            return value.raw
        case _ if attrs.has(type(value)):
            return {each.name: getattr(value, each.name) for each in attrs.fields(type(value)) if each.name != "raw"}
    return value


def _hide(name: str, value: Any, secrets: Sequence[str]) -> Any:
    if name in secrets and value:
        return _HIDDEN
    return hide_secrets(value) if name == "request_url" and isinstance(value, str) else value
