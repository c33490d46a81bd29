"""What click lacks: help and usage errors in two languages."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from io import StringIO
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Styled

from wechat_msg.cli.language import Failure, find_language
from wechat_msg.cli.output import Output
from wechat_msg.errors import WeChatError
from wechat_msg.testing.text import Language, Text, label, same

__all__ = ["Command", "Group", "option"]

_INTERRUPTED = 130
_WIDEST = 100
_HELP = Text("Show this text.", "显示本帮助")


class _Option(click.Option):
    def __init__(self, *arguments: Any, about: Text, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.about = about


def option(*names: str, about: Text, **options: Any) -> Callable[[Any], Any]:
    """Add an option, as `click.option`.

    Args:
        names: Its names.
        about: What it is for.
        options: As click takes them.
    """
    return click.option(*names, cls=_Option, about=about, **options)


def _make_language_option() -> click.Option:
    # Whatever stands here has been found before click reads anything.
    about = Text("Language; else that of the locale.", "语言；默认按系统区域设置")
    return _Option(["--lang"], about=about, type=click.Choice(["en", "zh"]), expose_value=False)


class _WithHelp(click.Command):
    """A command whose help is in two languages."""

    def __init__(self, *arguments: Any, about: Text, examples: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.about = about
        self.examples = examples
        self.params.append(_make_language_option())

    def get_help(self, ctx: click.Context) -> str:
        """Return the help in the chosen language."""
        language: Language = ctx.find_object(Output).language  # type: ignore[union-attr]
        return _render_help(self, ctx, language)


class Command(_WithHelp):
    """A command."""

    allow_extra_args = True  # for click; they are refused here

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line."""
        extra = super().parse_args(ctx, args)
        if extra:
            words = same(" ".join(extra))
            raise Failure(label(Text("too many arguments", "多余的参数"), words))
        return extra


class Group(_WithHelp, click.Group):
    """The command that has the others; every error ends here."""

    def main(self, args: Sequence[str] | None = None, *_: Any, **options: Any) -> NoReturn:
        """Run the command, and exit with what it returns."""
        words = sys.argv[1:] if args is None else list(args)
        output = Output(find_language(words, os.environ))
        try:
            status = super().main(words, obj=output, **{**options, "standalone_mode": False})
        except (click.Abort, KeyboardInterrupt):
            status = _INTERRUPTED
        except Failure as failure:
            output.error(failure.text)
            status = 2
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else self.name
            output.error(output.to_text(_explain(error)) + f" ({path} --help)")
            status = 2
        except WeChatError as error:
            output.error(str(error))
            status = 2
        sys.exit(status)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is asked for."""
        if self.get_command(ctx, args[0]) is None:
            raise Failure(Text(f"no such command: {args[0]}", f"没有这个命令：{args[0]}"))
        return super().resolve_command(ctx, args)


def _explain(error: click.UsageError) -> Text:
    match error:
        case click.NoSuchOption():
            return Text(f"no such option: {error.option_name}", f"没有这个选项：{error.option_name}")
        case click.MissingParameter():
            name = error.param.human_readable_name if error.param else ""
            return Text(f"{name} is missing", f"缺少 {name}")
        case click.BadOptionUsage():
            return Text(error.format_message(), f"选项 {error.option_name} 用法有误")
        case click.BadParameter():
            return Text(error.format_message(), _explain_value(error.param))
    return Text(error.format_message(), f"命令用法有误：{error.format_message()}")


def _explain_value(parameter: click.Parameter | None) -> str:
    """Say in Chinese which values there are."""
    name = parameter.opts[-1] if isinstance(parameter, click.Option) else "参数"
    match parameter.type if parameter else None:
        case click.Choice(choices=choices):
            return f"{name} 的值无效，可选：{'、'.join(map(str, choices))}"
        case click.IntRange(min=least, max=most):
            return f"{name} 的值无效，应为 {least} 到 {most} 的整数"
    return f"{name} 的值无效"


# --- help -------------------------------------------------------------------------------------------------------------


def _render_help(command: _WithHelp, ctx: click.Context, language: Language) -> str:
    """Write the help; unlike click's, it counts a Chinese character as the two columns that it takes."""
    file = StringIO()
    console = Console(file=file, width=min(Console().width, _WIDEST), color_system=None, highlight=False)
    usage = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
    console.print(Styled(f"{Text('Usage', '用法').to(language)}: {usage}\n"), soft_wrap=True)
    console.print(Padding(Styled(command.about.to(language)), (0, 0, 0, 2)))
    for example in command.examples:
        console.print(Styled(f"    $ {example}"), soft_wrap=True)
    if isinstance(command, click.Group):
        commands = [(name, each.about) for name, each in command.commands.items() if isinstance(each, _WithHelp)]
        _print_section(console, Text("Commands", "命令"), commands, language)
    _print_section(console, Text("Options", "选项"), _list_options(command, ctx), language)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def _list_options(command: click.Command, ctx: click.Context) -> list[tuple[str, Text]]:
    listed = []
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record and isinstance(parameter, click.Option):
            listed.append((record[0], parameter.about if isinstance(parameter, _Option) else _HELP))
    return listed


def _print_section(console: Console, title: Text, listed: list[tuple[str, Text]], language: Language) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, about in listed:
        table.add_row(Styled(f"  {name}"), Styled(about.to(language).partition("\n")[0]))
    console.print(Styled(f"\n{title.to(language)}:"))
    console.print(table)
