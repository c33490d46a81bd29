"""``wechat-msg menu``: show the account's menu, and replace it by that of a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import click

from wechat_msg.api import menu as api
from wechat_msg.cli.api_functions import read_json
from wechat_msg.cli.call import to_json
from wechat_msg.cli.client_options import OpenClient, client_options
from wechat_msg.cli.command import BilingualCommand, BilingualGroup
from wechat_msg.cli.language import Failure
from wechat_msg.cli.output import Output
from wechat_msg.testing.bilingual import Text

__all__ = ["find_faults", "menu"]

_MAX_BUTTONS, _MAX_SUB_BUTTONS = 3, 5
_MAX_NAME, _MAX_SUB_NAME = 16, 60
#: The longest values of members, in bytes of UTF-8.
_MAX_BYTES = {"key": 128, "url": 1024}
_NO_MENU = Text(
    'must be {"button": [...]}, a list of buttons, or the output of menu show',
    '应为 {"button": [...]}、按钮列表，或 menu show 的输出',
)
_HAS_RULE = Text(
    "has a matchrule; create it with wechat-msg call menu.add_conditional @FILE",
    "含有 matchrule，请用 wechat-msg call menu.add_conditional @文件 创建个性化菜单",
)
_WAITING = Text("waiting for the answer", "等待应答")


@click.group(
    "menu",
    cls=BilingualGroup,
    invoke_without_command=True,
    about=Text("Show or replace the account's menu.", "查看或替换自定义菜单"),
)
@click.pass_context
def menu(ctx: click.Context) -> None:
    """Print the help, or run a command."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@menu.command(
    "show",
    cls=BilingualCommand,
    about=Text(
        "Print the menus that were created by API, as JSON that push takes.",
        "以 JSON 输出通过接口创建的菜单，可供 push 使用",
    ),
    examples=["wechat-msg menu show > menu.json"],
)
@client_options
@click.pass_obj
def show_command(output: Output, *, open_client: OpenClient) -> int:
    """Print the menus; return 0."""
    with open_client() as client, output.waiting(_WAITING):
        menus = client.call(api.get())
    document = to_json(menus)
    output.print_json({name: value for name, value in document.items() if value})
    return 0


@menu.command(
    "push",
    cls=BilingualCommand,
    about=Text(
        "Replace the menu for all users by that of a JSON file, after a check of WeChat's limits.",
        "检查 JSON 文件是否符合微信的限制，然后用它替换默认菜单",
    ),
    examples=["wechat-msg menu push menu.json"],
)
@click.argument("path", metavar="FILE")
@client_options
@click.pass_obj
def push_command(output: Output, *, path: str, open_client: OpenClient) -> int:
    """Check the file, and send it; return 0."""
    body = _read_body(output, path)
    faults = list(find_faults(body["button"]))
    for place, fault in faults:
        output.print_line("fail", place, fault)
    if faults:
        raise Failure(Text(f"{path}: not sent", f"{path}：未发送"))
    with open_client() as client, output.waiting(_WAITING):
        client.call(api.create(body))
    output.print_line(
        "pass",
        Text("menu replaced", "菜单已替换"),
        Text("users see it within 5 minutes, or when they open the account", "用户 5 分钟内或重新进入公众号时可见"),
    )
    return 0


def _read_body(output: Output, path: str) -> Mapping[str, Any]:
    """Return the body of a menu, in one of the three forms that `api.create` takes."""
    document = read_json(output, path)
    body = {"button": document} if isinstance(document, list) else document
    body = body.get("menu", body) if isinstance(body, Mapping) else body
    if not isinstance(body, Mapping) or not isinstance(body.get("button"), list):
        raise Failure(Text(f"{path} {_NO_MENU.en}", f"{path} {_NO_MENU.zh}"))
    if "matchrule" in body:
        raise Failure(Text(f"{path} {_HAS_RULE.en}", f"{path} {_HAS_RULE.zh}"))
    return body


# --- the limits of WeChat ---------------------------------------------------------------------------------------------


def find_faults(buttons: list[Any]) -> Iterator[tuple[str, Text]]:
    """Yield what WeChat would refuse in a menu: the place, and the reason.

    Example:
        >>> [(place, fault.en) for place, fault in find_faults([{"type": "click", "name": "Help"}])]
        [('button[0]', 'needs key')]
    """
    yield from _check_number("button", buttons, _MAX_BUTTONS)
    for number, button in enumerate(buttons):
        place = f"button[{number}]"
        members = button if isinstance(button, Mapping) else {}
        if below := members.get("sub_button"):  # menus that WeChat returns have empty lists
            yield from _check_name(place, members, _MAX_NAME)
            yield from _check_submenu(f"{place}.sub_button", below)
        else:
            yield from _check_button(place, button, _MAX_NAME)


def _check_submenu(place: str, buttons: Any) -> Iterator[tuple[str, Text]]:
    if not isinstance(buttons, list):
        yield place, Text("must be a list", "应为列表")
        return
    yield from _check_number(place, buttons, _MAX_SUB_BUTTONS)
    for number, button in enumerate(buttons):
        if isinstance(button, Mapping) and button.get("sub_button"):
            yield f"{place}[{number}]", Text("a submenu cannot have a submenu", "二级菜单下不能再有子菜单")
        else:
            yield from _check_button(f"{place}[{number}]", button, _MAX_SUB_NAME)


def _check_number(place: str, buttons: list[Any], most: int) -> Iterator[tuple[str, Text]]:
    if not 0 < len(buttons) <= most:
        yield (
            place,
            Text(
                f"has {len(buttons)} buttons; 1 to {most} are allowed", f"有 {len(buttons)} 个按钮，应为 1 到 {most} 个"
            ),
        )


def _check_button(place: str, button: Any, longest: int) -> Iterator[tuple[str, Text]]:
    if not isinstance(button, Mapping):
        yield place, Text("must be an object", "应为对象")
        return
    yield from _check_name(place, button, longest)
    kind = button.get("type")
    required = _REQUIRED.get(kind) if isinstance(kind, str) else None
    if required is None:
        known = ", ".join(_REQUIRED)
        yield f"{place}.type", Text(f"must be one of {known}", f"应为以下之一：{known}")
        return
    for name in required:
        value = button.get(name)
        if not isinstance(value, str) or not value:
            yield place, Text(f"needs {name}", f"缺少 {name}")
        else:
            yield from _check_length(f"{place}.{name}", value, _MAX_BYTES.get(name))


def _check_name(place: str, button: Mapping[str, Any], longest: int) -> Iterator[tuple[str, Text]]:
    name = button.get("name")
    if not isinstance(name, str) or not name:
        yield place, Text("needs name", "缺少 name")
    else:
        yield from _check_length(f"{place}.name", name, longest)


def _check_length(place: str, value: str, longest: int | None) -> Iterator[tuple[str, Text]]:
    size = len(value.encode("utf-8", "surrogatepass"))
    if longest is not None and size > longest:
        yield place, Text(f"has {size} bytes; {longest} are allowed", f"有 {size} 字节，最多 {longest} 字节")


def _list_required() -> Iterator[tuple[str, list[str]]]:
    """Yield each type of button that can be created, and the members that it needs."""
    classes = (getattr(api, name) for name in api.__all__ if name.endswith("Button"))
    for cls in classes:
        names = [each.name for each in attrs.fields(cls) if each.default is attrs.NOTHING and each.name != "name"]
        if cls.type and names:  # those that the console makes have no member without a default
            yield cls.type, names


_REQUIRED = dict(_list_required())
