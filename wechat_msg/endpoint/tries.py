"""The number of a try, which all deliveries of a push count together."""

from __future__ import annotations

from wechat_msg._flow import AnyStore, CompareAndSet, Flow, Get
from wechat_msg.endpoint.records import dump_texts, load_texts
from wechat_msg.errors import StoreError

__all__ = ["count_try"]

_KEPT = 60.0  # seconds; the tries take 15
_ATTEMPTS = 100  # a compare-and-set only fails if another delivery's has succeeded


def count_try(store: AnyStore, record_key: str, earlier: str, name: str) -> Flow[int]:
    """Return the number of the delivery *name*; the delivery *earlier* came before it, and may not be counted yet.

    Raises:
        StoreError: The store failed.
    """
    identity, _, digest = record_key.rpartition("push:")
    key = f"{identity}tries:{digest}"
    for _ in range(_ATTEMPTS):
        raw: bytes | None = yield Get(store, key)
        counted = load_texts(raw)
        names = list(dict.fromkeys((*counted, *filter(None, (earlier, name)))))
        if names == counted or (yield CompareAndSet(store, key, raw, dump_texts(names), _KEPT)):
            return names.index(name) + 1
    raise StoreError("the store refuses to replace the value that it returns")
