"""The key and the record of a push, and every step of its deliveries; performed by hand, without clock and threads."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from typing import Any

import attrs
import pytest
from attrs import define, frozen

from tests.helpers.rows import each_row
from wechat_msg import (
    Acknowledgement,
    AnswerLater,
    ClickEvent,
    ErrCodeReply,
    FallbackReply,
    MemoryStore,
    PushSettings,
    StoreError,
    TextMessage,
    TextReply,
    UnknownEvent,
    parse_message,
)
from wechat_msg._flow import CompareAndSet, Get, Sleep
from wechat_msg.endpoint.dedup import Record, is_unshared, keep_for, load_record, make_key, make_unshared_key
from wechat_msg.endpoint.delivery import PushDelivery, RunLeased
from wechat_msg.endpoint.handling import Handled, Handling
from wechat_msg.endpoint.options import EndpointOptions
from wechat_msg.exchange import Push
from wechat_msg.messages import Message
from wechat_msg.replies import RenderedReply, Reply

TEXT = TextMessage(from_user_name="oUSER", to_user_name="gh_1", create_time=1700000000, content="hi", msg_id="42")
EVENT = {"ToUserName": "gh_1", "FromUserName": "oUSER", "CreateTime": 1700000000, "MsgType": "event", "Event": "CLICK"}
SETTINGS = PushSettings(token="spamtest")
REPLY = RenderedReply(documents={"xml": "<xml><A>1</A></xml>", "json": '{"A":1}'})
HANDLED = Handled(REPLY, TextReply(content="hi"))
SUCCESS = Acknowledgement()
PAYMENT = UnknownEvent(to_user_name="gh_1", from_user_name="oUSER", create_time=1, event="xpay_goods_deliver_notify")
FALLBACK = TextReply(content="请稍候")


def event(**fields: Any) -> Message:
    return parse_message({**EVENT, **fields})


# --- the key ---------------------------------------------------------------------------------------------------------


class TestTheKeyOfAMessage:
    @each_row(
        "change",
        [{"msg_id": "43"}, {"from_user_name": "oOTHER"}, {"to_user_name": "gh_2"}, {"create_time": 1700000001}],
    )
    def test_differs_if_one_of_its_four_parts_does(self, change):
        assert make_key(TEXT) != make_key(attrs.evolve(TEXT, **change))

    def test_does_not_depend_on_other_members(self):
        assert make_key(TEXT) == make_key(attrs.evolve(TEXT, content="ho", raw={"Content": "ho"}))

    def test_is_the_same_in_xml_and_json(self):
        fields = {"ToUserName": "gh_1", "FromUserName": "oUSER", "MsgType": "text", "Content": "hi"}
        messages = [
            parse_message({**fields, "CreateTime": time, "MsgId": msg_id})
            for time, msg_id in ((1700000000, 6054768590064713728), ("1700000000", "6054768590064713728"))
        ]
        assert len(set(map(make_key, messages))) == 1

    def test_takes_everything_into_account_if_there_is_no_msg_id(self):
        fields = {"ToUserName": "gh_1", "FromUserName": "oUSER", "MsgType": "text", "CreateTime": 1}
        contents = ("hi", "ho", "hi")
        keys = [make_key(parse_message({**fields, "Content": content})) for content in contents]
        assert (keys[0] == keys[2], keys[0] == keys[1]) == (True, False)

    def test_is_that_of_the_msg_id_for_unknown_messages_too(self):
        fields = {"ToUserName": "gh_1", "FromUserName": "oUSER", "MsgType": "telepathy", "CreateTime": 1}
        keys = [make_key(parse_message({**fields, "MsgId": msg_id, "X": x})) for msg_id, x in ((1, 1), (1, 2), (2, 1))]
        assert (keys[0] == keys[1], keys[0] == keys[2]) == (True, False)

    def test_is_made_for_unknown_messages_without_any_id(self):
        fields = {"ToUserName": "gh_1", "FromUserName": "oUSER", "CreateTime": 1}
        keys = {make_key(parse_message({**fields, "MsgType": name})) for name in ("telepathy", "telekinesis")}
        assert len(keys) == 2

    def test_is_printable_and_short_and_contains_no_text(self):
        long = attrs.evolve(TEXT, from_user_name="o用户" * 1000, msg_id="\ud800" * 1000)
        for message in (TEXT, long, event()):
            key = make_key(message)
            assert key.isascii()
            assert key.isprintable()
            assert len(f"{key}:tries") <= 200
            assert "oUSER" not in key

    def test_cannot_be_forged_by_moving_text_from_one_part_to_another(self):
        first = attrs.evolve(TEXT, to_user_name="a", from_user_name="bc")
        assert make_key(first) != make_key(attrs.evolve(TEXT, to_user_name="ab", from_user_name="c"))


class TestTheKeyOfAnEvent:
    @each_row(
        "change",
        [
            {"EventKey": "SELL"},
            {"FromUserName": "oOTHER"},
            {"ToUserName": "gh_2"},
            {"CreateTime": 1700000001},
            {"Event": "VIEW"},
            {"Extra": ""},
            {"Nested": {"A": "1", "List": [1, 2]}},
        ],
    )
    def test_differs_if_anything_does(self, change):
        same = {"EventKey": "BUY", "Nested": {"A": "1", "List": [1, 3]}}
        assert make_key(event(**same)) != make_key(event(**{**same, **change}))

    def test_differs_if_a_list_has_another_order(self):
        assert make_key(event(List=[1, 2])) != make_key(event(List=[2, 1]))

    def test_does_not_depend_on_the_order_of_members(self):
        fields = {**EVENT, "EventKey": "BUY", "Nested": {"A": 1, "B": 2}}
        turned = {**dict(reversed(fields.items())), "Nested": {"B": 2, "A": 1}}
        assert make_key(parse_message(fields)) == make_key(parse_message(turned))

    def test_is_the_same_whether_numbers_are_text_or_not(self):
        text = event(Count="2", Nothing="", List=["1", "2"], Nested={"Latitude": "23.5"})
        assert make_key(text) == make_key(event(Count=2, Nothing=None, List=[1, 2], Nested={"Latitude": 23.5}))

    def test_does_not_depend_on_the_case_of_the_event(self):
        keys = {make_key(ClickEvent(**COMMON, event=name, event_key="BUY")) for name in ("CLICK", "click")}
        assert len(keys) == 1

    def test_leaves_out_the_count_of_retries(self):
        keys = {make_key(event(Event="xpay_refund_notify", RetryTimes=number)) for number in (0, 1, "2")}
        assert len(keys | {make_key(event(Event="xpay_refund_notify"))}) == 1

    def test_takes_the_count_of_retries_of_a_member_into_account(self):
        assert make_key(event(Nested={"RetryTimes": 1})) != make_key(event(Nested={"RetryTimes": 2}))

    def test_does_not_rely_on_a_msg_id_which_means_something_else(self):
        """It is the id of a message that was sent; several events report it."""
        sent = {"Event": "TEMPLATESENDJOBFINISH", "MsgID": "1"}
        assert event(**sent, Status="a").msg_id == "1"
        assert make_key(event(**sent, Status="a")) != make_key(event(**sent, Status="b"))

    def test_differs_from_that_of_a_message_with_the_same_text(self):
        assert make_key(event(Event="text")) != make_key(parse_message({**EVENT, "MsgType": "text", "Content": "hi"}))

    def test_is_made_of_an_event_that_names_no_user(self):
        fields = {"InfoType": "component_verify_ticket", "AppId": "wx1", "CreateTime": 1}
        keys = {make_key(parse_message({**fields, "ComponentVerifyTicket": ticket})) for ticket in ("a", "b")}
        assert len(keys) == 2


COMMON = {"to_user_name": "gh_1", "from_user_name": "oUSER", "create_time": 1}


class TestTheKeyByDedupKey:
    def test_depends_on_the_content_only(self):
        assert make_key(TEXT, content="x") == make_key(attrs.evolve(TEXT, msg_id="1", create_time=2), content="x")

    @each_row("other", ["y", "", None])
    def test_differs_for_other_content(self, other):
        assert make_key(TEXT, content="x") != make_key(TEXT, content=other)

    def test_differs_for_other_accounts(self):
        assert make_key(TEXT, content="x") != make_key(attrs.evolve(TEXT, to_user_name="gh_2"), content="x")


class TestTheIdentity:
    def test_begins_the_key(self):
        for content in (None, "x"):
            assert make_key(TEXT, "wx1", content).startswith("wx1:push:")

    @each_row("message", [TEXT, event(), attrs.evolve(TEXT, to_user_name="")])
    @each_row("content", [None, "x"])
    def test_separates_accounts_whose_pushes_are_equal(self, message, content):
        assert make_key(message, "wx1", content) != make_key(message, "wx2", content)

    def test_leaves_room_for_what_follows(self):
        assert len(f"{make_key(TEXT, 'i' * 64)}:tries") <= 200

    def test_never_makes_a_key_look_unshared(self):
        assert not is_unshared(make_key(TEXT, "unshared"))


class TestAnUnsharedKey:
    def test_is_unique(self):
        assert len({make_unshared_key() for _ in range(100)} | {make_key(TEXT)}) == 101

    def test_is_recognised(self):
        assert is_unshared(make_unshared_key())
        assert not is_unshared(make_key(TEXT))


# --- what the store holds --------------------------------------------------------------------------------------------


class TestRecord:
    @each_row(
        "record",
        [
            Record("me"),
            Record("me", late=True),
            Record("me", reply=Acknowledgement()),
            Record("me", reply=Acknowledgement(body="")),
            Record("me", reply=REPLY),
            Record("me", reply=RenderedReply(documents={"xml": "你好😀]]>"})),
        ],
    )
    def test_is_read_as_it_was_written(self, record):
        assert load_record(record.dump()) == record
        assert load_record(record.dump()).dump() == record.dump()

    def test_is_short_enough_for_any_store(self):
        assert len(Record("me").dump()) < 100
        long = RenderedReply(documents={"xml": "长" * 2048, "json": "长" * 2048})
        assert len(Record("me", reply=long).dump()) < 64 * 1024

    @each_row(
        "raw",
        [
            b"",
            b"\xff",
            b"garbage",
            b"null",
            b"5",
            b"[]",
            b"{}",
            b'"owner"',
            b'{"owner":"o"}',
            b'{"late":true}',
            b'{"owner":"o","body":"no"}',
            b'{"owner":"o","documents":"no"}',
            b"[" * 100_000,
        ],
    )
    def test_that_was_not_written_by_this_package_is_a_store_error(self, raw):
        with pytest.raises(StoreError, match="not a record"):
            load_record(raw)


# --- performing steps by hand ----------------------------------------------------------------------------------------


@frozen
class End:
    """The result of a flow."""

    value: Any


class HandlingByHand(Handling):
    """A handler that takes one step, and a list of what is sent later."""

    def __init__(self, handled: Handled | BaseException, later: list[Reply], **fields: Any) -> None:
        super().__init__(identity="", **fields)
        object.__setattr__(self, "handled", handled)
        object.__setattr__(self, "later", later)

    def make_key(self, message: Message) -> str:
        return "push:1"

    def handle(self, push: Push) -> Generator[Any, Any, Handled]:
        yield "the handler runs"
        if isinstance(self.handled, BaseException):
            raise self.handled
        return self.handled

    def send_later(self, message: Message, reply: Reply) -> Generator[Any, Any, None]:
        self.later.append(reply)
        yield from ()


@define
class World:
    """A store, and a clock that only tests advance."""

    now: float = 0.0
    store: MemoryStore = attrs.Factory(lambda self: MemoryStore(clock=lambda: self.now), takes_self=True)
    private_store: MemoryStore = attrs.field(factory=MemoryStore)
    reports: list[str] = attrs.field(factory=list)
    later: list[Reply] = attrs.field(factory=list)

    def deliver(
        self,
        *,
        message: Message = TEXT,
        settings: PushSettings = SETTINGS,
        late: AnswerLater | FallbackReply | None = None,
        deliveries: int = 3,
        refuses: bool = False,
        handled: Handled | BaseException = HANDLED,
    ) -> PushDelivery:
        options: EndpointOptions[Any, Any] = EndpointOptions(
            settings,
            print,
            late=late,
            deliveries=deliveries,
            on_store_error="refuse" if refuses else "handle",
            clock=lambda: 0.0,
            monotonic=lambda: self.now,
        )
        handling = HandlingByHand(
            handled,
            self.later,
            options=options,
            store=self.store,
            private_store=self.private_store,
            report=lambda error: self.reports.append(error.args[0]),
        )
        return PushDelivery(handling, Push(message=message, format="xml"), self.now)

    def proceed(self, flow: Generator[Any, Any, Any], given: Any = None) -> Any:
        """Send the result of the last step, perform steps of the store, and return the next step of another kind."""
        try:
            step = flow.send(given)
            while isinstance(step, (Get, CompareAndSet)):
                step = flow.send(step.perform())
        except StopIteration as end:
            return End(end.value)
        if isinstance(step, Sleep):
            self.now += step.seconds
        return step

    def fail_on(self, flow: Generator[Any, Any, Any]) -> Any:
        """Fail at the step of the store, and at each repetition; return the next step of another kind."""
        try:
            while (step := flow.throw(StoreError("down"))) == Sleep(0.1):
                self.now += 0.1
                assert isinstance(next(flow), (Get, CompareAndSet))
        except StopIteration as end:
            return End(end.value)
        return step

    def wait(self, flow: Generator[Any, Any, Any]) -> Any:
        """Let a delivery sleep, and return its next other step."""
        step = self.proceed(flow)
        while isinstance(step, Sleep):
            step = self.proceed(flow)
        return step

    def start(self, **options: Any) -> tuple[PushDelivery, Generator[Any, Any, Any], Generator[Any, Any, Any]]:
        """Return a delivery whose handler runs, its flow, and the flow of its work."""
        delivery = self.deliver(**options)
        answering = delivery.answer()
        assert isinstance(self.proceed(answering), RunLeased)
        working = delivery.work()
        assert self.proceed(working) == "the handler runs"
        return delivery, answering, working

    def keep(self, delivery: PushDelivery, until: float) -> None:
        """Let time pass while the lease of a delivery is renewed."""
        while self.now < until:
            self.now = min(self.now + 0.7, until)
            assert self.proceed(delivery.renew()) == End(True)

    def find(self, key: str = "push:1") -> Record | None:
        raw = self.store.get(key)
        return None if raw is None else load_record(raw)


@pytest.fixture
def world() -> World:
    return World()


def list_steps(flow: Generator[Any, Any, Any], *given: Any) -> list[Any]:
    """Return the steps of a flow that is given these answers, and its end."""
    steps: list[Any] = []
    answers = iter((None, *given))
    try:
        for answer in answers:
            steps.append(flow.send(answer))
    except StopIteration as end:
        steps.append(End(end.value))
    return steps


LATER = AnswerLater(print)
LATER_IN_THE_END = AnswerLater(print, after="last_try")


class TestTheFirstDelivery:
    def test_claims_the_key_and_works_until_wechat_has_hung_up(self, world):
        delivery = world.deliver()
        running = Record(delivery.owner).dump()
        assert list_steps(delivery.answer(), True, REPLY) == [
            CompareAndSet(world.store, "push:1", None, running, 2.5),
            RunLeased(delivery, 5.5),
            End(REPLY),
        ]

    def test_calls_the_store_only_to_claim_and_to_save_the_reply(self, world):
        delivery = world.deliver()
        running = Record(delivery.owner).dump()
        done = Record(delivery.owner, reply=REPLY).dump()
        assert list_steps(delivery.work(), HANDLED, True) == [
            "the handler runs",
            CompareAndSet(world.store, "push:1", running, done, 300.0),
            End(REPLY),
        ]

    @each_row(
        ("options", "seconds"),
        [
            ({}, 5.5),
            ({"late": FallbackReply("请稍候")}, 5.5),
            ({"late": LATER}, 4.5),
            ({"late": LATER_IN_THE_END}, 5.5),
            ({"deliveries": 1}, 4.5),
            ({"deliveries": 1, "message": PAYMENT}, 5.5),
            ({"late": LATER, "message": PAYMENT}, 5.5),
        ],
    )
    def test_has_as_much_time_as_wechat_and_its_policy_leave(self, options, seconds):
        world = World()
        assert world.proceed(world.deliver(**options).answer()).seconds == seconds

    def test_leaves_the_key_free_if_its_handler_fails_when_its_time_is_up(self, world):
        delivery, answering, working = world.start(deliveries=1, handled=KeyError())
        world.keep(delivery, 4.5)
        with pytest.raises(KeyError):
            world.proceed(working)
        assert world.proceed(answering) == End(SUCCESS)
        assert world.find() is None

    def test_counts_its_time_from_its_arrival(self, world):
        delivery = world.deliver()
        world.now += 2
        assert world.proceed(delivery.answer()).seconds == 3.5

    def test_gives_up_when_wechat_has_hung_up(self, world):
        _, answering, _ = world.start()
        world.now = 5.5
        assert world.proceed(answering) == End(None)

    def test_looks_for_the_reply_if_it_has_a_moment_left(self, world):
        """A timer may go off too early."""
        _, answering, working = world.start()
        world.now = 5.49
        world.proceed(working)
        assert world.wait(answering) == End(REPLY)

    def test_acknowledges_in_time_if_it_is_the_only_one(self, world):
        delivery, answering, _ = world.start(deliveries=1)
        world.keep(delivery, 4.5)
        assert world.proceed(answering) == End(SUCCESS)
        assert world.find().late

    def test_acknowledges_in_time_if_the_reply_can_be_sent_later(self, world):
        delivery, answering, working = world.start(late=LATER)
        world.keep(delivery, 4.5)
        assert world.proceed(answering) == End(SUCCESS)
        assert world.proceed(working) == End(REPLY)
        assert world.later == [HANDLED.reply]
        assert world.find().reply == SUCCESS

    def test_answers_with_the_reply_that_came_in_the_last_moment(self, world):
        _, answering, working = world.start(late=LATER)
        world.now = 4.5
        world.proceed(working)
        assert world.proceed(answering) == End(REPLY)
        assert world.later == []

    def test_whose_claim_the_store_did_not_confirm_is_still_the_first(self, world):
        delivery = world.deliver()
        flow = delivery.answer()
        first = next(flow)
        first.perform()
        assert isinstance(flow.send(False), Get)
        assert isinstance(world.proceed(flow, first.value), RunLeased)


class TestTheNextDelivery:
    def test_is_answered_at_once_if_the_reply_is_there(self, world):
        _, _, working = world.start()
        world.proceed(working)
        assert world.proceed(world.deliver().answer()) == End(REPLY)
        assert world.store.get("push:1:tries") is None

    def test_sees_counts_itself_and_looks_again(self, world):
        owner, _, _ = world.start()
        delivery = world.deliver()
        running, mine = Record(owner.owner).dump(), Record(delivery.owner).dump()
        tries = f"2 {delivery.owner}".encode()
        assert list_steps(delivery.answer(), False, running, None, True, None) == [
            CompareAndSet(world.store, "push:1", None, mine, 2.5),
            Get(world.store, "push:1"),
            Get(world.store, "push:1:tries"),
            CompareAndSet(world.store, "push:1:tries", None, tries, 300.0),
            Sleep(0.02),
            Get(world.store, "push:1"),
        ]

    def test_looks_more_and_more_seldom(self, world):
        world.start()
        flow = world.deliver().answer()
        pauses = [world.proceed(flow).seconds for _ in range(8)]
        assert pauses == [0.02, 0.04, 0.08, 0.16, 0.2, 0.2, 0.2, 0.2]

    def test_does_not_touch_the_lease(self, world):
        world.start()
        world.now = 2
        world.proceed(world.deliver().answer())
        world.now = 2.5
        assert world.find() is None

    def test_is_answered_as_soon_as_it_sees_the_reply(self, world):
        _, _, working = world.start()
        flow = world.deliver().answer()
        world.proceed(flow)
        world.proceed(working)
        assert world.proceed(flow) == End(REPLY)

    def test_gives_up_when_wechat_has_hung_up(self, world):
        world.start()
        assert self.wait_with_a_lease(world, world.deliver()) == End(None)
        assert world.now == pytest.approx(5.5)

    def test_has_to_answer_if_it_is_the_last(self, world):
        world.start()
        deliveries = [world.deliver() for _ in range(2)]
        flows = [delivery.answer() for delivery in deliveries]
        for flow in flows:
            world.proceed(flow)
        assert [delivery.tries for delivery in deliveries] == [2, 3]
        world.now = 4.5
        world.store.compare_and_set("push:1", None, Record("me").dump(), 60)
        assert world.wait(flows[1]) == End(SUCCESS)
        assert world.find() == Record("me", late=True)

    @staticmethod
    def wait_with_a_lease(world: World, delivery: PushDelivery) -> Any:
        """Let a delivery wait while another one has the lease."""
        world.store.compare_and_set("push:1", world.store.get("push:1"), Record("another").dump(), 60)
        return world.wait(delivery.answer())

    @each_row(
        ("options", "answer", "at"),
        [
            ({}, SUCCESS, 4.5),
            ({"late": FallbackReply("请稍候")}, FALLBACK, 4.5),
            ({"late": LATER}, SUCCESS, 4.5),
            ({"late": LATER_IN_THE_END}, SUCCESS, 4.5),
            ({"message": PAYMENT}, None, 5.5),
            ({"message": PAYMENT, "late": FallbackReply("请稍候")}, None, 5.5),
            ({"message": PAYMENT, "late": LATER}, None, 5.5),
        ],
    )
    def test_is_answered_by_its_policy_if_it_is_the_last(self, options, answer, at):
        world = World()
        world.store.compare_and_set("push:1:tries", None, b"2 another", 60)
        world.start()
        assert self.wait_with_a_lease(world, world.deliver(**options)) == End(answer)
        assert world.now == pytest.approx(at)
        assert world.find() == Record("another", late=answer is not None)

    @each_row("late", [LATER, LATER_IN_THE_END])
    def test_is_acknowledged_at_once_after_the_reply_was_promised(self, late):
        world = World()
        world.store.compare_and_set("push:1", None, Record("another", late=True).dump(), 60)
        assert world.proceed(world.deliver(late=late).answer()) == End(SUCCESS)
        assert world.now == 0

    @each_row("late", [None, FallbackReply("请稍候")])
    def test_waits_for_the_reply_if_the_policy_sends_none_later(self, late):
        world = World()
        world.store.compare_and_set("push:1", None, Record("another", late=True).dump(), 60)
        assert isinstance(world.proceed(world.deliver(late=late).answer()), Sleep)

    def test_does_not_extend_the_lease_of_a_late_owner(self, world):
        """Its process may be dead by now."""
        world.store.compare_and_set("push:1:tries", None, b"3 another", 60)
        world.store.compare_and_set("push:1", None, Record("another", late=True).dump(), 6)
        assert world.wait(world.deliver().answer()) == End(SUCCESS)
        world.now = 6
        assert world.find() is None

    def test_extends_the_lease_no_further_than_a_renewal_does(self, world):
        world.store.compare_and_set("push:1:tries", None, b"2 another", 60)
        world.start()
        assert self.wait_with_a_lease(world, world.deliver()) == End(SUCCESS)
        world.now = 4.5 + 2.5
        assert world.find() is None

    def test_that_takes_over_in_the_end_and_has_the_reply_at_once_sends_nothing_later(self, world):
        """As a sync endpoint without an executor does, whose handler runs on the spot."""
        world.store.compare_and_set("push:1:tries", None, b"2 another", 60)
        owner, _, failing = world.start(late=LATER_IN_THE_END, handled=KeyError())
        world.keep(owner, 10)
        last = world.deliver(late=LATER_IN_THE_END)
        flow = last.answer()
        world.proceed(flow)
        world.keep(owner, 14.5)
        step = next(flow)
        assert (step.value, step.ttl) == (Record(owner.owner, late=True).dump(), 2.5)
        with pytest.raises(KeyError):
            world.proceed(failing)
        assert isinstance(world.proceed(flow, step.perform()), RunLeased)
        working = last.work()
        world.proceed(working)
        assert world.proceed(working) == End(REPLY)
        assert world.later == []

    def test_takes_over_when_the_lease_ends(self, world):
        world.start()
        world.now = 2.4
        delivery = world.deliver()
        assert world.wait(delivery.answer()) == RunLeased(delivery, pytest.approx(5.4, abs=0.06))
        assert world.now <= 2.4 + 0.2
        assert world.find() == Record(delivery.owner)

    def test_takes_over_at_once_when_the_handler_has_failed(self, world):
        _, _, working = world.start(handled=KeyError())
        delivery = world.deliver()
        flow = delivery.answer()
        world.proceed(flow)
        with pytest.raises(KeyError):
            world.proceed(working)
        assert isinstance(world.proceed(flow), RunLeased)

    def test_that_took_over_keeps_its_number(self, world):
        world.start()
        second, third = world.deliver(), world.deliver()
        flow = second.answer()
        world.proceed(flow)
        world.now = 2.5
        assert isinstance(world.wait(flow), RunLeased)
        world.proceed(third.answer())
        assert (second.tries, third.tries) == (2, 3)

    def test_does_not_handle_the_push_as_well_when_the_store_fails(self, world):
        world.start()
        flow = world.deliver().answer()
        world.proceed(flow)
        assert isinstance(next(flow), Get)
        assert isinstance(flow.throw(StoreError("down")), Sleep)
        assert world.reports == ["down"]


class TestTheStoreFails:
    def test_when_a_push_is_claimed_and_it_is_handled_without_the_store(self, world):
        delivery = world.deliver()
        flow = delivery.answer()
        next(flow)
        step = flow.throw(StoreError("down"))
        assert (step.store, step.expected, step.ttl) == (world.private_store, None, 2.5)
        assert step.key.startswith("unshared:")
        assert flow.send(True) == RunLeased(delivery, 5.5)
        assert world.reports == ["down"]

    @each_row("late", [LATER, LATER_IN_THE_END])
    def test_and_a_delivery_that_shares_nothing_answers_later(self, late):
        world = World()
        flow = world.deliver(late=late).answer()
        next(flow)
        flow.throw(StoreError("down"))
        assert flow.send(True).seconds == 4.5

    def test_when_a_push_is_claimed_and_it_is_refused(self, world):
        flow = world.deliver(refuses=True).answer()
        next(flow)
        with pytest.raises(StopIteration) as end:
            flow.throw(StoreError("down"))
        assert end.value.value is None
        assert world.reports == ["down"]

    def test_to_count_for_once_and_is_asked_again(self, world):
        world.start()
        delivery = world.deliver()
        flow = delivery.answer()
        next(flow)
        flow.send(False)
        assert flow.send(Record("me").dump()) == Get(world.store, "push:1:tries")
        assert flow.throw(StoreError("down")) == Sleep(0.1)
        assert isinstance(world.proceed(flow), Sleep)
        assert delivery.tries == 2

    def test_after_it_has_counted_and_counts_no_try_twice(self, world):
        world.start()
        delivery = world.deliver()
        flow = delivery.answer()
        step = next(flow)
        while not step.key.endswith(":tries") or isinstance(step, Get):
            step = flow.send(step.perform())
        step.perform()
        assert flow.throw(StoreError("timed out")) == Sleep(0.1)
        world.proceed(flow)
        assert delivery.tries == 2

    def test_to_count_for_half_a_second_and_the_number_is_guessed(self, world):
        world.start()
        delivery = world.deliver()
        flow = delivery.answer()
        next(flow)
        flow.send(False)
        flow.send(Record("me").dump())
        assert world.fail_on(flow) == Sleep(0.02)
        assert world.now == pytest.approx(0.5, abs=0.11)
        assert delivery.tries == 2

    @each_row("tries", [b"", b"two", b"-1", b"1.5", b"9999", b"\xff"])
    def test_to_hold_a_number_and_it_is_guessed(self, tries):
        world = World()
        world.store.compare_and_set("push:1:tries", None, tries, 300)
        world.start()
        delivery = world.deliver()
        step, flow = None, delivery.answer()
        while step != Sleep(0.02):
            step = world.proceed(flow)
        assert delivery.tries == 2

    def test_to_save_a_reply_that_goes_out_with_this_very_try(self, world):
        _, _, working = world.start()
        assert isinstance(next(working), CompareAndSet)
        assert world.fail_on(working) == End(REPLY)
        assert world.reports == ["down"]

    def test_to_save_a_reply_that_only_the_next_try_can_deliver_and_is_asked_again(self, world):
        delivery, _, working = world.start()
        world.now = 6
        assert isinstance(next(working), CompareAndSet)
        assert working.throw(StoreError("down")) == Sleep(0.1)
        assert world.proceed(working) == End(REPLY)
        assert world.find() == Record(delivery.owner, reply=REPLY)

    def test_to_save_a_reply_for_as_long_as_a_lease_and_is_not_asked_again(self, world):
        _, _, working = world.start()
        world.now = 6
        next(working)
        assert world.fail_on(working) == End(REPLY)
        assert world.now == pytest.approx(6 + 2.5, abs=0.11)

    def test_to_record_that_the_reply_is_sent_later_and_it_is_sent(self, world):
        _, answering, working = world.start(late=LATER)
        world.now = 4.5
        assert isinstance(next(answering), CompareAndSet)
        assert world.fail_on(answering) == End(SUCCESS)
        assert world.now < 4.9
        assert world.proceed(working) == End(REPLY)
        assert world.later == [HANDLED.reply]

    def test_to_free_the_key_and_the_error_of_the_handler_goes_up(self, world):
        _, _, working = world.start(handled=KeyError("own"))
        assert isinstance(next(working), CompareAndSet)
        with pytest.raises(KeyError, match="own"):
            working.throw(StoreError("down"))
        assert world.reports == ["down"]

    @each_row("answer", [False, None])
    def test_by_contradicting_itself(self, answer):
        world = World()
        flow = world.deliver().answer()
        step, steps = next(flow), 0
        while step.store is world.store:
            steps += 1
            step = flow.send(answer if isinstance(step, CompareAndSet) else None)
        assert steps <= 200
        assert world.reports == ["the store refuses to replace the value that it returns"]

    def test_by_always_refusing_to_note_that_a_try_has_ended(self, world):
        world.store.compare_and_set("push:1:tries", None, b"2 another", 60)
        flow = world.deliver().answer()
        running = Record("another").dump()
        world.store.get = lambda key: running if key == "push:1" else b"2 another"
        world.store.compare_and_set = lambda key, *args: key != "push:1"
        assert world.wait(flow) == End(SUCCESS)
        assert world.now == pytest.approx(4.5)


class TestTheWork:
    def test_is_kept_for_as_long_as_max_age_allows_replays(self, world):
        _, _, working = world.start(settings=PushSettings(token="spamtest", max_age=2155.5))
        assert next(working).ttl == 4321.0

    @each_row(
        ("message", "seconds"),
        [
            (TextMessage(**COMMON, content="hi"), 300.0),
            (ClickEvent(**COMMON, event="CLICK", event_key="BUY"), 300.0),
            (UnknownEvent(**COMMON, event="xpay_goods_deliver_notify"), 86400.0),
            (UnknownEvent(**COMMON, event="XPAY_refund_notify"), 86400.0),
            (UnknownEvent(**COMMON, event="retail_pay_order_notify"), 86400.0),
        ],
    )
    def test_is_kept_for_as_long_as_wechat_may_send_it_again(self, message, seconds):
        assert keep_for(message) == keep_for(message, seconds - 10) == seconds
        assert keep_for(message, seconds) > seconds

    def test_frees_the_key_if_the_handler_fails(self, world):
        _, _, working = world.start(handled=KeyError("own"))
        with pytest.raises(KeyError, match="own"):
            world.proceed(working)
        assert world.find() is None

    @each_row("error", [KeyboardInterrupt, SystemExit])
    def test_frees_the_key_if_the_program_ends(self, error):
        world = World()
        _, _, working = world.start()
        step = working.throw(error())
        with pytest.raises(error):
            world.proceed(working, step.perform())
        assert world.find() is None

    def test_yields_no_further_step_if_it_is_closed(self, world):
        """As when an event loop is closed: no driver is left to perform the step."""
        delivery, _, working = world.start()
        working.close()
        assert world.find() == Record(delivery.owner)

    def test_frees_the_key_after_a_promise_too(self, world):
        _, answering, working = world.start(late=LATER, handled=KeyError())
        world.now = 4.5
        world.proceed(answering)
        with pytest.raises(KeyError):
            world.proceed(working)
        assert world.find() is None

    def test_does_not_free_the_key_of_another_owner(self, world):
        _, _, working = world.start(handled=KeyError())
        world.now = 3
        other, _, _ = world.start()
        with pytest.raises(KeyError):
            world.proceed(working)
        assert world.find() == Record(other.owner)

    def test_frees_the_key_if_the_reply_asks_wechat_to_try_again(self, world):
        again = Handled(REPLY, ErrCodeReply(err_code=1))
        _, _, working = world.start(handled=again)
        assert world.proceed(working) == End(REPLY)
        assert world.find() is None

    def test_keeps_an_err_code_that_means_done(self, world):
        _, _, working = world.start(handled=Handled(REPLY, ErrCodeReply()))
        world.proceed(working)
        assert world.find().reply == REPLY

    def test_is_saved_after_the_lease_has_ended_if_no_delivery_took_over(self, world):
        delivery, _, working = world.start()
        world.now = 100
        assert world.proceed(working) == End(REPLY)
        assert world.find() == Record(delivery.owner, reply=REPLY)

    def test_does_not_change_the_record_of_the_delivery_that_took_over(self, world, caplog):
        _, _, working = world.start()
        world.now = 3
        other, _, _ = world.start()
        assert world.proceed(working) == End(REPLY)
        assert world.find() == Record(other.owner)
        assert "another one took over its message" in caplog.text
        assert world.later == []

    def test_hands_over_what_can_only_be_sent_later_once(self, world):
        handled = Handled(SUCCESS, TextReply(content="hi"), only_later=True)
        _, _, working = world.start(late=LATER, handled=handled)
        assert world.proceed(working) == End(SUCCESS)
        assert world.later == [handled.reply]
        assert world.find().reply == SUCCESS

    @each_row(
        ("late", "kept"), [(None, REPLY), (FallbackReply("x"), REPLY), (LATER, SUCCESS), (LATER_IN_THE_END, SUCCESS)]
    )
    def test_hands_over_its_reply_if_another_try_could_not_wait_for_it(self, late, kept):
        world = World()
        delivery, _, working = world.start(late=late)
        running, promised = Record(delivery.owner), Record(delivery.owner, late=True)
        world.store.compare_and_set("push:1", running.dump(), promised.dump(), 2.5)
        assert world.proceed(working) == End(REPLY)
        assert world.later == [HANDLED.reply]
        assert world.find().reply == kept

    def test_knows_that_it_is_late_although_the_store_failed_after_its_step(self, world):
        delivery, _, working = world.start(late=LATER_IN_THE_END)
        running, promised = Record(delivery.owner), Record(delivery.owner, late=True)
        world.store.compare_and_set("push:1", running.dump(), promised.dump(), 60)
        world.now = 6
        step = next(working)
        step = working.send(step.perform())
        step = working.send(step.perform())
        assert (step.expected, step.perform()) == (promised.dump(), True)
        assert working.throw(StoreError("timed out")) == Sleep(0.1)
        assert world.proceed(working) == End(REPLY)
        assert world.later == [HANDLED.reply]


class TestTheLease:
    def renew(self, world: World, delivery: PushDelivery) -> bool:
        return world.proceed(delivery.renew()).value

    def test_is_renewed_while_the_handler_runs(self, world):
        delivery, _, _ = world.start()
        for _ in range(5):
            world.now += 2.4
            assert self.renew(world, delivery)
        assert world.find() == Record(delivery.owner)

    def test_is_renewed_in_one_step(self, world):
        delivery, _, _ = world.start()
        running = Record(delivery.owner).dump()
        assert list_steps(delivery.renew(), True) == [
            CompareAndSet(world.store, "push:1", running, running, 2.5),
            End(True),
        ]

    def test_is_renewed_after_a_promise_and_keeps_it(self, world):
        delivery, answering, _ = world.start(late=LATER)
        world.keep(delivery, 4.5)
        world.proceed(answering)
        world.now = 6.9
        assert self.renew(world, delivery)
        world.now = 9
        assert world.find() == Record(delivery.owner, late=True)

    @each_row("promised", [False, True])
    def test_is_taken_again_after_it_has_ended(self, promised):
        world = World()
        delivery, answering, _ = world.start(late=LATER)
        if promised:
            world.now = 4.5
            world.proceed(answering)
        world.now = 20
        assert self.renew(world, delivery)
        assert world.find() == Record(delivery.owner, late=promised)
        world.now += 2.5
        assert world.find() is None

    def test_is_not_taken_from_the_delivery_that_took_over(self, world):
        delivery, _, _ = world.start()
        world.now = 3
        other, _, _ = world.start()
        assert not self.renew(world, delivery)
        assert world.find() == Record(other.owner)

    def test_is_not_renewed_after_the_reply_is_there(self, world):
        delivery, _, working = world.start()
        world.proceed(working)
        assert not self.renew(world, delivery)
        assert world.find().reply == REPLY

    def test_is_not_taken_again_after_the_handler_has_failed(self, world):
        delivery, _, working = world.start(handled=KeyError())
        with pytest.raises(KeyError):
            world.proceed(working)
        assert not self.renew(world, delivery)
        assert world.find() is None

    def test_is_given_back_if_the_handler_fails_in_between(self, world):
        delivery, _, working = world.start(handled=KeyError())
        world.now = 3
        renewing = delivery.renew()
        step = next(renewing)
        while step.expected is not None:
            step = renewing.send(step.perform())
        with pytest.raises(KeyError):
            world.proceed(working)
        assert world.proceed(renewing, step.perform()) == End(False)
        assert world.find() is None


# --- all orders ------------------------------------------------------------------------------------------------------


#: What the store may do at a step: perform it; fail; perform it, and then fail.
OBEY, FAIL, LIE = "", " fails", " lies"


def explore(
    make: Callable[[], tuple[World, dict[str, Generator[Any, Any, Any]]]], *, failures: int = 0
) -> Iterator[tuple[World, dict[str, Any]]]:
    """Run flows in every order of their steps; yield the world, and the end of each flow.

    Args:
        make: Makes a new world and the flows in it.
        failures: How many steps fail at most; each step fails in some run.
    """
    unexplored: list[list[tuple[str, str]]] = [[]]
    while unexplored:
        taken: list[tuple[str, str]] = []
        to_take = unexplored.pop()
        world, flows = make()
        steps: dict[str, Any] = dict.fromkeys(flows)
        ends: dict[str, Any] = {}
        while flows:
            left = failures - sum(choice != OBEY for _, choice in taken)
            choices = [
                (name, choice)
                for name in flows
                for choice in (OBEY, FAIL, LIE)
                if choice == OBEY or (left and isinstance(steps[name], (Get, CompareAndSet)))
            ]
            if len(taken) == len(to_take):
                unexplored.extend([*taken, other] for other in choices[1:])
                to_take = [*taken, choices[0]]
            name, choice = to_take[len(taken)]
            taken.append((name, choice))
            try:
                steps[name] = take(world, flows[name], steps[name], choice)
            except (StopIteration, KeyError, StoreError) as end:
                ends[name] = end.value if isinstance(end, StopIteration) else end
                del flows[name]
            else:
                if isinstance(steps[name], RunLeased):
                    ends[name] = steps[name]
                    del flows[name]
        yield world, ends


def take(world: World, flow: Generator[Any, Any, Any], step: Any, choice: str) -> Any:
    """Perform a step of a flow, and return its next one."""
    if isinstance(step, Sleep):
        world.now += step.seconds
    if not isinstance(step, (Get, CompareAndSet)):
        return next(flow)
    answer = None if choice == FAIL else step.perform()
    return flow.send(answer) if choice == OBEY else flow.throw(StoreError("down"))


class TestInEveryOrder:
    def last_try(self, world: World, **options: Any) -> tuple[PushDelivery, Any, Any]:
        """Return the first try, whose handler still runs, its work, and the last try, whose time is up."""
        owner, _, working = world.start(**options)
        world.store.compare_and_set("push:1:tries", None, b"2 another", 60)
        world.keep(owner, 10)
        waiting = world.deliver(**options).answer()
        world.proceed(waiting)
        world.keep(owner, 14.5)
        return owner, working, waiting

    @each_row(("renews", "failures"), [(False, 1), (True, 0)])
    def test_a_reply_is_either_waited_for_or_sent_later(self, renews, failures):
        def make() -> Any:
            world = World()
            owner, working, waiting = self.last_try(world, late=LATER_IN_THE_END)
            flows = {"work": working, "wait": waiting}
            return world, {**flows, "renew": owner.renew()} if renews else flows

        self.check(explore(make, failures=failures), "wait")

    @each_row(("renews", "failures"), [(False, 1), (True, 0)])
    def test_a_reply_is_either_given_by_its_own_try_or_sent_later(self, renews, failures):
        def make() -> Any:
            world = World()
            owner, answering, working = world.start(late=LATER)
            world.keep(owner, 4.5)
            flows = {"work": working, "answer": answering}
            return world, {**flows, "renew": owner.renew()} if renews else flows

        self.check(explore(make, failures=failures), "answer")

    def check(self, explored: Iterator[tuple[World, dict[str, Any]]], name: str) -> None:
        outcomes = [(ends[name], world.later) for world, ends in explored]
        expected = [(REPLY, []), (SUCCESS, [HANDLED.reply])]
        assert [outcome for outcome in outcomes if outcome not in expected] == []
        assert all(outcome in outcomes for outcome in expected)

    def test_a_key_is_free_or_claimed_by_another_delivery_after_its_handler_failed(self):
        def make() -> Any:
            world = World()
            owner, working, waiting = self.last_try(world, handled=KeyError())
            return world, {"work": working, "wait": waiting, "renew": owner.renew()}

        for world, ends in explore(make):
            assert isinstance(ends["work"], KeyError)
            if isinstance(ends["wait"], RunLeased):
                assert world.find() == Record(ends["wait"].delivery.owner)
            else:
                assert (ends["wait"], world.find()) == (SUCCESS, None)

    def test_a_key_is_free_after_its_handler_failed_although_its_lease_had_ended(self):
        def make() -> Any:
            world = World()
            owner, _, working = world.start(handled=KeyError())
            world.now = 3
            return world, {"work": working, "renew": owner.renew()}

        for world, _ in explore(make):
            assert world.find() is None

    def test_a_push_is_claimed_once(self):
        def make() -> Any:
            world = World()
            return world, {str(number): world.deliver().answer() for number in range(2)}

        for world, ends in explore_until_asleep(make):
            assert [type(end) for end in ends.values()].count(RunLeased) == 1
            assert world.find() is not None

    def test_a_dead_worker_is_replaced_once(self):
        def make() -> Any:
            world = World()
            world.start()
            flows = {str(number): world.deliver().answer() for number in range(2)}
            for flow in flows.values():
                world.proceed(flow)
            world.now = 2.6
            return world, flows

        for _, ends in explore_until_asleep(make):
            assert [type(end) for end in ends.values()].count(RunLeased) == 1

    def test_deliveries_have_different_numbers(self):
        deliveries: list[PushDelivery] = []

        def make() -> Any:
            world = World()
            world.start()
            deliveries[:] = [world.deliver() for _ in range(2)]
            return world, {str(number): delivery.answer() for number, delivery in enumerate(deliveries)}

        for _ in explore_until_asleep(make):
            assert {delivery.tries for delivery in deliveries} == {2, 3}


def explore_until_asleep(make: Callable[[], Any]) -> Iterator[tuple[World, dict]]:
    """Explore flows up to the point where they would sleep."""

    def cut(flow: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        given = None
        while True:
            try:
                step = flow.send(given)
            except StopIteration as end:
                return end.value
            if isinstance(step, Sleep):
                return step
            given = yield step

    def make_cut() -> Any:
        world, flows = make()
        return world, {name: cut(flow) for name, flow in flows.items()}

    return explore(make_cut)


def test_keys_and_records_are_json(world):
    """An operator can read the values in a store."""
    delivery, _, working = world.start()
    assert json.loads(world.store.get("push:1")) == {"owner": delivery.owner, "late": False}
    world.proceed(working)
    assert json.loads(world.store.get("push:1")) == {"owner": delivery.owner, "documents": dict(REPLY.documents)}
