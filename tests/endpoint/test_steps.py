"""Every step of the deliveries of a push; performed by hand, without clock and threads."""

from __future__ import annotations

from collections.abc import Generator
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
)
from wechat_msg._flow import CompareAndSet, Get, Sleep, Wait
from wechat_msg._handlers import RunHandler
from wechat_msg.endpoint.answers import Handled
from wechat_msg.endpoint.dedup import keep_for
from wechat_msg.endpoint.delivery import PushDelivery, RunWork
from wechat_msg.endpoint.handling import Handling, WarningLog
from wechat_msg.endpoint.lanes import Process
from wechat_msg.endpoint.options import EndpointOptions
from wechat_msg.endpoint.records import Done, Run, dump_texts, load_record
from wechat_msg.endpoint.upkeep import Upkeep
from wechat_msg.endpoint.work import StartWork
from wechat_msg.exchange import Push
from wechat_msg.messages import Message
from wechat_msg.replies import RenderedReply

TEXT = TextMessage(from_user_name="oUSER", to_user_name="gh_1", create_time=1700000000, content="hi", msg_id="42")
EVENT = {"ToUserName": "gh_1", "FromUserName": "oUSER", "CreateTime": 1700000000, "MsgType": "event", "Event": "CLICK"}
SETTINGS = PushSettings(token="spamtest")
REPLY = RenderedReply(documents={"xml": "<xml><A>1</A></xml>", "json": '{"A":1}'})
HANDLED = Handled(REPLY, (TextReply(content="hi"),))
SENT = {"touser": "oUSER", "msgtype": "text", "text": {"content": "hi"}}
COMMON = {"to_user_name": "gh_1", "from_user_name": "oUSER", "create_time": 1}
SUCCESS = Acknowledgement()
PAYMENT = UnknownEvent(to_user_name="gh_1", from_user_name="oUSER", create_time=1, event="xpay_goods_deliver_notify")
FALLBACK = TextReply(content="请稍候")


# --- performing steps by hand ----------------------------------------------------------------------------------------


@frozen
class End:
    """The result of a flow."""

    value: Any


class HandlingByHand(Handling):
    """A handler that takes one step."""

    def __init__(self, handled: Handled | BaseException, **fields: Any) -> None:
        super().__init__(identity="", **fields)
        object.__setattr__(self, "handled", handled)

    def make_key(self, message: Message) -> str:
        return "push:1"

    def handle(self, push: Push) -> Generator[Any, Any, Handled]:
        yield "the handler runs"
        if isinstance(self.handled, BaseException):
            raise self.handled
        return self.handled


ME, ANOTHER = "7.me.mmmmmmmmmmmmmmmm", "8.another.aaaaaaaaaaaaaaaa"
TWO = dump_texts(["one", "aaaaaaaa"])  # the numbers of two tries
CLAIMED = {":lane:7": dump_texts(["me"]), ":lane:8": dump_texts(["another"])}


@define
class World:
    """A store, and a clock that only tests advance."""

    now: float = 0.0
    store: MemoryStore = attrs.Factory(lambda self: MemoryStore(clock=lambda: self.now), takes_self=True)
    private_store: MemoryStore = attrs.field(factory=MemoryStore)
    reports: list[str] = attrs.field(factory=list)
    later: list[Any] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        for key, value in CLAIMED.items():
            self.store.compare_and_set(key, None, value, 1e9)

    def fork(self) -> Process:
        return Process(self.store, "", lambda: self.now)

    def deliver(
        self,
        *,
        message: Message = TEXT,
        settings: PushSettings = SETTINGS,
        late: AnswerLater | FallbackReply | None = None,
        deliveries: int = 3,
        refuses: bool = False,
        handled: Handled | BaseException = HANDLED,
        process: Process | None = None,
    ) -> PushDelivery:
        """Return a delivery in this process, or in one of its own."""
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
            options=options,
            store=self.store,
            private_store=self.private_store,
            process=process or self.fork(),
            inbox=None,
            is_kept=False,
            report=lambda error: self.reports.append(error.args[0]),
            is_async=False,
            warn=WarningLog(lambda: self.now).warn,
        )
        return PushDelivery(handling, Push(message=message, format="xml"), self.now)

    def claim(self, delivery: PushDelivery) -> Generator[Any, Any, Any]:
        """Return the flow of a delivery that has a lane, and is about to claim."""
        assert isinstance(self.proceed(delivery.handling.process.make_claim("", shared=True)), End)
        return delivery.answer()

    def proceed(self, flow: Generator[Any, Any, Any], given: Any = None) -> Any:
        """Send the result of the last step, perform steps of the store, and return the next step of another kind."""
        try:
            step = flow.send(given)
            while isinstance(step, (Get, CompareAndSet, RunHandler)):
                if isinstance(step, RunHandler):
                    self.later.append(step.args[0])
                step = flow.send(None if isinstance(step, RunHandler) else step.perform())
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

    def take_over(self, **options: Any) -> PushDelivery:
        """Return a delivery in another process that has taken over the push, as the lane of its owner has ended."""
        delivery = self.deliver(**options)
        assert isinstance(self.wait(delivery.answer()), RunWork)
        return delivery

    def start(self, **options: Any) -> tuple[PushDelivery, Generator[Any, Any, Any], Generator[Any, Any, Any]]:
        """Return a delivery whose handler runs, its flow, and the flow of its work."""
        delivery = self.deliver(**options)
        answering = delivery.answer()
        assert isinstance(self.proceed(answering), RunWork)
        working = delivery.work.run()
        assert self.proceed(working) == "the handler runs"
        return delivery, answering, working

    def keep(self, delivery: PushDelivery, until: float) -> None:
        """Let time pass while the lane of a delivery's process is renewed."""
        while self.now < until:
            start, flow = self.now, Upkeep(delivery.handling).keep_lane()
            self.proceed(flow)
            self.now = min(start + 0.7, until)
            self.proceed(flow)
            self.now = min(start + 0.7, until)

    def find(self, key: str = "push:1") -> Run | Done | None:
        raw = self.store.get(key)
        return None if raw is None else load_record(raw)


@pytest.fixture
def world() -> World:
    return World()


def list_steps(flow: Generator[Any, Any, Any], *given: Any) -> list[Any]:
    """Return the steps of a flow that is given these answers, and its end."""
    return list_steps_after(flow, None, *given)


def list_steps_after(flow: Generator[Any, Any, Any], *given: Any) -> list[Any]:
    """Return the next steps of a flow that has begun."""
    steps: list[Any] = []
    try:
        for answer in given:
            steps.append(flow.send(answer))
    except StopIteration as end:
        steps.append(End(end.value))
    return steps


LATER = AnswerLater(print)
LATER_IN_THE_END = AnswerLater(print, after="last_try")


class TestTheFirstDelivery:
    def test_takes_the_lowest_lane_claims_the_key_and_works(self, world):
        delivery = world.deliver()
        value = dump_texts([delivery.handling.process.id])
        flow = delivery.answer()
        assert next(flow) == CompareAndSet(world.store, ":lane:0", None, value, 2.5)
        assert flow.send(False) == CompareAndSet(world.store, ":lane:1", None, value, 2.5)
        step = flow.send(True)
        claim = load_record(step.value).claim
        assert claim.startswith(f"1.{delivery.handling.process.id}.{delivery.name}")
        assert step == CompareAndSet(world.store, "push:1", None, Run(claim).dump(), 660.0)
        assert list_steps_after(flow, True, REPLY) == [RunWork(delivery, 4.5), End(REPLY)]

    def test_calls_the_store_only_to_claim_and_to_save_the_reply(self, world):
        delivery = world.deliver()
        answering = world.claim(delivery)
        step = next(answering)
        assert (step.key, step.expected) == ("push:1", None)
        assert isinstance(answering.send(True), RunWork)
        running, done = Run(delivery.work.running.claim).dump(), Done(delivery.work.running.claim, REPLY).dump()
        assert list_steps(delivery.work.run(), HANDLED, True) == [
            "the handler runs",
            CompareAndSet(world.store, "push:1", running, done, 300.0),
            End(REPLY),
        ]

    @each_row(
        ("options", "seconds"),
        [
            ({}, 4.5),
            ({"late": FallbackReply("请稍候")}, 4.5),
            ({"late": LATER}, 4.5),
            ({"late": LATER_IN_THE_END}, 4.5),
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
        assert world.proceed(delivery.answer()).seconds == 2.5

    def test_learns_only_if_it_takes_long_whether_it_is_the_last(self, world):
        """An earlier one may have failed, and left the key free."""
        delivery, answering, _ = world.start()
        world.now = 4.5
        assert world.proceed(answering) == RunWork(delivery, 1.0)
        world = World()
        _, answering, _ = world.start()
        world.store.compare_and_set("tries:1", None, TWO, 60)
        world.now = 4.5
        assert world.proceed(answering) == End(SUCCESS)

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
        assert world.proceed(working) == End(SUCCESS)
        assert world.later == [SENT]
        assert world.find().reply == SUCCESS

    def test_answers_with_the_reply_that_came_in_the_last_moment(self, world):
        _, answering, working = world.start(late=LATER)
        world.now = 4.5
        world.proceed(working)
        assert world.proceed(answering) == End(REPLY)
        assert world.later == []

    def test_whose_claim_the_store_did_not_confirm_is_still_the_first(self, world):
        delivery = world.deliver()
        flow = world.claim(delivery)
        first = next(flow)
        first.perform()
        step = flow.send(False)
        assert isinstance(step, Get)
        step = world.proceed(flow, step.perform())
        assert step == Sleep(0.02)
        assert isinstance(world.proceed(flow), RunWork)
        assert delivery.tries == 1


class TestTheNextDelivery:
    def test_is_answered_at_once_if_the_reply_is_there(self, world):
        _, _, working = world.start()
        world.proceed(working)
        assert world.proceed(world.deliver().answer()) == End(REPLY)
        assert world.store.get("tries:1") is None

    def test_sees_counts_itself_and_looks_again(self, world):
        owner, _, _ = world.start()
        running, tries = Run(owner.work.running.claim).dump(), dump_texts([owner.name, "two"])
        delivery = world.deliver()
        flow = world.claim(delivery)
        tries = dump_texts([owner.name, delivery.name])
        assert next(flow).key == "push:1"
        assert list_steps_after(flow, False, running, None, True, None, running) == [
            Get(world.store, "push:1"),
            Get(world.store, "tries:1"),
            CompareAndSet(world.store, "tries:1", None, tries, 60.0),
            Sleep(0.02),
            Get(world.store, "push:1"),
            Get(world.store, ":lane:0"),
        ]

    def test_looks_more_and_more_seldom(self, world):
        world.start()
        flow = world.deliver().answer()
        pauses = [world.proceed(flow).seconds for _ in range(8)]
        assert pauses == [0.02, 0.04, 0.08, 0.16, 0.32, 0.5, 0.5, 0.5]

    def test_does_not_touch_the_lease(self, world):
        world.start()
        lane = world.store.get(":lane:0")
        world.now = 2
        world.proceed(world.deliver().answer())
        assert world.store.get(":lane:0") == lane
        world.now = 2.5
        assert world.store.get(":lane:0") is None

    def test_waits_in_the_process_of_the_handler_without_asking_the_store(self, world):
        owner, _, working = world.start()
        flow = world.deliver(process=owner.handling.process).answer()
        step = world.proceed(flow)
        assert step == Wait(owner.work.running.ended, 5.5)
        assert world.proceed(working) == End(REPLY)
        assert world.proceed(flow, step.future.result()) == End(REPLY)

    def test_is_never_run_in_the_process_of_the_handler_although_that_has_lost_its_lane(self, world):
        owner, _, _ = world.start()
        world.now = 100
        assert isinstance(world.proceed(world.deliver(process=owner.handling.process).answer()), Wait)

    def test_takes_over_from_its_own_process_after_handler_limit(self, world):
        owner, _, working = world.start()
        world.now = 601
        delivery = world.deliver(process=owner.handling.process)
        assert isinstance(world.wait(delivery.answer()), RunWork)
        assert world.proceed(working) == End(None)

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
        world.store.compare_and_set("push:1", world.store.get("push:1"), Run(ME).dump(), 60)
        assert world.wait(flows[1]) == End(SUCCESS)
        assert world.find() == Run(ME, late=True)

    @staticmethod
    def wait_with_a_lease(world: World, delivery: PushDelivery) -> Any:
        """Let a delivery wait while another one has the lease."""
        world.store.compare_and_set("push:1", world.store.get("push:1"), Run(ANOTHER).dump(), 60)
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
        world.store.compare_and_set("tries:1", None, TWO, 60)
        world.start()
        assert self.wait_with_a_lease(world, world.deliver(**options)) == End(answer)
        assert world.now == pytest.approx(at)
        assert world.find() == Run(ANOTHER, late=answer is not None)

    @each_row("late", [LATER, LATER_IN_THE_END])
    def test_is_acknowledged_at_once_after_the_reply_was_promised(self, late):
        world = World()
        world.store.compare_and_set("push:1", None, Run(ANOTHER, late=True).dump(), 60)
        assert world.proceed(world.deliver(late=late).answer()) == End(SUCCESS)
        assert world.now == 0

    @each_row("late", [None, FallbackReply("请稍候")])
    def test_waits_for_the_reply_if_the_policy_sends_none_later(self, late):
        world = World()
        world.store.compare_and_set("push:1", None, Run(ANOTHER, late=True).dump(), 60)
        assert isinstance(world.proceed(world.deliver(late=late).answer()), Sleep)

    def test_does_not_extend_the_lease_of_a_late_owner(self, world):
        """Its process may be dead by now."""
        world.store.compare_and_set("tries:1", None, dump_texts(["one", "two", "three"]), 60)
        world.store.compare_and_set("push:1", None, Run(ANOTHER, late=True).dump(), 6)
        assert world.wait(world.deliver().answer()) == End(SUCCESS)
        world.now = 6
        assert world.find() is None

    def test_that_takes_over_in_the_end_and_has_the_reply_at_once_sends_nothing_later(self, world):
        """As a sync endpoint without an executor does, whose handler runs on the spot."""
        world.store.compare_and_set("tries:1", None, TWO, 60)
        owner, _, failing = world.start(late=LATER_IN_THE_END, handled=KeyError())
        world.keep(owner, 10)
        last = world.deliver(late=LATER_IN_THE_END)
        flow = last.answer()
        world.proceed(flow)
        world.keep(owner, 14.5)
        step = next(flow)
        while isinstance(step, Get):
            step = flow.send(step.perform())
        assert (step.value, step.ttl) == (Run(owner.work.running.claim, late=True).dump(), 660)
        with pytest.raises(KeyError):
            world.proceed(failing)
        assert isinstance(world.proceed(flow, step.perform()), RunWork)
        working = last.work.run()
        world.proceed(working)
        assert world.proceed(working) == End(REPLY)
        assert world.later == []

    def test_takes_over_when_the_lease_ends(self, world):
        world.start()
        world.now = 2.4
        delivery = world.deliver()
        assert world.wait(delivery.answer()) == RunWork(delivery, pytest.approx(5.4, abs=0.06))
        assert world.now <= 2.4 + 0.2
        assert world.find() == Run(delivery.work.running.claim)

    def test_takes_over_at_once_when_the_handler_has_failed(self, world):
        _, _, working = world.start(handled=KeyError())
        delivery = world.deliver()
        flow = delivery.answer()
        world.proceed(flow)
        with pytest.raises(KeyError):
            world.proceed(working)
        assert isinstance(world.proceed(flow), RunWork)

    def test_that_took_over_keeps_its_number(self, world):
        world.start()
        second, third = world.deliver(), world.deliver()
        flow = second.answer()
        world.proceed(flow)
        world.now = 2.5
        assert isinstance(world.wait(flow), RunWork)
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
        assert (step.store, step.expected, step.ttl) == (world.private_store, None, 660)
        assert step.key.startswith("unshared:")
        assert flow.send(True) == RunWork(delivery, 4.5)
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
        flow = world.claim(delivery)
        next(flow)
        flow.send(False)
        assert flow.send(Run(ME).dump()) == Get(world.store, "tries:1")
        assert flow.throw(StoreError("down")) == Sleep(0.1)
        assert isinstance(world.proceed(flow), Sleep)
        assert delivery.tries == 2

    def test_after_it_has_counted_and_counts_no_try_twice(self, world):
        world.start()
        delivery = world.deliver()
        flow = delivery.answer()
        step = next(flow)
        while step.key != "tries:1" or isinstance(step, Get):
            step = flow.send(step.perform())
        step.perform()
        assert flow.throw(StoreError("timed out")) == Sleep(0.1)
        world.proceed(flow)
        assert delivery.tries == 2

    def test_to_count_for_half_a_second_and_the_number_is_guessed(self, world):
        world.start()
        delivery = world.deliver()
        flow = world.claim(delivery)
        next(flow)
        flow.send(False)
        flow.send(Run(ME).dump())
        assert world.fail_on(flow) == Sleep(0.02)
        assert world.now == pytest.approx(0.5, abs=0.11)
        assert delivery.tries == 2

    @each_row("tries", [b"", b"two", b"-1", b"1.5", b"9999", b"\xff"])
    def test_to_hold_a_number_and_it_is_guessed(self, tries):
        world = World()
        world.store.compare_and_set("tries:1", None, tries, 300)
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
        assert world.find() == Done(delivery.work.running.claim, REPLY)

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
        assert world.proceed(working) == End(SUCCESS)
        assert world.later == [SENT]

    def test_to_free_the_key_and_the_error_of_the_handler_goes_up(self, world):
        _, _, working = world.start(handled=KeyError("own"))
        assert isinstance(next(working), Get)
        with pytest.raises(KeyError, match="own"):
            working.throw(StoreError("down"))
        assert world.reports == ["down"]

    @each_row("answer", [False, None])
    def test_by_refusing_the_value_that_it_returns(self, answer):
        world = World()
        flow = world.deliver().answer()
        step, steps = next(flow), 0
        while step.store is world.store:
            steps += 1
            step = flow.send(answer if isinstance(step, CompareAndSet) else None)
        assert steps <= 1000
        assert world.reports == ["the store has no free lane, or refuses to replace the value that it returns"]

    def test_by_always_refusing_to_note_that_a_try_has_ended(self, world):
        world.store.compare_and_set("tries:1", None, TWO, 60)
        flow = world.claim(world.deliver())
        running = Run(ANOTHER).dump()
        get = world.store.get
        world.store.get = lambda key: running if key == "push:1" else get(key)
        world.store.compare_and_set = lambda key, *args: key != "push:1"
        assert world.wait(flow) == End(SUCCESS)
        assert world.now == pytest.approx(4.5)

    @each_row("raw", [b"", b"garbage", b"\x02T", Run(ME).dump()])
    def test_to_hold_a_lane_and_no_guess_is_made(self, raw):
        """No delivery claims a push because it cannot read who holds a lane."""
        world = World()
        world.store.compare_and_set("push:1", None, Run(ME).dump(), 60)
        world.store.compare_and_set(":lane:7", CLAIMED[":lane:7"], raw, 60)
        assert world.wait(world.deliver().answer()) == End(None)
        assert world.find() == Run(ME)


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
        assert world.find() == Run(delivery.work.running.claim)

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
        other = world.take_over()
        with pytest.raises(KeyError):
            world.proceed(working)
        assert world.find() == Run(other.work.running.claim)

    def test_frees_the_key_if_the_reply_asks_wechat_to_try_again(self, world):
        again = Handled(REPLY, (ErrCodeReply(err_code=1),))
        _, _, working = world.start(handled=again)
        assert world.proceed(working) == End(REPLY)
        assert world.find() is None

    def test_keeps_an_err_code_that_means_done(self, world):
        _, _, working = world.start(handled=Handled(REPLY, ()))
        world.proceed(working)
        assert world.find().reply == REPLY

    def test_is_saved_after_the_lease_has_ended_if_no_delivery_took_over(self, world):
        delivery, _, working = world.start()
        world.now = 100
        assert world.proceed(working) == End(REPLY)
        assert world.find() == Done(delivery.work.running.claim, REPLY)

    def test_does_not_change_the_record_of_the_delivery_that_took_over(self, world, caplog):
        _, _, working = world.start()
        world.now = 3
        other = world.take_over()
        assert world.proceed(working) == End(None)
        assert world.find() == Run(other.work.running.claim)
        assert "another one took over its message" in caplog.text
        assert world.later == []

    def test_hands_over_what_can_only_be_sent_later_once(self, world):
        handled = Handled(SUCCESS, HANDLED.replies, HANDLED.replies)
        _, _, working = world.start(late=LATER, handled=handled)
        started = world.proceed(working)
        assert world.proceed(working) == End(SUCCESS)
        assert world.later == []
        assert isinstance(started, StartWork)
        assert world.proceed(started.work.run()) == End(None)
        assert world.later == [SENT]
        assert world.find().reply == SUCCESS

    @each_row(
        ("late", "kept"), [(None, REPLY), (FallbackReply("x"), REPLY), (LATER, SUCCESS), (LATER_IN_THE_END, SUCCESS)]
    )
    def test_hands_over_its_reply_if_another_try_could_not_wait_for_it(self, late, kept):
        world = World()
        delivery, _, working = world.start(late=late)
        running, promised = Run(delivery.work.running.claim), Run(delivery.work.running.claim, late=True)
        world.store.compare_and_set("push:1", running.dump(), promised.dump(), 2.5)
        assert world.proceed(working) == End(kept)
        assert world.later == ([SENT] if kept == SUCCESS else [])
        assert world.find().reply == kept

    def test_knows_that_it_is_late_although_the_store_failed_after_its_step(self, world):
        delivery, _, working = world.start(late=LATER_IN_THE_END)
        running, promised = Run(delivery.work.running.claim), Run(delivery.work.running.claim, late=True)
        world.store.compare_and_set("push:1", running.dump(), promised.dump(), 60)
        world.now = 6
        step = next(working)
        step = working.send(step.perform())
        step = working.send(step.perform())
        assert (step.expected, step.perform()) == (promised.dump(), True)
        assert working.throw(StoreError("timed out")) == Sleep(0.1)
        assert world.proceed(working) == End(SUCCESS)
        assert world.later == [SENT]
