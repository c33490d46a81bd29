"""The flows of the queue of kept answers, one step after another; all orders of their steps are in `test_fetches`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.helpers.rows import each_row
from tests.helpers.worlds import Shelf, make_push
from wechat_msg import Acknowledgement, StoreError
from wechat_msg._flow import CompareAndSet, Get, drive
from wechat_msg.endpoint.kept import Claimed, KeptAnswers, Queue, Taken, Undelivered, load_queue
from wechat_msg.endpoint.lanes import Process
from wechat_msg.endpoint.records import Done, Free, Run, load_record
from wechat_msg.endpoint.registry import Running
from wechat_msg.replies import RenderedReply

OPENID, KEEP, UNTIL = "oUSER", 300.0, 5000.0
QUEUE = "i:user:2ba8a9ee65267"  # the beginning of the key
FETCH, OTHER, QUESTION = "i:push:fetch", "i:push:other", "i:push:question"
ACK = Acknowledgement()
DEAD = "7.dead.1"


def make_done(claim: str) -> Callable[[Taken], Done]:
    """Return what makes the record of a part, with a full stop if another part follows."""
    return lambda taken: Done(claim, RenderedReply(documents={"xml": taken.part + "." * (not taken.is_last)}))


def make_first(claimed: Claimed) -> Done:
    """Return the record that carries the first of several parts."""
    return Done(claimed.claim, RenderedReply(documents={"xml": "1."}), carries=("a", 0))


class Bench:
    """Two processes with a store, whose steps are performed at once."""

    def __init__(self) -> None:
        self.now, self.errors = 1000.0, list[StoreError]()
        self.store = Shelf(lambda: self.now)
        self.process, self.other = (Process(self.store, "i", lambda: self.now) for _ in range(2))
        self.kept, self.others = (
            KeptAnswers(self.store, self.store, "i", process, lambda: self.now, self.errors.append)
            for process in (self.process, self.other)
        )

    def run(self, flow: Any, perform: Callable[[Any], Any] = lambda step: step.perform()) -> Any:
        return drive(flow, perform)

    def claim(self, key: str = FETCH, process: Process | None = None, **fields: Any) -> Claimed:
        """Write a record with a new claim; the process does not run the push."""
        claim = self.run((process or self.process).make_claim("delivery", shared=True))
        record = Run(claim, **fields).dump()
        self.write(key, record)
        return Claimed(key, claim, record)

    def claim_here(self, key: str = FETCH) -> Claimed:
        """Write a record with a new claim of a push that this process runs."""
        claimed = self.claim(key)
        running = Running(key, make_push(0), "", self.now, self.store, key)
        running.claim = claimed.claim
        self.process.registry.add(running)
        return claimed

    def write(self, key: str, value: bytes) -> None:
        self.store.values[key] = value, self.now + KEEP

    def put(self, *parts: str, id: str = "a", **options: Any) -> int:
        return self.run(self.kept.put(OPENID, id, parts, UNTIL, **options))

    def deliver(self, claimed: Claimed, **options: Any) -> Any:
        return self.run(self.kept.deliver(OPENID, claimed, make_done(claimed.claim), keep=KEEP, **options))

    def carry(self, claimed: Claimed, taken: Taken, **options: Any) -> Any:
        return self.run(self.kept.carry(OPENID, claimed, taken, make_done(claimed.claim), keep=KEEP), **options)

    @property
    def queue(self) -> Queue:
        """What is in the store."""
        return load_queue(next((value for key, (value, _) in self.store.values.items() if ":user:" in key), None))


@pytest.fixture
def bench():
    return Bench()


def get_text(done: Any) -> str:
    assert isinstance(done, Done), done
    assert isinstance(done.reply, RenderedReply)
    return done.reply.documents["xml"]


class TestAQueueInTheStore:
    def test_has_a_key_without_the_openid(self, bench):
        bench.put("1")
        assert [key[: len(QUEUE)] for key in bench.store.values] == [QUEUE]

    def test_is_kept_as_long_as_its_items_and_ten_minutes_more_if_it_is_remembered(self, bench):
        bench.put("1", id="a")
        bench.run(bench.kept.put(OPENID, "b", ("2",), 2000.0))
        assert [ends for _, ends in bench.store.values.values()] == [UNTIL]
        bench.deliver(bench.claim())
        bench.deliver(bench.claim())
        assert [ends for key, (_, ends) in bench.store.values.items() if ":user:" in key] == [bench.now + 600]

    def test_needs_one_read_to_know_whether_it_has_anything(self, bench):
        steps: list[Any] = []

        def perform(step: Any) -> Any:
            steps.append(step)
            return step.perform()

        assert not bench.run(bench.kept.has(OPENID), perform)
        bench.run(bench.kept.add_place(OPENID, "a", QUESTION, UNTIL))
        assert bench.run(bench.kept.has(OPENID), perform)
        assert not bench.run(bench.kept.has("oOTHER"), perform)
        assert [type(step) for step in steps] == [Get] * 3

    def test_forgets_what_has_expired(self, bench):
        bench.put("1")
        bench.now = UNTIL - 0.1
        assert bench.run(bench.kept.has(OPENID))
        bench.now = UNTIL
        assert not bench.run(bench.kept.has(OPENID))

    def test_reports_how_many_parts_were_dropped(self, bench):
        assert bench.put(*["1"] * 100) == 0
        assert bench.put("2", "3", id="b") == 2

    def test_that_cannot_be_read_is_a_store_error(self, bench):
        bench.put("1")
        for key in bench.store.values:
            bench.write(key, b"\x02Q")
        with pytest.raises(StoreError, match="not a queue"):
            bench.run(bench.kept.has(OPENID))

    def test_that_always_changes_is_a_store_error(self, bench):
        def perform(step: Any) -> Any:
            return None if isinstance(step, Get) else False

        with pytest.raises(StoreError, match="refuses"):
            bench.run(bench.kept.put(OPENID, "a", ("1",), UNTIL), perform)


class TestAFetch:
    def test_gets_one_part_after_another(self, bench):
        bench.put("1", "2", id="a")
        bench.put("3", id="b")
        got = [get_text(bench.deliver(bench.claim(f"i:push:{number}"))) for number in range(3)]
        assert got == ["1.", "2.", "3"]
        assert bench.deliver(bench.claim()) is Undelivered.EMPTY
        assert bench.queue == Queue(gone=("a", "b"))

    def test_leaves_a_record_that_names_the_part(self, bench):
        bench.put("1", "2")
        claimed = bench.claim()
        done = bench.deliver(claimed)
        assert done.carries == ("a", 0)
        value, ends = bench.store.values[FETCH]
        assert (load_record(value), ends) == (done, bench.now + KEEP)

    def test_leaves_a_record_that_lasts_until_the_part_has_left_the_queue(self, bench):
        bench.put("1")
        claimed = bench.claim()

        def perform(step: Any) -> Any:
            if step.key == FETCH and isinstance(step, CompareAndSet):
                result = step.perform()
                raise StoreError("down") if step.expected == claimed.record else result
            return step.perform()

        with pytest.raises(StoreError):
            bench.run(bench.kept.deliver(OPENID, claimed, make_done(claimed.claim), keep=KEEP), perform)
        assert bench.store.values[FETCH][1] == UNTIL + KEEP
        assert get_text(bench.deliver(claimed)) == "1"
        assert bench.store.values[FETCH][1] == bench.now + KEEP

    def test_is_answered_once_also_if_another_fetch_has_settled_its_part(self, bench):
        bench.put("1", "2")
        claimed = bench.claim()
        taken = bench.run(bench.kept.take(OPENID, claimed))
        bench.write(FETCH, make_first(claimed).dump())
        assert get_text(bench.deliver(bench.claim(OTHER))) == "2"
        bench.put("3", id="b")
        for _ in range(2):
            assert get_text(bench.deliver(claimed)) == "1."
        assert get_text(bench.carry(claimed, taken)) == "1."
        assert [(item.id, item.taken) for item in bench.queue.items] == [("b", None)]

    def test_is_answered_although_the_store_fails_when_the_part_leaves(self, bench):
        bench.put("1", "2")
        claimed = bench.claim_here()
        taken = bench.run(bench.kept.take(OPENID, claimed))

        def perform(step: Any) -> Any:
            if step.key != FETCH:
                raise StoreError("down")
            return step.perform()

        assert get_text(bench.carry(claimed, taken, perform=perform)) == "1."
        assert len(bench.errors) == 1
        assert get_text(bench.deliver(bench.claim(OTHER))) == "2"

    @each_row("record", [None, Run("0.x.1").dump(), Done("0.x.1", ACK).dump()])
    def test_whose_record_is_no_longer_its_own_delivers_nothing(self, record):
        bench = Bench()
        bench.put("1")
        claimed = bench.claim()
        bench.store.values.pop(FETCH) if record is None else bench.write(FETCH, record)
        assert bench.deliver(claimed) is Undelivered.OVERTAKEN
        assert bench.queue.items[0].taken is None
        bench.deliver(bench.claim(OTHER))
        assert bench.deliver(claimed) is Undelivered.OVERTAKEN

    def test_that_was_answered_meanwhile_gets_that_answer(self, bench):
        claimed = bench.claim()
        done = Done(claimed.claim, ACK)
        bench.write(FETCH, done.dump())
        assert bench.deliver(claimed) == done

    def test_waits_for_a_further_part_unless_it_must_answer(self, bench):
        bench.claim(QUESTION, slot="0:0", late=True)
        bench.put("1", key=QUESTION, is_open=True)
        claimed = bench.claim()
        assert bench.deliver(claimed) is Undelivered.WAIT
        assert get_text(bench.deliver(claimed, must=True)) == "1."

    def test_gets_a_part_that_another_one_follows(self, bench):
        bench.put("1", "2", key=QUESTION, is_open=True)
        assert get_text(bench.deliver(bench.claim())) == "1."


class TestAPartThatIsTaken:
    def take(self, bench: Bench, **fields: Any) -> Claimed:
        """Let another process take a part."""
        bench.put("1", "2")
        claimed = bench.claim(OTHER, bench.other, **fields)
        assert isinstance(bench.run(bench.others.take(OPENID, claimed)), Taken)
        return claimed

    def test_waits_while_the_other_process_is_alive(self, bench):
        self.take(bench)
        assert bench.deliver(bench.claim()) is Undelivered.WAIT

    def test_waits_while_this_process_runs_it(self, bench):
        bench.put("1", "2")
        taker = bench.claim_here(OTHER)
        bench.run(bench.kept.take(OPENID, taker))
        assert bench.deliver(bench.claim()) is Undelivered.WAIT
        bench.process.registry.remove(bench.process.registry.find(OTHER))
        assert get_text(bench.deliver(bench.claim())) == "1."

    def test_takes_the_record_from_a_dead_process_first(self, bench):
        taker = self.take(bench)
        bench.now += 3
        assert get_text(bench.deliver(bench.claim())) == "1."
        assert bench.store.get(OTHER) is None
        assert (
            bench.run(bench.others.deliver(OPENID, taker, make_done(taker.claim), keep=KEEP)) is Undelivered.OVERTAKEN
        )

    def test_leaves_the_entry_of_a_dead_process_to_others(self, bench):
        taker = self.take(bench, slot="0:1", kind="question")
        bench.now += 3
        assert get_text(bench.deliver(bench.claim())) == "1."
        assert load_record(bench.store.get(OTHER) or b"") == Free(taker.claim, "0:1")

    def test_does_not_take_the_part_if_the_record_changes_meanwhile(self, bench):
        taker = self.take(bench)
        bench.now += 3
        done = make_first(taker)
        claimed = bench.claim()

        def perform(step: Any) -> Any:
            if step.key == OTHER and isinstance(step, CompareAndSet):
                bench.write(OTHER, done.dump())
            return step.perform()

        result = bench.run(bench.kept.deliver(OPENID, claimed, make_done(claimed.claim), keep=KEEP), perform)
        assert get_text(result) == "2"

    def test_settles_what_the_record_carries(self, bench):
        taker = self.take(bench)
        bench.write(OTHER, make_first(taker).dump())
        assert get_text(bench.deliver(bench.claim())) == "2"

    @each_row(
        "record",
        [None, Done(DEAD, ACK), Done(DEAD, ACK, carries=("a", 1)), Done(DEAD, ACK, carries=("b", 0)), Run(DEAD)],
    )
    def test_takes_it_if_the_record_carries_something_else(self, record):
        bench = Bench()
        self.take(bench)
        bench.store.values.pop(OTHER)
        if record is not None:
            bench.write(OTHER, record.dump())
        assert get_text(bench.deliver(bench.claim())) == "1."

    def test_takes_it_if_the_other_push_is_late_or_free(self):
        for changes in ({"late": True}, {"slot": "0:1", "late": True}):
            for kind in (Run, Free):
                bench = Bench()
                taker = self.take(bench)
                bench.write(OTHER, kind(taker.claim, **changes).dump())
                assert get_text(bench.deliver(bench.claim())) == "1."


class TestAPlaceOrAnOpenItem:
    @each_row(
        "record",
        [Run(DEAD, "0:1", late=True), Free(DEAD, "0:1", late=True), Done(DEAD, ACK, "0:1")],
    )
    def test_is_waited_for_until_its_push_is_done(self, record):
        for is_open in (False, True):
            bench = Bench()
            bench.run(bench.kept.add_place(OPENID, "a", QUESTION, UNTIL))
            if is_open:
                bench.put(key=QUESTION, is_open=True)
            bench.write(QUESTION, record.dump())
            assert bench.deliver(bench.claim(), must=True) is Undelivered.WAIT

    @each_row("record", [None, Done(DEAD, ACK), Run(DEAD)])
    def test_is_removed_if_its_push_is_done_or_dead(self, record):
        for is_open in (False, True):
            bench = Bench()
            bench.run(bench.kept.add_place(OPENID, "a", QUESTION, UNTIL))
            if is_open:
                bench.put(key=QUESTION, is_open=True)
            if record is not None:
                bench.write(QUESTION, record.dump())
            assert bench.deliver(bench.claim()) is Undelivered.EMPTY
            assert bench.queue.items == ()

    def test_is_waited_for_while_its_push_runs_here_although_the_record_is_gone(self, bench):
        bench.run(bench.kept.add_place(OPENID, "a", QUESTION, UNTIL))
        bench.claim_here(QUESTION)
        del bench.store.values[QUESTION]
        assert bench.deliver(bench.claim()) is Undelivered.WAIT

    def test_is_removed_with_its_try_unless_its_push_continues(self, bench):
        for record, is_left in ((Run(DEAD), True), (Done(DEAD, ACK, "0:1"), True), (Done(DEAD, ACK), False)):
            bench.run(bench.kept.add_place(OPENID, "a", QUESTION, UNTIL))
            bench.write(QUESTION, record.dump())
            bench.run(bench.kept.remove_unneeded_place(OPENID, "a", QUESTION))
            assert bool(bench.queue.items) == is_left

    def test_gives_its_last_part_if_its_push_is_done(self, bench):
        bench.put("1", key=QUESTION, is_open=True)
        assert get_text(bench.deliver(bench.claim())) == "1"

    def test_is_removed_if_it_is_not_needed(self, bench):
        bench.run(bench.kept.add_place(OPENID, "a", QUESTION, UNTIL))
        bench.run(bench.kept.remove_place(OPENID, "a"))
        assert bench.queue == Queue()
        assert QUESTION not in bench.store.values
