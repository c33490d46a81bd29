"""The queue of the answers that are kept for a user: its bytes, its transitions, and its flows."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from tests.helpers.rows import each_row
from wechat_msg import StoreError
from wechat_msg.endpoint.kept import Item, Queue, load_queue
from wechat_msg.endpoint.records import Run

LATER = 1000.0
MINE, OTHER = ("push:f", "0.p.f"), ("push:g", "0.p.g")
FULL = 100


def make_item(id: str = "a", *parts: str, **changes: Any) -> Item:
    return Item(**{"id": id, "key": f"push:{id}", "until": LATER, "parts": parts, "count": len(parts), **changes})


def make_queue(*items: Item, gone: tuple[str, ...] = ()) -> Queue:
    return Queue(items, gone)


PLACE = make_item("a", state="place")
TAKEN = make_item("b", "1", "2", taken=MINE)


def list_items(queue: Queue) -> list[tuple[str, str, str]]:
    """Return of each item the id, the state and the parts."""
    return [(item.id, item.state, "".join(item.parts)) for item in queue.items]


class TestAQueue:
    @each_row(
        "queue",
        [
            Queue(),
            Queue(gone=("a", "长")),
            make_queue(PLACE, TAKEN, make_item("b", "长😀", "", next=3, count=5, is_open=True), gone=("c",)),
            make_queue(make_item("", "\0", until=1.7e9 + 1 / 3), make_item("a", *map(str, range(FULL)), taken=OTHER)),
        ],
    )
    def test_is_read_as_it_was_written(self, queue):
        assert load_queue(queue.dump()) == queue
        assert (queue.dump() or b"\2")[0] == 2

    def test_is_no_value_if_it_is_empty(self):
        assert Queue().dump() is None
        assert load_queue(None) == Queue()

    def test_that_was_not_written_by_this_package_is_a_store_error(self):
        raw = make_queue(TAKEN, make_item("c", "1"), gone=("c",)).dump()
        damaged = [b"", b"\x02", b"\x03" + raw[1:], b"\x02R" + raw[2:], raw + b"\0\0\0\0", raw[:-1], raw[:-5]]
        damaged += [raw.replace(b"kept", b"kind"), raw.replace(b"1000.0", b"sooner"), Run("0.p.1").dump()]
        for each in damaged:
            with pytest.raises(StoreError, match="not a queue"):
                load_queue(each)

    def test_shows_nothing_of_the_parts_in_its_repr(self):
        assert "SECRET" not in repr(make_queue(make_item("a", "SECRET")))


class TestAPlace:
    def test_is_at_the_end(self):
        queue = make_queue(make_item("b", "1")).add_place("a", "push:a", LATER)
        assert queue.items[1] == PLACE

    @each_row("queue", [make_queue(PLACE), make_queue(make_item("a", "1")), make_queue(gone=("a",))])
    def test_is_not_added_for_an_answer_that_is_known(self, queue):
        assert queue.add_place("a", "push:a", LATER) is queue

    def test_is_not_added_to_a_hundred(self):
        queue = Queue()
        for number in range(FULL + 5):
            queue = queue.add_place(str(number), f"push:{number}", LATER)
        assert len(queue.items) == FULL

    def test_is_removed_while_it_has_no_answer(self):
        assert make_queue(PLACE, TAKEN).remove_place("a") == make_queue(TAKEN)
        assert make_queue(make_item("a", "1")).remove_place("a") == make_queue(make_item("a", "1"))


class TestAnAnswerThatIsPut:
    def test_goes_into_its_place_or_to_the_end(self):
        queue = make_queue(PLACE, make_item("b", "3"))
        assert list_items(queue.put("a", ("1", "2"), LATER)) == [("a", "kept", "12"), ("b", "kept", "3")]
        assert list_items(queue.put("c", ("4",), LATER))[2] == ("c", "kept", "4")

    @each_row("queue", [make_queue(make_item("a", "1")), make_queue(gone=("a",))])
    def test_a_second_time_changes_nothing(self, queue):
        assert queue.put("a", ("1",), LATER) is queue

    def test_is_extended_while_it_is_open(self):
        queue = Queue().put("a", ("1",), LATER, is_open=True).put("a", ("2", "3"), LATER, at=1, is_open=True)
        assert list_items(queue) == [("a", "kept", "123")]
        again = queue.put("a", ("2", "3"), LATER, at=1, is_open=True)
        assert again == queue
        assert list_items(queue.put("a", ("3", "4"), LATER, at=2)) == [("a", "kept", "1234")]
        closed = queue.put("a", ("4",), LATER, at=3)
        assert closed.put("a", ("5",), LATER, at=4) is closed

    def test_stays_while_it_is_open_and_leaves_when_it_is_closed(self):
        queue = Queue().put("a", ("1",), LATER, is_open=True)
        queue = queue.take(queue.items[0], MINE).settle("a", 0)
        assert list_items(queue) == [("a", "kept", "")]
        assert queue.put("a", (), LATER, at=1) == Queue(gone=("a",))
        assert queue.put("a", ("2",), LATER, at=1).items[0].next == 1

    def test_that_lost_its_item_continues_with_what_is_new(self):
        assert Queue().put("a", ("3",), LATER, at=2, is_open=True).items[0].next == 2


class TestAPart:
    def test_that_is_delivered_leaves(self):
        queue = make_queue(make_item("a", "1", "2", taken=MINE))
        assert queue.settle("a", 0) == make_queue(make_item("a", "2", next=1, count=2))
        assert queue.settle("a", 1) is queue
        assert queue.settle("a", 0).settle("a", 0) == queue.settle("a", 0)

    def test_that_is_the_last_leaves_with_its_item(self):
        queue = make_queue(make_item("a", "1", taken=MINE), make_item("b", "2"), gone=("c",))
        assert queue.settle("a", 0) == make_queue(make_item("b", "2"), gone=("c", "a"))

    def test_that_cannot_be_delivered_is_free_again(self):
        queue = make_queue(make_item("a", "1", taken=MINE))
        assert queue.release(MINE[1]) == make_queue(make_item("a", "1"))
        assert queue.release(OTHER[1]) is queue

    def test_knows_whether_anything_follows(self):
        def is_last(*items: Item) -> bool:
            taken = make_queue(*items).find_taken(MINE)
            assert taken is not None
            return taken.is_last

        last = make_item("a", "1", taken=MINE)
        assert is_last(last)
        assert not is_last(TAKEN)
        assert not is_last(attrs.evolve(last, is_open=True))
        assert not is_last(last, make_item("b", state="place"))
        assert make_queue(last).find_taken(OTHER) is None


class TestALimit:
    def test_of_ids_that_have_left(self):
        queue = Queue()
        for number in range(40):
            queue = queue.put(str(number), ("1",), LATER).settle(str(number), 0)
        assert queue.gone == tuple(map(str, range(8, 40)))

    def test_of_parts_drops_the_oldest(self):
        queue = Queue().put("a", ("1", "2"), LATER).put("b", ("3",) * FULL, LATER)
        fitting, dropped = queue.fit()
        assert dropped == 2
        assert (fitting.gone, [len(item.parts) for item in fitting.items]) == (("a",), [FULL])
        assert fitting.fit() == (fitting, 0)

    def test_of_parts_leaves_what_is_taken(self):
        queue = make_queue(make_item("a", "1", "2", "3", taken=MINE)).put("b", ("4",) * (FULL - 2), LATER)
        fitting, dropped = queue.fit()
        assert dropped == 1
        assert list_items(fitting)[0] == ("a", "kept", "13")
        assert fitting.settle("a", 0).items[0].next == 1

    def test_of_parts_does_not_confuse_the_numbers_of_what_follows(self):
        queue = Queue().put("a", ("1",) * FULL, LATER, is_open=True).put("a", ("2", "3"), LATER, at=FULL, is_open=True)
        fitting, _ = queue.fit()
        assert (fitting.items[0].next, fitting.items[0].count) == (2, FULL + 2)
        assert fitting.put("a", ("2", "3"), LATER, at=FULL, is_open=True) == fitting

    def test_of_bytes_drops_the_oldest(self):
        fitting, dropped = Queue().put("a", ("长" * 30_000,) * 4, LATER).fit()
        assert (dropped, fitting.items[0].next) == (2, 2)
        assert len(fitting.dump()) <= 256_000

    def test_of_bytes_is_exceeded_by_what_is_taken(self):
        huge = make_queue(make_item("a", "长" * 100_000, taken=MINE))
        assert huge.fit() == (huge, 0)

    def test_of_time(self):
        queue = make_queue(
            make_item("a", "1", until=5.0), make_item("b", state="place", until=5.0), make_item("c", "1")
        )
        assert queue.expire(4.9) is queue
        assert queue.expire(5.0) == make_queue(make_item("c", "1"), gone=("a",))
