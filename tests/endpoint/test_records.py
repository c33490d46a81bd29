"""The records of a push, as bytes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.rows import each_row
from wechat_msg import Acknowledgement, StoreError
from wechat_msg.endpoint.records import Done, Free, InboxEntry, Run, dump_texts, load_entry, load_record, load_texts
from wechat_msg.replies import RenderedReply

CLAIM = "3.0123456789abcdef.0123456789abcdef"
ACK = Acknowledgement()
REPLY = RenderedReply(documents={"xml": "<xml><A>1</A></xml>", "json": '{"A":1}'})
GARBAGE = [b"", b"\xff", b"garbage", b"\x02", b"\x03", b'{"owner":"o","late":false}', b"\0" * 100_000]


def make_entry(**changes: Any) -> InboxEntry:
    values = {
        "format": "xml",
        "is_sealed": False,
        "document": b"<xml>\xe4\xbd</xml>",
        "came": 1.7e9 + 1 / 3,
        "due": 1.7e9,
    }
    return InboxEntry(**{"key": "wx:push:0", "attempt": 1, "claim": CLAIM, **values, **changes})


class TestARecord:
    @each_row(
        "record",
        [
            Run(CLAIM),
            Run(CLAIM, late=True),
            Run(CLAIM, "0:12", late=True),
            Free(CLAIM, "0:12"),
            Free("..", "0:12", late=True),
            Run(CLAIM, kind="fetch"),
            Free(CLAIM, "0:12", late=True, kind="fetch"),
            Done(CLAIM, ACK),
            Done(CLAIM, ACK, "0:12"),
            Done(CLAIM, Acknowledgement(body="")),
            Done(CLAIM, REPLY),
            Done(CLAIM, RenderedReply(documents={"xml": "你好😀]]>"})),
            Done(CLAIM, RenderedReply(documents={"json": "{}"})),
            Done(CLAIM, REPLY, "0:12", carries=("长", 12)),
            Done(CLAIM, ACK, carries=("", 0)),
        ],
    )
    def test_is_read_as_it_was_written(self, record):
        assert load_record(record.dump()) == record
        assert type(load_record(record.dump())) is type(record)
        assert load_record(record.dump()).dump() == record.dump()
        assert record.dump()[0] == 2

    def test_is_short_enough_for_any_store(self):
        assert len(Run(CLAIM).dump()) < 100
        long = RenderedReply(documents={"xml": "长" * 2048, "json": "长" * 2048})
        assert len(Done(CLAIM, long).dump()) < 64 * 1024

    @each_row(
        "record",
        [
            *(Run(CLAIM), Run(CLAIM, "0:1", late=True), Run(CLAIM, kind="fetch"), Free(CLAIM, "0:1")),
            *(Done(CLAIM, REPLY, "0:1"), Done(CLAIM, ACK), Done(CLAIM, REPLY, carries=("i", 3))),
        ],
    )
    def test_of_another_format_or_damaged_is_a_store_error(self, record):
        raw = record.dump()
        damaged = [b"\x03" + raw[1:], b"\x02X" + raw[2:], raw + b"\0", raw + b"\0\0\0\0", *cut(raw)]
        for each in damaged:
            with pytest.raises(StoreError, match="not a record"):
                load_record(each)

    @each_row(
        "raw",
        [
            *GARBAGE,
            dump_texts([CLAIM]),
            make_entry().dump(),
            Run("no claim").dump(),
            Done(CLAIM, ACK).dump().replace(b"success", b"SUCCESS"),
            Done(CLAIM, REPLY).dump().replace(b"json", b"yaml"),
            Run(CLAIM).dump().replace(b"3.01", b"3.\xff1"),
            Run(CLAIM, late=True).dump().replace(b"late", b"soon"),
            Run(CLAIM, kind="fetch").dump().replace(b"fetch", b"other"),
            Done(CLAIM, ACK, carries=("i", 3)).dump().replace(b"\ni3", b"\nix"),
        ],
    )
    def test_that_was_not_written_by_this_package_is_a_store_error(self, raw):
        with pytest.raises(StoreError, match="not a record"):
            load_record(raw)

    def test_names_the_delivery_of_its_claim(self):
        assert Run(CLAIM).name == "01234567"


def cut(raw: bytes) -> list[bytes]:
    """Return the value as it would be if its end was lost; what ends after a text may be another record."""
    return [raw[:end] for end in range(len(raw)) if end < 2 + 4 or end % 7 == 0]


class TestAnEntry:
    @each_row(
        "entry",
        [
            make_entry(),
            make_entry(format="json", is_sealed=True, document=bytes(range(256)) * 1000),
            make_entry(state="answered", parts=("{}", '{"a":"你好😀"}', ""), sent=2, claim=".."),
            make_entry(state="lost", reason="unsent", attempt=3),
        ],
    )
    def test_is_read_as_it_was_written(self, entry):
        assert load_entry(entry.dump()) == entry
        assert entry.dump()[0] == 2

    @each_row(
        "raw",
        [
            *GARBAGE,
            Run(CLAIM, "0:1").dump(),
            dump_texts([CLAIM]),
            b"\x03" + make_entry().dump()[1:],
            *(make_entry().dump()[:end] for end in range(len(make_entry().dump()))),
            make_entry(format="yaml").dump(),
            make_entry(state="later").dump(),
            make_entry(claim="none").dump(),
            make_entry(came="soon").dump(),
            make_entry(attempt="1.5").dump(),
        ],
    )
    def test_that_was_not_written_by_this_package_is_a_store_error(self, raw):
        with pytest.raises(StoreError, match="not an entry"):
            load_entry(raw)

    def test_shows_nothing_of_the_push_in_its_repr(self):
        entry = make_entry(document=b"SECRET", parts=("SECRET",))
        assert "SECRET" not in repr(entry)


class TestTexts:
    @each_row("texts", [[], ["a"], ["a", "", "长"]])
    def test_are_read_as_they_were_written(self, texts):
        assert load_texts(dump_texts(texts)) == texts

    def test_are_none_if_there_is_no_value(self):
        assert load_texts(None) == []

    @each_row("raw", [*GARBAGE, Run(CLAIM).dump(), dump_texts(["a"])[:-1], b"\x03" + dump_texts(["a"])[1:]])
    def test_that_were_not_written_by_this_package_are_a_store_error(self, raw):
        with pytest.raises(StoreError, match="neither a lane"):
            load_texts(raw)
