"""The conversation: entries that may change, and a way to follow what has changed."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Any

from wechat_msg._tracebacks import frozen

__all__ = ["Chat"]

_MOST = 2000
_MOST_CHARACTERS = 64 << 20
_KEEP_ALIVE = 15.0


@frozen
class _Kept:
    """An entry as it was at its last change, the *change*-th of all; *wire* is told only when it is asked for."""

    change: int
    text: str
    wire: str = "null"

    @property
    def size(self) -> int:
        return len(self.text) + len(self.wire)


class Chat:
    """What pages show. Of an entry that changed many times only the last state is kept.

    Whoever follows says which changes they know, and gets the others: so a page may be opened again or many times,
    and one that does not read costs nothing. Belongs to one event loop.

    Args:
        most: How many entries are kept; beyond it those that have not changed for the longest time go.
        most_characters: How long all of them may be together.
    """

    def __init__(self, most: int = _MOST, most_characters: int = _MOST_CHARACTERS) -> None:
        self._most, self._most_characters, self._size = most, most_characters, 0
        self._numbers = itertools.count(1)
        self._changes = itertools.count(1)
        self._entries: OrderedDict[int | str, _Kept] = OrderedDict()  # the latest change last
        self._changed = asyncio.Event()
        self._is_closed = False

    def add(self, kind: str, *, wire: Any = None, **members: Any) -> int:
        """Add an entry; return its number."""
        number = next(self._numbers)
        self.put(number, wire=wire, **{"kind": kind, "at": time.time(), **members})
        return number

    def put(self, entry: int | str, *, wire: Any = None, **members: Any) -> None:
        """Set an entry.

        Args:
            entry: A number that `add` has returned, or the name of something that there is one of.
            wire: What is told of it only when it is asked for.
            members: What is shown; the names are those of JSON.

        Raises:
            ValueError: A number in it is none that JSON has.
        """
        text, told = json.dumps({"id": entry, **members}, allow_nan=False), json.dumps(wire, allow_nan=False)
        self._drop(entry)
        kept = self._entries[entry] = _Kept(next(self._changes), text, told)
        self._size += kept.size
        self._trim()
        self._wake()

    def get_wire(self, entry: int) -> str:
        """Return what is told of an entry when it is asked for, as JSON; ``null``: nothing, or nothing any more."""
        kept = self._entries.get(entry)
        return kept.wire if kept else "null"

    def clear(self) -> None:
        """Forget everything that was said."""
        for entry in [entry for entry in self._entries if isinstance(entry, int)]:
            self._drop(entry)
        self.put("cleared", kind="cleared", before=next(self._numbers))

    async def follow(self, known: int = 0) -> AsyncIterator[tuple[int, str]]:
        """Yield what has changed, again and again: the number of the last change, and the entries as a JSON array.

        Args:
            known: Number of the last change that is known; 0: none.
        """
        while not self._is_closed:
            changed = self._changed
            news = self._list_after(known)
            known = news[-1].change if news else known
            yield known, f"[{','.join(kept.text for kept in news)}]"
            try:
                await asyncio.wait_for(changed.wait(), _KEEP_ALIVE)
            except TimeoutError:
                continue  # an empty array tells that there is somebody

    def close(self) -> None:
        """Let everybody who follows go."""
        self._is_closed = True
        self._wake()

    def _list_after(self, change: int) -> list[_Kept]:
        return list(itertools.takewhile(lambda kept: kept.change > change, reversed(self._entries.values())))[::-1]

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _trim(self) -> None:
        said = [entry for entry in self._entries if isinstance(entry, int)] if self._is_full() else []
        for entry in said[:-1]:
            self._drop(entry)
            if not self._is_full():
                break

    def _is_full(self) -> bool:
        return len(self._entries) > self._most or self._size > self._most_characters

    def _drop(self, entry: int | str) -> None:
        kept = self._entries.pop(entry, None)
        self._size -= kept.size if kept else 0
