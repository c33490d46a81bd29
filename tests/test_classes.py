"""The classes that share their repr, equality and hash: they behave as those for which attrs writes the methods."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from tests.helpers.rows import check_rows, each_row
from wechat_msg._classes import define, frozen


class Case:
    """Compares without regard to case, but has no hash."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Case) and self.text.lower() == other.text.lower()

    __hash__ = None


def make_record(decorate: Any) -> Any:
    @decorate(kw_only=True)
    class Record:
        plain: Any = 1
        hidden: Any = attrs.field(default=2, repr=False)
        short: Any = attrs.field(default="abc", repr=lambda value: value[:1])
        apart: Any = attrs.field(default=3, eq=False)
        folded: Any = attrs.field(default="x", eq=str.lower)
        unhashed: Any = attrs.field(default=4, hash=False)

    return Record


#: Values for two records that are compared.
PAIRS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({}, {"plain": 5}),
    ({}, {"plain": 1.0}),
    ({}, {"hidden": 5}),
    ({}, {"short": "abd"}),
    ({}, {"apart": 5}),
    ({}, {"folded": "X"}),
    ({}, {"folded": "y"}),
    ({}, {"unhashed": 5}),
    ({"unhashed": []}, {"unhashed": []}),
    ({"plain": Case("a")}, {"plain": Case("A")}),
]


@pytest.mark.parametrize(("theirs", "ours"), [(attrs.frozen, frozen), (attrs.define, define)])
class TestClasses:
    def test_have_the_repr_that_attrs_would_write(self, theirs, ours):
        expected, record = make_record(theirs), make_record(ours)
        for values, others in PAIRS[:-1]:
            assert repr(record(**values)) == repr(expected(**values))
            assert repr(record(plain=record(**others))) == repr(expected(plain=expected(**others)))
        assert repr(record()) == "Record(plain=1, short=a, apart=3, folded='x', unhashed=4)"

    def test_have_a_repr_that_ends_where_they_contain_themselves(self, theirs, ours):
        shown = []
        for decorate in (theirs, ours):
            record = make_record(decorate)(plain=[], hidden=None)
            record.plain.append(record)
            shown.append(repr(record))
        assert shown[0] == shown[1]
        assert "[...]" in shown[0]

    def test_compare_as_attrs_would(self, theirs, ours):
        expected, record = make_record(theirs), make_record(ours)

        def check(one, other):
            assert (record(**one) == record(**other)) is (expected(**one) == expected(**other))
            assert (record(**one) != record(**other)) is (expected(**one) != expected(**other))

        check_rows(PAIRS, check)

    @each_row("fields", [{}, {"a": 1}, {"a": 1, "b": 2}])
    def test_compare_however_many_fields_they_have(self, theirs, ours, fields):
        record = ours(type("Few", (), {"__annotations__": dict.fromkeys(fields, int)}))
        assert record(**fields) == record(**fields)
        for name in fields:
            assert record(**fields) != record(**{**fields, name: 3})
        if record.__hash__ is not None:
            assert len({record(**fields), record(**fields)}) == 1

    def test_are_not_equal_to_those_of_other_classes(self, theirs, ours):
        record = make_record(ours)

        @ours
        class Sub(record):
            pass

        class Plain(record):
            pass

        assert record() == record()
        assert Plain() == Plain()
        assert len([1 for other in (Sub(), Plain(), make_record(ours)(), 1, None) if record() == other]) == 0
        assert record().__eq__(1) is NotImplemented

    def test_have_a_hash_where_those_of_attrs_have_one(self, theirs, ours):
        def hashed(decorate, values):
            try:
                return hash(make_record(decorate)(**values))
            except TypeError:
                return None

        def check(one, other):
            for values in (one, other):
                assert (hashed(ours, values) is None) is (hashed(theirs, values) is None)

        check_rows(PAIRS, check)

    def test_that_are_equal_have_the_same_hash(self, theirs, ours):
        record = make_record(ours)

        def check(one, other):
            first, second = record(**one), record(**other)
            assert first != second or record.__hash__ is None or hash(first) == hash(second)

        check_rows(PAIRS[:-1], check)
        if record.__hash__ is not None:
            assert hash(record(unhashed=1)) == hash(record(unhashed=[]))

    def test_keep_the_methods_of_their_own(self, theirs, ours):
        @ours
        class Whole:
            value: int

            def __repr__(self) -> str:
                return "whole"

            def __eq__(self, other: object) -> bool:
                return True

            def __hash__(self) -> int:
                return 1

        @ours
        class Hashed:
            value: int

            def __hash__(self) -> int:
                return 1

        assert (repr(Whole(1)), Whole(1), hash(Whole(1))) == ("whole", Whole(2), 1)
        assert (Hashed(1) == Hashed(1), Hashed(1) == Hashed(2), hash(Hashed(1))) == (True, False, 1)

    def test_have_none_of_these_methods_if_it_is_switched_off(self, theirs, ours):
        @ours(eq=False, repr=False)
        class Base:
            value: int

        @ours(eq=False, repr=False)
        class Sub(make_record(ours)):
            more: int = 0

        assert Base(1) != Base(1)
        assert isinstance(hash(Base(1)), int)
        assert "object at" in repr(Base(1))
        assert repr(Sub()) == "Sub".join(repr(make_record(ours)()).split("Record"))
        assert Sub() == Sub(more=1)  # compared by the fields of the base class

    def test_are_classes_of_attrs(self, theirs, ours):
        record, expected = make_record(ours), make_record(theirs)
        assert [each.name for each in attrs.fields(record)] == [each.name for each in attrs.fields(expected)]
        assert attrs.evolve(record(), plain=5) == record(plain=5)
        assert attrs.asdict(record()) == attrs.asdict(expected())
        assert not hasattr(record(), "__dict__")
        assert record.__match_args__ == expected.__match_args__ == ()
