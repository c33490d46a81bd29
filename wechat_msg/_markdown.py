"""Writes Markdown as the plain text that WeChat shows. Imports markdown-it-py, so it is imported when it is used."""

from __future__ import annotations

import itertools
import re
import textwrap
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, reference
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, emphasis
from markdown_it.token import Token

__all__ = ["write_plain"]

_LISTS = "bullet_list_open", "ordered_list_open"
_DEEPEST = 19  # what is in a block of this level is left out by the parser; a list has two levels
_LINE_WIDTH = 34  # a line on a phone: 17 ideographs
_LONGEST_HEAD = 100  # as each row repeats it
_INDENTED_LIST = re.compile(r"(?:[ \t]*+\n)*+([ \t]++)(?=(?:[-*+]|\d{1,9}[.)])[ \t])")
_SHOWN_AS_LINK = re.compile("(?:https?|weixin)://", re.IGNORECASE)
_ADDRESS = re.compile(r"(?<=http|ttps)://[\w.~:/?#@!$&'+,;=%-]*[A-Za-z0-9/#=&%+-]", re.ASCII | re.IGNORECASE)
_ANCHOR = re.compile(r'<a href="[^"]*">|</a>')
_ANCHOR_START = re.compile(r"<(?=/?a\b)", re.IGNORECASE)
#: What follows ``[a]:`` in the definition of a link; ``[note]: Done`` is text.
_TARGET = re.compile(r"[a-z][a-z0-9+.-]*://|(?:mailto|tel|weixin):|\.{0,2}/|[!-~]+\.[a-z]{2}", re.ASCII | re.IGNORECASE)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_PRODUCT = re.compile(r"[A-Za-z0-9]\*[A-Za-z0-9]|[0-9]\*\*[0-9]")
_TASK = re.compile(r"\[([ xX])\]\s")


def write_plain(text: str) -> str:
    """Return a text in Markdown as plain text; see `wechat_msg.text.strip_markdown`."""
    indentation = ""
    if found := _INDENTED_LIST.match(text):  # a part of a list; otherwise it would be code
        indentation, text = found[1], textwrap.dedent(text[found.start(1) :])
    definitions: dict[str, Any] = {}
    tokens = _MARKDOWN.parse(text, definitions)
    if max((token.level for token in tokens), default=0) >= _DEEPEST:
        return text
    plain = _write_blocks(iter(tokens))
    plain = _indent(plain, indentation, indentation) if plain else ""
    plain = "\n".join(map(str.rstrip, plain.split("\n"))).strip("\n")
    return plain or (text.strip() if definitions.get("references") else "")


# --- blocks ----------------------------------------------------------------------------------------------------------


def _write_blocks(tokens: Iterator[Token], *, is_item: bool = False) -> str:
    """Return the blocks up to the end of their container, which is an item of a list if *is_item*."""
    pieces, gap = [], "\n\n"
    for token in tokens:
        if token.type in ("blockquote_close", "list_item_close"):
            break
        if token.hidden:  # a paragraph in a list without blank lines
            gap = "\n"
        if block := _write_block(token, tokens):
            is_inner_list = is_item and token.type in _LISTS
            pieces += ["\n" if is_inner_list else gap, block]
    return "".join(pieces[1:])


def _write_block(token: Token, tokens: Iterator[Token]) -> str:
    match token.type:
        case "inline":
            return _write_inline(token.children or [])
        case "fence":
            return _disarm(token.content.rstrip("\n"))
        case "code_block":
            return _indent(_disarm(token.content.rstrip("\n")), "    ", "    ")
        case "hr":
            return "—" * 8
        case kind if kind in _LISTS:
            return _write_list(token, tokens)
        case "table_open":
            return _write_table(tokens)
        case "blockquote_open":
            return _indent(_write_blocks(tokens), "> ", "> ")
    return ""


def _write_list(opening: Token, tokens: Iterator[Token]) -> str:
    is_ordered = opening.type == "ordered_list_open"
    items, gap = [], "\n"
    for number in itertools.count(int(opening.attrs.get("start", 1))):
        if next(tokens).type != "list_item_open":
            break
        text, marker = _write_blocks(tokens, is_item=True), f"{number}{opening.markup} " if is_ordered else "• "
        if task := _TASK.match(text):
            text, marker = text[task.end() :], (marker if is_ordered else "") + ("☐ " if task[1] == " " else "☑ ")
        if "\n\n" in text:
            gap = "\n\n"
        items.append(_indent(text, marker, " " * len(marker)))
    return gap.join(items)


def _indent(text: str, first: str, others: str) -> str:
    return first + text.replace("\n", f"\n{others}")


def _disarm(text: str) -> str:
    """Return a text of which WeChat makes no link."""
    return _ANCHOR_START.sub("＜", text)


# --- tables ----------------------------------------------------------------------------------------------------------


def _write_table(tokens: Iterator[Token]) -> str:
    """Return columns if they fit on a phone, else a paragraph for each row, each cell with the head of its column."""
    rows: list[list[str]] = []
    is_right: list[bool] = []
    for token in tokens:
        match token.type:
            case "tr_open":
                rows.append([])
            case "th_open":
                is_right.append("right" in str(token.attrs.get("style")))
            case "inline":
                rows[-1].append(_write_inline(token.children or []).replace("\n", " "))
            case "table_close":
                break
    widths = [max(map(_measure, column)) for column in zip(*rows, strict=True)]
    if sum(widths) + 3 * len(widths) - 3 <= _LINE_WIDTH or len(rows) == 1:
        return "\n".join(" | ".join(map(_pad, row, widths, is_right)) for row in rows)
    heads = [f"{head}: " if 0 < len(head) <= _LONGEST_HEAD else "" for head in rows[0]]
    return "\n\n".join(
        "\n".join(head + cell for head, cell in zip(heads, row, strict=True) if cell) for row in rows[1:]
    )


def _measure(text: str) -> int:
    """Return the width of a text in columns; an ideograph has two."""
    return sum(map(_measure_character, _ANCHOR.sub("", text)))


def _measure_character(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WFA" else 1


def _pad(text: str, width: int, is_right: bool) -> str:  # noqa: FBT001
    space = " " * (width - _measure(text))
    return space + text if is_right else text + space


# --- inline ----------------------------------------------------------------------------------------------------------


def _write_inline(tokens: list[Token]) -> str:
    pieces: list[str] = []
    start, href = -1, ""
    for token in tokens:
        match token.type:
            case "text":
                pieces.append(_BREAK.sub("\n", token.content))
            case "code_inline":
                pieces.append(_disarm(token.content))
            case "softbreak" | "hardbreak":
                pieces.append("\n")
            case "image":
                pieces.append(_write_image(token, is_inside=start >= 0))
            case "link_open":
                start, href = len(pieces), str(token.attrs["href"])
            case "link_close":
                pieces[start:] = [_write_link("".join(pieces[start:]), href)]
                start = -1
    return "".join(pieces)


def _write_image(token: Token, *, is_inside: bool) -> str:
    address = str(token.attrs["src"])
    is_link = _SHOWN_AS_LINK.match(address) and not is_inside
    return _write_link(token.content, address) if is_link else token.content.replace("\n", " ")


def _write_link(label: str, address: str) -> str:
    label = " ".join(label.split())
    if _SHOWN_AS_LINK.match(address):
        is_bare = not label or unquote(label) == unquote(address)
        return label or address if is_bare else f'<a href="{address}">{_disarm(label)}</a>'
    address = address.removeprefix("mailto:").removeprefix("tel:")
    return label if address.startswith("#") or address in label else f"{label} ({address})"


# --- Markdown as people and models write it --------------------------------------------------------------------------


class _Markdown(MarkdownIt):
    def normalizeLink(self, url: str) -> str:  # noqa: N802
        """Return an address with signs quoted that would end it. WeChat reads its own addresses letter for letter."""
        if url.lower().startswith("weixin:"):
            return re.sub(r'["<>\s]', lambda found: quote(found[0]), url)
        return super().normalizeLink(url)


def _read_stars(state: StateInline, silent: bool) -> bool:  # noqa: FBT001
    """Read ``*`` and ``_`` as CommonMark does, with two exceptions for ``*``.

    Ideographs and their punctuation need no space around it: ``**注意：**请``. Products are text: ``2*3*4``.
    """
    start = state.pos
    if not emphasis.tokenize(state, silent):
        return False
    if state.src[start] == "*":
        before = state.src[start - 1 : start] or " "
        after = state.src[state.pos : min(state.pos + 1, state.posMax)] or " "
        is_product = _PRODUCT.fullmatch(state.src[start - 1 : state.pos + 1])
        for each in state.delimiters[start - state.pos :]:
            each.open = not is_product and _is_flank(before, after)
            each.close = not is_product and _is_flank(after, before)
    return True


def _is_flank(outside: str, inside: str) -> bool:
    if inside.isspace():
        return False
    return _is_wide(inside) or not _is_sign(inside) or outside.isspace() or _is_sign(outside) or _is_wide(outside)


def _is_sign(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _read_address(state: StateInline, silent: bool) -> bool:  # noqa: FBT001
    """Read the address of a web page as text: ``https://example.com/_a_`` has no emphasis."""
    found = _ADDRESS.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if not silent:
        state.append_pending(found[0])
    state.pos = found.end()
    return True


def _read_definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001
    """Read the definition of a link, ``[a]: address``, which the text does not show; ``[注]: 仅供参考`` is text."""
    known, state.env["references"] = state.env.get("references", {}), {}
    is_read = reference(state, start, end, silent)
    found, state.env["references"] = state.env["references"], known
    if not all(_TARGET.match(unquote(each["href"])) for each in found.values()):
        state.line = start
        return False
    for label, definition in found.items():
        known.setdefault(label, definition)
    return is_read


def _limit_definitions(state: StateCore) -> None:
    """Forget the addresses of references (``[a]: address``) that could make the text many times as long."""
    most, uses = 10 * len(state.src) + 100_000, state.src.count("]")
    definitions = state.env.get("references", {})
    for label in [label for label, each in definitions.items() if len(each["href"]) * uses > most]:
        del definitions[label]


_MARKDOWN = _Markdown("commonmark").enable("table").disable(["html_block", "html_inline"])
_MARKDOWN.inline.ruler.at("emphasis", _read_stars)
_MARKDOWN.inline.ruler.before("emphasis", "address", _read_address)
_MARKDOWN.block.ruler.at("reference", _read_definition)
_MARKDOWN.core.ruler.after("block", "limit_definitions", _limit_definitions)
_MARKDOWN.parse("")  # makes its tables of rules, which several threads must not do at once
