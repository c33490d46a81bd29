"""Keeps attrs classes and dataclasses as values of JSON, and checks the types of their fields before."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal, Union

import attrs

from wechat_msg._tracebacks import frozen
from wechat_msg.errors import SettingsError

__all__ = ["Kind", "Unfit", "check_keys", "make_kind"]


class Unfit(ValueError):
    """A value is not of the type that its field has; the text names fields and types, never the value."""


@frozen
class Kind:
    """How the values of one type are kept.

    Attributes:
        shape: What distinguishes them in JSON; the types of a union must differ in it.
        read: Returns the value for what was read from JSON, or raises `Unfit`.
        write: Returns what stands in JSON for a value, or raises `Unfit`.
    """

    shape: str
    read: Callable[[Any], Any]
    write: Callable[[Any], Any]


def make_kind(state: type) -> Kind:
    """Return how the instances of a class are kept.

    Raises:
        SettingsError: It is neither an attrs class nor a dataclass, or a field has a type that cannot be kept.
    """
    if not _has_fields(state):
        raise SettingsError("state must be an attrs class or a dataclass（state 必须是 attrs 类或 dataclass）")
    try:
        return _make_object(state, {})
    except Unfit as error:
        raise SettingsError(
            f"{error}; give Conversations dump= and load=（该类型无法保存，请使用 dump= 与 load=）", setting="state"
        ) from None


def check_keys(value: Any) -> Any:
    """Return a value of JSON, of which all keys are text, as JSON would change others.

    Raises:
        Unfit: Another key is in it.
    """
    inner = [*value.values()] if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
        raise Unfit("has a dict with a key that is not str")
    for each in inner:
        check_keys(each)
    return value


def _make_plain(shape: str, *classes: type) -> Kind:
    def check(value: Any) -> Any:
        if isinstance(value, classes) and (bool in classes or not isinstance(value, bool)):
            return value
        raise Unfit(f"must be {shape}")

    return Kind(shape, check, check)


_NUMBER: Final = _make_plain("float", int, float)
_PLAIN: Final = {
    Any: Kind("Any", lambda value: value, check_keys),
    types.NoneType: _make_plain("None", types.NoneType),
    str: _make_plain("str", str),
    int: _make_plain("int", int),
    bool: _make_plain("bool", bool),
    float: Kind("float", lambda value: float(_NUMBER.read(value)), _NUMBER.write),
}


def _make(hint: Any, known: dict[type, Kind]) -> Kind:
    """Return how the values of a type are kept; *known* are the classes in which it stands."""
    origin, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return _make_union([_make(each, known) for each in inner])
    if origin is Literal:
        return _make_literal(inner)
    if origin is tuple and inner and inner[-1] is not ...:
        return _make_row([_make(each, known) for each in inner])
    if origin in (list, tuple):
        return _make_items(origin, _make(inner[0] if inner else Any, known))
    if origin is dict and (not inner or inner[0] is str):
        return _make_mapping(_make(inner[1] if inner else Any, known))
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _make_enum(hint)
    if _has_fields(hint):
        return known.get(hint) or _make_object(hint, known)
    if hint in _PLAIN:
        return _PLAIN[hint]
    raise Unfit(f"cannot be kept as {inspect.formatannotation(hint)}")


def _make_literal(choices: tuple[Any, ...]) -> Kind:
    def check(value: Any) -> Any:
        for choice in choices:
            if choice == value and type(choice) is type(value):
                return choice
        raise Unfit(f"must be one of {choices}")

    if not all(isinstance(choice, (str, int, type(None))) for choice in choices):
        raise Unfit("cannot be kept as this Literal")
    return Kind("str" if any(isinstance(choice, str) for choice in choices) else "Literal", check, check)


def _make_enum(cls: type[enum.Enum]) -> Kind:
    """Return how an enum is kept: by the names of its members, as their values may be anything."""

    def write(value: Any) -> str:
        if isinstance(value, cls) and value.name in cls.__members__:  # a combination of flags is not
            return value.name
        raise Unfit(f"must be a {cls.__name__}")

    def read(name: Any) -> Any:
        if isinstance(name, str) and name in cls.__members__:
            return cls[name]
        raise Unfit(f"must be a {cls.__name__}")

    return Kind("str", read, write)


def _make_union(kinds: list[Kind]) -> Kind:
    shapes = [kind.shape for kind in kinds]
    if len({*shapes}) < len(shapes):
        raise Unfit("cannot be kept as one of several types that look the same in JSON")
    kinds.sort(key=lambda kind: kind.shape == "float")  # it takes whole numbers, too

    def choose(conversions: list[Callable[[Any], Any]], value: Any) -> Any:
        for convert in conversions:
            try:
                return convert(value)
            except Unfit:
                continue
        raise Unfit(f"must be {' or '.join(shapes)}")

    reads, writes = [kind.read for kind in kinds], [kind.write for kind in kinds]
    return Kind("a union", lambda value: choose(reads, value), lambda value: choose(writes, value))


def _make_items(cls: type[list[Any] | tuple[Any, ...]], item: Kind) -> Kind:
    read, write = _check_class(list), _check_class(cls)
    return Kind(
        "array",
        lambda values: cls(map(item.read, read(values))),
        lambda values: [*map(item.write, write(values))],
    )


def _make_row(items: list[Kind]) -> Kind:
    def convert(conversions: list[Callable[[Any], Any]], values: Any) -> Iterator[Any]:
        if len(values) != len(conversions):
            raise Unfit(f"must have {len(conversions)} items")
        return (each(value) for each, value in zip(conversions, values, strict=True))

    read, write = _check_class(list), _check_class(tuple)
    reads, writes = [item.read for item in items], [item.write for item in items]
    return Kind(
        "array", lambda values: tuple(convert(reads, read(values))), lambda values: [*convert(writes, write(values))]
    )


def _make_mapping(item: Kind) -> Kind:
    check, name = _check_class(dict), _PLAIN[str].read

    def convert(conversion: Callable[[Any], Any], values: Any) -> dict[str, Any]:
        return {name(key): conversion(value) for key, value in check(values).items()}

    return Kind("object", lambda values: convert(item.read, values), lambda values: convert(item.write, values))


def _make_object(cls: type, known: dict[type, Kind]) -> Kind:
    """Return how a class is kept: fields that are missing get their defaults, and others are ignored."""
    fields: dict[str, tuple[str, Kind]] = {}

    def read(values: Any) -> Any:
        found = _check_class(dict)(values)
        arguments = {name: kind.read(found[name]) for name, (_, kind) in fields.items() if name in found}
        try:
            return cls(**arguments)
        except Exception:  # noqa: BLE001, a validator's, or a field has no default
            raise Unfit(f"must be a {cls.__name__}") from None

    def write(value: Any) -> dict[str, Any]:
        if type(value) is not cls:  # the fields of a subclass would be lost
            raise Unfit(f"must be a {cls.__name__}")
        return {name: _name_field(cls, name, kind.write, getattr(value, own)) for name, (own, kind) in fields.items()}

    kind = known[cls] = Kind("object", read, write)
    fields.update(_list_fields(cls, known))
    return kind


def _list_fields(cls: type, known: dict[type, Kind]) -> Iterator[tuple[str, tuple[str, Kind]]]:
    """Yield the arguments of a class, one for each field, with the names of their attributes, and their kinds."""
    try:
        hints = typing.get_type_hints(cls)
    except Exception as error:  # noqa: BLE001, an annotation may be anything
        raise Unfit(f"{cls.__name__} has an annotation that cannot be read: {error}") from None
    for each in attrs.fields(cls) if attrs.has(cls) else dataclasses.fields(cls):
        name = getattr(each, "alias", each.name)
        if not each.init:
            raise Unfit(f"{cls.__name__}.{name} has init=False, so it cannot be read again")
        kind = _name_field(cls, name, lambda hint: _make(hint, known), hints.get(each.name, Any))
        yield name, (each.name, kind)


def _name_field(cls: type, name: str, convert: Callable[[Any], Any], value: Any) -> Any:
    """Call a function; the text of its `Unfit` begins with the name of the field."""
    try:
        return convert(value)
    except Unfit as error:
        raise Unfit(f"{cls.__name__}.{name} {error}") from None


def _has_fields(cls: object) -> bool:
    return isinstance(cls, type) and (attrs.has(cls) or dataclasses.is_dataclass(cls))


def _check_class(cls: type) -> Callable[[Any], Any]:
    return _make_plain(cls.__name__, cls).read
