"""Several and long answers, texts that users read meanwhile, and what happens to messages that are refused."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections import UserList, deque
from typing import Any

import pytest

from tests.endpoint.test_delivery import ASYNC, PLAIN, PROGRAM, SYNC, TOLD, build
from tests.endpoint.test_kept_replies import KEEP, MORE, Chat
from tests.helpers.processes import World, in_virtual_time
from tests.helpers.rows import each_row
from wechat_msg import (
    NO_DEDUP,
    AnswerLater,
    Article,
    AsyncPushEndpoint,
    ErrCodeReply,
    FallbackReply,
    ImageReply,
    KeepReply,
    NewsReply,
    PushEndpoint,
    SettingsError,
    TextReply,
    TransferCustomerServiceReply,
)
from wechat_msg.text import split_text

LONG = "".join(f"第{number}句话说的是很多很多的事情。" for number in range(300))
NEWS = NewsReply([Article(title="one"), Article(title="two")])


class Refused(Exception):
    """An error of a client."""

    def __init__(self, errcode: int) -> None:
        self.errcode = errcode


class TestSeveralAnswers:
    @each_row("seconds", [0, 20])
    @in_virtual_time
    async def test_are_sent_in_order_after_the_first_one(self, world, seconds):
        worker = world.start(seconds, ["one", "", TextReply("two"), None, "three"])
        assert await Chat(worker).send() == (None if seconds else "one")
        await asyncio.sleep(60)
        assert world.sent == (["one"] if seconds else []) + ["two", "three"]
        assert (world.list_entries(), world.lost) == ({}, [])

    @each_row("answer", [[], [None], ["", None], ["\x00"], [" " * 3000]])
    @in_virtual_time
    async def test_of_which_all_are_empty_are_an_acknowledgement(self, world, answer):
        assert await Chat(world.start(0, answer)).send() is None
        await asyncio.sleep(20)
        assert (world.sent, world.lost) == ([], [])

    @in_virtual_time
    async def test_are_sent_on_by_another_process_after_a_death(self, early_world):
        first, second = early_world.start(0, ["one", "two", "three"]), early_world.start(0)
        first.dies_after_sending = True
        assert await Chat(first).send() == "one"
        await second.call("recover")
        await asyncio.sleep(60)
        assert (first.sent, second.sent) == (["two"], ["two", "three"])
        assert len(early_world.runs) == 1

    @in_virtual_time
    async def test_of_a_mini_program_are_all_sent(self, world):
        worker = world.start(0, ["one", "two"], settings=PROGRAM)
        assert await Chat(worker, settings=PROGRAM).send() is None
        await asyncio.sleep(5)
        assert world.sent == ["one", "two"]

    @in_virtual_time
    async def test_are_sent_without_a_store_that_outlives_the_process(self, world):
        worker = world.start(0, ["one", "two"], store=None)
        assert await Chat(worker).send() == "one"
        await asyncio.sleep(1)
        assert world.sent == ["two"]

    @each_row("late", [None, FallbackReply("请稍候")])
    @in_virtual_time
    async def test_without_a_policy_for_the_others_are_cut_to_the_first(self, world, caplog, late):
        endpoint = world.build(world.handler(0, ["one", "two", ImageReply(media_id="m")]), late=late)
        assert await world.push(endpoint) == [(pytest.approx(0, abs=0.1), "one")]
        [record] = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert "2 parts with 3 bytes of text are lost" in record.getMessage()


class TestALongAnswer:
    @each_row("seconds", [0, 20])
    @in_virtual_time
    async def test_is_sent_in_parts(self, world, seconds):
        text = await Chat(world.start(seconds, LONG)).send()
        await asyncio.sleep(60)
        parts = ([text] if text else []) + world.sent
        assert parts == split_text(LONG)

    @in_virtual_time
    async def test_is_cut_without_a_policy(self, world, caplog):
        worker = world.start(0, LONG, late=FallbackReply("x"), text_limit=300)
        text = await Chat(worker).send()
        assert text == split_text(LONG, 300)[0]
        lost = sum(len(part.encode()) for part in split_text(LONG, 300)[1:])
        assert f"with {lost} bytes of text are lost" in caplog.text

    @in_virtual_time
    async def test_of_another_kind_is_left_as_it_is(self, world):
        assert (await Chat(world.start(0, ImageReply(media_id="m" * 5000))).send())["Image"] == {"MediaId": "m" * 5000}


class TestAText:
    @each_row(("after", "at"), [("at_once", 0), ("first_try", 4.5), ("last_try", 14.5)])
    @in_virtual_time
    async def test_is_read_before_the_answer_is_sent(self, early_world, after, at):
        worker = early_world.start(20, late={"text": "稍等", "after": after})
        chat = Chat(worker)
        assert await chat.send() == "稍等"
        assert chat.tries[-1].at == pytest.approx(at, abs=0.1)
        await asyncio.sleep(30)
        assert early_world.sent == [TOLD]

    @in_virtual_time
    async def test_is_read_again_if_wechat_sends_the_push_again(self, early_world):
        """As if the first response were lost."""
        worker = early_world.start(20, late={"text": "稍等"})
        assert await worker.push() == [(pytest.approx(4.5, abs=0.1), "稍等")]
        assert await worker.push() == [(pytest.approx(4.5, abs=0.1), "稍等")]
        await asyncio.sleep(30)
        assert await worker.push() == [(pytest.approx(34.5, abs=0.1), "稍等")]
        assert early_world.sent == [TOLD]

    @in_virtual_time
    async def test_of_the_fallback_may_be_read_after_the_first_try(self, early_world):
        worker = early_world.start(7, late=FallbackReply("稍等", after="first_try"))
        chat = Chat(worker)
        assert await chat.send() == "稍等"
        assert len(chat.tries) == 1
        await asyncio.sleep(7)
        assert early_world.lost == [("hi", "late")]


class TestUnsent:
    @each_row("errcode", [48001, 45015, 45047, 45002])
    @in_virtual_time
    async def test_answers_that_wechat_refuses_are_kept(self, early_world, errcode):
        worker = early_world.start(7, ["one", NEWS, TransferCustomerServiceReply()], late={"unsent": KEEP})
        worker.errors = [Refused(errcode)]
        chat = Chat(worker, early_world.start(7, late={"unsent": KEEP}))
        assert await chat.send() is None
        await asyncio.sleep(20)
        assert early_world.sent == ["one"]
        assert await chat.send() == "one" + MORE
        assert (await chat.send())["ArticleCount"] == "2"
        assert (await chat.send())["MsgType"] == "transfer_customer_service"
        assert (len(early_world.runs), early_world.kept, early_world.lost) == (1, {}, [])

    @in_virtual_time
    async def test_answers_are_kept_after_three_attempts(self, early_world):
        worker = early_world.start(7, late={"unsent": KEEP})
        worker.errors = [OSError()]
        chat = Chat(worker)
        assert await chat.send() is None
        await asyncio.sleep(120)
        assert early_world.sent == [TOLD] * 3
        assert await chat.send() == TOLD
        assert (early_world.list_entries(), early_world.lost) == ({}, [])

    @in_virtual_time
    async def test_answers_are_kept_from_the_part_on_that_was_refused(self, early_world):
        worker = early_world.start(0, ["one", "two", "three"], late={"unsent": KEEP})
        worker.errors = [None, Refused(45047)]
        chat = Chat(worker)
        assert await chat.send() == "one"
        await asyncio.sleep(1)
        assert early_world.sent == ["two", "three"]
        assert await chat.send() == "three"

    @in_virtual_time
    async def test_answers_are_kept_without_a_store_that_outlives_the_process(self, early_world):
        worker = early_world.start(7, ["one", "two"], late={"unsent": KEEP}, store=None)
        worker.errors = [None, Refused(45047)]
        chat = Chat(worker)
        assert await chat.send() is None
        await asyncio.sleep(10)
        assert await chat.send() == "two"


class TestMeanwhile:
    @in_virtual_time
    async def test_is_entered_before_the_handler_and_left_after_it(self, world):
        order: list[Any] = []

        @contextlib.contextmanager
        def typing(message: Any) -> Any:
            order.append("enter")
            try:
                yield
            finally:
                order.append("leave")

        async def handle(message: Any) -> str:
            order.append("handle")
            return TOLD

        assert await Chat(world.start(handle, late={"meanwhile": typing})).send() == TOLD
        assert order == ["enter", "handle", "leave"]

    @in_virtual_time
    async def test_is_left_with_the_error_of_the_handler(self, world):
        errors: list[Any] = []

        class Typing:
            def __enter__(self) -> None:
                pass

            def __exit__(self, *error: object) -> None:
                errors.append(error[0])

        worker = world.start(0, KeyError("x"), late={"meanwhile": lambda message: Typing()})
        with pytest.raises(KeyError):
            await world.handle(worker.endpoint, build())
        assert errors == [KeyError]

    @each_row("meanwhile", [lambda message: 1 / 0, lambda message: 5, lambda message: contextlib.closing(5)])
    @in_virtual_time
    async def test_that_fails_costs_no_answer(self, world, meanwhile, caplog):
        assert await Chat(world.start(0, late={"meanwhile": meanwhile})).send() == TOLD
        assert "meanwhile" in caplog.text

    @in_virtual_time
    async def test_may_be_async_in_an_async_endpoint(self, caplog):
        entered = []

        class Typing:
            async def __aenter__(self) -> None:
                entered.append(1)

            async def __aexit__(self, *error: object) -> None:
                entered.append(2)

        for kind, expected in ((ASYNC, [1, 2]), (SYNC, [])):
            entered.clear()
            world = World(kind)
            assert await Chat(world.start(0, late={"meanwhile": lambda message: Typing()})).send() == TOLD
            assert entered == expected


class TestOptions:
    @each_row(
        ("settings", "options"),
        [
            (PROGRAM, {"late": KeepReply("x")}),
            (PROGRAM, {"late": AnswerLater(print, after="last_try", text="x")}),
            (PROGRAM, {"late": AnswerLater(print, after="last_try", unsent=KeepReply("x"))}),
            (PLAIN, {"late": KeepReply("x"), "store": NO_DEDUP}),
            (PLAIN, {"late": AnswerLater(print, after="last_try", unsent=KeepReply("x")), "store": NO_DEDUP}),
            (PLAIN, {"late": KeepReply("x", more="再" * 400)}),
            (PLAIN, {"late": KeepReply("x"), "text_limit": 64}),
            (PLAIN, {"text_limit": 63}),
            (PLAIN, {"text_limit": None}),
            (PLAIN, {"late": KeepReply}),
        ],
    )
    @pytest.mark.parametrize("kind", [PushEndpoint, AsyncPushEndpoint])
    def test_that_do_not_fit_together_are_refused(self, kind, settings, options):
        with pytest.raises(SettingsError):
            kind(settings, lambda message: "x", **options)

    @each_row(
        "late",
        [KeepReply("x", after="first_try"), KeepReply("x", after="at_once"), FallbackReply("x", after="first_try")],
    )
    def test_that_answer_before_the_handler_ends_need_an_executor(self, late):
        with pytest.raises(SettingsError, match="executor"):
            PushEndpoint(PLAIN, lambda message: "x", late=late)

    @each_row("values", [{"after": "second_try"}, {"keep": 0}, {"keep": True}, {"more": None}, {"fetch": 5}])
    def test_of_keep_reply_are_checked(self, values):
        with pytest.raises(SettingsError):
            KeepReply("x", **values)


class TestAPartThatCannotBeSent:
    @each_row(
        ("answer", "sent"),
        [
            ([NEWS, "b"], ["b"]),
            (["a", NEWS], []),
            (["a", NEWS, "c"], ["c"]),
            ([TransferCustomerServiceReply(), "b"], ["b"]),
        ],
    )
    @in_virtual_time
    async def test_after_the_first_is_lost_and_the_others_are_sent(self, world, answer, sent):
        assert await Chat(world.start(0, answer)).send() is not None
        await asyncio.sleep(20)
        assert world.sent == sent
        assert len(world.lost) == ("a" in answer)

    @in_virtual_time
    async def test_is_lost_if_the_answer_is_late(self, world):
        assert await Chat(world.start(20, [NEWS, "b"])).send() is None
        await asyncio.sleep(60)
        assert (world.sent, [reason for _, reason in world.lost]) == (["b"], ["unsent"])


class TestTexts:
    @each_row(
        "late",
        [
            KeepReply("等" * 700),
            FallbackReply("等" * 700),
            AnswerLater(print, text="等" * 700, after="last_try"),
            AnswerLater(print, unsent=KeepReply("等" * 700), after="last_try"),
        ],
    )
    def test_that_wechat_refuses_are_refused(self, late):
        with pytest.raises(SettingsError, match="2047"):
            AsyncPushEndpoint(PLAIN, lambda message: "x", late=late)

    @in_virtual_time
    async def test_of_unsent_answers_leave_room_for_more(self, early_world):
        worker = early_world.start(7, LONG, late={"unsent": KEEP})
        worker.errors = [Refused(45015)]
        chat = Chat(worker)
        assert await chat.send() is None
        await asyncio.sleep(10)
        texts = [await chat.send()]
        while texts[-1].endswith(MORE):
            texts.append(await chat.send())
        assert "".join(text.removesuffix(MORE) for text in texts) == LONG


class TestAnAnswerOfVeryManyParts:
    @each_row("late", [KEEP, {}])
    @in_virtual_time
    async def test_is_cut_to_a_hundred(self, world, late, caplog):
        worker = world.start(0, [str(number) for number in range(150)], late=late)
        assert await Chat(worker).send() in ("0", "0" + MORE)
        await asyncio.sleep(60)
        parts = world.sent or [part for queue in world.kept.values() for item in queue.items for part in item.parts]
        assert (len(parts), world.lost) == (99, [])
        assert "50 parts with 150 bytes of text are lost" in caplog.text


class TestAList:
    @each_row(
        "answer", [deque(["one", "two"]), ("one", "two"), UserList(["one", "two"]), [ErrCodeReply(), "one", "two"]]
    )
    @each_row("seconds", [0, 20])
    @in_virtual_time
    async def test_may_be_any_sequence(self, world, answer, seconds):
        first = await Chat(world.start(seconds, answer)).send()
        await asyncio.sleep(60)
        assert ([first] if first else []) + world.sent == ["one", "two"]


class TestAFirstPartThatIsGivenWithoutTheStore:
    @each_row("late", [KEEP, {}])
    @in_virtual_time
    async def test_is_recorded_before_the_others_go_out(self, early_world, late):
        """So that a re-send gets it, and the handler does not run again for parts of another run."""

        async def handle(message: Any) -> list[str]:
            fails = first.store.calls + 1
            first.store.fails = lambda number: number == fails
            asyncio.get_running_loop().call_later(0.1, first.kill)
            return ["one", "two"]

        first = early_world.start(handle, late=late)
        second = early_world.start(0, "another run", late=late)
        chat = Chat(first)
        text = await chat.send()
        assert text.startswith("one")
        await asyncio.sleep(5)
        chat.workers, chat.numbers = itertools.cycle([second]), itertools.count(1)
        assert await chat.send() == text
        if late == KEEP:
            assert await chat.send() == "two"
        assert (len(early_world.runs), early_world.sent) == (1, [] if late == KEEP else ["two"])


class TestAResend:
    @in_virtual_time
    async def test_gets_the_first_part_from_the_process_that_took_over_the_others(self, early_world):
        async def send_slowly(message: Any) -> None:
            await asyncio.sleep(20)

        first = early_world.start(0, ["one", "two"])
        first.dies_after_sending = True
        second = early_world.start(0, late=AnswerLater(early_world.adapt(send_slowly)))
        assert await first.push() == [(pytest.approx(0, abs=0.1), "one")]
        await asyncio.sleep(5)
        assert await second.call("recover") == 1
        assert await second.push() == [(pytest.approx(5, abs=0.1), "one")]
        await asyncio.sleep(30)
        assert await second.push() == [(pytest.approx(35, abs=0.1), "one")]
