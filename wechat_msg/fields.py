"""What a model's fields are called on the wire and how they are read: the table behind every message and event."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar, dataclass_transform

import attrs

from wechat_msg._tracebacks import frozen

__all__ = [
    "UnreadableField",
    "build",
    "content",
    "integer",
    "items",
    "items_reader_of",
    "model",
    "nested",
    "number",
    "reader_of",
    "snake_case",
    "text",
    "text_if_any",
    "timestamp",
]

T = TypeVar("T")
Convert = Callable[[Any], Any]

_WIRE = "wechat_msg.wire"
_BLANKS = " \t\r\n"
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
_HUGE = 1e300
_YEAR_10000 = 253402300800  # datetime ends there
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,40})?", re.ASCII)


class UnreadableField(ValueError):
    """A field is missing or holds something of another kind; never leaves the package."""


# --- reading one value; None: there is nothing to read ---------------------------------------------------------------


def read_content(value: object) -> str:
    """Take a user's own words letter for letter."""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value).lower()  # "true", as XML has it
    raise UnreadableField


def read_text(value: object) -> str:
    """Take text or a whole number; the line breaks that WeChat sometimes sets around CDATA go."""
    return value.strip(_BLANKS) if isinstance(value, str) else read_content(value)


def read_text_if_any(value: object) -> str | None:
    """Take text as `read_text` does, and anything else for nothing."""
    try:
        return read_text(value)
    except ValueError:
        return None


def read_integer(value: object) -> int | None:
    """Take a whole number, or its decimal text; true and false are 1 and 0."""
    if isinstance(value, str):
        value = value.strip(_BLANKS)
        if value in ("true", "false"):
            return int(value == "true")
        if value and not _INTEGER.fullmatch(value):
            raise UnreadableField
        return int(value) if value else None
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    raise UnreadableField


def read_timestamp(value: object) -> int | None:
    """Take seconds since the epoch, from 1970 to the end of the calendar."""
    seconds = read_integer(value)
    if seconds is not None and not 0 <= seconds < _YEAR_10000:
        raise UnreadableField
    return seconds


def read_number(value: object) -> float | None:
    """Take a number, or its decimal text."""
    if isinstance(value, str):
        value = value.strip(_BLANKS)
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


def _items_reader(read_one: Convert) -> Convert:
    def read(value: Any) -> tuple[Any, ...]:
        if isinstance(value, Mapping) and value.keys() == {"item"}:
            value = value["item"]
        values = value if isinstance(value, list) else [value]
        return tuple(one for one in map(read_one, values) if one is not None)

    return read


def reader_of(kind: type[Any]) -> Convert:
    """Return what reads one *kind*: ``int``, ``str`` or a model; as always, it gives None if there is nothing."""
    return _READERS.get(kind) or _model_reader(kind)


def items_reader_of(kind: type[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """Return what reads a list of *kind*."""
    return _items_reader(reader_of(kind))


_READERS: dict[Any, Convert] = {
    annotation: read
    for kind, read in ((str, read_text), (int, read_integer), (float, read_number))
    for annotation in (kind, kind | None, kind.__name__, f"{kind.__name__} | None")
}


# --- declaring one field ---------------------------------------------------------------------------------------------


class Wire(NamedTuple):
    """How one attribute is found and read: its wire names in order, the element it may be wrapped in, its reader."""

    names: tuple[str, ...]
    within: str | None
    read: Convert


def _field(wire: Wire, **options: Any) -> Any:
    return attrs.field(metadata={_WIRE: wire}, **options)


def text(name: str, *also: str, **options: Any) -> Any:
    """Declare a text field called *name* on the wire, or one of *also*.

    Without ``default`` or ``factory`` among *options* (as for `attrs.field`) the field is required: a push that lacks
    it becomes an `UnknownMessage` or `UnknownEvent`.
    """
    return _field(Wire((name, *also), None, read_text), **options)


def text_if_any(name: str, *also: str, **options: Any) -> Any:
    """Declare a text field that never spoils a push: what cannot be read counts as missing."""
    return _field(Wire((name, *also), None, read_text_if_any), **options)


def content(name: str, *also: str, **options: Any) -> Any:
    """Declare a field of a user's own words: like `text`, but all white space is kept, and no repr shows it."""
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


def nested(name: str, cls: type[Any], **options: Any) -> Any:
    """Declare a structure of its own, read into the model *cls*."""
    return _field(Wire((name,), None, _model_reader(cls)), **options)


def items(name: str, of: type[Any], *, within: str | None = None, **options: Any) -> Any:
    """Declare a list, read into a tuple of *of* (a model, ``int`` or ``str``), whatever shape it arrives in.

    Those shapes are: repeated elements, one element, ``item`` elements inside, an array, one bare object, nothing.
    With *within*, the list may also stand inside an element of that name.
    """
    options.setdefault("default", ())
    return _field(Wire((name,), within, items_reader_of(of)), **options)


# --- the table of a class --------------------------------------------------------------------------------------------


@dataclass_transform(
    kw_only_default=True,
    frozen_default=True,
    field_specifiers=(text, text_if_any, content, integer, timestamp, number, nested, items, attrs.field),
)
def model(cls: type[T]) -> type[T]:
    """Make *cls* a frozen, slotted, keyword-only attrs class with a table of its wire names.

    A field that is only annotated (``my_field: str``) is read from ``my_field`` or ``MyField``.
    """
    if "__attrs_attrs__" not in vars(cls):
        cls = frozen(kw_only=True, slots=True)(cls)
    own: Any = cls
    attributes = [attribute for attribute in attrs.fields(own) if attribute.name != "raw"]
    own.__wire__ = {name: row for attribute in attributes for name, row in _rows(attribute)}
    own.__required__ = frozenset(each.name for each in attributes if each.default is attrs.NOTHING)
    return cls


def _rows(attribute: attrs.Attribute[Any]) -> Iterator[tuple[str, tuple[str, Convert]]]:
    """Yield every wire name that *attribute* is read from, with its reader."""
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
    """Read *mapping* into a *cls*; *values* are attributes that are known already. A JSON null is no value.

    Raises:
        UnreadableField: A required field is missing, or a field holds something of another kind.
    """
    table: dict[str, tuple[str, Convert]] = cls.__wire__  # type: ignore[attr-defined]
    for name, value in mapping.items():
        if name in table and value is not None:
            attribute, read = table[name]
            try:
                value = read(value)
            except ValueError:
                raise UnreadableField(name) from None
            if value is not None:
                values[attribute] = value
    for attribute in cls.__required__ - values.keys():  # type: ignore[attr-defined]
        raise UnreadableField(attribute)
    return cls(**values)


def snake_case(name: str) -> str:
    """Turn a wire name into the attribute's name.

    Example:
        >>> [snake_case(name) for name in ("FromUserName", "MsgID", "HQMusicUrl", "PicMd5Sum", "Location_X", "openid")]
        ['from_user_name', 'msg_id', 'hq_music_url', 'pic_md5_sum', 'location_x', 'openid']
    """
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()
