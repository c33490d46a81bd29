"""Real servers whose processes are killed, ended and stopped: what was acknowledged is answered, and once."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import http.client
import itertools
import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
from attrs import frozen

from tests.helpers.redis_server import run_redis
from tests.helpers.servers import GUNICORN, TIMEOUT, UVICORN, render_request
from tests.helpers.slow_app import SETTINGS
from tests.helpers.slow_bot import HANGS_UP, TRIES, Bot, Entry, Killer, deliver_until_answered, make_text, start_bot
from wechat_msg.testing import build_push, open_reply

GUNICORN_OPTIONS = ("--threads", "32", "--config", "python:tests.helpers.slow_app", "--preload")
GUNICORN_1, GUNICORN_2, GUNICORN_4 = (
    (*GUNICORN, *GUNICORN_OPTIONS, "--workers", workers, "tests.helpers.slow_app:make_wsgi()") for workers in "124"
)
UVICORN_OPTIONS = ("--no-access-log", "--factory")
UVICORN_1, UVICORN_2 = (
    (*UVICORN, *UVICORN_OPTIONS, "--workers", workers, "tests.helpers.slow_app:make_asgi") for workers in "12"
)
UVICORN_2_PATIENT = (*UVICORN_2, "--timeout-worker-healthcheck", "60")  # it would kill workers that have stopped
FASTAPI = (*UVICORN, *UVICORN_OPTIONS, "tests.helpers.slow_app:make_fastapi")

OVER = 6.0  # seconds over which most messages are delivered
ALL_ACKNOWLEDGED = OVER + 5
SECONDS = (0, 2, 6, 12)
ATTEMPTS = 3
PATIENCE = 45.0  # seconds until an answer is lost
TAKEOVER = 8.0  # seconds until the last process has seen that another one has died


# --- what users see --------------------------------------------------------------------------------------------------


def ask(bot: Bot, number: int, seconds: float, delay: float = 0.0) -> str | None:
    """Deliver a message as WeChat does, wherever the bot listens then; return the answer, None if there was none."""
    time.sleep(delay)
    for _ in range(TRIES):
        answered, text = deliver_until_answered(bot.server.port, "/later", make_text(number, seconds), 1)
        if answered:
            bot.acknowledged[str(number)] = time.time()
            return text or ""
    return None


@frozen(str=False)
class Verdict:
    """How users were answered.

    Attributes:
        died: How many processes died, or were stopped.
        acknowledged: How many messages were, some with their answers.
        later: How many answers were sent later.
        lost: Messages that were acknowledged, and not answered.
        wrong: Messages with another answer than their own.
        twice: Messages that were answered again.
        in_flight: Messages that were answered again as a process died, or stopped, while it sent the answer.
    """

    died: int
    acknowledged: int
    later: int
    lost: list[str]
    wrong: list[str]
    twice: list[str]
    in_flight: list[str]

    def __str__(self) -> str:
        return (
            f"{self.acknowledged} acknowledged, {self.later} answered later, {self.died} processes died or stopped,"
            f" {len(self.lost)} lost, {len(self.wrong)} wrong, {len(self.twice)} twice,"
            f" {len(self.in_flight)} twice as they were being sent"
        )

    @property
    def faults(self) -> list[list[str]]:
        return [self.lost, self.wrong, self.twice]


def judge(
    bot: Bot,
    answers: Mapping[str, str | None],
    died: Mapping[int, float],
    *,
    patience: float = PATIENCE,
    settle: float = TAKEOVER,
) -> Verdict:
    """Wait for the answers that are sent later, and then for some that must not be sent.

    Args:
        bot: The bot.
        answers: The answers to the pushes; "" is an acknowledgement, None an error.
        died: When processes died or were stopped.
        patience: Seconds until an answer is lost.
        settle: Seconds to wait after the last answer.
    """
    waiting = {name for name, text in answers.items() if text == ""}
    deadline = time.monotonic() + patience
    while waiting - {entry.name for entry in bot.read_diary("sent", "lost")} and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(settle)
    sent = {(entry.name, entry.pid): entry.time for entry in bot.read_diary("sent")}
    sending: dict[str, list[Entry]] = {}
    for entry in bot.read_diary("sending"):
        sending.setdefault(entry.name, []).append(entry)
    twice, in_flight = [], []
    for name, entries in sending.items():
        again = len(entries) - (0 if answers[name] else 1)
        cut_short = sum(was_in_flight(entry, sent.get((name, entry.pid)), died.get(entry.pid)) for entry in entries)
        if again > 0:
            (twice if answers[name] or again > cut_short else in_flight).append(name)
    return Verdict(
        died=len(died),
        acknowledged=sum(text is not None for text in answers.values()),
        later=len(sent),
        lost=sorted(waiting - {name for name, _ in sent}, key=int),
        wrong=[name for name, text in answers.items() if text not in (None, "", f"reply to {name}")]
        + [entry.name for entry in bot.read_diary("wrong")],
        twice=twice,
        in_flight=in_flight,
    )


def was_in_flight(sending: Entry, sent: float | None, died: float | None) -> bool:
    """Return whether a process died while it sent, or before it could write down that it had sent."""
    return sent is None or (died is not None and sending.time - 0.1 < died < sent + 0.5)


Disturb = Callable[[Bot], Mapping[int, float]]


Scenario = Callable[[Path], tuple[Verdict, str]]


def play(
    command: tuple[str, ...], store: str, disturb: Disturb, *, messages: int = 40, over: float = OVER, **environ: str
) -> Scenario:
    """Make a scenario: messages are delivered over some seconds, and *disturb* returns when processes died."""

    def run(folder: Path) -> tuple[Verdict, str]:
        with (
            start_bot(command, store, folder, ONLY="/later", **environ) as bot,
            ThreadPoolExecutor(messages) as pool,
        ):
            asked = [
                pool.submit(ask, bot, number, SECONDS[number % 4], over * random.random()) for number in range(messages)
            ]
            died = disturb(bot)
            answers = {str(number): future.result() for number, future in enumerate(asked)}
            return judge(bot, answers, died), bot.read_log()

    return run


def play_all(
    scenarios: Mapping[str, Scenario], folder: Path, record: Callable[[str, object], None]
) -> dict[str, tuple[Verdict, str]]:
    """Play scenarios at the same time, so that they take as long as the longest."""
    folders = {name: folder / str(number) for number, name in enumerate(scenarios)}
    for path in folders.values():
        path.mkdir()
    with ThreadPoolExecutor(len(scenarios)) as pool:
        played = dict(zip(scenarios, pool.map(lambda name: scenarios[name](folders[name]), scenarios), strict=True))
    for name, (verdict, log) in played.items():
        (folders[name] / "log").write_text(log)
        record("measured", f"{name}: {verdict}")
    return played


def find_faults(played: Mapping[str, tuple[Verdict, str]]) -> dict[str, Verdict]:
    return {name: verdict for name, (verdict, _) in played.items() if any(verdict.faults)}


# --- what happens to the bot -----------------------------------------------------------------------------------------


def kill_workers(bot: Bot) -> Mapping[int, float]:
    """Kill a worker every 2.5 seconds, but none that makes the last attempt at a message: then it would be lost."""

    def makes_last_attempt(pid: int) -> bool:
        ended = {(entry.name, entry.pid) for entry in bot.read_diary("end")}
        starts = bot.read_diary("start")
        # The run at the time of the acknowledgement is the first attempt.
        further = Counter(entry.name for entry in starts if entry.time > bot.acknowledged.get(entry.name, entry.time))
        return any(
            entry.pid == pid and further[entry.name] >= ATTEMPTS - 1 and (entry.name, pid) not in ended
            for entry in starts
        )

    killer = Killer(bot, 2.5, makes_last_attempt)
    killer.start()
    time.sleep(20)
    killer.stop()
    return killer.killed


def kill_all(bot: Bot, *, then: Callable[[Bot], object] = lambda bot: None) -> Mapping[int, float]:
    time.sleep(ALL_ACKNOWLEDGED)
    died = dict.fromkeys(bot.find_workers(), time.time())
    bot.end()
    bot.start()
    then(bot)
    return died


def restart(bot: Bot, number: signal.Signals) -> Mapping[int, float]:
    time.sleep(OVER + 2)
    bot.end(number)
    bot.start()
    return {}


def reload(bot: Bot) -> Mapping[int, float]:
    for _ in range(2):
        time.sleep(4)
        os.kill(bot.server.pid, signal.SIGHUP)
    return {}


def leave_alone(bot: Bot) -> Mapping[int, float]:
    return {}


# --- kills -----------------------------------------------------------------------------------------------------------


@pytest.mark.endurance
def test_workers_killed_again_and_again_lose_no_message(tmp_path, record_property):
    commands = {"gunicorn": GUNICORN_4, "uvicorn": UVICORN_2}
    scenarios = {
        f"{server}, {store}, a worker killed every 2.5 s": play(command, store, kill_workers, messages=80, over=15.0)
        for server, command in commands.items()
        for store in ("sqlite", "redis")
    }
    played = play_all(scenarios, tmp_path, record_property)
    assert find_faults(played) == {}


# --- restarts --------------------------------------------------------------------------------------------------------


def visit(bot: Bot) -> None:
    """Send the first request of any kind."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", bot.server.port, timeout=TIMEOUT)) as connection:
        connection.request("GET", "/")
        connection.getresponse()


DRAINED = "gunicorn, sqlite, SIGTERM, drained for 3 s"


@pytest.mark.endurance
def test_restarts_lose_no_message(tmp_path, record_property):
    five = (*GUNICORN_4, "--graceful-timeout", "5")
    max_requests = (*GUNICORN_4, "--max-requests", "8")
    limit_requests = (*UVICORN_2, "--limit-max-requests", "8")
    sigterm = functools.partial(restart, number=signal.SIGTERM)
    recovers = {"RECOVERS": "1"}
    scenarios = {
        "gunicorn, sqlite, all killed": play(GUNICORN_4, "sqlite", kill_all, **recovers),
        "gunicorn, redis, all killed, then a request": play(
            GUNICORN_4, "redis", functools.partial(kill_all, then=visit)
        ),
        "uvicorn, redis, all killed": play(UVICORN_2, "redis", kill_all),
        "gunicorn, redis, SIGTERM": play(GUNICORN_4, "redis", sigterm, **recovers),
        "uvicorn, sqlite, SIGTERM": play(UVICORN_2, "sqlite", sigterm),
        "FastAPI, redis, SIGTERM": play(FASTAPI, "redis", sigterm),
        DRAINED: play(GUNICORN_4, "sqlite", sigterm, DRAIN="3", **recovers),
        "gunicorn, sqlite, SIGHUP": play(GUNICORN_4, "sqlite", reload, **recovers),
        "uvicorn, redis, SIGHUP": play(UVICORN_2, "redis", reload),
        "gunicorn, redis, SIGTERM, --graceful-timeout 5": play(five, "redis", sigterm, **recovers),
        "gunicorn, redis, --max-requests 8": play(max_requests, "redis", leave_alone, **recovers),
        "uvicorn, sqlite, --limit-max-requests 8": play(limit_requests, "sqlite", leave_alone),
    }
    played = play_all(scenarios, tmp_path, record_property)
    assert find_faults(played) == {}
    assert re.search(r"ends while [1-9]\d* handlers run; [1-9]\d* of their pushes were handed back", played[DRAINED][1])


# --- stops -----------------------------------------------------------------------------------------------------------


def stop_at(command: tuple[str, ...], point: str, seconds: float, work: float, store: str) -> Scenario:
    """Make a scenario: a process stops itself at *point* for some seconds; see `slow_app`."""

    def run(folder: Path) -> tuple[Verdict, str]:
        with start_bot(command, store, folder, ONLY="/later", STOPS_AT=point) as bot, ThreadPoolExecutor(1) as pool:
            asked = pool.submit(ask, bot, 1, work)
            stopped: list[Entry] = []
            deadline = time.monotonic() + work + 5
            while not stopped and time.monotonic() < deadline:
                time.sleep(0.02)
                stopped = bot.read_diary("stopped")
            for entry in stopped:
                time.sleep(seconds)
                os.kill(entry.pid, signal.SIGCONT)
            died = {entry.pid: entry.time for entry in stopped}
            return judge(bot, {"1": asked.result()}, died, settle=5), bot.read_log()

    return run


#: Seconds that the handler takes, and where a process stops.
STOPS = [
    *((2, point) for point in ("1", "handling", "2")),
    *((6, point) for point in ("1", "2", "3", "handling", "4", "sending", "5", "6", "7")),
]


@pytest.mark.endurance
@pytest.mark.parametrize(
    ("command", "pauses"),
    [pytest.param(GUNICORN_2, (6, 10), id="sync"), pytest.param(UVICORN_2_PATIENT, (6,), id="async")],
)
def test_a_worker_that_stops_at_any_stage_answers_no_message_twice(command, pauses, tmp_path, record_property):
    with run_redis("--databases", "100") as redis:
        stores = (f"{redis.url.removesuffix('0')}{number}" for number in range(100))
        scenarios = {
            f"handler of {work} s, {pause} s at {point}": stop_at(
                command, point, pause, work, "sqlite" if command is UVICORN_2_PATIENT else next(stores)
            )
            for work, point in STOPS
            for pause in pauses
        }
        played = play_all(scenarios, tmp_path, record_property)
    assert find_faults(played) == {}


# --- stores that lose everything -------------------------------------------------------------------------------------


@pytest.mark.endurance
def test_a_store_that_loses_everything_causes_no_wrong_answer(tmp_path, record_property):
    with run_redis() as first, run_redis() as second:

        def flush(bot: Bot) -> Mapping[int, float]:
            time.sleep(OVER + 2)
            first.execute("FLUSHALL")
            return {}

        def restart_redis(bot: Bot) -> Mapping[int, float]:
            time.sleep(OVER + 2)
            second.kill()
            second.start()
            return {}

        def move_file(bot: Bot) -> Mapping[int, float]:
            time.sleep(OVER + 2)
            for path in list(bot.diary.parent.glob("store.db*")):
                path.rename(path.with_name(f"moved-{path.name}"))
            return {}

        scenarios = {
            "gunicorn, redis, FLUSHALL": play(GUNICORN_4, first.url, flush),
            "uvicorn, redis, restarted": play(UVICORN_2, second.url, restart_redis),
            "gunicorn, sqlite, file moved away": play(GUNICORN_4, "sqlite", move_file),
            "uvicorn, sqlite, file moved away": play(UVICORN_2, "sqlite", move_file),
        }
        played = play_all(scenarios, tmp_path, record_property)
    assert {name: verdict for name, (verdict, _) in played.items() if verdict.wrong or verdict.twice} == {}
    for name, (verdict, log) in played.items():
        assert log.count("the answer to a TextMessage is lost: the store was emptied") == len(verdict.lost), name
        # One line of each process that had running handlers; a further one is due after a minute.
        assert log.count("records of pushes are gone: the store was emptied") <= 4, name


# --- many at once ----------------------------------------------------------------------------------------------------


async def ask_many(bot: Bot, messages: int, seconds: float, over: float) -> dict[str, str | None]:
    """Deliver messages over some seconds, as WeChat does; see `ask`."""

    def render(number: int) -> bytes:
        request = build_push(SETTINGS, make_text(number, seconds))
        head = {"Content-Type": request.content_type, "Connection": "close"}
        return render_request("POST", f"/later?{urlencode(request.query)}", request.body, head)

    requests = [render(number) for number in range(messages)]

    async def deliver_async(number: int) -> str | None:
        async with asyncio.timeout(HANGS_UP):
            reader, writer = await asyncio.open_connection("127.0.0.1", bot.server.port)
            with contextlib.closing(writer):
                writer.write(requests[number])
                answer, _, body = (await reader.read()).partition(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200 "):
            return None
        reply = open_reply(SETTINGS, body)
        return reply["Content"] if reply else ""

    async def ask_one(number: int) -> str | None:
        await asyncio.sleep(over * number / messages)
        for _ in range(TRIES):
            with contextlib.suppress(OSError, TimeoutError):
                if (text := await deliver_async(number)) is not None:
                    return text
        return None

    answers = await asyncio.gather(*map(ask_one, range(messages)))
    return {str(number): answer for number, answer in enumerate(answers)}


@pytest.mark.endurance
def test_many_slow_handlers_of_one_process_run_once_each(tmp_path, record_property):
    # One after another, for two processors; all 3,000 run at once if they take longer than it takes to deliver them.
    for max_running, seconds, over in (("", 20, 16), ("500", 8, 32)):
        folder = tmp_path / f"{max_running}of3000"
        folder.mkdir()
        # On a busy machine the process itself may take longer than Redis.
        environ = {"ONLY": "/later", "MAX_RUNNING": max_running, "STORE_TIMEOUT": "3"}
        with start_bot(UVICORN_1, "redis", folder, **environ) as bot:
            answers = asyncio.run(ask_many(bot, 3000, seconds, over))
            verdict = judge(bot, answers, {}, patience=90, settle=3)
            (folder / "log").write_text(bot.read_log())
        runs = bot.count_runs()
        changes = sorted((entry.time, 1 if entry.what == "start" else -1) for entry in bot.read_diary("start", "end"))
        most = max(itertools.accumulate(change for _, change in changes))
        record_property(
            "measured",
            f"3,000 handlers of {seconds} s, max_running={max_running or None}: {sum(runs.values())} runs,"
            f" at most {most} at once, {verdict}",
        )
        assert [name for name, count in runs.items() if count > 1] == []
        assert verdict.faults == [[], [], []]
        assert most <= int(max_running or 3000)
        assert verdict.acknowledged > 2900


# --- one death, in a few seconds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", ["gunicorn", "uvicorn"])
@pytest.mark.parametrize(("store", "lost"), [("sqlite", []), ("memory", ["1"])])
def test_an_acknowledged_message_is_answered_once_after_its_only_worker_was_killed(server, store, lost, tmp_path):
    """In memory it is lost, so this would show."""
    command = {"gunicorn": GUNICORN_1, "uvicorn": UVICORN_1}[server]
    with start_bot(command, store, tmp_path, ONLY="/later", RECOVERS="1") as bot:
        answers = {"1": ask(bot, 1, 6)}
        [started] = bot.read_diary("start")
        bot.end()
        bot.start(PACE="0.01")
        verdict = judge(bot, answers, {}, patience=1 if lost else 10, settle=0.5)

    assert answers == {"1": ""}
    assert (verdict.lost, verdict.wrong, verdict.twice) == (lost, [], [])
    assert {entry.pid for entry in bot.read_diary("sent")}.isdisjoint({started.pid})
