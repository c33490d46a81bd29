"""What has a limit in seconds: no other library has it, so there is nothing to compare it with."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from statistics import median
from time import thread_time

from wechat_msg import MemoryStore, Router, TextMessage

from .jobs import Job, check
from .report import format_row, judge, measure

RULES = 500
ENTRIES = 200_000
KEEP = 300.0  # seconds
RUNS = 5


def format_limits() -> Iterator[str]:
    """Measure, and yield a table in Markdown."""
    yield format_row("what", "measured", "limit", "")
    yield "|---|--:|--:|---|"
    yield format_limit(f"Router with {RULES} rules, the last one fits", measure(router_job()).seconds * 1e6, 80, "µs")
    longest = median(measure_expiry(ENTRIES) for _ in range(RUNS)) * 1e3
    yield format_limit(f"MemoryStore, {ENTRIES:,} entries that expire together: the longest call", longest, 5, "ms")


def check_limits() -> None:
    """Do once what is measured, with few entries."""
    check(router_job())
    assert measure_expiry(100) > 0.0


def format_limit(what: str, value: float, limit: float, unit: str) -> str:
    return format_row(what, f"{value:.1f} {unit}", f"≤ {limit} {unit}", judge(value, limit, ".1f")[1])


def router_job() -> Job:
    """Make a job that a router with a rule for each of 500 texts does."""
    router = Router()
    for number in range(RULES):
        router.on(TextMessage, content=f"rule {number}")(answer)
    message = TextMessage(from_user_name="o", to_user_name="gh", create_time=0, msg_id=1, content=f"rule {RULES - 1}")
    return Job(name="Router", case=f"{RULES} rules", expected=(message.content,), ours=lambda: (router(message),))


def answer(message: TextMessage) -> str:
    return message.content


def measure_expiry(entries: int) -> float:
    """Fill a store, let time pass, and return the CPU seconds of the longest call until nothing old is left."""
    now = 0.0
    store = MemoryStore(2 * entries, clock=lambda: now)
    keys = [f"{number:032x}" for number in range(2 * entries)]
    for key in keys[:entries]:
        store.compare_and_set(key, None, b"run", KEEP)
        store.compare_and_set(key, b"run", b"done", KEEP)
    now = 2 * KEEP
    gc.disable()  # what it does in a call is not the call's
    try:
        return max(time_claim(store, key) for key in keys[entries:])
    finally:
        gc.enable()


def time_claim(store: MemoryStore, key: str) -> float:
    start = thread_time()
    store.compare_and_set(key, None, b"run", KEEP)
    return thread_time() - start
