"""Which states of conversations can be kept, and how they are read again."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
from typing import Any, ClassVar, Literal

import attrs
import pytest

from tests.helpers.rows import check_rows, each_row
from wechat_msg import SettingsError
from wechat_msg._state import Unfit, make_kind


class Size(enum.Enum):
    SMALL = 1
    LARGE = object()


@dataclasses.dataclass
class Place:
    street: str = ""
    near: list[Place] = dataclasses.field(default_factory=list)
    shop: ClassVar[str] = "not a field"


@attrs.define
class Order:
    name: str = ""
    number: int | float | None = None
    size: Size = Size.SMALL
    words: list[dict[str, tuple[int, str]]] = attrs.field(factory=list)
    path: tuple[str, ...] = ()
    pair: tuple[int, bool] = (0, False)
    place: Place | None = None
    _kind: Literal["tea", "coffee", 1] = "tea"
    anything: Any = None
    price: float = 0.0
    is_paid: bool = False
    bare: list = attrs.field(factory=list)  # type: ignore[type-arg]


ORDERS = [
    Order(),
    Order("Ann 李 \ud83d ]]>", 2, Size.LARGE, [{"a": (1, "b")}], ("x", "y"), (3, True)),
    Order(number=2.5, place=Place("here", [Place("there")]), kind=1, anything={"a": [1, None]}, price=3, is_paid=True),
]


@each_row("order", ORDERS)
def test_a_state_is_read_as_it_was_written(order):
    kind = make_kind(Order)
    read = kind.read(json.loads(json.dumps(kind.write(order))))
    assert read == order
    assert type(read.number) is type(order.number)
    assert type(read.price) is float


def test_fields_that_are_missing_get_their_defaults_and_others_are_ignored():
    assert make_kind(Order).read({"name": "Ann", "gone": 1}) == Order("Ann")


def test_a_value_of_another_type_is_neither_written_nor_read():
    kind, secret = make_kind(Order), "a text of the user"
    written = kind.write(Order())
    rows = {
        "name": 1,
        "number": secret,
        "size": secret,
        "words": [{"a": (1, 2)}],
        "path": [secret, 1],
        "pair": (1,),
        "place": secret,
        "kind": secret,
        "price": secret,
        "is_paid": 1,
        "bare": secret,
    }

    def check(name, value):
        with pytest.raises(Unfit, match=f"^Order.{'_' * (name == 'kind')}?{name} ") as raised:
            kind.write(attrs.evolve(Order(), **{name: value}))
        assert secret not in str(raised.value)
        with pytest.raises(Unfit):
            kind.read({**written, name: list(value) if isinstance(value, tuple) else value})

    check_rows({name: (name, value) for name, value in rows.items()}, check)


def test_true_is_no_number_and_a_subclass_is_not_its_base():
    @attrs.define
    class Counter:
        count: int = 0

    @attrs.define
    class More(Counter):
        more: int = 0

    with pytest.raises(Unfit, match=r"Counter\.count must be int"):
        make_kind(Counter).write(Counter(True))
    with pytest.raises(Unfit, match="must be a Counter"):
        make_kind(Counter).write(More())


def test_what_a_validator_refuses_is_not_read():
    @attrs.define
    class Positive:
        count: int = attrs.field(default=1, validator=attrs.validators.gt(0))

    with pytest.raises(Unfit):
        make_kind(Positive).read({"count": 0})


@each_row(
    "hint",
    [
        set,
        dt.datetime,
        str | Size,
        Place | Order,
        dict[int, str],
        list[bytes],
        "Nowhere",
        Literal[b"x"],
        list | tuple,
    ],
)
def test_a_type_that_cannot_be_kept_is_refused_before_anything_is_kept(hint):
    state = attrs.make_class("State", {"value": attrs.field(default=None, type=hint)})
    with pytest.raises(SettingsError, match="dump= and load="):
        make_kind(state)


@each_row("field", [attrs.field(default=1, init=False), attrs.field(factory=list, init=False)])
def test_a_field_that_is_no_argument_is_refused(field):
    with pytest.raises(SettingsError, match=r"State\.value has init=False, .*dump= and load="):
        make_kind(attrs.make_class("State", {"value": field}))


def test_a_key_that_is_no_text_is_not_written():
    kind = make_kind(Order)
    for value in ({1: "a", "1": "b"}, [{"a": ({None: 1},)}]):
        with pytest.raises(Unfit, match=r"Order\.anything has a dict with a key that is not str"):
            kind.write(Order(anything=value))
    with pytest.raises(Unfit, match=r"Order\.bare has a dict"):
        kind.write(Order(bare=[{True: 1}]))


@each_row("state", [dict, int, "Order", Order()])
def test_a_state_is_an_attrs_class_or_a_dataclass(state):
    with pytest.raises(SettingsError, match="attrs class or a dataclass"):
        make_kind(state)
