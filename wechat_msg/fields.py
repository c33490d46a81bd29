"""Fields of models: their names on the wire, and how their values are read."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar, dataclass_transform

import attrs

from wechat_msg._fork import importing
from wechat_msg._tracebacks import frozen

__all__ = [
    "Registry",
    "UnreadableField",
    "build",
    "build_from_json",
    "content",
    "integer",
    "items",
    "items_reader_of",
    "lenient_text",
    "model",
    "nested",
    "number",
    "reader_of",
    "snake_case",
    "text",
    "timestamp",
]

T = TypeVar("T")
Convert = Callable[[Any], Any]

_WIRE = "wechat_msg.wire"
_BLANKS = " \t\r\n"
_DIGITS = 20  # of a whole number, at most
_INTEGER = re.compile(rf"[+-]?[0-9]{{1,{_DIGITS}}}", re.ASCII)
_HUGE = 1e300
_LONG = 1e15  # from here on, not all digits of a decimal number may be right
_YEAR_10000 = 253402300800  # the first second that datetime cannot represent
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,40})?", re.ASCII)


class UnreadableField(ValueError):
    """A field is missing, or its value is of another kind; never leaves the package."""


# --- reading one value: None stands for no value -------------------------------------------------------------------


def read_content(value: object) -> str:
    """Read text of a user letter for letter."""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value).lower()  # "true", as in XML
    if isinstance(value, float) and abs(value) < _LONG:
        return str(value)
    raise UnreadableField


def read_text(value: object) -> str:
    """Read text or a whole number, without the line breaks that WeChat sometimes writes around CDATA."""
    return value.strip(_BLANKS) if isinstance(value, str) else read_content(value)


def read_lenient_text(value: object) -> str | None:
    """Read text as `read_text` does; return None for anything else."""
    try:
        return read_text(value)
    except ValueError:
        return None


def read_integer(value: object) -> int | None:
    """Read a whole number, or its decimal text; true and false are 1 and 0."""
    if isinstance(value, str):
        value = value.strip(_BLANKS)
        if value.isdecimal() and value.isascii() and len(value) <= _DIGITS:
            return int(value)
        if value in ("true", "false"):
            return int(value == "true")
        value = _unquote(value)
        if value and not _INTEGER.fullmatch(value):
            raise UnreadableField
        return int(value) if value else None
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    raise UnreadableField


def _unquote(value: str) -> str:
    """Return a number without the quotation marks that one event of WeChat has around it, in XML."""
    return value[1:-1] if value[:1] == value[-1:] == '"' else value


def read_boolean(value: object) -> bool | None:
    """Read true or false, 0 or 1, or the text of one of them."""
    number = read_integer(value)
    return None if number is None else bool(number)


def read_timestamp(value: object) -> int | None:
    """Read seconds since the epoch, from 1970 to the year 9999."""
    seconds = read_integer(value)
    if seconds is not None and not 0 <= seconds < _YEAR_10000:
        raise UnreadableField
    return seconds


def read_number(value: object) -> float | None:
    """Read a number, or its decimal text."""
    if isinstance(value, str):
        value = _unquote(value.strip(_BLANKS))
        if value and not _NUMBER.fullmatch(value):
            raise UnreadableField
        return float(value) if value else None
    if isinstance(value, (int, float)) and abs(value) < _HUGE:
        return float(value)
    raise UnreadableField


def _model_reader(cls: type[Any]) -> Convert:
    def read(value: Any) -> Any:
        if isinstance(value, Mapping):
            return build(cls, value)
        if isinstance(value, str) and not value.strip(_BLANKS):  # an empty element
            return None
        raise UnreadableField

    return read


def _alone(read_one: Convert) -> Convert:
    """Return a function that reads a list, which some JSON has in place of one element or none, as well."""
    return lambda value: read_one((*value, "")[0] if isinstance(value, list) and len(value) < 2 else value)


def _items_reader(read_one: Convert, item: str = "item") -> Convert:
    def read(value: Any) -> tuple[Any, ...]:
        if isinstance(value, Mapping) and value.keys() == {item}:
            value = value[item]
        if isinstance(value, str) and not value.strip(_BLANKS):  # an empty element
            return ()
        values = value if isinstance(value, list) else [value]
        return tuple(one for each in values if each is not None and (one := read_one(each)) is not None)

    return read


def _read_mapping(value: object) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise UnreadableField


def reader_of(kind: Any) -> Convert:
    """Return a function that reads one *kind*; it returns None if there is no value.

    Args:
        kind: ``int``, ``bool``, ``str``, a model, or ``Mapping`` for a structure whose members are not known.
    """
    return _READERS.get(kind) or _model_reader(kind)


def items_reader_of(kind: Any, *, item: str = "item") -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that reads a list of *kind*, whose elements in XML may be called *item*."""
    return _items_reader(reader_of(kind), item)


_READERS: dict[Any, Convert] = {
    annotation: read
    for kind, read in ((str, read_text), (int, read_integer), (bool, read_boolean), (float, read_number))
    for annotation in (kind, kind | None, kind.__name__, f"{kind.__name__} | None")
}
_READERS[Mapping] = _read_mapping


# --- declaring one field ---------------------------------------------------------------------------------------------


class Wire(NamedTuple):
    """The wire names of an attribute, in order, the element that may enclose it, and its reader.

    `flat` is the model of a structure whose members may be members of the push itself.
    """

    names: tuple[str, ...]
    within: str | None
    read: Convert
    flat: type[Any] | None = None


def _field(wire: Wire, **options: Any) -> Any:
    return attrs.field(metadata={_WIRE: wire}, **options)


def text(name: str, *also: str, **options: Any) -> Any:
    """Declare a text field called *name* on the wire, or one of *also*.

    Without ``default`` or ``factory`` among *options* (as for `attrs.field`) the field is required: a push that lacks
    it becomes an `UnknownMessage` or `UnknownEvent`.
    """
    return _field(Wire((name, *also), None, read_text), **options)


def lenient_text(name: str, *also: str, **options: Any) -> Any:
    """Declare a text field that never makes a push unreadable: a value of another kind counts as missing."""
    return _field(Wire((name, *also), None, read_lenient_text), **options)


def content(name: str, *also: str, **options: Any) -> Any:
    """Declare a field for text of a user: like `text`, but it keeps all white space, and no repr shows it."""
    options.setdefault("repr", False)
    return _field(Wire((name, *also), None, read_content), **options)


def integer(name: str, *also: str, **options: Any) -> Any:
    """Declare a whole number, which may arrive as text."""
    return _field(Wire((name, *also), None, read_integer), **options)


def timestamp(name: str, *also: str, **options: Any) -> Any:
    """Declare a time in whole seconds since the epoch, which may arrive as text."""
    return _field(Wire((name, *also), None, read_timestamp), **options)


def number(name: str, *also: str, **options: Any) -> Any:
    """Declare a decimal number, which may arrive as text."""
    return _field(Wire((name, *also), None, read_number), **options)


def nested(name: str, cls: type[Any], *also: str, flat: bool = False, **options: Any) -> Any:
    """Declare a structure that is read into the model *cls*; it is called *name* on the wire, or one of *also*.

    With *flat*, for one structure of a push, it may also be missing: it is then read from the members around it.
    """
    return _field(Wire((name, *also), None, _alone(_model_reader(cls)), cls if flat else None), **options)


def items(name: str, of: Any, *, within: str | None = None, item: str = "item", **options: Any) -> Any:
    """Declare a list that is read into a tuple of *of*: a model, ``int``, ``str``, or ``Mapping`` for what is unknown.

    It may arrive as repeated elements, one element, an element with *item* elements, an array, one bare object, null,
    or not at all. A null in an array is no item. With *within*, an element of that name may enclose the list.
    """
    options.setdefault("default", ())
    return _field(Wire((name,), within, items_reader_of(of, item=item)), **options)


# --- the class of a model --------------------------------------------------------------------------------------------


@dataclass_transform(
    kw_only_default=True,
    frozen_default=True,
    field_specifiers=(text, lenient_text, content, integer, timestamp, number, nested, items, attrs.field),
)
def model(cls: type[T]) -> type[T]:
    """Turn *cls* into a frozen, slotted, keyword-only attrs class with a table of its wire names.

    A field that is only annotated (``my_field: str``) is read from ``my_field`` or ``MyField``.
    """
    if "__attrs_attrs__" not in vars(cls):
        cls = frozen(kw_only=True, slots=True)(cls)
    own: Any = cls
    attributes = [attribute for attribute in attrs.fields(own) if attribute.name != "raw"]
    own.__wire__ = {name: row for attribute in attributes for name, row in _rows(attribute)}
    own.__required__ = frozenset(each.name for each in attributes if each.default is attrs.NOTHING)
    flat = [(each.name, wire.flat) for each in attributes if (wire := each.metadata.get(_WIRE)) and wire.flat]
    own.__flat__ = flat[0] if flat else None
    return cls


def _rows(attribute: attrs.Attribute[Any]) -> Iterator[tuple[str, tuple[str, Convert]]]:
    """Yield the wire names of *attribute*, each with the attribute's name and its reader."""
    wire: Wire = attribute.metadata.get(_WIRE) or _guess_wire(attribute)
    for name in wire.names:
        yield name, (attribute.name, wire.read)
    if wire.within is not None:
        yield wire.within, (attribute.name, _unwrapper(wire.names[0], wire.read))


def _unwrapper(name: str, read: Convert) -> Convert:
    def unwrap(value: Any) -> Any:
        return read(value.get(name)) if isinstance(value, Mapping) and name in value else None

    return unwrap


def _guess_wire(attribute: attrs.Attribute[Any]) -> Wire:
    camel = "".join(word.capitalize() for word in attribute.name.split("_"))
    return Wire((attribute.name, camel), None, _READERS.get(attribute.type, lambda value: value))


def build(cls: type[T], mapping: Mapping[str, Any], **values: Any) -> T:
    """Read *mapping* into a *cls*. *values* are attributes that are already known. A JSON null is no value.

    Raises:
        UnreadableField: A required field is missing, or the value of a field is of another kind.
    """
    table: dict[str, tuple[str, Convert]] = cls.__wire__  # type: ignore[attr-defined]
    required: frozenset[str] = cls.__required__  # type: ignore[attr-defined]
    name = ""
    try:
        for name, value in mapping.items():
            if value is not None and (row := table.get(name)) is not None:
                attribute, read = row
                if (read_value := read(value)) is not None:
                    values[attribute] = read_value
    except ValueError:
        raise UnreadableField(name) from None
    if (flat := cls.__flat__) is not None and flat[0] not in values:  # type: ignore[attr-defined]
        values[flat[0]] = build(flat[1], mapping)
    if not values.keys() >= required:
        raise UnreadableField(min(required - values.keys()))
    return cls(**values)


def build_from_json(cls: type[T], document: str) -> T | None:
    """Read JSON text, which some members are, into a *cls*; return None if it is not such a document."""
    try:
        mapping = json.loads(document)
        return build(cls, mapping) if isinstance(mapping, dict) else None
    except (ValueError, RecursionError):
        return None


def _fold(name: str) -> str:
    return name.lower().replace(" ", "_")  # WeChat has one event in both spellings


class Registry(Generic[T]):
    """The models of names on the wire, without regard to case, and with a space like an underscore.

    Args:
        names_of_modules: Modules with the names whose models they add; `find` imports them when it needs one.
    """

    def __init__(self, names_of_modules: Mapping[str, str] = MappingProxyType({})) -> None:
        self._module_of = {name: module for module, names in names_of_modules.items() for name in names.lower().split()}
        self._own: dict[str, type[T]] = {}  # the models of these modules
        self._models: dict[str, type[T]] = {}  # all others, which replace them whenever the module is imported

    def add(self, cls: type[T], *names: str) -> None:
        """Make *cls* the model of *names*; it replaces earlier ones."""
        for name in map(_fold, names):
            # A second class in the same module is one that a user has registered instead of the first.
            is_own = self._module_of.get(name) == cls.__module__ and name not in self._own
            (self._own if is_own else self._models)[name] = cls

    def find(self, name: str) -> type[T] | None:
        """Return the model of *name*, if there is one."""
        name = _fold(name)
        model = self._models.get(name) or self._own.get(name)
        if model is None and name in self._module_of:
            with importing:
                importlib.import_module(self._module_of[name])
            model = self._own[name]
        return model

    def names_of(self, cls: type[T]) -> list[str]:
        """Return the names whose model is *cls*, in lower case."""
        return [name for name, model in {**self._own, **self._models}.items() if model is cls]

    @contextmanager
    def temporary(self) -> Iterator[None]:
        """Undo all changes at the end of the ``with`` block, as tests need it."""
        models = dict(self._models)
        try:
            yield
        finally:
            self._models = models


def snake_case(name: str) -> str:
    """Return the attribute's name for a wire name.

    Example:
        >>> [snake_case(name) for name in ("FromUserName", "MsgID", "HQMusicUrl", "PicMd5Sum", "Location_X", "openid")]
        ['from_user_name', 'msg_id', 'hq_music_url', 'pic_md5_sum', 'location_x', 'openid']
    """
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()
