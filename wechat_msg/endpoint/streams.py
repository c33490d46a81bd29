"""The answers of a generator, read one after another while it runs."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from wechat_msg._flow import Flow
from wechat_msg._handlers import END, read_next
from wechat_msg.replies import Reply

__all__ = ["Stream", "compute_digest"]


def compute_digest(part: str) -> str:
    """Return what stands in the store for a part that has left."""
    return hashlib.sha256(part.encode()).hexdigest()[:32]


class Stream:
    """The replies of a generator.

    Args:
        iterator: The generator.
        to_replies: Returns the replies of one of its answers.
        leave: Called with the generator's error, or None, when it has ended.
    """

    def __init__(
        self,
        iterator: Iterator[Any] | AsyncIterator[Any],
        to_replies: Callable[[Any], Sequence[Reply]],
        leave: Callable[[BaseException | None], Flow[object]],
    ) -> None:
        self._iterator = iterator
        self._to_replies = to_replies
        self._leave = leave
        self._waiting: deque[Reply] = deque()
        self._error: Exception | None = None
        self._has_ended = False

    def read(self) -> Flow[Reply | None]:
        """Return the next reply; None if there is no other.

        Raises:
            Exception: The generator raised it.
        """
        while not self._waiting and not self._has_ended:
            try:
                answer = yield read_next(self._iterator)
                self._has_ended = answer is END
                self._waiting.extend(() if self._has_ended else self._to_replies(answer))
            except BaseException as error:
                self._has_ended = True
                yield from self._leave(error)
                raise
            if self._has_ended:
                yield from self._leave(None)
        if self._waiting:
            return self._waiting.popleft()
        if self._error is not None:
            failed, self._error = self._error, None
            raise failed
        return None

    def look_ahead(self) -> Flow[bool]:
        """Return whether there is another reply, which the next `read` returns; an error is raised by that, too."""
        try:
            reply = yield from self.read()
        except Exception as error:  # noqa: BLE001, the generator's
            self._error = error
            return True
        if reply is not None:
            self.unread(reply)
        return reply is not None

    def unread(self, reply: Reply) -> None:
        """Let the next `read` return this reply."""
        self._waiting.appendleft(reply)
