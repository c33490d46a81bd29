"""The kinds of push: the answers that WeChat wants, how long it waits, and what a re-send of hours or a day later gets.

The plan of a virtual payment, of a mini game and of a shop are those of WeChat's pages.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from wsgiref.simple_server import make_server

import pytest

from tests.helpers.first_principles import APPID, KEY
from tests.helpers.rows import check_rows, each_row
from wechat_msg import (
    AnswerLater,
    AsyncPushEndpoint,
    ChapterPermission,
    ChapterPermissionReply,
    ErrCodeReply,
    IosRefundReply,
    PushEndpoint,
    PushSettings,
    RawReply,
    ResultReply,
    TextMessage,
    UnknownEvent,
    answer_cloud_function,
)
from wechat_msg._wsgi_server import QuietHandler, ThreadingServer
from wechat_msg.adapters import wsgi
from wechat_msg.events._kinds import KINDS, find_kind, get_kind
from wechat_msg.testing import PushSimulator, VirtualClock, build_push, open_reply

PLAIN = PushSettings(token="spamtest")
SEALED = PushSettings(token="spamtest", encoding_aes_key=KEY, appid=APPID)
PERMS = ChapterPermissionReply([ChapterPermission(start_chapter_index=0, end_chapter_index=9, perm=1)])
REFUND = IosRefundReply(result_code=1, evidence="the goods were used")
TOLD = {"ErrCode": 0, "ErrMsg": "success"}
ACCOUNT, WECHAT = "gh_0123456789ab", "oUSER"
#: The beginning of a delivery company's answer, which names the two sides of the push the other way round.
HEAD = {"ToUserName": WECHAT, "FromUserName": ACCOUNT, "CreateTime": "a time", "MsgType": "event"}
DONE = {"ResultCode": 0, "ResultMsg": "success"}

#: Each event, the answer of its handler, and what WeChat reads.
ANSWERS = [
    ("xpay_goods_deliver_notify", None, TOLD),
    ("xpay_wxpay_callback_notify", "", TOLD),
    ("minigame_coin_deliver_completed", None, TOLD),
    ("minigame_h5_goods_deliver_notify", None, TOLD),
    ("minigame_game_pay_goods_deliver_notify", ErrCodeReply(), TOLD),
    ("retail_pay_notify", None, None),
    ("retail_refund_notify", None, None),
    ("iot_voip_notify", None, {"errcode": 0, "errmsg": "ok"}),
    ("iot_voip_notify", ErrCodeReply(7, err_msg="busy"), {"errcode": 7, "errmsg": "busy"}),
    (
        "wxa_novel_chapter_permission",
        PERMS,
        {**TOLD, "ChapterPerms": {"StartChapterIndex": 0, "EndChapterIndex": 9, "Perm": 1}},
    ),
    (
        "xpay_subscribe_ios_refund_query_notify",
        REFUND,
        {
            **TOLD,
            "IosRefundQueryResponse": {"result_code": 1, "result_info": "", "evidence": "the goods were used"},
        },
    ),
    (
        "add_waybill",
        ResultReply(0, fields={"Token": "T", "WayBillID": "42"}),
        {**HEAD, "Event": "add_waybill", **DONE, "Token": "T", "WayBillID": "42"},
    ),
    (
        "get_quota",
        ResultReply(-1, result_msg="unknown shop"),
        {**HEAD, "Event": "get_quota", "ResultCode": -1, "ResultMsg": "unknown shop"},
    ),
    (
        "check_biz",
        ResultReply(-1, to_user_name="oOTHER"),
        {**HEAD, "ToUserName": "oOTHER", "Event": "check_biz", "ResultCode": -1},
    ),
    ("cancel_single_waybill", ResultReply(), {**HEAD, "Event": "cancel_single_waybill", **DONE}),
    (
        "waybill_notify_query",
        ResultReply(fields={"ToUserName": "gh_1", "Path": {"ActionType": 1}}),
        {**HEAD, "ToUserName": "gh_1", "Event": "waybill_notify_query", **DONE, "Path": {"ActionType": 1}},
    ),
    (
        "transport_get_agent_pos",
        ResultReply(0, result_msg="OK", fields={"lng": 1.5, "ErrorOf": "x"}),
        {**HEAD, "Event": "transport_get_agent_pos", "resultcode": 0, "resultmsg": "OK", "lng": 1.5, "ErrorOf": "x"},
    ),
    (
        "get_pre_auth_code",
        ResultReply(0, fields={"pre_auth_code": "P"}),
        {**HEAD, "Event": "get_pre_auth_code", "resultcode": 0, "resultmsg": "success", "pre_auth_code": "P"},
    ),
    (
        "channels_ec_vip_user_info_get",
        ErrCodeReply(err_msg="ok", fields={"info": {"is_vip": "true"}}),
        {"errcode": 0, "errmsg": "ok", "info": {"is_vip": "true"}},
    ),
    (
        "channels_ec_order_use_vip_discount",
        ErrCodeReply(err_msg="ok", fields={"result": 1}),
        {"errcode": 0, "errmsg": "ok", "result": 1},
    ),
    ("open_product_receive_coupon", RawReply({"ret_code": 0, "ret_msg": "ok"}), {"ret_code": 0, "ret_msg": "ok"}),
]
DAY = 86400.0
MINUTE, HOUR = 60, 3600
#: Seconds between two tries of an event.
PLANS = {
    "xpay_goods_deliver_notify": [2**number for number in range(1, 16)],
    "minigame_h5_goods_deliver_notify": [
        *(15, 15, 30, 3 * MINUTE, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE, 30 * MINUTE, 30 * MINUTE, 60 * MINUTE),
        *(3 * HOUR, 3 * HOUR, 3 * HOUR, 6 * HOUR, 6 * HOUR),
    ],
    "retail_pay_notify": [
        *(10, 30, 60, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE, 3 * HOUR, 6 * HOUR, 12 * HOUR)
    ],
}


def as_text(value):
    """Return a document as XML shows it: all values are text."""
    if isinstance(value, dict):
        return {name: as_text(member) for name, member in value.items()}
    return as_text(value[0]) if isinstance(value, list) and len(value) == 1 else str(value)


def hide_time(document):
    """Replace the CreateTime, which differs from test to test, by a text."""
    return {name: "a time" if name == "CreateTime" else member for name, member in document.items()}


def build_event(event, settings=PLAIN, **options):
    return build_push(settings, {"MsgType": "event", "Event": event, "CreateTime": 1700000000}, **options)


class Bot:
    """An endpoint whose handlers take some seconds each, and WeChat's side of it, on the clock of the test."""

    def __init__(self, clock, *seconds, answer=None, **options):
        self.runs, self.lost, self.sent = 0, [], []
        waits = iter(seconds)

        def handle(message):
            self.runs += 1
            clock.sleep(next(waits, 0))
            return answer(self.runs) if callable(answer) else answer

        self.clock = clock
        self.endpoint = PushEndpoint(
            PLAIN,
            handle,
            executor=clock.make_executor(),
            clock=clock,
            on_lost=lambda message, reason: self.lost.append(reason),
            **options,
        )

    def push(self, event, **options):
        """Push an event; return the seconds after which each try ended, and the answer to the last one."""
        app = wsgi.push_app(self.endpoint)
        with PushSimulator("/", PLAIN, wsgi=app, clock=self.clock, format="json", **options) as wechat:
            delivery = wechat.push_event(event, CreateTime=1700000000)
            self.clock.sleep(60)
        return [round(one.seconds, 1) for one in delivery.tries], delivery


@pytest.fixture
def clock(wechat_clock):
    return wechat_clock


@pytest.fixture(scope="module")
def bots():
    """The applications of a server, by their paths."""
    apps = {}

    def serve(environ, start_response):
        return apps[environ["PATH_INFO"]](environ, start_response)

    with make_server("127.0.0.1", 0, serve, ThreadingServer, QuietHandler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        apps["url"] = f"http://127.0.0.1:{server.server_port}"
        yield apps
        server.shutdown()


class TestAnAnswer:
    @pytest.mark.parametrize("mode", ["plain", "compatible", "sealed"])
    @pytest.mark.parametrize("form", ["xml", "json"])
    def test_has_the_form_that_its_event_wants_over_http(self, bots, mode, form):
        settings = PLAIN if mode == "plain" else SEALED

        def check(event, answer, wanted):
            bots["/bot"] = wsgi.push_app(PushEndpoint(settings, lambda _: answer))
            with PushSimulator(f"{bots['url']}/bot", settings, mode=mode, format=form) as wechat:
                delivery = wechat.push_event(event)
            assert delivery.is_acknowledged, delivery
            assert len(delivery.tries) == 1
            document = delivery.verdict.document.encode()
            assert as_text(hide_time(open_reply(PLAIN, document) or {})) == as_text(wanted or {})
            assert delivery.shown.en == "nothing"

        check_rows(ANSWERS, check)

    def test_that_is_mocked_is_an_ordinary_one(self):
        fields = {"MsgType": "event", "Event": "minigame_coin_deliver_completed", "CreateTime": 1}
        mocked = {**fields, "MiniGame": {"Payload": "{}", "PayEventSig": "s", "IsMock": True}}
        response = PushEndpoint(PLAIN).handle(build_push(PLAIN, mocked, format="json"))
        assert open_reply(PLAIN, response) == TOLD

    @each_row("event", ["add_waybill", "transport_add_order", "wxa_novel_chapter_permission", "get_auth_info"])
    def test_that_is_missing_is_success(self, event):
        """No document is right without the bot's knowledge; the simulator finds fault with it."""
        assert PushEndpoint(PLAIN).handle(build_event(event)).body == b"success"
        app = wsgi.push_app(PushEndpoint(PLAIN))
        delivery = PushSimulator("/", PLAIN, wsgi=app).push_event(event)
        assert delivery.problem.code == "no_document"
        assert len(delivery.tries) == 1

    def test_to_an_apple_refund_needs_the_evidence(self):
        app = wsgi.push_app(PushEndpoint(PLAIN))
        delivery = PushSimulator("/", PLAIN, wsgi=app).push_event("xpay_subscribe_ios_refund_query_notify")
        assert (delivery.problem.code, delivery.verdict.detail) == ("no_document", "IosRefundQueryResponse")

    def test_of_a_cloud_function_has_that_form_too(self):
        def check(event, answer, wanted):
            push = UnknownEvent(create_time=1, event=event, to_user_name=ACCOUNT, from_user_name=WECHAT)
            result = answer_cloud_function(push, answer)
            assert result == "success" if wanted is None else as_text(hide_time(result)) == as_text(wanted)

        check_rows(ANSWERS, check)

    @each_row("reply", [REFUND, PERMS, ResultReply()])
    def test_may_come_from_a_mini_program(self, reply):
        settings = PushSettings(token="spamtest", account_kind="mini_program")
        assert PushEndpoint(settings, lambda _: reply).handle(build_event("add_waybill", settings)).status == 200


class TestTheTime:
    @each_row(
        ("event", "limit"),
        [
            ("wxa_novel_chapter_permission", 4),
            ("xpay_subscribe_ios_refund_query_notify", 3),
            ("minigame_coin_deliver_completed", 3),
            ("minigame_deliver_goods", 5),
            ("iot_voip_notify", 5),
            ("add_waybill", 5),
            ("transport_add_order", 5),
        ],
    )
    def test_after_which_wechat_hangs_up_is_that_of_the_event(self, event, limit):
        for late in (None, AnswerLater(lambda _: None)):
            with VirtualClock() as clock:
                reply = {"wxa": PERMS, "xpa": REFUND, "add": ResultReply(), "tra": ResultReply()}.get(event[:3])
                bot = Bot(clock, 2.5 * limit, answer=reply, late=late)
                ends, delivery = bot.push(event)
                assert ends == [limit, limit, 0.5 * limit], (event, late)
                assert (delivery.is_acknowledged, bot.runs, bot.lost) == (True, 1, [])

    def test_of_a_try_ends_soon_after_wechat_has_hung_up(self, clock):
        """The response of 503 goes to nobody, but frees its thread."""
        took = []
        for event in ("xpay_subscribe_ios_refund_query_notify", "wxa_novel_chapter_permission", "xpay_coin_pay_notify"):
            began = clock.monotonic()
            assert Bot(clock, 20).endpoint.handle(build_event(event)).status == 503
            took.append(round(clock.monotonic() - began, 1))
        assert took == [3.5, 4.5, 5.5]

    @each_row("event", ["wxa_novel_chapter_permission", "add_waybill", "iot_voip_notify"])
    def test_of_all_tries_is_over_before_a_document_so_it_is_lost(self, event):
        """Nor is it sent as a message; a further try, if there is one, gets it."""
        with VirtualClock() as clock:
            bot = Bot(clock, 30, answer=ErrCodeReply(fields={"A": 1}))
            ends, delivery = bot.push(event)
            assert (len(ends), delivery.problem.code, bot.lost) == (3, "timed_out", ["late"])
            again = build_push(PLAIN, delivery.fields, now=clock)
            assert b"<A>1</A>" in bot.endpoint.handle(again).body
            assert bot.runs == 1

    @each_row("late", [None, "first_try"])
    def test_of_a_retail_event_ends_when_it_has_been_handled(self, late):
        """An acknowledgement would end re-sends that last for hours, and a handler may still fail."""
        with VirtualClock() as clock:
            bot = Bot(clock, 22, late=late and AnswerLater(lambda _: None))
            assert bot.push("retail_pay_notify", tries=5)[0] == [5, 5, 5, 5, 2]
            assert (bot.runs, bot.lost) == (1, [])


class TestARepeat:
    @pytest.mark.parametrize("event", PLANS)
    @pytest.mark.parametrize("seconds", [0, 3])
    def test_of_the_whole_plan_gets_the_first_answer(self, clock, event, seconds):
        bot = Bot(
            clock, seconds, answer=lambda run: None if event.startswith("retail") else ErrCodeReply(err_msg=f"{run}")
        )
        bodies = set()
        for pause in (0, *PLANS[event]):
            clock.sleep(pause)
            bodies.add(bot.endpoint.handle(build_event(event)).body)
            clock.sleep(5)  # WeChat did not see the answer
        assert len(bodies) == 1
        assert bot.runs == 1

    def test_of_a_refused_delivery_of_a_game_is_handled_again(self, clock):
        bot = Bot(clock, answer=lambda run: ErrCodeReply(int(run < 3), err_msg=f"{run}"))
        push = build_event("minigame_coin_deliver_completed", format="json")
        answers = [open_reply(PLAIN, bot.endpoint.handle(push))["ErrMsg"] for _ in range(5)]
        assert answers == ["1", "2", "3", "3", "3"]

    def test_of_a_call_that_was_refused_gets_the_refusal_again(self, clock):
        """An errcode in lower case asks for no further try: the phone does not ring."""
        bot = Bot(clock, answer=lambda run: ErrCodeReply(int(run < 2), err_msg=f"{run}"))
        push = build_event("iot_voip_notify", format="json")
        answers = [open_reply(PLAIN, bot.endpoint.handle(push))["errmsg"] for _ in range(3)]
        assert answers == ["1", "1", "1"]

    @each_row(("event", "seconds"), [("iot_voip_notify", 300), ("add_waybill", 300), ("retail_pay_notify", DAY)])
    def test_is_known_as_long_as_it_may_come(self, event, seconds):
        with VirtualClock() as clock:
            bot = Bot(clock, answer=ResultReply())
            for pause in (0, seconds - 1, 2):
                clock.sleep(pause)
                bot.endpoint.handle(build_event(event))
            assert bot.runs == 2

    def test_is_known_in_an_async_endpoint(self, clock):
        runs = []
        endpoint = AsyncPushEndpoint(PLAIN, lambda message: runs.append(message), clock=clock)

        async def push_twice():
            first = await endpoint.handle(build_event("minigame_coin_deliver_completed"))
            await asyncio.sleep(DAY + 200)
            again = await endpoint.handle(build_event("minigame_coin_deliver_completed"))
            return first.body == again.body

        assert clock.run(push_twice())
        assert len(runs) == 1


class TestTheTable:
    def test_has_names_in_lower_case(self):
        assert [name for name in KINDS if name != name.lower()] == []

    def test_does_not_depend_on_the_case_of_a_name(self):
        def check(name):
            assert find_kind(name.upper()) is find_kind(name)

        check_rows([*KINDS, "xpay_goods_deliver_notify", "transport_add_tips", "minigame_other"], check)

    def test_knows_messages_by_their_class(self):
        """A text may be the name of an event."""
        message = TextMessage(from_user_name="o", to_user_name="gh", create_time=0, content="SCAN", msg_id="1")
        assert get_kind(message).messages == 5
        assert get_kind(UnknownEvent(create_time=0, event="SCAN")).messages == 3

    def test_lets_only_what_wechat_sends_three_times_be_acknowledged_early(self):
        early = {name for name, kind in KINDS.items() if kind.may_be_acknowledged}
        assert early == {name for name, kind in KINDS.items() if kind.messages}
        assert not any(find_kind(each).may_be_acknowledged for each, _, _ in ANSWERS)


def test_every_plan_ends_before_its_answer_is_forgotten():
    for event, pauses in PLANS.items():
        assert list(itertools.accumulate(pauses))[-1] < find_kind(event).resent_for
