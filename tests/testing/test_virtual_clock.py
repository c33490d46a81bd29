"""VirtualClock: what a user's own tests do with it, and how they end if a bot does something that no clock can help."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import CancelledError
from typing import Any

import pytest

from wechat_msg import (
    NO_DEDUP,
    AnswerLater,
    AsyncPushEndpoint,
    FallbackReply,
    MemoryStore,
    PushEndpoint,
    PushSettings,
    SettingsError,
    WeChatError,
)
from wechat_msg.adapters import asgi, wsgi
from wechat_msg.stores import SQLiteStore
from wechat_msg.testing import AsyncPushSimulator, ClockError, PushSimulator, VirtualClock

SETTINGS = PushSettings(token="mytoken123", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")
TWO_DAYS = 172_800.0


@pytest.fixture
def clock(wechat_clock):
    return wechat_clock


@pytest.fixture
def hasty():
    """A clock that loses its patience soon."""
    with VirtualClock(patience=0.5) as clock:
        yield clock


def read(sent: list[dict[str, Any]]) -> list[str]:
    return [body["text"]["content"] for body in sent]


class Bot:
    """A bot whose handler takes some seconds, and WeChat's side of it; sync, with an executor or without, or async."""

    def __init__(self, clock: VirtualClock, kind: str, seconds: float = 8.0, **options: Any) -> None:
        self.clock, self.kind, self.runs, self.sent, self.lost = clock, kind, 0, [], []
        options = {"clock": clock, "on_lost": lambda message, reason: self.lost.append(reason), **options}

        def handle(message):
            self.runs += 1
            clock.sleep(seconds)
            return f"about {message.content}"

        async def handle_async(message):
            self.runs += 1
            await asyncio.sleep(seconds)
            return f"about {message.content}"

        if kind == "async":
            self.app = {"asgi": asgi.push_app(AsyncPushEndpoint(SETTINGS, handle_async, **options))}
        else:
            executor = clock.make_executor() if kind == "executor" else None
            self.app = {"wsgi": wsgi.push_app(PushEndpoint(SETTINGS, handle, executor=executor, **options))}

    def push(self, rest: float = 60.0, **options: Any) -> Any:
        """Push a text, wait for some time, and return what WeChat got."""
        if self.kind != "async":
            with PushSimulator("/", SETTINGS, clock=self.clock, **self.app, **options) as wechat:
                delivery = wechat.push_text("tea")
                self.clock.sleep(rest)
                return delivery

        async def talk() -> Any:
            async with AsyncPushSimulator("/", SETTINGS, clock=self.clock, **self.app, **options) as wechat:
                delivery = await wechat.push_text("tea")
                await asyncio.sleep(rest)
                return delivery

        return self.clock.run(talk())


@pytest.fixture(params=["executor", "async"])
def early(request):
    return request.param


@pytest.fixture(params=["sync", "executor", "async"])
def kind(request):
    return request.param


@pytest.fixture(params=["memory", "sqlite"])
def store(request, clock, tmp_path):
    return MemoryStore(clock=clock) if request.param == "memory" else SQLiteStore(tmp_path / "pushes", clock=clock)


class TestPolicies:
    def test_a_late_answer_is_sent(self, clock, early, store):
        sent: list[Any] = []
        bot = Bot(clock, early, late=AnswerLater(sent.append), store=store)

        delivery = bot.push()

        assert (delivery.is_acknowledged, bot.runs, read(sent)) == (True, 1, ["about tea"])
        assert [round(one.seconds, 3) for one in delivery.tries] == [4.5]

    def test_the_second_try_gets_the_answer(self, clock, kind, store):
        delivery = Bot(clock, kind, store=store).push()

        assert delivery.text == "about tea"
        assert [(one.began, pytest.approx(one.seconds, abs=0.01)) for one in delivery.tries] == [(0, 5), (5, 3)]

    def test_the_third_try_is_answered_with_a_text(self, clock, kind, store):
        bot = Bot(clock, kind, 30.0, late=FallbackReply("a moment"), store=store)

        delivery = bot.push()

        assert delivery.text == "a moment"
        assert [round(one.began + one.seconds, 3) for one in delivery.tries] == [5, 10, 14.5]
        assert bot.lost == ["late"]

    def test_a_sender_that_fails_is_called_again(self, clock, early, tmp_path):
        """After 5 and 60 seconds, by the background of the endpoint."""
        at = []

        def send(body):
            at.append(clock.monotonic())
            if len(at) < 3:
                raise OSError("no network")

        bot = Bot(clock, early, late=AnswerLater(send), store=SQLiteStore(tmp_path / "pushes", clock=clock))
        bot.push(rest=180)

        assert at == [pytest.approx(8, abs=0.1), pytest.approx(13, abs=7), pytest.approx(75, abs=10)]

    def test_what_a_queue_needs_an_async_endpoint_calls_in_threads_of_the_clock(self, clock):
        def handle(message):
            clock.sleep(8)
            return "done"

        endpoint = AsyncPushEndpoint(SETTINGS, handle, clock=clock)

        async def talk():
            async with AsyncPushSimulator("/", SETTINGS, clock=clock, asgi=asgi.push_app(endpoint)) as wechat:
                return await asyncio.gather(*(wechat.push_text(text) for text in "ab"))

        assert [one.text for one in clock.run(talk())] == ["done", "done"]
        assert 8 <= clock.monotonic() < 9

    def test_pushes_in_threads_wait_for_a_thread(self, clock):
        def handle(message):
            clock.sleep(3)
            return str(clock.monotonic())

        endpoint = PushEndpoint(SETTINGS, handle, executor=clock.make_executor(1), clock=clock)
        wechat = PushSimulator("/", SETTINGS, clock=clock, wsgi=wsgi.push_app(endpoint))
        pushers = clock.make_executor()

        deliveries = [pushers.submit(wechat.push_text, text) for text in "abc"]

        assert [one.result().text for one in deliveries] == ["3.0", "6.0", "9.0"]


class TestSimulators:
    def test_a_sync_simulator_calls_an_async_application(self, clock):
        bot = Bot(clock, "async")
        with PushSimulator("/", SETTINGS, clock=clock, **bot.app) as wechat:
            delivery = wechat.push_text("tea")

        assert delivery.text == "about tea"
        assert delivery.seconds == pytest.approx(8, abs=0.1)

    def test_an_async_simulator_calls_a_sync_application(self, clock):
        bot = Bot(clock, "sync")

        async def talk():
            async with AsyncPushSimulator("/", SETTINGS, clock=clock, **bot.app) as wechat:
                return await wechat.push_text("tea")

        assert clock.run(talk()).text == "about tea"
        assert clock.monotonic() == pytest.approx(8, abs=0.1)

    def test_the_fixture_puts_its_simulators_on_the_clock(self, wechat_push, wechat_clock):
        bot = Bot(wechat_clock, "executor")

        assert wechat_push("/", SETTINGS, **bot.app).push_text("tea").text == "about tea"
        assert wechat_clock.monotonic() == pytest.approx(8, abs=0.1)

    def test_a_server_has_a_clock_of_its_own(self, clock):
        with pytest.raises(SettingsError, match="clock= needs wsgi= or asgi="):
            PushSimulator("http://127.0.0.1:1/", SETTINGS, clock=clock)

    def test_a_real_event_loop_is_an_error(self, clock):
        async def talk():
            await AsyncPushSimulator("/", SETTINGS, clock=clock, **Bot(clock, "async").app).push_text("tea")

        with pytest.raises(ClockError, match=r"use clock\.run"):
            asyncio.run(talk())

    def test_the_fake_api_is_called_for_real_while_the_clock_stands_still(self, clock, fake_wechat_api):
        from wechat_msg import AsyncClient, Client
        from wechat_msg.api import customer_service

        options = {"hosts": [fake_wechat_api.url]}
        client = Client(fake_wechat_api.appid, fake_wechat_api.secret, **options)
        Bot(clock, "executor", late=AnswerLater(lambda body: client.call(customer_service.send_body(body)))).push()

        async def send(body):
            async with AsyncClient(fake_wechat_api.appid, fake_wechat_api.secret, **options) as client:
                await client.call(customer_service.send_body(body))

        Bot(clock, "async", late=AnswerLater(send)).push()

        assert read(fake_wechat_api.messages) == ["about tea", "about tea"]


class TestTime:
    def test_two_days_take_no_time(self, clock, early):
        sent: list[Any] = []
        bot = Bot(clock, early, TWO_DAYS - 60, late=AnswerLater(sent.append))
        began = time.monotonic()
        bot.push(rest=TWO_DAYS)

        assert read(sent) == ["about tea"]
        assert time.monotonic() - began < 5

    def test_it_begins_at_the_given_time(self):
        clock = VirtualClock(start=1_700_000_000)
        clock.sleep(2.5)

        assert (clock(), clock.monotonic()) == (1_700_000_002.5, 2.5)

    def test_what_is_due_at_the_end_of_a_sleep_has_happened_then(self, clock):
        done = []

        def work(seconds):
            clock.sleep(seconds)
            done.append(seconds)

        executor = clock.make_executor()
        for seconds in (2, 3, 1):
            executor.submit(work, seconds)
        clock.sleep(2)

        assert done == [1, 2]

    def test_threads_run_one_at_a_time_and_always_in_the_same_order(self):
        def run():
            with VirtualClock() as clock:
                order = []

                def work(name):
                    for number in range(5):
                        order.append(name)
                        clock.sleep(number * len(name) % 3)

                executor = clock.make_executor()
                for name in ("a", "bb", "ccc", "dddd"):
                    executor.submit(work, name)
                clock.sleep(60)
                return order

        assert len({tuple(run()) for _ in range(20)}) == 1

    def test_a_blocking_call_in_a_coroutine_blocks_its_event_loop(self, clock):
        at = []

        async def tick():
            await asyncio.sleep(1)
            at.append(clock.monotonic())

        async def main():
            ticking = asyncio.create_task(tick())
            await asyncio.sleep(0)
            clock.sleep(5)
            await ticking

        clock.run(main())

        assert at == [5]

    def test_a_task_that_asks_again_and_again_lets_threads_run(self, clock):
        done = []
        clock.make_executor().submit(done.append, 1)

        async def main():
            while not done:  # noqa: ASYNC110
                await asyncio.sleep(0)

        clock.run(main())

    def test_time_out(self, clock):
        async def main():
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(5):
                    await asyncio.Event().wait()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.to_thread(clock.sleep, 9), 2)

        clock.run(main())
        with pytest.raises(TimeoutError):
            clock.make_executor().submit(clock.sleep, 9).result(timeout=2)

        assert clock.monotonic() == 9

    def test_a_clock_may_be_used_again(self, clock):
        for _ in range(3):
            assert Bot(clock, "async").push().text == Bot(clock, "executor").push().text == "about tea"

    def test_a_late_answer_takes_milliseconds(self):
        def run(kind):
            with VirtualClock() as clock:
                sent: list[Any] = []
                Bot(clock, kind, late=AnswerLater(sent.append)).push()
                return read(sent)

        run("executor"), run("async")  # imports
        for kind in ("executor", "async"):
            times = []
            for _ in range(20):
                began = time.perf_counter()
                assert run(kind) == ["about tea"]
                times.append(time.perf_counter() - began)
            assert min(times) < 0.02


class TestErrors:
    def test_an_exception_reaches_who_asks_for_the_result(self, clock):
        async def fail():
            raise KeyError("spam")

        endpoint = PushEndpoint(SETTINGS, lambda message: 1 / 0, executor=clock.make_executor(), clock=clock)
        from wechat_msg.testing import build_push

        with pytest.raises(ZeroDivisionError):
            endpoint.handle(build_push(SETTINGS, {"MsgType": "text", "Content": "hi"}, now=clock))
        with pytest.raises(KeyError, match="spam"):
            clock.run(fail())
        with pytest.raises(ZeroDivisionError):
            clock.make_executor().submit(lambda: 1 / 0).result()
        assert isinstance(clock.make_executor().submit(lambda: 1 / 0).exception(), ZeroDivisionError)

    def test_an_exception_behind_an_application_is_logged(self, clock, caplog):
        endpoint = PushEndpoint(SETTINGS, lambda message: 1 / 0, store=NO_DEDUP, clock=clock)
        wechat = PushSimulator("/", SETTINGS, clock=clock, wsgi=wsgi.push_app(endpoint))

        assert [one.answer.status for one in wechat.push_text("tea").tries] == [500, 500, 500]
        assert "ZeroDivisionError" in caplog.text

    def test_a_handler_that_blocks_for_real_is_an_error_with_its_place(self, hasty):
        free = threading.Event()
        endpoint = PushEndpoint(
            SETTINGS,
            lambda message: free.wait(30),
            late=AnswerLater(print),
            executor=hasty.make_executor(),
            clock=hasty,
        )
        wechat = PushSimulator("/", SETTINGS, clock=hasty, wsgi=wsgi.push_app(endpoint))

        with pytest.raises(ClockError, match=r"a thread has blocked for 0\.5 seconds of real time") as raised:
            wechat.push_text("tea")
        assert "free.wait(30)" in raised.value.__notes__[0]
        assert isinstance(raised.value, WeChatError)
        with pytest.raises(ClockError, match="a thread has blocked"):  # now two threads could run at a time
            hasty.sleep(1)
        free.set()

    def test_threads_that_wait_without_end_are_an_error_with_their_places(self, hasty):
        def work():
            inner = hasty.make_executor(1)
            inner.submit(lambda: inner.submit(print).result()).result()

        with pytest.raises(ClockError, match="waits for something that never happens") as raised:
            hasty.make_executor().submit(work).result()
        assert any("inner.submit(print).result()" in note for note in raised.value.__notes__)

    @pytest.mark.parametrize("store", [None, "sqlite"])
    def test_tasks_that_wait_without_end_are_an_error_although_an_endpoint_works_in_the_background(
        self, hasty, store, tmp_path
    ):
        options = {"store": SQLiteStore(tmp_path / "pushes", clock=hasty)} if store else {}
        bot = Bot(hasty, "async", 1.0, late=AnswerLater(print), **options)

        async def main():
            wechat = AsyncPushSimulator("/", SETTINGS, clock=hasty, **bot.app)
            assert (await wechat.push_text("tea")).text == "about tea"
            await asyncio.Event().wait()

        with pytest.raises(ClockError, match="waits for something that never happens") as raised:
            hasty.run(main())
        assert any("asyncio.Event().wait()" in note for note in raised.value.__notes__)

    def test_another_thread_may_end_what_waits_without_end(self, clock):
        async def main():
            loop, done = asyncio.get_running_loop(), asyncio.Event()
            threading.Timer(0.05, loop.call_soon_threadsafe, (done.set,)).start()
            await done.wait()

        clock.run(main())

        assert clock.monotonic() == 0

    def test_a_handler_in_a_real_thread_is_an_error_with_advice(self, clock):
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor() as executor:

            def wait_in_real_thread():
                with pytest.raises(ClockError, match=r"executor=clock\.make_executor\(\)"):
                    executor.submit(clock.sleep, 1).result()

            clock.make_executor().submit(wait_in_real_thread).result()

    @pytest.mark.parametrize("options", [{"start": -1}, {"start": "now"}, {"patience": 0}, {"patience": None}])
    def test_options_are_checked(self, options):
        with pytest.raises(SettingsError):
            VirtualClock(**options)

    @pytest.mark.parametrize("workers", [0, 1.5, None, True])
    def test_workers_are_checked(self, clock, workers):
        with pytest.raises(SettingsError):
            clock.make_executor(workers)


class TestEnds:
    def test_what_still_runs_ends_with_the_clock(self):
        before, ended = threading.active_count(), []

        def work(name):
            try:
                clock.sleep(TWO_DAYS)
            finally:
                ended.append(name)

        with VirtualClock() as clock:
            Bot(clock, "executor", TWO_DAYS, late=AnswerLater(print)).push()
            clock.make_executor().submit(work, "a")
            clock.sleep(1)
            clock.make_executor().submit(work, "never begins")
        clock.close()

        with pytest.raises(ClockError, match="the clock is closed"):
            clock.sleep(1)
        assert ended == ["a"]
        assert threading.active_count() == before

    def test_the_background_of_an_endpoint_ends_with_the_clock(self, tmp_path):
        before = threading.active_count()
        with VirtualClock() as clock:
            bot = Bot(clock, "executor", late=AnswerLater(print), store=SQLiteStore(tmp_path / "pushes", clock=clock))
            bot.push()
            assert threading.active_count() > before

        assert threading.active_count() == before

    def test_a_cancelled_task_ends_at_once(self, clock):
        async def main():
            task = asyncio.create_task(asyncio.sleep(TWO_DAYS))
            await asyncio.sleep(1)
            task.cancel()
            await asyncio.wait((task,))
            return task.cancelled()

        assert clock.run(main())
        assert clock.monotonic() == 1

    def test_a_cancelled_future_never_runs(self, clock):
        executor, done = clock.make_executor(1), []
        executor.submit(clock.sleep, 1)
        future = executor.submit(done.append, 1)

        assert future.cancel()
        with pytest.raises(CancelledError):
            future.result()
        clock.sleep(2)
        assert not done

    def test_an_executor_that_is_shut_down_ends_its_work(self, clock):
        with clock.make_executor(1) as executor:
            futures = [executor.submit(clock.sleep, 2) for _ in range(3)]
        executor.shutdown(cancel_futures=True)

        assert all(future.done() for future in futures)
        assert clock.monotonic() == 6
        with pytest.raises(RuntimeError, match="after shutdown"):
            executor.submit(print)

    def test_an_executor_may_drop_what_has_not_begun(self, clock):
        executor = clock.make_executor(1)
        first, second = (executor.submit(clock.sleep, 2) for _ in range(2))
        clock.sleep(1)
        executor.shutdown(wait=False, cancel_futures=True)
        clock.sleep(1)

        assert (first.done(), second.cancelled()) == (True, True)
