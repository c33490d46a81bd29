"""Errors of the command line in two languages, and some that click does not report."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

import click

from wechat_msg.testing.bilingual import Text, label, same

__all__ = ["Misuse", "check_words", "explain_misuse", "refuse_command"]

#: Options with values that may be empty: a text, and those that override an environment variable.
_MAY_BE_EMPTY = ("--text", "--aes-key", "--appid")

#: What the arguments of the commands are.
_ARGUMENTS = {
    "URL": Text(
        "your server's address, such as http://127.0.0.1:8000/wechat", "你的服务地址，如 http://127.0.0.1:8000/wechat"
    ),
    "MODULE:ENDPOINT": Text(
        "your endpoint, such as app:endpoint for the variable endpoint of app.py",
        "你的 endpoint，如 app:endpoint 表示 app.py 中的变量 endpoint",
    ),
    "MODULE:APP": Text(
        "your application or endpoint, such as app:app for the variable app of app.py",
        "你的应用或 endpoint，如 app:app 表示 app.py 中的变量 app",
    ),
    "FILE": Text("a JSON file with the menu, such as menu.json", "菜单的 JSON 文件，如 menu.json"),
}


class Misuse(click.UsageError):
    """An error in the command line."""

    def __init__(self, text: Text, ctx: click.Context | None) -> None:
        super().__init__(text.en, ctx)
        self.text = text


def check_words(command: click.Command, ctx: click.Context, words: Sequence[str]) -> None:
    """Refuse options without a value, with another option as their value, or given twice.

    Raises:
        Misuse: There is such an option.
    """
    options = {name: each for each in command.get_params(ctx) if isinstance(each, click.Option) for name in each.opts}
    given: set[str] = set()
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        option = options.get(name)
        if word == "--" or not (word.startswith("-") or command.allow_interspersed_args):
            return  # the rest are arguments, or belong to another command
        if option is None:
            continue
        if option.is_flag:
            if equals:
                raise Misuse(Text(f"{name} takes no value", f"选项 {name} 用法有误：它不接受取值"), ctx)
            continue
        _check_value(name, value if equals else next(rest, None), () if equals else options, ctx)
        if name in given and not option.multiple:
            raise Misuse(Text(f"{name} is given twice", f"选项 {name} 重复"), ctx)
        given.add(name)


def _check_value(name: str, value: str | None, options: Iterable[str], ctx: click.Context) -> None:
    if value is None:
        raise Misuse(Text(f"{name} needs a value", f"选项 {name} 用法有误：缺少值"), ctx)
    if value in options:
        raise Misuse(
            Text(
                f"{name} needs a value, and {value} is an option; if that is the value, write {name}={value}",
                f"选项 {name} 用法有误：缺少值，{value} 是另一个选项；如果它就是值，请写成 {name}={value}",
            ),
            ctx,
        )
    if not value and name not in _MAY_BE_EMPTY:
        raise Misuse(Text(f"{name} is empty", f"选项 {name} 的值为空"), ctx)


def refuse_command(name: str, ctx: click.Context, commands: Iterable[str]) -> Misuse:
    """Return the error for an unknown command."""
    return Misuse(_suggest(label(Text("no such command", "没有这个命令"), same(name)), name, commands), ctx)


def explain_misuse(error: click.UsageError) -> Text:
    """Return click's error in both languages."""
    match error:
        case Misuse():
            return error.text
        case click.NoSuchOption():
            return _explain_option(error)
        case click.MissingParameter():
            name = error.param.human_readable_name if error.param else ""
            what = _ARGUMENTS.get(name, _ARGUMENTS["URL"])
            return Text(f"{name} is missing: {what.en}", f"缺少 {name}：{what.zh}")
        case click.BadParameter():
            return _explain_value(error.param)
    return Text(error.format_message(), "命令用法有误")


def _explain_option(error: click.NoSuchOption) -> Text:
    name, command = error.option_name, error.ctx.command if error.ctx else None
    text = label(Text("no such option", "没有这个选项"), same(name))
    if isinstance(command, click.Group) and any(name in _list_options(each) for each in command.commands.values()):
        return Text(f"write {name} after the command", f"{name} 应写在命令之后")
    return _suggest(text, name, _list_options(command) if command else ())


def _list_options(command: click.Command) -> list[str]:
    return ["--help", *(name for each in command.params if isinstance(each, click.Option) for name in each.opts)]


def _suggest(text: Text, word: str, known: Iterable[str]) -> Text:
    """Append the most similar name, if there is one."""
    close = difflib.get_close_matches(word.lower(), [name for name in known if len(name) > len("-v")], n=1)
    return Text(f"{text.en}; did you mean {close[0]}?", f"{text.zh}，是不是 {close[0]}？") if close else text


def _explain_value(parameter: click.Parameter | None) -> Text:
    """Return which values are valid."""
    name = parameter.opts[-1] if parameter else ""
    match parameter.type if parameter else None:
        case click.Choice(choices=choices):
            return Text(
                f"{name} must be one of {', '.join(map(str, choices))}",
                f"{name} 的值无效，可选：{'、'.join(map(str, choices))}",
            )
        case click.IntRange(min=least, max=most):
            return Text(
                f"{name} must be a whole number from {least} to {most}",
                f"{name} 的值无效，应为 {least} 到 {most} 的整数",
            )
    return Text(f"{name} is invalid", f"{name} 的值无效")
