"""Readers of the documents: blocks, prose and tables; and Python started as a reader would start it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from wechat_msg import settings

ROOT = Path(__file__).parents[2]
READMES = ["README.md", "README.zh-CN.md"]
DOCUMENTS = [*READMES, "CONTRIBUTING.md", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/*.md"))]

#: What the documents use; the tests put a free port in its place.
ADDRESS = "http://127.0.0.1:8000"
PORT = "8000"
TOKEN = "mytoken123"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
APPID = "wx0123456789abcdef"
SECRET = "0123456789abcdef0123456789abcdef"
VARIABLES_OF_CLIENTS = {"WECHAT_APPID", "WECHAT_SECRET", "WECHAT_TOKEN_SERVER_SECRET", "OPENAI_API_KEY"}


class Block(NamedTuple):
    """A fenced block: `line` is that of its first line, counted from 1."""

    document: str
    line: int
    language: str
    source: str

    @property
    def kind(self) -> str:
        """The kind of test: program, doctest, code, before, shell, text or diagram; "" if no test knows the language.

        "before" is code for another package, which stands before the same for this one.
        """
        if self.language == "python" and "__main__" in self.source:
            return "program"
        if self.language in ("python", "pycon"):
            return "doctest" if ">>> " in self.source else "code"
        kinds = {
            "sh": "shell",
            "xml": "text",
            "json": "text",
            "yaml": "text",
            "dockerfile": "text",
            "text": "text",
            "mermaid": "diagram",
        }
        kinds |= {"python before": "before"}
        return kinds.get(self.language, "")

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def read_blocks(document: str, *kinds: str) -> list[Block]:
    """Return the fenced blocks of a document; all of them, or those of the given kinds."""
    blocks, block, indent = [], None, ""
    for number, line in enumerate((ROOT / document).read_text("utf-8").splitlines(), 1):
        if block is None and line.lstrip().startswith("```"):
            indent = line[: -len(line.lstrip())]
            block = Block(document, number + 1, line.strip().strip("`").strip(), "")
        elif block is not None and line.strip() == "```":
            blocks.append(block)
            block = None
        elif block is not None:
            block = block._replace(source=block.source + line.removeprefix(indent) + "\n")
    assert block is None, f"{document}: the last block has no end"
    return [each for each in blocks if not kinds or each.kind in kinds]


def read_section(document: str, heading: str, *kinds: str) -> list[Block]:
    """Return the blocks below a heading of the second level."""
    lines = (ROOT / document).read_text("utf-8").splitlines()
    first = lines.index(f"## {heading}")
    last = next((number for number, line in enumerate(lines) if number > first and line[:3] == "## "), len(lines))
    return [block for block in read_blocks(document, *kinds) if first < block.line <= last]


def read_commands(block: Block) -> list[list[str]]:
    """Return the words of every command, without comments and the variables set in front."""
    commands = []
    for line in block.source.splitlines():
        words = shlex.split(line, comments=True)
        while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
            words = words[1:]
        if words:
            commands.append(words)
    return commands


def find_blocks(*kinds: str) -> list[Block]:
    return [block for document in DOCUMENTS for block in read_blocks(document, *kinds)]


def read_prose(document: str) -> str:
    """Return a document without its blocks."""
    text = (ROOT / document).read_text("utf-8")
    return re.sub(r"^[ ]*```.*?^[ ]*```$", "", text, flags=re.DOTALL | re.MULTILINE)


def read_tables(document: str, *columns: str) -> list[list[str]]:
    """Return the rows, without mark-up, of every table whose first columns are the given ones."""
    rows, wanted = [], False
    for line in read_prose(document).splitlines():
        if not line.startswith("|"):
            wanted = False
            continue
        cells = [cell.strip().replace("`", "") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells[: len(columns)] == list(columns):
            wanted = True
        elif wanted and set("".join(cells)) - set("-:"):
            rows.append(cells)
    return rows


def split(cell: str) -> list[str]:
    return [word.strip() for word in cell.split(",") if word.strip()]


def list_variables_of_settings() -> set[str]:
    return {"WECHAT_" + name.upper() for name in settings._ENVIRONMENT}


def run_python(arguments: list[str], cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=cwd,
        env=make_environ(**environ),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def make_environ(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WECHAT_", "DJANGO_", "FLASK_"))}
    account = {"WECHAT_TOKEN": TOKEN, "WECHAT_APPID": APPID, "WECHAT_SECRET": SECRET}
    shared = {"WECHAT_TOKEN_SERVER_SECRET": "a long shared secret"}
    return {**kept, **account, **shared, "PYTHONIOENCODING": "utf-8", "NO_PROXY": "*", "no_proxy": "*", **more}
