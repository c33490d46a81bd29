"""Pushes that WeChat sends again, in all three kinds of endpoint: handled once, answered always."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import functools
import gc
import itertools
import json
import logging
import threading
import time
import tracemalloc
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest

from tests.helpers import virtual_time
from tests.helpers.rows import each_row
from tests.helpers.virtual_time import (
    AwaitableStore,
    FaultyStore,
    OtherTime,
    Try,
    WeChat,
    await_here,
    get_clock,
    in_virtual_thread,
    make_executor,
)
from wechat_msg import (
    MINI_PROGRAM,
    NO_DEDUP,
    Acknowledgement,
    AnswerLater,
    Article,
    AsyncPushEndpoint,
    ErrCodeReply,
    FallbackReply,
    MemoryStore,
    NewsReply,
    PushEndpoint,
    PushRequest,
    PushSettings,
    RawReply,
    ReplyError,
    SettingsError,
    TextReply,
    TransferCustomerServiceReply,
    in_thread,
    open_push,
    seal_reply,
)
from wechat_msg.endpoint.dedup import make_key
from wechat_msg.endpoint.delivery import ANSWER_BY, HANG_UP
from wechat_msg.endpoint.lanes import LEASE, RENEW_EVERY
from wechat_msg.endpoint.records import Done, Run, dump_texts
from wechat_msg.endpoint.upkeep import LOOK_EVERY
from wechat_msg.testing import build_push, open_reply

NOW = 1700000000
TOKEN = "Secret0Token0Secret"
KEY = "SecretKey" + "A" * 34
OPENID = "oSECRET_OPENID"
ACCOUNT = "gh_SECRET_ACCOUNT"
SAID = "SECRET words of the user"
TOLD = "SECRET words of the bot"
PLAIN = PushSettings(token=TOKEN)
SEALED = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid="wx0123456789abcdef", allow_plaintext=True)
PROGRAM = PushSettings(token=TOKEN, account_kind=MINI_PROGRAM)
FIELDS = {"ToUserName": ACCOUNT, "FromUserName": OPENID, "Content": SAID, "MsgId": 1234567890123456}
CLICK = {"MsgType": "event", "Event": "CLICK", "EventKey": "BUY", "CreateTime": NOW}
PAYMENT = {"MsgType": "event", "Event": "xpay_goods_deliver_notify", "OutTradeNo": "1", "CreateTime": NOW}


def read_clock() -> float:
    with contextlib.suppress(RuntimeError):
        return NOW + asyncio.get_running_loop().time()
    return NOW


def build(settings: PushSettings = PLAIN, fields: Any = FIELDS, **options: Any) -> PushRequest:
    return build_push(settings, {**FIELDS, "CreateTime": NOW, **fields}, now=read_clock, **options)


def build_event(fields: Any = CLICK, settings: PushSettings = PLAIN, **options: Any) -> PushRequest:
    common = {"ToUserName": ACCOUNT, "FromUserName": OPENID}
    return build_push(settings, {**common, **fields}, now=lambda: NOW, **options)


@pytest.fixture(autouse=True)
def no_secrets_in_the_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    check_log(caplog.get_records("call"))


def check_log(records: list[logging.LogRecord]) -> None:
    for record in records:
        line = logging.Formatter().format(record)
        for secret in (TOKEN, KEY, KEY[9:], OPENID, ACCOUNT, SAID, TOLD, "push:", "tries:", "lane:"):
            assert secret not in line


def list_log(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what this package has logged so far."""
    return [record.getMessage() for record in caplog.records if record.name == "wechat_msg"]


# --- three kinds of endpoint -----------------------------------------------------------------------------------------


SYNC, EXECUTOR, ASYNC = KINDS = ("sync", "sync, executor", "async")


class Rig:
    """Builds endpoints of one kind; handlers, senders and stores are async and in virtual time for all kinds."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.runs: list[float] = []

    def handler(self, seconds: float = 0.0, answer: Any = TOLD) -> Callable[[Any], Coroutine[Any, Any, Any]]:
        """Return a handler that takes *seconds*; an answer that is an exception is raised."""

        async def handle(message: Any) -> Any:
            self.runs.append(self.now)
            await asyncio.sleep(seconds)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return handle

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def adapt(self, function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        if self.kind == ASYNC:
            return function
        return lambda *args: await_here(function(*args))

    def build(self, handler: Any, settings: PushSettings = PLAIN, **options: Any) -> Any:
        read_clock = options.pop("clock", None)
        options["clock"] = OtherTime(read_clock) if read_clock else get_clock()
        store = options.get("store")
        if self.kind == ASYNC and isinstance(store, FaultyStore) and not store.seconds:
            options["store"] = AwaitableStore(store)
        if self.kind == ASYNC:
            return AsyncPushEndpoint(settings, handler, **options)
        if self.kind == EXECUTOR:
            options.setdefault("executor", make_executor())
        return PushEndpoint(settings, self.adapt(handler), **options)

    async def handle(self, endpoint: Any, request: PushRequest) -> Any:
        if isinstance(endpoint, AsyncPushEndpoint):
            return await endpoint.handle(request)
        return await in_virtual_thread(endpoint.handle, request)

    def wechat(self, endpoint: Any, **options: Any) -> WeChat:
        return WeChat(lambda request: self.handle(endpoint, request), **options)

    async def push(self, endpoint: Any, *requests: PushRequest, **options: Any) -> list[Any]:
        """Push as WeChat does, wait for everything to end, and return how the tries ended."""
        tries = await self.wechat(endpoint, **options).push(*(requests or (build(),)))
        await asyncio.sleep(60)
        return [describe(endpoint.settings, one) for one in tries]


def describe(settings: PushSettings, one: Try) -> tuple[float, Any]:
    return round(one.at, 3), name_end(settings, one)


def name_end(settings: PushSettings, one: Try) -> Any:
    """Return a word for the end of a try."""
    if one.error is not None:
        return type(one.error).__name__
    if one.response is None:
        return "hung up"
    if one.response.status != 200:
        return one.response.status
    document = open_reply(settings, one.response)
    return "success" if document is None else document.get("Content", document)


def count_records(store: MemoryStore) -> int:
    """Return the number of records of pushes; the numbers of their tries are kept for a minute."""
    return sum(":push:" in key for key in store._entries)


def ends(*expected: Any) -> list[tuple[Any, Any]]:
    """Return tries that end at these times; up to 0.5 seconds pass between two reads of the store."""
    return [(pytest.approx(at, abs=0.51), what) for at, what in expected]


UNSENT = [
    "the late reply to a TextMessage could not be sent",
    "the answer to a TextMessage is lost: it could not be sent, or WeChat refused it（客服消息发送失败，或被微信拒绝）",
]
WHY = "its handler failed, or its process died, and no attempt is left（处理函数失败，不再重试）"
FAILED = [
    f"the answer to a TextMessage is lost: {WHY}",
    "a handler failed after its request had ended",
]
HUNG_UP = [(5, "hung up"), (10, "hung up")]


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a test of a coroutine function; each run has a rig of its own, and the log to itself."""

    @functools.wraps(test)
    def run_test(*args: Any, **fixtures: Any) -> None:
        own = {name: Rig(value.kind) if isinstance(value, Rig) else value for name, value in fixtures.items()}
        try:
            virtual_time.run(test(*args, **own))
        finally:
            if caplog := fixtures.get("caplog"):
                check_log(caplog.get_records("call"))
                caplog.clear()

    return run_test


@pytest.fixture(params=KINDS)
def rig(request: pytest.FixtureRequest) -> Rig:
    return Rig(request.param)


@pytest.fixture(params=[EXECUTOR, ASYNC])
def early_rig(request: pytest.FixtureRequest) -> Rig:
    """The kinds that can answer before a handler ends."""
    return Rig(request.param)


@pytest.fixture
def async_rig() -> Rig:
    return Rig(ASYNC)


class Sent(list[dict[str, Any]]):
    """Customer-service messages, and the times at which they were sent."""

    def __init__(self, rig: Rig, seconds: float = 0.0, error: BaseException | None = None) -> None:
        super().__init__()
        self.times: list[float] = []
        self._seconds = seconds
        self._error = error
        self.send = rig.adapt(self._send)

    async def _send(self, message: dict[str, Any]) -> None:
        self.append(message)
        self.times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self._seconds)
        if self._error:
            raise self._error

    @property
    def contents(self) -> list[str]:
        return [message["text"]["content"] for message in self]


# --- slow handlers ---------------------------------------------------------------------------------------------------

#: Seconds that the handler takes, and how the tries end without a policy.
IN_TIME = {
    0: [(0, TOLD)],
    3: [(3, TOLD)],
    4.6: [(4.6, TOLD)],
    7: [(5, "hung up"), (7, TOLD)],
    12: [*HUNG_UP, (12, TOLD)],
    14.2: [*HUNG_UP, (14.2, TOLD)],
}


class TestASlowHandler:
    @each_row("seconds", list(IN_TIME))
    @in_virtual_time
    async def test_is_run_once_and_its_reply_goes_out_with_the_next_try(self, rig, caplog, seconds):
        endpoint = rig.build(rig.handler(seconds))
        assert await rig.push(endpoint) == ends(*IN_TIME[seconds])
        assert rig.runs == [0]
        assert list_log(caplog) == []

    @in_virtual_time
    async def test_that_is_too_late_for_every_try_is_acknowledged_and_the_reply_is_logged_as_lost(self, rig, caplog):
        endpoint = rig.build(rig.handler(20))
        assert await rig.push(endpoint) == ends(*HUNG_UP, (14.5, "success"))
        assert rig.runs == [0]
        [line] = list_log(caplog)
        assert "the answer to a TextMessage is lost: it came after the last try" in line

    @in_virtual_time
    async def test_that_is_too_late_and_has_no_reply_is_acknowledged_without_a_log_line(self, rig, caplog):
        assert await rig.push(rig.build(rig.handler(20, None))) == ends(*HUNG_UP, (14.5, "success"))
        assert list_log(caplog) == []

    @in_virtual_time
    async def test_is_answered_for_with_the_fallback_by_the_last_try(self, rig, caplog):
        endpoint = rig.build(rig.handler(20), late=FallbackReply("请稍候"))
        assert await rig.push(endpoint) == ends(*HUNG_UP, (14.5, "请稍候"))
        assert rig.runs == [0]
        [line] = list_log(caplog)
        assert "came after the last try" in line

    @each_row("seconds", list(IN_TIME))
    @in_virtual_time
    async def test_needs_no_fallback_if_it_ends_in_time(self, rig, seconds):
        endpoint = rig.build(rig.handler(seconds), late=FallbackReply("请稍候"))
        assert await rig.push(endpoint) == ends(*IN_TIME[seconds])

    @each_row("seconds", [5, 7, 12, 20])
    @in_virtual_time
    async def test_is_acknowledged_by_the_first_try_and_answered_later(self, early_rig, seconds):
        rig = early_rig
        sent = Sent(rig)
        endpoint = rig.build(rig.handler(seconds), late=AnswerLater(sent.send))
        assert await rig.push(endpoint) == ends((4.5, "success"))
        assert rig.runs == [0]
        assert sent == [{"touser": OPENID, "msgtype": "text", "text": {"content": TOLD}}]
        assert sent.times == pytest.approx([seconds], abs=0.01)

    @each_row("seconds", [0, 3, 4.4])
    @each_row("after", ["first_try", "last_try"])
    @in_virtual_time
    async def test_is_answered_at_once_if_it_ends_in_time(self, early_rig, seconds, after):
        sent = Sent(early_rig)
        endpoint = early_rig.build(early_rig.handler(seconds), late=AnswerLater(sent.send, after=after))
        assert await early_rig.push(endpoint) == ends((seconds, TOLD))
        assert sent == []

    @each_row("seconds", list(IN_TIME))
    @in_virtual_time
    async def test_is_answered_by_the_next_try_if_the_last_one_is_to_be_waited_for(self, rig, seconds):
        sent = Sent(rig)
        endpoint = rig.build(rig.handler(seconds), late=AnswerLater(sent.send, after="last_try"))
        assert await rig.push(endpoint) == ends(*IN_TIME[seconds])
        assert (sent, rig.runs) == ([], [0])

    @each_row("seconds", [15, 20, 200])
    @in_virtual_time
    async def test_is_acknowledged_by_the_last_try_and_answered_later(self, rig, seconds):
        sent = Sent(rig)
        endpoint = rig.build(rig.handler(seconds), late=AnswerLater(sent.send, after="last_try"))
        assert await rig.push(endpoint) == ends(*HUNG_UP, (14.5, "success"))
        await asyncio.sleep(seconds)
        assert sent.contents == [TOLD]
        assert sent.times == pytest.approx([seconds], abs=0.01)
        assert rig.runs == [0]

    @in_virtual_time
    async def test_is_answered_later_if_no_try_could_know_that_it_was_the_last(self, rig):
        """As after a crash, where counting starts anew."""
        sent = Sent(rig)
        endpoint = rig.build(rig.handler(20), late=AnswerLater(sent.send, after="last_try"), deliveries=3)
        assert await rig.push(endpoint, tries=2) == ends(*HUNG_UP)
        await asyncio.sleep(20)
        assert sent.contents == [TOLD]
        assert rig.runs == [0]

    @each_row("seconds", [0, 7, 12])
    @each_row("mode", ["plain", "compatible", "sealed"])
    @each_row("format", ["xml", "json"])
    @in_virtual_time
    async def test_is_answered_in_the_mode_and_the_format_of_the_push(self, rig, seconds, mode, format):
        endpoint = rig.build(rig.handler(seconds), SEALED)
        wechat = rig.wechat(endpoint)
        tries = await wechat.push(build(SEALED, mode=mode, format=format))
        body = tries[-1].response.body
        assert name_end(SEALED, tries[-1]) == TOLD
        assert (body[:1] == b"<", b"Encrypt" in body) == (format == "xml", mode != "plain")
        await asyncio.sleep(10)

    @in_virtual_time
    async def test_is_given_up_by_tries_that_wechat_follows_with_an_error_after_it_has_hung_up(self, rig):
        endpoint = rig.build(rig.handler(20))
        wechat = rig.wechat(endpoint)
        await wechat.push(build())
        await asyncio.sleep(60)
        # Without an executor the first one is the handler's own thread.
        first, second = (task.result().status for task in wechat.abandoned)
        assert (first, second) == (200 if rig.kind == SYNC else 503, 503)

    @each_row("seconds", [7, 12])
    @in_virtual_time
    async def test_continues_if_the_server_cancels_the_request_when_wechat_hangs_up(self, async_rig, seconds):
        endpoint = async_rig.build(async_rig.handler(seconds))
        assert await async_rig.push(endpoint, cancels=True) == ends(*IN_TIME[seconds])
        assert async_rig.runs == [0]

    @in_virtual_time
    async def test_keeps_its_lease_no_longer_than_handler_limit(self, rig):
        endpoint = rig.build(rig.handler(100), handler_limit=30)
        await rig.push(endpoint)
        assert rig.runs == [0]
        late = asyncio.create_task(rig.handle(endpoint, build()))
        await asyncio.sleep(1)
        assert len(rig.runs) == 2
        await late
        await asyncio.sleep(100)

    @in_virtual_time
    async def test_is_not_asked_again_although_its_lease_could_not_be_renewed_for_a_while(self, rig):
        """Two renewals may fail in a row."""
        store = FaultyStore()
        endpoint = rig.build(rig.handler(7), store=store)
        pushing = asyncio.create_task(rig.push(endpoint))
        await asyncio.sleep(0.1)
        store.down = True
        await asyncio.sleep(2)
        store.down = False
        assert await pushing == ends((5, "hung up"), (7, TOLD))
        assert rig.runs == [0]


# --- the same reply --------------------------------------------------------------------------------------------------

LONG = "长" * 682 + "ab"  # 2,048 bytes
ARTICLES = [Article(title=f"标题{n}", description="d" * 100, url=f"https://example.com/{n}?a=1&b=2") for n in range(8)]
REPLIES = {
    "text": "hello",
    "2,048 bytes": LONG,
    "8 articles": NewsReply(articles=ARTICLES),
    "acknowledgement": None,
    "nothing": Acknowledgement(body=""),
    "ErrCode": ErrCodeReply(),
    "transfer": TransferCustomerServiceReply(kf_account="anna@x"),
    "raw": RawReply(fields={"demo_resp": "good luck]]>"}),
    "own time": TextReply(content="x", create_time=5),
}


class TestAResend:
    @each_row("name", list(REPLIES))
    @each_row("settings", [PLAIN, SEALED])
    @in_virtual_time
    async def test_gets_the_same_reply_at_once(self, rig, settings, name):
        endpoint = rig.build(rig.handler(3, REPLIES[name]), settings)
        replies = []
        for _ in range(4):
            before = rig.now
            response = await rig.handle(endpoint, build(settings))
            replies.append((rig.now - before, response.status, open_reply(settings, response)))
            await asyncio.sleep(5)
        assert replies == [(3, *replies[0][1:])] + [(0, *replies[0][1:])] * 3
        assert rig.runs == [0]

    @each_row("body", ["success", ""])
    @in_virtual_time
    async def test_gets_the_same_kind_of_acknowledgement(self, rig, body):
        endpoint = rig.build(rig.handler(0, Acknowledgement(body=body)))
        assert [(await rig.handle(endpoint, build())).body for _ in range(3)] == [body.encode()] * 3

    @in_virtual_time
    async def test_gets_the_reply_sealed_again_with_the_time_of_now_around_the_time_of_then(self, rig):
        endpoint = rig.build(rig.handler(), SEALED)
        outers, inners = [], []
        for _ in range(3):
            response = await rig.handle(endpoint, build(SEALED, format="json"))
            outers.append(json.loads(response.body))
            inners.append(open_reply(SEALED, response))
            await asyncio.sleep(5)
        assert [outer["TimeStamp"] for outer in outers] == [NOW, NOW + 5, NOW + 10]
        assert len({outer["Nonce"] for outer in outers}) == len({outer["Encrypt"] for outer in outers}) == 3
        assert inners == [inners[0]] * 3
        assert inners[0]["CreateTime"] == NOW

    @each_row("seconds", [0, 7])
    @each_row(("first", "second"), [("xml", "json"), ("json", "xml")])
    @each_row("name", ["text", "8 articles", "ErrCode"])
    @in_virtual_time
    async def test_gets_the_reply_in_its_own_format(self, rig, seconds, first, second, name):
        endpoint = rig.build(rig.handler(seconds, REPLIES[name]))
        wechat = rig.wechat(endpoint)
        await wechat.deliver(build(format=first))
        again = await wechat.deliver(build(format=second))
        push = open_push(PLAIN, build(format=second))
        assert again.response == seal_reply(PLAIN, push, REPLIES[name], now=lambda: NOW + seconds)
        assert rig.runs == [0]

    @each_row("seconds", [0, 7])
    @each_row(("first", "second"), [("plain", "sealed"), ("sealed", "plain"), ("compatible", "plain")])
    @in_virtual_time
    async def test_gets_the_reply_in_its_own_mode(self, rig, seconds, first, second):
        endpoint = rig.build(rig.handler(seconds), SEALED)
        wechat = rig.wechat(endpoint)
        await wechat.deliver(build(SEALED, mode=first))
        again = await wechat.deliver(build(SEALED, mode=second))
        assert (b"Encrypt" in again.response.body) == (second != "plain")
        assert name_end(SEALED, again) == TOLD
        assert rig.runs == [0]

    @in_virtual_time
    async def test_gets_an_error_if_the_reply_cannot_be_written_in_its_format(self, rig):
        """No real push changes its format; the error explains why there is no answer."""

        class JsonReply(RawReply):
            def to_fields(self, form):
                return super().to_fields(form) if form == "json" else {"not a name": 1}

        endpoint = rig.build(rig.handler(0, JsonReply(fields={"A": "b"})))
        await rig.handle(endpoint, build(format="json"))
        with pytest.raises(ReplyError, match="cannot be written as xml"):
            await rig.handle(endpoint, build(format="xml"))
        assert rig.runs == [0]

    @each_row("fields", [FIELDS, CLICK])
    @in_virtual_time
    async def test_is_known_for_five_minutes(self, rig, fields):
        endpoint = rig.build(rig.handler())
        request = build_event({**fields, "CreateTime": NOW})
        for pause in (0, 299, 2):
            await asyncio.sleep(pause)
            await rig.handle(endpoint, request)
        assert rig.runs == [0, 301]

    @each_row("event", ["xpay_goods_deliver_notify", "XPAY_coin_pay_notify", "retail_pay_order_notify"])
    @in_virtual_time
    async def test_of_an_event_that_comes_for_hours_is_known_for_a_day(self, rig, event):
        endpoint = rig.build(rig.handler(0, None))
        request = build_event({**PAYMENT, "Event": event})
        for pause in (0, 86399, 2):
            await asyncio.sleep(pause)
            await rig.handle(endpoint, request)
        assert rig.runs == [0, 86401]

    @in_virtual_time
    async def test_is_another_push_to_another_account(self, rig):
        endpoint = rig.build(rig.handler())
        for account in ("gh_1", "gh_2"):
            await rig.handle(endpoint, build(fields={"ToUserName": account}))
        assert len(rig.runs) == 2

    @in_virtual_time
    async def test_is_another_push_to_another_appid_if_it_names_no_account(self, rig):
        store = MemoryStore(clock=asyncio.get_running_loop().time)
        request = build_event({**CLICK, "ToUserName": "", "FromUserName": ""})
        for appid in ("wx1", "wx2", "wx1"):
            await rig.handle(rig.build(rig.handler(0, None), attrs.evolve(PLAIN, appid=appid), store=store), request)
        assert len(rig.runs) == 2

    @in_virtual_time
    async def test_is_handled_again_without_deduplication(self, rig):
        endpoint = rig.build(rig.handler(), store=NO_DEDUP)
        for _ in range(3):
            assert name_end(PLAIN, await rig.wechat(endpoint).deliver(build())) == TOLD
        assert len(rig.runs) == 3

    @in_virtual_time
    async def test_is_known_to_the_other_endpoints_of_a_store(self, rig):
        store = MemoryStore(clock=asyncio.get_running_loop().time)
        endpoints = [rig.build(rig.handler(7), store=store) for _ in range(3)]
        tries = [await rig.wechat(endpoint).deliver(build()) for endpoint in endpoints]
        assert [describe(PLAIN, one) for one in tries] == ends((5, "hung up"), (7, TOLD), (7, TOLD))
        assert rig.runs == [0]

    @in_virtual_time
    async def test_is_known_by_the_value_of_dedup_key(self, rig):
        endpoint = rig.build(rig.handler(), dedup_key=lambda message: message.content)
        for content in ("a", "b", "a"):
            await rig.handle(endpoint, build(fields={"Content": content}))
        assert len(rig.runs) == 2

    @in_virtual_time
    async def test_is_known_as_usual_if_dedup_key_returns_none(self, rig):
        endpoint = rig.build(rig.handler(), dedup_key=lambda message: None)
        for number in (1, 2, 1):
            await rig.handle(endpoint, build(fields={"MsgId": number}))
        assert len(rig.runs) == 2

    @each_row("key", [5, b"key", ["key"]])
    @in_virtual_time
    async def test_is_refused_if_dedup_key_gives_no_text(self, rig, key):
        endpoint = rig.build(rig.handler(), dedup_key=lambda message: key)
        with pytest.raises(SettingsError, match="dedup_key"):
            await rig.handle(endpoint, build())
        assert rig.runs == []


class TestManyDeliveries:
    @each_row("seconds", [0, 3])
    @in_virtual_time
    async def test_of_one_push_at_once_are_one_run_and_equal_replies(self, rig, seconds):
        endpoint = rig.build(rig.handler(seconds), SEALED)
        answers = await asyncio.gather(*(rig.handle(endpoint, build(SEALED)) for _ in range(50)))
        assert len(rig.runs) == 1
        replies = [open_reply(SEALED, answer) for answer in answers]
        assert replies == [replies[0]] * 50
        assert replies[0]["Content"] == TOLD
        assert rig.now <= seconds + 0.2

    @in_virtual_time
    async def test_of_one_push_at_once_handle_it_one_after_the_other_while_the_handler_fails(self, rig):
        endpoint = rig.build(rig.handler(0.01, KeyError()))
        wechat = rig.wechat(endpoint)
        tries = await asyncio.gather(*(wechat.deliver(build()) for _ in range(5)))
        assert [one.error for one in tries if type(one.error) is KeyError] == [one.error for one in tries]
        assert len(rig.runs) == 5
        assert all(later - earlier > 0.0099 for earlier, later in itertools.pairwise(rig.runs))

    @in_virtual_time
    async def test_of_different_events_of_one_user_in_one_second_are_as_many_runs(self, rig):
        endpoint = rig.build(rig.handler())
        requests = [
            build_event({**CLICK, "EventKey": str(number)}) for number in range(1000 if rig.kind == ASYNC else 100)
        ]
        for request in requests:
            await rig.handle(endpoint, request)
        assert len(rig.runs) == len(requests)

    @in_virtual_time
    async def test_of_one_event_are_one_run_in_any_order_of_its_fields(self, rig):
        endpoint = rig.build(rig.handler())
        nested = {"SendLocationInfo": {"Location_X": "1", "Location_Y": "2"}}
        turned = {"SendLocationInfo": {"Location_Y": "2", "Location_X": "1"}}
        for fields in ({**CLICK, **nested}, dict(reversed({**CLICK, **turned}.items()))):
            await rig.handle(endpoint, build_event(fields, format="json"))
            await rig.handle(endpoint, build_event(fields, format="xml"))
        assert len(rig.runs) == 1

    @in_virtual_time
    async def test_of_one_event_are_one_run_with_any_count_of_retries(self, rig):
        endpoint = rig.build(rig.handler(0, None))
        for number in range(4):
            await rig.handle(endpoint, build_event({**PAYMENT, "RetryTimes": number}, format="json"))
        assert len(rig.runs) == 1


class TestTheCalls:
    """A push that is answered in time on its first try, as most are."""

    @in_virtual_time
    async def test_of_the_store_are_two_and_one_more_for_the_lane_with_the_first_push(self, rig):
        store = FaultyStore()
        endpoint = rig.build(rig.handler(), store=store)
        calls = []
        for number in range(5):
            before = store.calls
            await rig.handle(endpoint, build(fields={"MsgId": number + 1}))
            calls.append(store.calls - before)
        assert calls == [3, 2, 2, 2, 2]

    @in_virtual_time
    async def test_that_renew_the_lane_are_one_each_0_7_seconds_whatever_runs(self, rig):
        store = FaultyStore()
        endpoint = rig.build(rig.handler(4), store=store)
        await asyncio.gather(*(rig.handle(endpoint, build(fields={"MsgId": number + 1})) for number in range(20)))
        assert store.calls == 1 + 2 * 20 + 5


class TestThreeThousandHandlers:
    @in_virtual_time
    async def test_run_once_each_although_the_loop_is_blocked_for_longer_than_the_lease(self, async_rig):
        endpoint = async_rig.build(async_rig.handler(8), store=FaultyStore())
        wechat = async_rig.wechat(endpoint)
        asyncio.get_running_loop().call_later(4, virtual_time.sleep, 3)
        pushes = (wechat.push(build(fields={"MsgId": number + 1})) for number in range(3000))
        tries = await asyncio.gather(*pushes)
        assert {name_end(PLAIN, one[-1]) for one in tries} == {TOLD}
        assert len(async_rig.runs) == 3000


# --- errors of the handler -------------------------------------------------------------------------------------------


def script(rig: Rig, *steps: tuple[float, Any]) -> Any:
    """Return a handler that does one step at each run."""
    handlers = iter([rig.handler(*step) for step in steps])

    async def handle(message: Any) -> Any:
        return await next(handlers)(message)

    return handle


class TestAFailingHandler:
    @in_virtual_time
    async def test_is_asked_again_by_the_next_delivery(self, rig):
        endpoint = rig.build(script(rig, (1, KeyError()), (1, ValueError()), (1, TOLD)))
        assert await rig.push(endpoint) == ends((1, "KeyError"), (2, "ValueError"), (3, TOLD))
        assert rig.runs == [0, 1, 2]

    @in_virtual_time
    async def test_is_asked_again_by_a_delivery_that_waits(self, rig, caplog):
        endpoint = rig.build(script(rig, (7, KeyError()), (1, TOLD)))
        assert await rig.push(endpoint) == ends((5, "hung up"), (8, TOLD))
        assert rig.runs == pytest.approx([0, 7], abs=0.2)
        if rig.kind != SYNC:  # there it goes up to the framework
            assert list_log(caplog) == FAILED[1:]

    @in_virtual_time
    async def test_is_asked_again_by_the_last_delivery_which_is_acknowledged_in_time(self, early_rig):
        rig = early_rig
        endpoint = rig.build(script(rig, (11, KeyError()), (10, TOLD)))
        assert await rig.push(endpoint) == ends(*HUNG_UP, (14.5, "success"))
        assert rig.runs == pytest.approx([0, 11], abs=0.2)

    @in_virtual_time
    async def test_counts_as_a_try_although_the_next_one_finds_the_key_free(self, early_rig):
        rig = early_rig
        endpoint = rig.build(script(rig, (1, KeyError()), (1, KeyError()), (20, TOLD)))
        assert await rig.push(endpoint) == ends((1, "KeyError"), (2, "KeyError"), (6.5, "success"))
        assert rig.runs == [0, 1, 2]

    @in_virtual_time
    async def test_leaves_only_the_number_of_tries_in_the_store(self, rig):
        store = MemoryStore(clock=asyncio.get_running_loop().time)
        endpoint = rig.build(rig.handler(2, KeyError()), store=store)
        with pytest.raises(KeyError):
            await rig.handle(endpoint, build())
        assert (count_records(store), len(store)) == (0, 1)

    @each_row("seconds", [0, 7])
    @each_row("answer", [5, [["hi"]], object()])
    @in_virtual_time
    async def test_returns_what_is_no_answer_and_is_asked_again(self, rig, seconds, answer):
        endpoint = rig.build(script(rig, (seconds, answer), (0, TOLD)))
        tries = await rig.push(endpoint)
        assert tries[-1][1] == TOLD
        assert tries[0][1] == ("hung up" if seconds else "ReplyError")
        assert len(rig.runs) == 2

    @in_virtual_time
    async def test_is_logged_once_with_its_traceback_if_its_request_has_ended(self, early_rig, caplog):
        endpoint = early_rig.build(early_rig.handler(6, KeyError("own text")), deliveries=3)
        wechat = early_rig.wechat(endpoint, tries=1)
        await wechat.push(build())
        await asyncio.sleep(10)
        gc.collect()
        [record] = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert record.getMessage() == "a handler failed after its request had ended"
        assert "KeyError: 'own text'" in logging.Formatter().format(record)

    @in_virtual_time
    async def test_is_logged_once_if_its_request_was_cancelled(self, async_rig, caplog):
        endpoint = async_rig.build(async_rig.handler(6, KeyError("own text")))
        await async_rig.wechat(endpoint, tries=1, cancels=True).push(build())
        await asyncio.sleep(10)
        gc.collect()
        assert list_log(caplog) == FAILED[1:]

    @each_row("steps", range(8))
    @in_virtual_time
    async def test_is_reported_once_whenever_its_request_is_cancelled(self, async_rig, caplog, steps):
        """It may fail, and its request be cancelled, in one and the same turn of the loop."""
        failing = asyncio.Event()

        async def fail(message):
            await failing.wait()
            raise KeyError("own text")

        request = asyncio.create_task(async_rig.build(fail).handle(build()))
        await asyncio.sleep(1)
        failing.set()
        for _ in range(steps):
            await asyncio.sleep(0)
        request.cancel()
        [error] = await asyncio.gather(request, return_exceptions=True)
        await asyncio.sleep(1)
        logged = ["a handler failed after its request had ended"]
        assert list_log(caplog) == (logged if isinstance(error, asyncio.CancelledError) else [])
        del error, request
        gc.collect()  # asyncio would now report an error that was never retrieved

    @each_row("seconds", [0, 7])
    @in_virtual_time
    async def test_is_logged_and_acknowledged_if_the_option_is_set(self, rig, caplog, seconds):
        endpoint = rig.build(rig.handler(seconds, KeyError("own text")), on_error="acknowledge")
        tries = await rig.push(endpoint)
        assert tries[-1] == (pytest.approx(seconds, abs=0.2), "success")
        assert len(rig.runs) == 1
        [record] = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert "TextMessage failed" in record.getMessage()
        assert "KeyError: 'own text'" in logging.Formatter().format(record)

    @each_row("seconds", [0, 7])
    @in_virtual_time
    async def test_is_answered_for_by_a_function_of_message_and_error(self, rig, caplog, seconds):
        error, asked = KeyError("own text"), []

        async def on_error(message, error):
            asked.append((message.content, error))
            await asyncio.sleep(0)
            return "出错了"

        endpoint = rig.build(rig.handler(seconds, error), on_error=rig.adapt(on_error))
        assert (await rig.push(endpoint))[-1] == (pytest.approx(seconds, abs=0.2), "出错了")
        assert (await rig.push(endpoint)) == [(pytest.approx(rig.now - 60), "出错了")]
        assert asked == [(SAID, error)]
        assert list_log(caplog) == []

    @in_virtual_time
    async def test_is_answered_for_by_a_sync_function_in_an_async_endpoint(self, async_rig):
        endpoint = async_rig.build(async_rig.handler(0, KeyError()), on_error=lambda message, error: "出错了")
        assert await async_rig.push(endpoint) == ends((0, "出错了"))

    @each_row("answer", [None, ""])
    @in_virtual_time
    async def test_is_acknowledged_if_that_function_returns_none(self, rig, answer):
        async def on_error(message, error):
            return answer

        endpoint = rig.build(rig.handler(0, KeyError()), on_error=rig.adapt(on_error))
        assert await rig.push(endpoint) == ends((0, "success"))

    @each_row("answer", [ValueError("from on_error"), 5])
    @in_virtual_time
    async def test_is_asked_again_if_that_function_fails(self, rig, answer):
        async def on_error(message, error):
            if isinstance(answer, Exception):
                raise answer
            return answer

        endpoint = rig.build(script(rig, (0, KeyError()), (0, TOLD)), on_error=rig.adapt(on_error))
        tries = await rig.push(endpoint)
        assert [what for _, what in tries] == ["ValueError" if isinstance(answer, Exception) else "ReplyError", TOLD]

    @in_virtual_time
    async def test_includes_one_that_returns_what_is_no_answer(self, rig):
        asked = []

        async def on_error(message, error):
            asked.append(type(error))
            return "出错了"

        endpoint = rig.build(rig.handler(0, 5), on_error=rig.adapt(on_error))
        assert await rig.push(endpoint) == ends((0, "出错了"))
        assert asked == [ReplyError]

    @each_row("error", [KeyboardInterrupt, SystemExit])
    @each_row("on_error", ["raise", "acknowledge"])
    def test_may_end_the_program_and_frees_the_key(self, error, on_error):
        store = MemoryStore()

        def handle(message):
            raise error

        endpoint = PushEndpoint(PLAIN, handle, store=store, on_error=on_error)
        with pytest.raises(error):
            endpoint.handle(build())
        assert count_records(store) == 0

    @in_virtual_time
    async def test_that_was_acknowledged_before_is_logged_and_nothing_is_sent(self, early_rig, caplog):
        sent = Sent(early_rig)
        endpoint = early_rig.build(early_rig.handler(7, KeyError()), late=AnswerLater(sent.send))
        assert await early_rig.push(endpoint) == ends((4.5, "success"))
        assert sent == []
        assert list_log(caplog) == FAILED


class TestAHandlerThatRaisesCancelledError:
    """Its request was not cancelled, so the handler has failed."""

    @pytest.fixture(params=[asyncio.CancelledError, concurrent.futures.CancelledError], ids=["asyncio", "futures"])
    def error(self, request):
        return request.param("own text")

    @in_virtual_time
    async def test_is_asked_again_by_the_next_delivery(self, rig, error):
        store = MemoryStore(clock=asyncio.get_running_loop().time)
        endpoint = rig.build(script(rig, (1, error), (1, TOLD)), store=store)
        assert await rig.push(endpoint) == ends((1, "HandlerCancelled"), (2, TOLD))
        assert rig.runs == [0, 1]

    @each_row("seconds", [0, 7])
    @in_virtual_time
    async def test_is_acknowledged_if_the_option_is_set(self, rig, caplog, error, seconds):
        endpoint = rig.build(rig.handler(seconds, error), on_error="acknowledge")
        assert (await rig.push(endpoint))[-1] == (pytest.approx(seconds, abs=0.2), "success")
        assert len(rig.runs) == 1
        [record] = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert "CancelledError: own text" in logging.Formatter().format(record)

    @in_virtual_time
    async def test_is_answered_for_by_a_function_of_message_and_error(self, rig, error):
        asked = []

        async def on_error(message, error):
            asked.append(error)
            return "出错了"

        endpoint = rig.build(rig.handler(0, error), on_error=rig.adapt(on_error))
        assert await rig.push(endpoint) == ends((0, "出错了"))
        assert asked == [error]

    @in_virtual_time
    async def test_is_answered_for_later_if_it_was_acknowledged(self, early_rig, error):
        sent = Sent(early_rig)
        endpoint = early_rig.build(
            early_rig.handler(7, error), late=AnswerLater(sent.send), on_error=lambda message, error: "出错了"
        )
        assert await early_rig.push(endpoint) == ends((4.5, "success"))
        assert sent.contents == ["出错了"]

    @in_virtual_time
    async def test_is_logged_if_its_request_has_ended(self, early_rig, caplog, error):
        sent = Sent(early_rig)
        endpoint = early_rig.build(early_rig.handler(7, error), late=AnswerLater(sent.send))
        assert await early_rig.push(endpoint) == ends((4.5, "success"))
        assert list_log(caplog) == FAILED

    @in_virtual_time
    async def test_may_have_it_from_a_task_of_its_own(self, async_rig):
        async def handle(message):
            task = asyncio.create_task(asyncio.sleep(60))
            asyncio.get_running_loop().call_later(1, task.cancel)
            await task

        endpoint = async_rig.build(handle, on_error=lambda message, error: "出错了")
        assert await async_rig.push(endpoint) == ends((1, "出错了"))

    @in_virtual_time
    async def test_in_a_sender_is_logged(self, early_rig, caplog, error):
        sent = Sent(early_rig, error=error)
        endpoint = early_rig.build(early_rig.handler(7), late=AnswerLater(sent.send))
        assert await early_rig.push(endpoint) == ends((4.5, "success"))
        assert list_log(caplog) == UNSENT


class TestACancelledTask:
    @in_virtual_time
    async def test_of_a_request_does_not_end_its_handler(self, async_rig):
        endpoint = async_rig.build(async_rig.handler(3))
        request = asyncio.create_task(endpoint.handle(build()))
        await asyncio.sleep(1)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert await async_rig.push(endpoint) == ends((3, TOLD))
        assert async_rig.runs == [0]

    @in_virtual_time
    async def test_of_a_request_that_waits_changes_nothing_for_the_others(self, async_rig):
        endpoint = async_rig.build(async_rig.handler(3))
        requests = [asyncio.create_task(endpoint.handle(build())) for _ in range(3)]
        await asyncio.sleep(1)
        requests[1].cancel()
        await asyncio.wait(requests)
        assert [request.cancelled() for request in requests] == [False, True, False]
        assert {open_reply(PLAIN, requests[number].result())["Content"] for number in (0, 2)} == {TOLD}
        assert async_rig.runs == [0]

    @pytest.mark.parametrize("goes_on", [True, False], ids=["awaits", "returns"])
    @pytest.mark.parametrize(
        ("on_error", "end"),
        [("raise", "HandlerCancelled"), ("acknowledge", "success"), (lambda message, error: "出错了", "出错了")],
        ids=["raise", "acknowledge", "function"],
    )
    @in_virtual_time
    async def test_that_the_handler_has_cancelled_itself_is_a_failure_of_the_handler(
        self, async_rig, on_error, end, goes_on
    ):
        async def handle(message):
            asyncio.current_task().cancel()
            if goes_on:
                await asyncio.sleep(1)

        store = MemoryStore(clock=asyncio.get_running_loop().time)
        endpoint = async_rig.build(handle, store=store, on_error=on_error)
        assert {what for _, what in await async_rig.push(endpoint)} == {end}
        assert (count_records(store), list(endpoint._tasks)) == (int(on_error != "raise"), [])

    def test_of_a_handler_is_freed_when_the_loop_shuts_down(self, async_rig):
        store = MemoryStore(clock=lambda: 0.0)

        async def main():
            endpoint = async_rig.build(async_rig.handler(30), store=store)
            await asyncio.wait((asyncio.create_task(endpoint.handle(build())),), timeout=1)
            assert count_records(store) == 1

        virtual_time.run(main())
        assert count_records(store) == 0


# --- workers that die ------------------------------------------------------------------------------------------------


class TestADeadWorker:
    async def die(self, store: FaultyStore, died_at: float) -> None:
        """Be another worker that claims the push at 0 and dies at that time: its lane is not renewed any more."""
        claim, key = "0.dead." + "d" * 16, make_key(open_push(PLAIN, build()).message, PLAIN.identity)
        assert store.compare_and_set(key, None, Run(claim).dump(), 660)
        assert store.compare_and_set(f"{PLAIN.identity}:lane:0", None, dump_texts(["dead"]), died_at + LEASE)

    @each_row("died_at", [0, 1, 3.1, 4.9])
    @in_virtual_time
    async def test_is_replaced_by_the_next_delivery_within_the_lease(self, rig, died_at):
        store = FaultyStore()
        await self.die(store, died_at)
        await asyncio.sleep(5)
        endpoint = rig.build(rig.handler(), store=store)
        [(at, what)] = await rig.push(endpoint, tries=2)
        assert what == TOLD
        assert at <= max(5.02, died_at + 2.5 + 0.5)
        assert len(rig.runs) == 1

    @each_row("late", [None, FallbackReply("请稍候")])
    @in_virtual_time
    async def test_is_counted_by_the_delivery_that_waited_for_it(self, early_rig, late):
        """The second try takes over; then the third is the last, and is answered."""
        rig = early_rig
        store = FaultyStore()
        await self.die(store, 4.9)
        await asyncio.sleep(4.9)
        endpoint = rig.build(rig.handler(20), store=store, late=late)
        tries = await rig.push(endpoint, tries=2)
        assert tries == ends((9.9, "hung up"), (14.4, "请稍候" if late else "success"))
        assert len(rig.runs) == 1

    @in_virtual_time
    async def test_is_counted_by_the_try_that_takes_over_at_once(self, early_rig):
        """Only the last try comes to this worker, which is in time to answer it."""
        rig = early_rig
        store = FaultyStore()
        await self.die(store, 1)
        await asyncio.sleep(5)
        endpoint = rig.build(rig.handler(20), store=store, deliveries=2)
        assert await rig.push(endpoint, tries=1) == ends((9.5, "success"))
        assert len(rig.runs) == 1


class TestMoreTries:
    @each_row("late", [None, FallbackReply("请稍候"), "later"])
    @in_virtual_time
    async def test_than_expected_are_answered_like_the_last(self, rig, late):
        sent = Sent(rig)
        late = AnswerLater(sent.send, after="last_try") if late == "later" else late
        endpoint = rig.build(rig.handler(200), late=late)
        wechat = rig.wechat(endpoint)
        tries = [await wechat.deliver(build()) for _ in range(5)]
        fallback = "请稍候" if isinstance(late, FallbackReply) else "success"
        times = (14.5, 14.5, 14.5) if isinstance(late, AnswerLater) else (14.5, 19, 23.5)
        assert [describe(PLAIN, one) for one in tries] == ends(*HUNG_UP, *((at, fallback) for at in times))
        await asyncio.sleep(200)
        assert rig.runs == [0]

    @each_row("late", [None, FallbackReply("请稍候")])
    @in_virtual_time
    async def test_than_expected_get_the_reply_when_it_is_there(self, rig, late):
        endpoint = rig.build(rig.handler(17), late=late)
        wechat = rig.wechat(endpoint)
        tries = [await wechat.deliver(build()) for _ in range(4)]
        assert describe(PLAIN, tries[-1]) == ends((17, TOLD))[0]

    @in_virtual_time
    async def test_after_a_late_answer_are_acknowledged_at_once(self, early_rig):
        sent = Sent(early_rig)
        endpoint = early_rig.build(early_rig.handler(20), late=AnswerLater(sent.send))
        wechat = early_rig.wechat(endpoint)
        tries = [await wechat.deliver(build()) for _ in range(3)]
        await asyncio.sleep(30)
        tries.append(await wechat.deliver(build()))
        assert [name_end(PLAIN, one) for one in tries] == ["success"] * 4
        assert [round(one.at, 2) for one in tries] == [4.5, 4.5, 4.5, 34.5]
        assert sent.contents == [TOLD]

    @each_row(
        ("deliveries", "expected"),
        [
            (1, [(4.5, "success")]),
            (2, [(5, "hung up"), (9.5, "success")]),
            (4, [*HUNG_UP, (15, "hung up"), (19.5, "success")]),
        ],
    )
    @in_virtual_time
    async def test_are_waited_for_as_the_option_is_set(self, early_rig, deliveries, expected):
        endpoint = early_rig.build(early_rig.handler(30), deliveries=deliveries)
        assert await early_rig.push(endpoint, tries=4) == ends(*expected)
        assert early_rig.runs == [0]


# --- virtual payment, and Mini Programs ------------------------------------------------------------------------------


class TestVirtualPayment:
    @each_row("late", [None, FallbackReply("请稍候"), "first_try", "last_try"])
    @in_virtual_time
    async def test_is_never_acknowledged_before_its_handler_ends(self, early_rig, late):
        rig = early_rig
        sent = Sent(rig)
        late = AnswerLater(sent.send, after=late) if isinstance(late, str) else late
        endpoint = rig.build(rig.handler(22, None), late=late)
        tries = await rig.push(endpoint, build_event(PAYMENT, format="json"), tries=5)
        assert tries == ends(*HUNG_UP, (15, "hung up"), (20, "hung up"), (22, {"ErrCode": 0, "ErrMsg": "success"}))
        assert (rig.runs, sent) == ([0], [])

    @in_virtual_time
    async def test_is_held_and_then_refused(self, early_rig):
        endpoint = early_rig.build(early_rig.handler(22, None))
        wechat = early_rig.wechat(endpoint, tries=4)
        await wechat.push(build_event(PAYMENT, format="json"))
        await asyncio.sleep(30)
        assert [task.result().status for task in wechat.abandoned] == [503] * 4

    @in_virtual_time
    async def test_that_wechat_is_asked_to_repeat_is_handled_again(self, rig):
        again = ErrCodeReply(err_code=1, err_msg="later")
        endpoint = rig.build(script(rig, (0, again), (0, again), (0, None)))
        request = build_event(PAYMENT, format="json")
        codes = [open_reply(PLAIN, await rig.handle(endpoint, request))["ErrCode"] for _ in range(4)]
        assert codes == [1, 1, 0, 0]
        assert len(rig.runs) == 3

    @in_virtual_time
    async def test_that_wechat_is_asked_to_repeat_is_handled_again_by_a_delivery_that_waits(self, rig):
        endpoint = rig.build(script(rig, (7, ErrCodeReply(err_code=1)), (0, None)))
        tries = await rig.push(endpoint, build_event(PAYMENT, format="json"))
        assert tries == ends((5, "hung up"), (7, {"ErrCode": 0, "ErrMsg": "success"}))


class TestAMiniProgram:
    @each_row("seconds", [0, 3])
    @each_row("after", ["first_try", "last_try"])
    @in_virtual_time
    async def test_is_acknowledged_and_its_user_gets_a_customer_service_message(self, rig, seconds, after):
        sent = Sent(rig)
        endpoint = rig.build(rig.handler(seconds), PROGRAM, late=AnswerLater(sent.send, after=after))
        assert await rig.push(endpoint) == ends((seconds, "success"))
        assert await rig.push(endpoint) == [(rig.now - 60, "success")]
        assert sent == [{"touser": OPENID, "msgtype": "text", "text": {"content": TOLD}}]
        assert rig.runs == [0]

    @each_row("seconds", [7, 12, 20])
    @each_row("after", ["first_try", "last_try"])
    @in_virtual_time
    async def test_gets_one_message_however_late_it_is(self, rig, seconds, after):
        sent = Sent(rig)
        endpoint = rig.build(rig.handler(seconds), PROGRAM, late=AnswerLater(sent.send, after=after))
        tries = await rig.push(endpoint)
        assert tries[-1][1] == "success"
        assert (sent.contents, rig.runs) == ([TOLD], [0])
        assert sent.times == pytest.approx([seconds], abs=0.01)

    @in_virtual_time
    async def test_gets_no_text_without_a_way_to_send_it(self, rig):
        endpoint = rig.build(rig.handler(), PROGRAM)
        assert await rig.push(endpoint) == ends(*[(0, "ReplyError")] * 3)
        assert len(rig.runs) == 3

    @each_row(
        ("answer", "document"),
        [
            (None, "success"),
            (RawReply(fields={"A": "b"}), {"A": "b"}),
            (ErrCodeReply(), {"ErrCode": 0, "ErrMsg": "success"}),
        ],
    )
    @in_virtual_time
    async def test_is_answered_with_what_it_may_be_answered_with(self, rig, answer, document):
        sent = Sent(rig)
        endpoint = rig.build(rig.handler(0, answer), PROGRAM, late=AnswerLater(sent.send))
        assert await rig.push(endpoint, build(PROGRAM, format="json")) == ends((0, document))
        assert sent == []

    @in_virtual_time
    async def test_gets_its_late_message_although_sending_takes_long(self, rig):
        sent = Sent(rig, seconds=8)
        endpoint = rig.build(rig.handler(), PROGRAM, late=AnswerLater(sent.send))
        tries = await rig.push(endpoint)
        assert tries[-1][1] == "success"
        assert (sent.contents, rig.runs) == ([TOLD], [0])

    @in_virtual_time
    async def test_costs_the_store_only_lease_and_looks_while_its_message_is_being_sent(self, rig):
        store = FaultyStore()
        late = AnswerLater(Sent(rig, seconds=100).send)
        await rig.push(rig.build(rig.handler(), PROGRAM, late=late, store=store), tries=1)
        assert store.calls <= 10 + 60 / RENEW_EVERY + 3 * 60 / (0.8 * LOOK_EVERY)


class TestAnsweringLater:
    @in_virtual_time
    async def test_logs_what_the_sender_raises(self, early_rig, caplog):
        sent = Sent(early_rig, error=OSError("no network"))
        endpoint = early_rig.build(early_rig.handler(7), late=AnswerLater(sent.send))
        assert await early_rig.push(endpoint) == ends((4.5, "success"))
        assert len(sent) == 1
        record, _ = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert list_log(caplog) == UNSENT
        assert "OSError: no network" in logging.Formatter().format(record)

    @each_row("answer", [None, "", Acknowledgement(), Acknowledgement(body="")])
    @in_virtual_time
    async def test_sends_nothing_if_there_is_no_reply(self, early_rig, caplog, answer):
        sent = Sent(early_rig)
        endpoint = early_rig.build(early_rig.handler(7, answer), late=AnswerLater(sent.send))
        assert await early_rig.push(endpoint) == ends((4.5, "success"))
        assert (sent, list_log(caplog)) == ([], [])

    @each_row("answer", [NewsReply(articles=ARTICLES), TransferCustomerServiceReply(), RawReply(fields={})])
    @in_virtual_time
    async def test_logs_a_reply_that_is_no_customer_service_message(self, early_rig, caplog, answer):
        sent = Sent(early_rig)
        endpoint = early_rig.build(early_rig.handler(7, answer), late=AnswerLater(sent.send))
        assert await early_rig.push(endpoint) == ends((4.5, "success"))
        assert sent == []
        assert list_log(caplog) == UNSENT

    @in_virtual_time
    async def test_logs_a_reply_without_a_user(self, early_rig, caplog):
        """Some events of the platform name no user."""
        sent = Sent(early_rig)
        endpoint = early_rig.build(early_rig.handler(7), late=AnswerLater(sent.send))
        tries = await early_rig.push(endpoint, build_event({**CLICK, "FromUserName": ""}))
        assert tries[-1][1] == "success"
        assert sent == []
        assert list_log(caplog) == [line.replace("TextMessage", "ClickEvent") for line in FAILED]

    @in_virtual_time
    async def test_sends_to_the_recipient_of_the_reply(self, early_rig):
        sent = Sent(early_rig)
        reply = TextReply(content=TOLD, to_user_name="oOTHER")
        endpoint = early_rig.build(early_rig.handler(7, reply), late=AnswerLater(sent.send))
        await early_rig.push(endpoint)
        assert [message["touser"] for message in sent] == ["oOTHER"]

    @in_virtual_time
    async def test_takes_a_sync_sender_in_an_async_endpoint(self, async_rig):
        sent: list[Any] = []
        endpoint = async_rig.build(async_rig.handler(7), late=AnswerLater(sent.append))
        assert await async_rig.push(endpoint) == ends((4.5, "success"))
        assert len(sent) == 1

    @in_virtual_time
    async def test_logs_a_sender_that_turns_out_to_be_async_in_a_sync_endpoint(self, caplog):
        rig = Rig(EXECUTOR)

        async def send(message):
            raise AssertionError("never awaited")

        endpoint = rig.build(rig.handler(7), late=AnswerLater(lambda message: send(message)))
        assert await rig.push(endpoint) == ends((4.5, "success"))
        assert list_log(caplog) == UNSENT
        gc.collect()  # a coroutine that was never awaited would warn now


class TestAFallback:
    @in_virtual_time
    async def test_is_left_out_if_no_user_could_read_it(self, rig):
        """Some events of the platform name no user."""
        endpoint = rig.build(rig.handler(20, None), late=FallbackReply("请稍候"))
        tries = await rig.push(endpoint, build_event({**CLICK, "FromUserName": ""}))
        assert tries == ends(*HUNG_UP, (14.5, "success"))


# --- stores that fail ------------------------------------------------------------------------------------------------


def fail_at_each_call(scenario: Callable[[int], Coroutine[Any, Any, int]]) -> None:
    """Run a scenario with a store that fails at its first call, its second, and so on, until it makes no more.

    After some seconds all calls are of the same kind, so not every one of them has to fail.
    """
    for call in itertools.chain(range(1, 25), itertools.count(25, 8)):
        try:
            if virtual_time.run(scenario(call)) < call:
                return
        except AssertionError as error:
            error.add_note(f"when call {call} of the store failed")
            raise


GARBAGE = [
    b"",
    b"\xff",
    b"garbage",
    b"\x02",
    b"\x02R",
    b"\x03R\0\0\0\0\0\0\0\x030.p.c",
    Run("0.p.c").dump()[:-1],
    Run("0.p.c").dump() + b"\0",
    b"\x02X" + Run("0.p.c").dump()[2:],
    Done("0.p.c", Acknowledgement()).dump().replace(b"success", b"SUCCESS"),
    dump_texts(["text"]),
    b'{"owner":"o","late":false}',
]

#: For how long the store fails, and whether what it failed at was done all the same.
FAILURES = {"once": (False, False), "once, after the step": (False, True), "from then on": (True, False)}
every_failure = each_row(("for_good", "lost"), FAILURES)


class TestAStoreThatFails:
    @each_row("seconds", [0, 3, 7, 12])
    @every_failure
    def test_costs_no_reply_and_no_time(self, rig, seconds, for_good, lost):
        async def scenario(call):
            rig.runs.clear()
            store = FaultyStore(lambda number: number == call or (for_good and number > call), lost=lost)
            tries = await rig.push(rig.build(rig.handler(seconds), store=store))
            assert {what for _, what in tries} <= {"hung up", "success", TOLD}
            assert len(rig.runs) <= (3 if for_good else 2)
            if seconds < 5:
                assert tries == ends((seconds, TOLD))
                assert rig.runs == [0]
            if not for_good:
                assert tries[-1][1] == TOLD or rig.runs[-1] + seconds > 15
            return store.calls

        fail_at_each_call(scenario)

    @each_row("seconds", [0, 3, 7, 16])
    @each_row("after", ["first_try", "last_try"])
    @every_failure
    def test_neither_loses_a_late_answer_nor_sends_it_twice(self, early_rig, seconds, after, for_good, lost):
        """It stays in the inbox if the store fails for good; or it is lost if that is while the last try waits."""
        rig = early_rig

        async def scenario(call):
            rig.runs.clear()
            sent = Sent(rig)
            store = FaultyStore(lambda number: number == call or (for_good and number > call), lost=lost)
            late = AnswerLater(sent.send, after=after)
            tries = await rig.push(rig.build(rig.handler(seconds), store=store, late=late))
            assert {what for _, what in tries} <= {"hung up", "success", TOLD, 503}
            replies = [what for _, what in tries].count(TOLD) + len(sent)
            assert replies <= len(rig.runs) <= 2
            waits = after == "last_try" and rig.runs == [0] and len(tries) == 3
            assert replies >= 1 or (for_good and (waits or store.holds(":inbox:")))
            return store.calls

        fail_at_each_call(scenario)

    @each_row("seconds", [0, 3, 7, 12])
    def test_runs_no_handler_twice_if_the_endpoint_refuses(self, rig, seconds):
        async def scenario(call):
            rig.runs.clear()
            store = FaultyStore(lambda number: number >= call)
            endpoint = rig.build(rig.handler(seconds), store=store, on_store_error="refuse")
            tries = await rig.push(endpoint)
            assert {what for _, what in tries} <= {"hung up", "success", TOLD, 503}
            assert rig.runs == ([0] if call > 2 else [])  # the lane, and the claim
            return store.calls

        fail_at_each_call(scenario)

    @each_row("seconds", [0, 3, 7])
    @in_virtual_time
    async def test_at_once_lets_the_deliveries_of_this_process_wait_for_each_other(self, rig, seconds):
        store = FaultyStore(down=True)
        endpoint = rig.build(rig.handler(seconds), store=store)
        assert await rig.push(endpoint) == ends(*IN_TIME[seconds])
        assert rig.runs == [0]

    @in_virtual_time
    async def test_at_once_leaves_every_process_to_itself(self, rig):
        store = FaultyStore(down=True)
        endpoints = [rig.build(rig.handler(7), store=store) for _ in range(2)]
        tries = await asyncio.gather(*(rig.push(endpoint) for endpoint in endpoints))
        assert [one[-1] for one in tries] == ends((7, TOLD), (7, TOLD))
        assert rig.runs == [0, 0]

    @in_virtual_time
    async def test_at_once_lets_wechat_try_again_if_the_option_is_set(self, rig):
        store = FaultyStore(down=True)
        endpoint = rig.build(rig.handler(), store=store, on_store_error="refuse")
        assert await rig.push(endpoint) == ends(*[(0, 503)] * 3)
        assert rig.runs == []
        store.down = False
        assert (await rig.push(endpoint))[-1][1] == TOLD

    @each_row("garbage", GARBAGE)
    @each_row("seconds", [0, 3])
    @in_virtual_time
    async def test_to_hold_a_record_is_as_good_as_none(self, rig, caplog, seconds, garbage):
        store = MemoryStore(clock=asyncio.get_running_loop().time)
        spoil(store, garbage)
        endpoint = rig.build(rig.handler(seconds), store=store)
        assert await rig.push(endpoint) == ends((seconds, TOLD))
        assert any("not a record of a push" in line for line in list_log(caplog))

    @each_row("tries", [b"", b"two", b"\xff", b"\x02T\0\0\0\x05me", b"\x03T", Run("0.p.c").dump()])
    @in_virtual_time
    async def test_to_hold_a_number_of_tries_does_not_hinder_the_reply(self, rig, tries):
        store = MemoryStore(clock=asyncio.get_running_loop().time)
        endpoint = rig.build(rig.handler(7), store=store)
        key = endpoint._handling.make_key(open_push(PLAIN, build()).message)
        assert store.compare_and_set(key.replace(":push:", ":tries:"), None, tries, 300)
        assert await rig.push(endpoint) == ends((5, "hung up"), (7, TOLD))

    @each_row("answer", [False, None])
    @each_row("seconds", [0, 3])
    @in_virtual_time
    async def test_to_do_anything_but_returns_false_is_as_good_as_none(self, rig, caplog, seconds, answer):
        store = ReturnFalse(answer)
        endpoint = rig.build(rig.handler(seconds), store=store)
        assert await rig.push(endpoint) == ends((seconds, TOLD))
        assert any("refuses to replace the value" in line for line in list_log(caplog))

    @each_row("seconds", [7, 20])
    @in_virtual_time
    async def test_to_write_any_more_and_returns_false_makes_no_delivery_wait_without_limit(self, rig, seconds):
        store = FaultyStore()
        endpoint = rig.build(rig.handler(seconds), store=store)
        pushing = asyncio.create_task(rig.push(endpoint))
        await asyncio.sleep(1)

        store.compare_and_set = lambda *args: False
        tries = await pushing
        assert {what for _, what in tries} <= {"hung up", "success", TOLD}

    @each_row("seconds", [0, 3, 7, 12])
    @in_virtual_time
    async def test_to_be_fast_costs_its_own_time_only(self, rig, seconds):
        store = FaultyStore(seconds=0.1)
        endpoint = rig.build(rig.handler(seconds), store=store)
        tries = await rig.push(endpoint)
        expected = IN_TIME[seconds]
        assert [what for _, what in tries] == [what for _, what in expected]
        assert tries[-1][0] - expected[-1][0] < 0.6
        assert len(rig.runs) == 1

    @in_virtual_time
    async def test_to_be_fast_is_acknowledged_before_wechat_hangs_up(self, early_rig):
        store = FaultyStore(seconds=0.2)
        endpoint = early_rig.build(early_rig.handler(20), store=store)
        tries = await early_rig.push(endpoint)
        assert [what for _, what in tries] == ["hung up", "hung up", "success"]
        assert tries[-1][0] < 15


def spoil(store: MemoryStore, record: bytes) -> None:
    """Put a value where the record of the push is to be."""
    key = make_key(open_push(PLAIN, build()).message, PLAIN.identity)
    assert store.compare_and_set(key, None, record, 300)


class ReturnFalse:
    """A store that does nothing and says so."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def get(self, key: str) -> None:
        return None

    def compare_and_set(self, *args: Any) -> Any:
        return self._answer


class TestTheLog:
    @in_virtual_time
    async def test_logs_once_that_the_store_is_down(self, rig, caplog):
        endpoint = rig.build(rig.handler(), store=FaultyStore(down=True))
        for number in range(1000 if rig.kind == ASYNC else 100):
            await rig.handle(endpoint, build(fields={"MsgId": number + 1}))
        [line] = list_log(caplog)
        assert line.startswith("deduplication is degraded: the store is down")
        assert "0 more" in line

    @in_virtual_time
    async def test_logs_again_after_a_minute_how_often(self, rig, caplog):
        endpoint = rig.build(rig.handler(), store=FaultyStore(down=True))
        for pause in (0, 59, 2, 59, 2):
            await asyncio.sleep(pause)
            await rig.handle(endpoint, build())
        assert [line.rpartition(" (")[2] for line in list_log(caplog)] == [
            f"{count} more errors since the last line)" for count in (0, 1, 1)
        ]

    @in_virtual_time
    async def test_logs_a_worker_that_stood_still(self, rig, caplog):
        store = FaultyStore()
        frozen = rig.build(rig.handler(7), store=store)
        first = asyncio.create_task(rig.handle(frozen, build()))
        await asyncio.sleep(0.1)
        store.down = True  # its lease cannot be renewed
        await asyncio.sleep(4)
        store.down = False
        caplog.clear()
        other = rig.build(rig.handler(20), store=store)
        second = asyncio.create_task(rig.handle(other, build()))
        await asyncio.wait((first, second))
        await asyncio.sleep(30)
        assert "another one took over its message" in "".join(list_log(caplog))
        assert len(rig.runs) == 2


# --- nothing is left behind ------------------------------------------------------------------------------------------


class TestNothingIsLeft:
    def push_many(self, endpoint: PushEndpoint, clock: list[float], count: int, start: int = 0) -> None:
        request = build(fields={"MsgId": "NUMBER"})
        for number in range(start, start + count):
            clock[0] += 1
            body = request.body.replace(b"NUMBER", b"%d" % number)
            assert endpoint.handle(attrs.evolve(request, body=body)).status == 200

    def test_in_the_store_after_many_messages(self):
        clock = [0.0]
        store = MemoryStore(clock=lambda: clock[0])
        endpoint = PushEndpoint(PLAIN, lambda message: TOLD, store=store)
        self.push_many(endpoint, clock, 2_000)  # of which 300 are younger than 5 minutes
        assert len(store) <= 301
        assert len(store._ends) <= 2 * 301 + 64
        assert len(endpoint._handling.private_store) == 0

    def test_in_the_private_store_without_deduplication(self):
        clock = [0.0]
        endpoint = PushEndpoint(PLAIN, lambda message: TOLD, store=NO_DEDUP, monotonic=lambda: clock[0])
        self.push_many(endpoint, clock, 2_000)
        assert len(endpoint._handling.private_store) <= 301

    def test_in_memory(self):
        clock = [0.0]
        endpoint = PushEndpoint(PLAIN, lambda message: TOLD, monotonic=lambda: clock[0])
        self.push_many(endpoint, clock, 500)
        tracemalloc.start()
        try:
            self.push_many(endpoint, clock, 500, 10_000)
            gc.collect()
            before, _ = tracemalloc.get_traced_memory()
            self.push_many(endpoint, clock, 1_000, 20_000)
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert after - before < 50_000

    @in_virtual_time
    async def test_of_tasks_of_the_event_loop(self, async_rig):
        endpoint = async_rig.build(async_rig.handler(1))
        requests = [build(fields={"MsgId": number + 1}) for number in range(200)]
        await asyncio.gather(*(endpoint.handle(request) for request in requests * 2))
        await asyncio.sleep(0)
        assert not endpoint._tasks
        assert asyncio.all_tasks() == {asyncio.current_task()}

    @in_virtual_time
    async def test_in_the_registry_and_of_lanes_when_handlers_end_late_or_fail(self, rig):
        for seconds, answer in ((0, TOLD), (7, TOLD), (20, TOLD), (0, KeyError()), (7, KeyError())):
            store = FaultyStore()
            endpoint = rig.build(rig.handler(seconds, answer), store=store)
            await rig.push(endpoint)
            assert len(endpoint._handling.process.registry) == 0
            assert store.get(f"{PLAIN.identity}:lane:0") is None


# --- threads and loops, on the real clock ----------------------------------------------------------------------------


class Loop:
    """An event loop whose turns other threads can wait for."""

    def __init__(self) -> None:
        self._turns = 0
        self.stood_still = False

    async def work(self, *works: Coroutine[Any, Any, Any]) -> None:
        """Run all coroutines at the same time; each must return the answer."""
        task = asyncio.gather(*works)
        while not task.done():
            await asyncio.sleep(0.001)
            self._turns += 1
        for response in await task:
            assert open_reply(PLAIN, response)["Content"] == TOLD

    def wait_for_turns(self) -> None:
        """Keep the thread waiting until the loop has turned a few times."""
        enough, deadline = self._turns + 5, time.monotonic() + 10
        while self._turns < enough and not self.stood_still:
            self.stood_still = time.monotonic() > deadline
            time.sleep(0.001)


class SlowStore:
    """A store that keeps its thread waiting."""

    def __init__(self, loop: Loop) -> None:
        self._inner = MemoryStore()
        self._loop = loop

    def get(self, key: str) -> bytes | None:
        self._loop.wait_for_turns()
        return self._inner.get(key)

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        self._loop.wait_for_turns()
        return self._inner.compare_and_set(key, expected, value, ttl)


class TestTheLoop:
    @pytest.fixture
    def loop(self):
        loop = Loop()
        yield loop
        assert not loop.stood_still

    def test_is_not_stalled_by_a_slow_store(self, loop):
        async def answer(message):
            return TOLD

        endpoint = AsyncPushEndpoint(PLAIN, answer, store=SlowStore(loop))
        asyncio.run(loop.work(endpoint.handle(build())))

    def test_is_not_stalled_by_a_slow_sync_handler(self, loop):
        def answer(message):
            loop.wait_for_turns()
            return TOLD

        asyncio.run(loop.work(AsyncPushEndpoint(PLAIN, answer).handle(build())))

    def test_is_not_stalled_by_waiting_for_another_worker(self, loop):
        async def answer(message):
            await asyncio.sleep(0.1)
            return TOLD

        store = in_thread(SlowStore(loop))
        first, second = (AsyncPushEndpoint(PLAIN, answer, store=store) for _ in range(2))
        asyncio.run(loop.work(first.handle(build()), second.handle(build())))


class NearlyOver:
    """A clock that jumps after a push has arrived: *left* seconds are left of the time that it may take."""

    def __init__(self, limit: float, left: float = 0.04) -> None:
        self._limit = limit
        self._left = left
        self._began: float | None = None

    def __call__(self) -> float:
        if self._began is None:
            self._began = time.monotonic() - self._limit + self._left
            return 0.0
        return time.monotonic() - self._began


class TestAnExecutor:
    def test_runs_the_handler_and_its_reply_is_the_answer(self):
        threads: list[str] = []

        def answer(message):
            threads.append(threading.current_thread().name)
            return TOLD

        with ThreadPoolExecutor(1, thread_name_prefix="bot") as executor:
            response = PushEndpoint(PLAIN, answer, executor=executor).handle(build())
        assert open_reply(PLAIN, response)["Content"] == TOLD
        assert threads == ["bot_0"]

    def test_runs_sync_handlers_of_an_async_endpoint_too(self):
        def answer(message):
            return threading.current_thread().name

        with ThreadPoolExecutor(1, thread_name_prefix="bot") as executor:
            response = asyncio.run(AsyncPushEndpoint(PLAIN, answer, executor=executor).handle(build()))
        assert open_reply(PLAIN, response)["Content"] == "bot_0"

    def test_gets_what_the_handler_raises_back_to_the_request(self):
        def fail(message):
            raise KeyError("own text")

        with ThreadPoolExecutor(1) as executor, pytest.raises(KeyError, match="own text"):
            PushEndpoint(PLAIN, fail, executor=executor).handle(build())

    def test_lets_the_answer_go_out_before_the_handler_ends(self):
        go_on, sent = threading.Event(), threading.Event()

        def answer(message):
            go_on.wait(10)
            return TOLD

        with ThreadPoolExecutor(1) as executor:
            later = AnswerLater(lambda message: sent.set())
            endpoint = PushEndpoint(PLAIN, answer, executor=executor, late=later, monotonic=NearlyOver(ANSWER_BY))
            assert endpoint.handle(build()).body == b"success"
            assert not sent.is_set()
            go_on.set()
            assert sent.wait(10)

    def test_hands_context_variables_to_the_handler(self):
        variable = contextvars.ContextVar("variable", default="not set")

        def ask():
            variable.set("set by a middleware")
            return endpoint.handle(build())

        with ThreadPoolExecutor(1) as executor:
            endpoint = PushEndpoint(PLAIN, lambda message: variable.get(), executor=executor)
            response = contextvars.copy_context().run(ask)
        assert open_reply(PLAIN, response)["Content"] == "set by a middleware"

    def test_that_was_shut_down_is_an_error_and_others_may_handle_the_message(self):
        clock, executor = [0.0], ThreadPoolExecutor(1)
        store = MemoryStore(clock=lambda: clock[0])
        executor.shutdown()
        with pytest.raises(RuntimeError, match="shutdown"):
            PushEndpoint(PLAIN, lambda message: TOLD, executor=executor, store=store).handle(build())
        clock[0] += LEASE
        response = PushEndpoint(PLAIN, lambda message: TOLD, store=store).handle(build())
        assert open_reply(PLAIN, response)["Content"] == TOLD

    def test_that_cancels_what_waits_for_a_thread_lets_others_handle_the_message(self):
        go_on, executor = threading.Event(), ThreadPoolExecutor(1)
        executor.submit(go_on.wait, 10)
        endpoint = PushEndpoint(
            PLAIN, lambda message: TOLD, executor=executor, monotonic=NearlyOver(HANG_UP), deliveries=2
        )
        assert endpoint.handle(build()).status == 503
        registry = endpoint._handling.process.registry
        assert len(registry) == 1
        executor.shutdown(wait=False, cancel_futures=True)
        assert len(registry) == 0
        go_on.set()

    @in_virtual_time
    async def test_whose_threads_are_busy_keeps_the_lease_of_what_waits(self):
        rig = Rig(EXECUTOR)
        executor = make_executor(1)
        endpoint = rig.build(rig.handler(6), executor=executor)
        first = asyncio.create_task(rig.handle(endpoint, build(fields={"MsgId": 1})))
        await asyncio.sleep(0.01)
        assert await rig.push(endpoint, build(fields={"MsgId": 2})) == ends(*HUNG_UP, (12, TOLD))
        await first
        assert rig.runs == [0, 6]


# --- options ---------------------------------------------------------------------------------------------------------


async def send_async(message: dict[str, Any]) -> None:
    """Send a customer-service message."""


def send(message: dict[str, Any]) -> None:
    """Send a customer-service message."""


class TestOptions:
    @each_row("cls", [PushEndpoint, AsyncPushEndpoint])
    @each_row(
        ("option", "value"),
        [
            ("store", "memory"),
            ("store", MemoryStore),
            ("store", {}),
            ("store", 5),
            ("late", "text"),
            ("late", AnswerLater),
            ("late", send),
            ("executor", 5),
            ("executor", ThreadPoolExecutor),
            ("on_error", "ignore"),
            ("on_error", None),
            ("on_store_error", "raise"),
            ("on_store_error", None),
            ("dedup_key", "msg_id"),
            ("dedup_key", send_async),
            ("deliveries", 0),
            ("deliveries", -1),
            ("deliveries", 3.0),
            ("deliveries", "3"),
            ("deliveries", None),
            ("handler_limit", 0),
            ("handler_limit", -1.0),
            ("handler_limit", float("nan")),
        ],
    )
    def test_of_the_wrong_kind_are_refused(self, cls, option, value):
        with pytest.raises(SettingsError, match=option):
            cls(PLAIN, None, **{option: value})

    def test_are_keywords_only(self):
        with pytest.raises(TypeError, match="positional"):
            PushEndpoint(PLAIN, None, MemoryStore())

    @each_row("cls", [PushEndpoint, AsyncPushEndpoint])
    def test_refuse_a_fallback_that_a_mini_program_cannot_show(self, cls):
        with pytest.raises(SettingsError, match="Mini Program"):
            cls(PROGRAM, None, late=FallbackReply("请稍候"))

    @each_row(
        "options",
        [
            {"store": in_thread(MemoryStore())},
            {"on_error": send_async},
            {"late": AnswerLater(send_async, after="last_try")},
        ],
    )
    def test_that_are_async_are_refused_by_the_sync_endpoint_only(self, options):
        with pytest.raises(SettingsError, match="AsyncPushEndpoint"):
            PushEndpoint(PLAIN, send, **options)
        AsyncPushEndpoint(PLAIN, send, **options)

    @each_row(
        "options",
        [
            {"late": AnswerLater(send)},
            {"late": AnswerLater(send, after="last_try"), "deliveries": 1},
            {"late": AnswerLater(send, after="last_try"), "store": NO_DEDUP},
            {"late": FallbackReply("请稍候"), "deliveries": 1},
        ],
    )
    def test_that_answer_before_the_handler_ends_want_an_executor_in_the_sync_endpoint(self, options):
        with pytest.raises(SettingsError, match="executor"):
            PushEndpoint(PLAIN, send, **options)
        with ThreadPoolExecutor(1) as executor:
            PushEndpoint(PLAIN, send, executor=executor, **options)
        AsyncPushEndpoint(PLAIN, send, **options)

    @each_row(
        ("settings", "options"),
        [
            (PLAIN, {"late": AnswerLater(send, after="last_try")}),
            (PLAIN, {"late": FallbackReply("请稍候")}),
            (PLAIN, {"deliveries": 1}),
            (PROGRAM, {"late": AnswerLater(send)}),
            (PROGRAM, {"late": AnswerLater(send), "deliveries": 1}),
        ],
    )
    def test_that_answer_with_what_is_there_want_none(self, settings, options):
        PushEndpoint(settings, send, **options)
