"""The tables of docs/benchmarks.md, each between two comments."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def replace_table(name: str, lines: Iterable[str]) -> None:
    """Replace the table with this name."""
    begin, end = f"<!-- begin: {name} -->\n", "<!-- end -->"
    text = DOCUMENT.read_text("utf-8")
    before, found, rest = text.partition(begin)
    assert found, f"{DOCUMENT} has no {begin}"
    table = "".join(f"{line}\n" for line in lines)
    DOCUMENT.write_text(f"{before}{begin}\n{table}\n{end}{rest.partition(end)[2]}", "utf-8")
