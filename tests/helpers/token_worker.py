"""A process with a client of its own, which makes calls by commands on standard input, one line of JSON each.

- ``{"open": {...}}`` replaces the client, see `make_options`; the answer is ``"open"``.
- ``{"work": {...}}`` prepares a crew of callers, see `Job`; the answer is ``"ready"``. The next line starts them all,
  the line after that stops those that still run, and the answer is their reports.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from attrs import asdict, define, field, frozen

from tests.helpers.servers import TIMEOUT
from wechat_msg import SQLiteStore
from wechat_msg.client import AsyncClient, ClassicTokenSource, Client, StableTokenSource

SOURCES = {"stable": StableTokenSource, "classic": ClassicTokenSource}
#: A call that answers quickly.
PATH = "/cgi-bin/get_api_domain_ip"


@frozen
class Job:
    """The work of a crew.

    Attributes:
        name: Prefix of the callers' names, which are sent to the fake in the query.
        callers: The number of threads or tasks.
        calls: The number of calls of each; after the stop, those that made none make one.
        pause: Seconds between two calls of a caller.
        ticket: Ask the client for a ticket instead of calling.
    """

    name: str
    callers: int
    calls: int = 1
    pause: float = 0.0
    ticket: bool = False

    def name_callers(self) -> list[str]:
        return [f"{self.name}:{number}" for number in range(self.callers)]


@define
class Report:
    """The calls of one caller.

    Attributes:
        name: The caller's name.
        calls: The number of calls.
        longest: Duration of the longest call in seconds.
        errors: What the client raised.
    """

    name: str
    calls: int = 0
    longest: float = 0.0
    errors: list[str] = field(factory=list)

    @contextlib.contextmanager
    def call(self) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        except Exception as error:
            self.errors.append(repr(error))
        self.calls += 1
        self.longest = max(self.longest, time.monotonic() - began)


class Threads:
    """Threads that share a `Client`."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.store = open_store(options["place"])
        self.client = Client(**make_options(options), store=self.store)

    def close(self) -> None:
        self.client.close()
        self.store.close()

    def work(self, job: Job) -> list[Report]:
        start, stop = threading.Event(), threading.Event()
        with ThreadPoolExecutor(job.callers) as pool:
            crew = [pool.submit(self._work, job, name, start, stop) for name in job.name_callers()]
            write_line("ready")
            read_line()
            start.set()
            read_line()
            stop.set()
            return [caller.result() for caller in crew]

    def _work(self, job: Job, name: str, start: threading.Event, stop: threading.Event) -> Report:
        report = Report(name)
        start.wait()
        while not report.calls or (report.calls < job.calls and not stop.wait(job.pause)):
            with report.call():
                self.client.get_ticket() if job.ticket else self.client.raw_call("GET", PATH, params={"caller": name})
        return report


class Tasks:
    """Tasks that share an `AsyncClient`, in an event loop that stands still between two jobs."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.runner = asyncio.Runner()
        self.store = open_store(options["place"], is_async=True)
        self.client = AsyncClient(**make_options(options), store=self.store)

    def close(self) -> None:
        self.runner.run(self.client.close())
        self.store.close() if isinstance(self.store, SQLiteStore) else self.runner.run(self.store.aclose())
        self.runner.close()

    def work(self, job: Job) -> list[Report]:
        return self.runner.run(self._work_together(job))

    async def _work_together(self, job: Job) -> list[Report]:
        start, stop = asyncio.Event(), asyncio.Event()
        crew = [asyncio.create_task(self._work(job, name, start, stop)) for name in job.name_callers()]
        write_line("ready")
        await asyncio.to_thread(read_line)
        start.set()
        await asyncio.to_thread(read_line)
        stop.set()
        return await asyncio.gather(*crew)

    async def _work(self, job: Job, name: str, start: asyncio.Event, stop: asyncio.Event) -> Report:
        report = Report(name)
        await start.wait()
        while not report.calls or (report.calls < job.calls and not stop.is_set()):
            with report.call():
                if job.ticket:
                    await self.client.get_ticket()
                else:
                    await self.client.raw_call("GET", PATH, params={"caller": name})
            await asyncio.sleep(job.pause)
        return report


COLOURS = {"sync": Threads, "async": Tasks}


def make_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a client; ``url`` is a fake's, ``place`` the store's, and ``source`` is a name."""
    return {
        "appid": options["appid"],
        "secret": options["secret"],
        "hosts": [options["url"]],
        "token_source": SOURCES[options["source"]](),
    }


def open_store(place: str, *, is_async: bool = False) -> Any:
    """Open the store at a URL of Redis or at a path, with a time-out for a busy machine."""
    if not place.startswith("redis://"):
        return SQLiteStore(place, timeout=TIMEOUT)
    import redis

    from wechat_msg.stores.redis import AsyncRedisStore, RedisStore

    if is_async:
        return AsyncRedisStore(redis.asyncio.Redis.from_url(place), timeout=TIMEOUT)
    return RedisStore(redis.Redis.from_url(place), timeout=TIMEOUT)


def write_line(what: Any) -> None:
    print(json.dumps(what), flush=True)


def read_line() -> Any:
    """Return the next command; None at the end of standard input."""
    return json.loads(sys.stdin.readline() or "null")


def main() -> None:
    crew: Threads | Tasks | None = None
    while command := read_line():
        match command:
            case {"open": options}:
                if crew is not None:
                    crew.close()
                crew = COLOURS[options["colour"]](options)
                write_line("open")
            case {"work": job} if crew is not None:
                write_line([asdict(report) for report in crew.work(Job(**job))])


if __name__ == "__main__":
    main()
