"""Real servers of many processes, a real clock, and a client that behaves as WeChat does: handled once, answered."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.helpers.servers import GUNICORN, UVICORN
from tests.helpers.slow_app import FALLBACK, SETTINGS
from tests.helpers.slow_bot import TRIES, Bot, Killer, deliver, deliver_until_answered, make_text, start_bot
from tests.helpers.waiting import wait_until
from wechat_msg.testing import build_push, open_reply

# The parent loads the application, as servers in production may: what it opens must survive the fork.
GUNICORN_4 = (*GUNICORN, "--workers", "4", "--threads", "32", "--preload", "tests.helpers.slow_app:make_wsgi()")
GUNICORN_2 = (*GUNICORN, "--workers", "2", "--threads", "8", "tests.helpers.slow_app:make_wsgi()")
UVICORN_2 = (*UVICORN, "--workers", "2", "--factory", "tests.helpers.slow_app:make_asgi")
DJANGO_2 = (*UVICORN, "--workers", "2", "--factory", "tests.helpers.slow_app:make_django")


COMBINATIONS = {
    "gunicorn, 4 processes, SQLite": (GUNICORN_4, "sqlite"),
    "gunicorn, 4 processes, Redis": (GUNICORN_4, "redis"),
    "uvicorn, 2 processes, SQLite": (UVICORN_2, "sqlite"),
    "uvicorn, 2 processes, Redis": (UVICORN_2, "redis"),
    "uvicorn, 2 processes of Django, SQLite": (DJANGO_2, "sqlite"),
}

#: Policy, seconds that the handler takes, the try that is answered, what the user gets by that, and later.
OUTCOMES = [
    ("/none", 0, 1, "reply", None),
    ("/none", 3, 1, "reply", None),
    ("/none", 7, 2, "reply", None),
    ("/none", 12, 3, "reply", None),
    ("/none", 20, 3, None, None),
    ("/later", 3, 1, "reply", None),
    ("/later", 7, 1, None, "reply"),
    ("/fallback", 12, 3, "reply", None),
    ("/fallback", 20, 3, "fallback", None),
]


@pytest.mark.endurance
class TestEveryHandler:
    """All combinations at once, so that it takes as long as the slowest handler."""

    @pytest.fixture
    def bots(self, tmp_path_factory):
        folders = {name: tmp_path_factory.mktemp("bot") for name in COMBINATIONS}  # it is not made for threads
        with contextlib.ExitStack() as stack, ThreadPoolExecutor(len(COMBINATIONS)) as pool:

            def start(name):
                return stack.enter_context(start_bot(*COMBINATIONS[name], folders[name]))

            yield dict(zip(COMBINATIONS, pool.map(start, COMBINATIONS), strict=True))

    def test_runs_once_and_is_answered_by_its_policy(self, bots):
        jobs = [(name, number, outcome) for name in bots for number, outcome in enumerate(OUTCOMES)]

        def observe(job):
            name, number, (path, seconds, *_) = job
            tries, text = deliver_until_answered(bots[name].server.port, path, make_text(number, seconds), TRIES)
            return name, number, path, seconds, tries, text

        with ThreadPoolExecutor(len(jobs)) as pool:
            seen = set(pool.map(observe, jobs))

        texts = {"fallback": FALLBACK, None: None}
        assert seen == {
            (name, number, path, seconds, tries, texts.get(text, f"reply to {number}"))
            for name, number, (path, seconds, tries, text, _) in jobs
        }
        for name, bot in bots.items():
            wait_until(lambda bot=bot: bot.read_log().count("it came after the last try") == 2)
            assert set(bot.count_runs().values()) == {1}, name
            assert [entry.name for entry in bot.read_diary("sent")] == [
                str(number) for number, outcome in enumerate(OUTCOMES) if outcome[-1]
            ], name


class TestRace:
    @pytest.mark.parametrize("store", ["sqlite", "redis"])
    def test_of_one_push_runs_the_handler_once_and_gives_all_the_same_answer(self, store, tmp_path):
        with start_bot(GUNICORN_4, store, tmp_path) as bot, ThreadPoolExecutor(50) as pool:
            start = threading.Barrier(50)

            def send(_):
                request = build_push(SETTINGS, make_text(1, 0.3))
                start.wait()
                answer = deliver(bot.server.port, "/none", request)
                return answer and tuple(open_reply(SETTINGS, answer).items())

            replies = list(pool.map(send, range(50)))

            assert len(replies) == 50
            assert len(set(replies)) == 1
            assert ("Content", "reply to 1") in replies[0]
            assert bot.count_runs() == {"1": 1}

    @pytest.mark.parametrize("store", ["sqlite", "redis"])
    @pytest.mark.parametrize("events", [50, pytest.param(1000, marks=pytest.mark.endurance)])
    def test_of_different_events_of_one_second_handles_every_one(self, store, events, tmp_path):
        def make_event(number):
            return {"MsgType": "event", "Event": "CLICK", "EventKey": f"button{number}", "CreateTime": 1700000000}

        with start_bot(GUNICORN_4, store, tmp_path) as bot, ThreadPoolExecutor(16) as pool:
            answered = pool.map(
                lambda number: deliver_until_answered(bot.server.port, "/none", make_event(number), 1), range(events)
            )

            assert list(answered) == [(1, f"reply to button{number}") for number in range(events)]
            assert bot.count_runs() == {f"button{number}": 1 for number in range(events)}


class TestKill:
    @pytest.mark.parametrize(
        ("store", "messages", "kill_every", "kills"),
        [
            ("redis", 20, 0.2, 1),
            pytest.param("redis", 300, 0.2, 10, marks=pytest.mark.endurance),
            pytest.param("sqlite", 300, 0.2, 10, marks=pytest.mark.endurance),
        ],
    )
    def test_of_workers_loses_no_message_and_repeats_only_theirs(
        self, store, messages, kill_every, kills, tmp_path, record_property
    ):
        with start_bot(GUNICORN_4, store, tmp_path) as bot, ThreadPoolExecutor(100) as pool:
            killer = Killer(bot, kill_every)
            killer.start()
            answers: list[str | None] = []
            while len(answers) < messages or len(killer.killed) < kills:
                answers += pool.map(lambda number: self.send(bot, number), range(len(answers), len(answers) + messages))
            killer.stop()

        assert answers == [f"reply to {number}" for number in range(len(answers))]
        starts, ends = bot.read_diary("start"), {(entry.name, entry.pid): entry.time for entry in bot.read_diary("end")}
        last = {entry.name: entry for entry in starts}
        repeated = [entry for entry in starts if entry is not last[entry.name]]
        for entry in repeated:
            killed = killer.killed[entry.pid]
            # From the end of a handler to the record of its reply it takes some milliseconds, on a busy machine more.
            ended = ends.get((entry.name, entry.pid), killed)
            assert entry.time < killed < ended + 1.0
        record_property(
            "measured",
            f"kill test on {store}: {len(answers)} messages, all answered; {len(killer.killed)} workers killed,"
            f" {len(repeated)} runs cut short and done again, 0 others repeated",
        )
        assert repeated or messages < 100

    def send(self, bot: Bot, number: int) -> str | None:
        seconds = random.uniform(0.1, 0.4)
        return deliver_until_answered(bot.server.port, "/none", make_text(number, seconds), tries=200)[1]


@pytest.mark.endurance
class TestStop:
    def test_of_a_worker_for_six_seconds_lets_another_one_answer_and_all_tries_get_its_answer(self, tmp_path):
        """The worker that goes on finds its claim gone, and its reply reaches nobody."""
        with start_bot(GUNICORN_2, "sqlite", tmp_path, SIGNED="1") as bot, ThreadPoolExecutor(2) as pool:
            fields, port = make_text(1, 1), bot.server.port
            first = pool.submit(deliver, port, "/none", build_push(SETTINGS, fields), timeout=30.0)
            wait_until(lambda: bot.count_runs())
            [stopped] = bot.read_diary("start")
            os.kill(stopped.pid, signal.SIGSTOP)
            try:
                answers = [deliver_until_answered(port, "/none", fields, TRIES)[1]]
                time.sleep(max(stopped.time + 6 - time.time(), 0))
            finally:
                os.kill(stopped.pid, signal.SIGCONT)
            assert first.result() is None  # its time was over, so WeChat would have hung up
            answers += [deliver_until_answered(port, "/none", fields, 1)[1] for _ in range(10)]

            [_, other] = bot.read_diary("start")
            assert other.pid != stopped.pid
            assert set(answers) == {f"reply to 1 by {other.pid}"}
            assert "a handler lost its lease" in bot.read_log()
