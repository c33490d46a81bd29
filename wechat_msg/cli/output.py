"""Output: print lines in the selected language, with control characters escaped."""

from __future__ import annotations

import contextlib
import json
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import click
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bars
from rich.text import Text as Styled

from wechat_msg.api.call import Progress
from wechat_msg.testing.bilingual import Language, Text

__all__ = ["Mark", "Output"]

Mark = Literal["pass", "warn", "fail", "skip"]

_MARKS: Mapping[Mark, tuple[str, str]] = {
    "pass": ("✓", "green"),
    "warn": ("!", "yellow"),
    "fail": ("✗", "red"),
    "skip": ("–", "dim"),
}
_HARMLESS = "\n\t\u200d"  # the last one joins emoji


class Output:
    """A printer for one language, which threads may share.

    Args:
        language: The language.

    Example:
        >>> Output("en").print_line("pass", Text("it works", "正常"), "0.1 s")
        ✓ it works  0.1 s
    """

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._console = Console(highlight=False)

    def to_text(self, text: Text | str) -> str:
        """Return the text in the selected language, with control characters escaped for the terminal."""
        chosen = text.to(self.language) if isinstance(text, Text) else text
        return "".join(map(_show, chosen))

    def print_text(self, text: Text | str = "", *, style: str = "", indent: int = 0) -> None:
        """Print text; on a terminal, long lines are wrapped and stay indented."""
        self._print(Styled(self.to_text(text), style), indent)

    def print_line(self, mark: Mark, title: Text | str, note: Text | str = "", *, indent: int = 0) -> None:
        """Print a result: its mark, its title and a note."""
        symbol, style = _MARKS[mark]
        line = Styled.assemble((symbol, style), " ", self.to_text(title))
        if found := self.to_text(note):
            line.append(f"  {found}", "dim" if mark in ("pass", "skip") else style)
        self._print(line, indent)

    def print_fields(self, fields: Mapping[str, Any], *, indent: int = 0) -> None:
        """Print names and values, one per line."""
        width = max(map(len, map(str, fields)), default=0)
        for name, value in fields.items():
            if isinstance(value, (Mapping, list)):
                value = json.dumps(value, ensure_ascii=False)
            shown = self.to_text(str(value)).replace("\n", "\n" + " " * (width + 2))
            self._print(Styled.assemble((f"{self.to_text(str(name)):<{width}}", "cyan"), "  ", shown), indent)

    def print_json(self, document: Any) -> None:
        """Print a JSON document; a `Text` is printed in the selected language."""
        can_write_all = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        click.echo(json.dumps(document, ensure_ascii=not can_write_all, indent=2, default=self._to_json))

    def print_error(self, text: Text | str) -> None:
        """Print the error that ends the command, as one line on standard error."""
        click.echo("wechat-msg: " + " ".join(self.to_text(text).split("\n")), err=True)

    @contextlib.contextmanager
    def waiting(self, text: Text) -> Iterator[None]:
        """Show on a terminal what the command is doing."""
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(Styled(self.to_text(text), "dim")):
            yield

    @contextlib.contextmanager
    def transfer(self) -> Iterator[Progress]:
        """Yield a function that takes the bytes sent or received, and their total; it shows a bar on a terminal."""
        console = Console(stderr=True)  # the result goes to standard output
        columns = BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
        with Bars(*columns, console=console, disable=not console.is_terminal) as bars:
            task = bars.add_task("", total=None)
            yield lambda done, total: bars.update(task, completed=done, total=total)

    def _to_json(self, value: object) -> object:
        if isinstance(value, Text):
            return value.to(self.language)
        raise TypeError

    def _print(self, line: Styled, indent: int) -> None:
        if self._console.is_terminal:
            self._console.print(Padding(line, (0, 0, 0, indent), expand=False))
            return
        for each in line.split("\n"):
            self._console.print(Styled(" " * indent) + each, soft_wrap=True)


def _show(character: str) -> str:
    if character in _HARMLESS or unicodedata.category(character)[0] != "C":
        return character
    return character.encode("unicode_escape").decode()
