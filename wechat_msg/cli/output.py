"""What the command prints: lines in the chosen language, and nothing of others' that a terminal would obey."""

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
from rich.text import Text as Styled

from wechat_msg.testing.text import Language, Text

__all__ = ["Mark", "Output"]

Mark = Literal["pass", "warn", "fail", "skip"]

_MARKS: Mapping[Mark, tuple[str, str]] = {
    "pass": ("✓", "green"),
    "warn": ("!", "yellow"),
    "fail": ("✗", "red"),
    "skip": ("–", "dim"),
}
_HARMLESS = "\n\t\u200d"  # the last joins emoji


class Output:
    """Prints in one language; may be used from many threads.

    Args:
        language: Which one.

    Example:
        >>> Output("en").line("pass", Text("it works", "正常"), "0.1 s")
        ✓ it works  0.1 s
    """

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._console = Console(highlight=False)

    def to_text(self, text: Text | str) -> str:
        """Choose the language, and show control characters instead of sending them to the terminal."""
        chosen = text.to(self.language) if isinstance(text, Text) else text
        return "".join(map(_show, chosen))

    def say(self, text: Text | str = "", *, style: str = "", indent: int = 0) -> None:
        """Print text; only a terminal breaks its lines, which then keep their indentation."""
        self._print(Styled(self.to_text(text), style), indent)

    def line(self, mark: Mark, title: Text | str, note: Text | str = "", *, indent: int = 0) -> None:
        """Print a finding: how it is, what it is about, what was found."""
        symbol, style = _MARKS[mark]
        line = Styled.assemble((symbol, style), " ", self.to_text(title))
        if found := self.to_text(note):
            line.append(f"  {found}", "dim" if mark in ("pass", "skip") else style)
        self._print(line, indent)

    def fields(self, fields: Mapping[str, Any], *, indent: int = 0) -> None:
        """Print names and values, one below the other."""
        width = max(map(len, map(str, fields)), default=0)
        for name, value in fields.items():
            if isinstance(value, (Mapping, list)):
                value = json.dumps(value, ensure_ascii=False)
            shown = self.to_text(str(value)).replace("\n", "\n" + " " * (width + 2))
            self._print(Styled.assemble((f"{self.to_text(str(name)):<{width}}", "cyan"), "  ", shown), indent)

    def json(self, document: Mapping[str, Any]) -> None:
        """Print a document for machines; pairs of texts in the chosen language."""
        can_write_all = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        click.echo(json.dumps(document, ensure_ascii=not can_write_all, indent=2, default=self._to_json))

    def error(self, text: Text | str) -> None:
        """Print why the command ends; one line, to standard error."""
        click.echo("wechat-msg: " + " ".join(self.to_text(text).split("\n")), err=True)

    @contextlib.contextmanager
    def waiting(self, text: Text) -> Iterator[None]:
        """Show on a terminal that something is being done."""
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(Styled(self.to_text(text), "dim")):
            yield

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
