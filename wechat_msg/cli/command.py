"""Commands and options with help and errors in two languages."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Styled

from wechat_msg.cli.env_file import load_env_file
from wechat_msg.cli.language import Failure, find_language
from wechat_msg.cli.misuse import Misuse, check_words, explain_misuse, refuse_command
from wechat_msg.cli.output import Output
from wechat_msg.errors import APIError, TransportError, UnreadableAnswer, WeChatError
from wechat_msg.testing.bilingual import Language, Text, same
from wechat_msg.testing.details import annotate, explain_error, explain_os_error

__all__ = ["BilingualCommand", "BilingualGroup", "option"]

_INTERRUPTED = 130
_FROM_WECHAT = (APIError, TransportError, UnreadableAnswer)
_WIDEST = 100
_QUOTES = Text("a value with spaces needs quotes", "带空格的值请加引号")
_OPTIONS_ONLY = Text("this command takes options only", "该命令只接受选项")
_HELP = Text("Show this text.", "显示本帮助")
#: Chinese for the placeholders in click's usage lines.
_PLACEHOLDERS: Mapping[str, str] = {
    "OPTIONS": "选项",
    "COMMAND": "命令",
    "ARGS": "参数",
    "TEXT": "文本",
    "FILE": "文件",
    "NUMBER": "整数",
    "NAME": "名称",
    "VALUE": "值",
    "QUERY": "查询串",
    "URL": "网址",
    "PICURL": "图片网址",
    "MODULE": "模块",
    "ENDPOINT": "变量",
    "APP": "应用",
    "FUNCTION": "函数",
    "ARGUMENT": "参数",
    "PATH": "路径",
    "SLOT": "编号",
    "SECONDS": "秒数",
}


class _Option(click.Option):
    def __init__(self, *arguments: Any, about: Text, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.about = about


def option(*names: str, about: Text, **options: Any) -> Callable[[Any], Any]:
    """Add an option, as `click.option` does.

    Args:
        names: Its names.
        about: Its help.
        options: The options of `click.option`.
    """
    return click.option(*names, cls=_Option, about=about, **options)


class _Bilingual(click.Command):
    """A command with help and errors in two languages."""

    def __init__(self, *arguments: Any, about: Text, examples: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.about = about
        self.examples = examples
        language = Text("Language; default: that of the locale.", "语言；默认按系统区域设置")
        # find_language reads the value of --lang before click parses the command line.
        self.params.append(_Option(["--lang"], about=language, type=click.Choice(["en", "zh"]), expose_value=False))

    def get_help(self, ctx: click.Context) -> str:
        """Return the help in the selected language."""
        language: Language = ctx.find_object(Output).language  # type: ignore[union-attr]
        return _render_help(self, ctx, language)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command line."""
        if not ctx.resilient_parsing:  # it is incomplete when a shell asks for completions
            check_words(self, ctx, args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise


class BilingualCommand(_Bilingual):
    """A command that is not a group."""

    allow_extra_args = True  # parse_args refuses them with a better text

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command line."""
        extra = super().parse_args(ctx, args)
        if extra and not ctx.resilient_parsing:
            has_arguments = any(isinstance(each, click.Argument) for each in self.params)
            note = _QUOTES if has_arguments else _OPTIONS_ONLY
            count = len(extra)  # not the arguments, which may be secrets
            text = Text(f"{count} argument{'s' if count > 1 else ''} too many", f"多了 {count} 个参数")
            raise Misuse(Text(f"{text.en}; {note.en}", f"{text.zh}（{note.zh}）"), ctx)
        return extra


class BilingualGroup(_Bilingual, click.Group):
    """The group of commands, which prints every error."""

    def main(
        self, args: Sequence[str] | None = None, *_: Any, env_file: Path | None = None, **options: Any
    ) -> NoReturn:
        """Run the command, with the variables of *env_file* too, and exit with the status that it returns."""
        words = sys.argv[1:] if args is None else list(args)
        output = Output(find_language(words, os.environ))
        try:
            if env_file:
                load_env_file(output, env_file)
            status = super().main(words, obj=output, **{**options, "standalone_mode": False})
        except (click.Abort, KeyboardInterrupt):
            status = _INTERRUPTED
        except Failure as failure:
            output.print_error(failure.text)
            status = 2
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else self.name
            output.print_error(output.to_text(explain_misuse(error)) + f" ({path} --help)")
            status = 2
        except WeChatError as error:
            output.print_error(_explain(error))
            status = 1 if isinstance(error, _FROM_WECHAT) else 2
        except OSError as error:  # of the output: other errors are Failures
            reason = explain_os_error(error)
            _drop_output()
            output.print_error(Text(f"cannot write the output: {reason.en}", f"无法写出结果：{reason.zh}"))
            status = 2
        sys.exit(status)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command by its name."""
        if self.get_command(ctx, args[0]) is None:
            raise refuse_command(args[0], ctx, self.commands)
        return super().resolve_command(ctx, args)


def _explain(error: WeChatError) -> Text:
    """Return the message of an error; with the request, if the answer to it may come from another program."""
    text = explain_error(error)
    request = "".join(getattr(error, "__notes__", [])[:1]) if isinstance(error, UnreadableAnswer) else ""
    return annotate(text, request)


def _drop_output() -> None:
    """Send what is still to be written to nowhere, as Python would fail once more when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


# --- help -------------------------------------------------------------------------------------------------------------


def _render_help(command: _Bilingual, ctx: click.Context, language: Language) -> str:
    """Format the help; unlike click, count a Chinese character as two columns."""
    file = StringIO()
    console = Console(file=file, width=min(Console().width, _WIDEST), color_system=None, highlight=False)
    usage = " ".join([ctx.command_path, *(_name(each).to(language) for each in command.collect_usage_pieces(ctx))])
    console.print(Styled(f"{Text('Usage', '用法').to(language)}: {usage}\n"), soft_wrap=True)
    console.print(Padding(Styled(command.about.to(language)), (0, 0, 0, 2)))
    for example in command.examples:
        console.print(Styled(f"    $ {example}"), soft_wrap=True)
    if isinstance(command, click.Group):
        commands = [(same(name), each.about) for name, each in command.commands.items() if isinstance(each, _Bilingual)]
        _print_section(console, Text("Commands", "命令"), commands, language)
    _print_section(console, Text("Options", "选项"), _list_options(command, ctx), language)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def _name(usage: str) -> Text:
    """Return a usage text in both languages; words in capitals are placeholders."""
    return Text(usage, re.sub(r"[A-Z]+", lambda word: _PLACEHOLDERS.get(word[0], word[0]), usage))


def _list_options(command: click.Command, ctx: click.Context) -> list[tuple[Text, Text]]:
    listed = []
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record and isinstance(parameter, click.Option):
            listed.append((_name(record[0]), parameter.about if isinstance(parameter, _Option) else _HELP))
    return listed


def _print_section(console: Console, title: Text, listed: list[tuple[Text, Text]], language: Language) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, about in listed:
        table.add_row(Styled(f"  {name.to(language)}"), Styled(about.to(language).partition("\n")[0]))
    console.print(Styled(f"\n{title.to(language)}:"))
    console.print(table)
