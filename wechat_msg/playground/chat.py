"""Chat: the entries of the conversation, and a stream of their changes."""

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

_KEEP_ALIVE = 15.0


@frozen
class _Entry:
    """An entry in its last state, which is the *change*-th change of all; pages request *wire* separately."""

    change: int
    text: str
    wire: str
    source: object
    source_size: int

    @property
    def size(self) -> int:
        return len(self.text) + len(self.wire) + self.source_size


class Chat:
    """The conversation that pages show, with the last state of each entry.

    A page that follows it names the last change that it knows and gets the later ones. So a page may be opened again or
    many times, and a page that does not read costs nothing. A chat belongs to one event loop.

    Args:
        max_entries: How many entries are kept; beyond that, the ones that changed least recently are removed.
        max_characters: The total length of all entries.
    """

    def __init__(self, max_entries: int = 2000, max_characters: int = 64 << 20) -> None:
        self._max_entries, self._max_characters, self._size = max_entries, max_characters, 0
        self._numbers = itertools.count(1)
        self._changes = itertools.count(1)
        self._entries: OrderedDict[int | str, _Entry] = OrderedDict()  # in order of change
        self._changed = asyncio.Event()
        self._is_closed = False

    def add(self, kind: str, *, at: float | None = None, **members: Any) -> int:
        """Add an entry, of this moment if *at* is None, and return its number; see `put` for the other arguments."""
        number = next(self._numbers)
        self.put(number, kind=kind, at=time.time() if at is None else at, **members)
        return number

    def put(self, entry: int | str, *, wire: Any = None, source: object = None, size: int = 0, **members: Any) -> None:
        """Set an entry.

        Args:
            entry: A number that `add` returned, or the name of a unique entry.
            wire: Details that pages request separately.
            source: What `get_source` returns.
            size: About how many bytes *source* occupies.
            members: The members of its JSON object.

        Raises:
            ValueError: A member is NaN or infinite.
        """
        text, details = json.dumps({"id": entry, **members}, allow_nan=False), json.dumps(wire, allow_nan=False)
        self._drop(entry)
        stored = self._entries[entry] = _Entry(next(self._changes), text, details, source, size)
        self._size += stored.size
        self._trim()
        self._wake()

    def get_wire(self, entry: int) -> str:
        """Return the details of an entry as JSON; ``null`` if there are none, or the entry was removed."""
        stored = self._entries.get(entry)
        return stored.wire if stored else "null"

    def get_source(self, entry: int) -> object:
        """Return the source of an entry; None if there is none, or the entry was removed."""
        stored = self._entries.get(entry)
        return stored.source if stored else None

    def list_entries(self) -> list[tuple[dict[str, Any], object]]:
        """Return the members of all messages with their sources, in the order in which they were added."""
        numbers = sorted(entry for entry in self._entries if isinstance(entry, int))
        stored = [self._entries[number] for number in numbers]
        return [(json.loads(entry.text), entry.source) for entry in stored]

    def clear(self) -> None:
        """Remove all messages."""
        for entry in [entry for entry in self._entries if isinstance(entry, int)]:
            self._drop(entry)
        self.put("cleared", kind="cleared", before=next(self._numbers))

    async def follow(self, known: int = 0) -> AsyncIterator[tuple[int, str]]:
        """Yield changes until `close`: the number of the last change, and the changed entries as a JSON array.

        Args:
            known: Number of the last change that the caller knows, or 0.
        """
        while not self._is_closed:
            changed = self._changed
            changed_entries = self._list_after(known)
            known = changed_entries[-1].change if changed_entries else known
            yield known, f"[{','.join(entry.text for entry in changed_entries)}]"
            try:
                await asyncio.wait_for(changed.wait(), _KEEP_ALIVE)
            except TimeoutError:
                continue  # the empty array keeps the connection alive

    def close(self) -> None:
        """End all `follow` iterators."""
        self._is_closed = True
        self._wake()

    def _list_after(self, change: int) -> list[_Entry]:
        return list(itertools.takewhile(lambda entry: entry.change > change, reversed(self._entries.values())))[::-1]

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _trim(self) -> None:
        numbered = [entry for entry in self._entries if isinstance(entry, int)] if self._is_full() else []
        for entry in numbered[:-1]:
            self._drop(entry)
            if not self._is_full():
                break

    def _is_full(self) -> bool:
        return len(self._entries) > self._max_entries or self._size > self._max_characters

    def _drop(self, entry: int | str) -> None:
        stored = self._entries.pop(entry, None)
        self._size -= stored.size if stored else 0
