"""The reader of answers: valid JSON is read exactly, and an invalid value does not affect the others."""

from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.cpu_time import measure
from tests.helpers.rows import each_row
from wechat_msg._json import read_object

MB = 1 << 20

texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('\\"/{}[],:\n\t\0ux'))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)
objects = st.dictionaries(texts, values, max_size=5)


BAD = [
    *(b'"\xff"', b'"\xe4\xbd"', b'"\xed\xa0\x80"', b'"\x00\x1f\r\n"', rb'"\x"', rb'"\ "', rb'"\u12"', rb'"\uzzzz"'),
    *(rb'"\ud800"', rb'"\\\x\\"', b"NaN", b"Infinity", b"-Infinity", b"-1e999", b"9" * 5000),
]


@given(objects, st.booleans())
def test_what_is_in_order_is_read_exactly(value, ensure_ascii):
    assert read_object(json.dumps(value, ensure_ascii=ensure_ascii).encode()) == value


@given(st.sampled_from(BAD), objects)
def test_a_bad_value_leaves_those_around_it_alone(bad, value):
    around = json.dumps(value, ensure_ascii=False)
    read = read_object(b'{"a":%s,"b":[%s,{"c":%s}],"d":%s}' % (around.encode(), bad, bad, around.encode()))

    assert read is not None
    assert list(read) == ["a", "b", "d"]
    assert read["a"] == read["d"] == value
    json.dumps(read, allow_nan=False, ensure_ascii=False).encode()


@given(objects)
def test_what_is_cut_off_is_never_read(value):
    body = json.dumps(value, ensure_ascii=False).encode()

    assert [read_object(body[:length]) for length in range(len(body))] == [None] * len(body)


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_whatever_comes_is_an_object_or_none(start, end):
    for body in (start, b"{" + start, b'{"a":' + start + b"}", b'{"a":"' + start + b'","b":"' + end + b'"}'):
        assert isinstance(read_object(body), dict | None)


@each_row(
    "body",
    [b"", b" ", b"[]", b"[{}]", b"1", b"null", b'"{}"', b"{}{}", b"{} x", b"<html>{}</html>", b"{a:1}", b"{'a':1}"],
)
def test_a_text_that_is_not_an_object_gives_none(body):
    assert read_object(body) is None


@each_row(
    "body",
    [
        b'{"a":' * MB,
        b'{"a":"' + rb"\x" * MB + b'"}',
        b'{"a":"' + b"\\" * (2 * MB) + b"\\",
        b'{"a":"' + b"\xff" * (2 * MB) + b'"}',
        b'{"a":' + b"9" * (2 * MB) + b"}",
        b'{"a":' + b"9" * (2 * MB) + b".0}",
        b"<" * (2 * MB),
    ],
)
def test_a_huge_text_takes_time_in_proportion_to_its_length(body):
    assert measure(read_object, body, times=1) < 10


def test_numbers_stay_exact():
    body = b'{"id":18446744073709551617,"big":%s,"float":0.1,"minus":-0.0}' % (b"9" * 4000)
    read = read_object(body)

    assert read == {"id": 2**64 + 1, "big": 10**4000 - 1, "float": 0.1, "minus": 0.0}
    assert math.copysign(1, read["minus"]) == -1


@each_row(("levels", "is_read"), [(8, True), (64, True), (65, False), (900, False), (100_000, False)])
def test_an_object_that_is_nested_too_deep_gives_none(levels, is_read):
    assert (read_object(b'{"a":' * levels + b"1" + b"}" * levels) is not None) == is_read
