"""The file of a conversation: export all entries, and import those of another playground."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

from wechat_msg.errors import MalformedPush
from wechat_msg.playground.chat import Chat
from wechat_msg.playground.page_push import PagePush
from wechat_msg.playground.users import Users, is_openid
from wechat_msg.testing.bilingual import Text, label, same
from wechat_msg.testing.pushes import Mode
from wechat_msg.wire import Format, parse_json

__all__ = ["MAX_FILE_BYTES", "InvalidConversationFile", "export_conversation", "import_conversation"]

MAX_FILE_BYTES = 8 << 20
_MAX_ENTRIES = 2000
_MAX_ELEMENTS = 400_000
_FORMAT = "wechat-msg conversation 1"
_WRONG_MEMBERS = Text(
    f'not a JSON object with "format": "{_FORMAT}" and "entries"',
    f'不是带有 "format": "{_FORMAT}" 与 "entries" 的 JSON 对象',
)
_TOO_MANY = Text(f"more than {_MAX_ENTRIES} entries", f"超过 {_MAX_ENTRIES} 条")


class InvalidConversationFile(ValueError):
    """The file of a conversation is invalid.

    Attributes:
        why: What is wrong, or the first entry that is.
    """

    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why


# --- the entries ------------------------------------------------------------------------------------------------------

_TEXT = {"en": str, "zh": str}
_PROBLEM = {"what": _TEXT}
_NUMBER = (int, float)
_TRY = {
    "number": int,
    "seconds": _NUMBER,
    "outcome": ("verified", "acknowledged", "replied", "failed"),
    "problem": (_PROBLEM, None),
}
_COMMON = {"id": int, "kind": str, "at": _NUMBER, "user": (is_openid, None)}
#: The members of each kind of entry that are read, and their shapes; see `_has_shape`.
_SHAPES: Mapping[str, Mapping[str, Any]] = {
    "message": {
        "fields": dict,
        "document": dict,
        "mode": get_args(Mode),
        "format": get_args(Format),
        "tries": [_TRY],
    },
    "reply": {
        "of": (int, None),
        "reply": dict,
        "number": int,
        "answered": str,
        "mark": ("early", "kept", ""),
        "part": int,
    },
    "failure": {"of": (int, None), "notice": str, "problem": _PROBLEM},
    "service": {"message": dict, "follows": (str, None), "after": (*_NUMBER, None), "nth": (int, None)},
    "template": {"title": str, "message": dict},
    "refused": {"path": str, "answer": dict, "message": (dict, None), "advice": (_TEXT, None)},
}


def _has_shape(value: object, shape: Any) -> bool:
    """Return whether a JSON value has a shape.

    A shape is a type, None, a text that the value must equal, a function of the value, a list with the shape of each
    item, a mapping of names to shapes, or a tuple of shapes of which one must fit.
    """
    match shape:
        case tuple():
            return any(_has_shape(value, one) for one in shape)
        case list():
            return isinstance(value, list) and all(_has_shape(one, shape[0]) for one in value)
        case Mapping():
            return isinstance(value, dict) and all(_has_shape(value.get(name), one) for name, one in shape.items())
        case type():
            return isinstance(value, shape) and not isinstance(value, bool)
        case None | str():
            return value == shape
        case _:
            return bool(shape(value))


# --- export -----------------------------------------------------------------------------------------------------------


def export_conversation(chat: Chat) -> str:
    """Return the file of the conversation: its messages and answers, without the requests and the uploaded files."""
    entries = []
    for entry, source in chat.list_entries():
        if entry["kind"] in _SHAPES:
            document = {"document": source.document} if isinstance(source, PagePush) else {}
            entries.append({**entry, **document})
    return json.dumps({"format": _FORMAT, "entries": entries}, ensure_ascii=False, indent=1)


# --- import -----------------------------------------------------------------------------------------------------------


def import_conversation(chat: Chat, users: Users, body: bytes) -> int:
    """Add the entries of a file to the conversation, with new numbers; return how many there are.

    Raises:
        InvalidConversationFile: The file is invalid. Then nothing is added.
        SettingsError: It has too many users. Then nothing is added.
    """
    entries = _read_file(body)
    users.add(entry["user"] for entry in entries if entry["user"] is not None)
    numbers: dict[int, int] = {}
    for entry in entries:
        number = entry.pop("id")
        numbers[number] = _add(chat, entry, numbers)
    return len(entries)


def _read_file(body: bytes) -> list[dict[str, Any]]:
    if body.count(b"{") + body.count(b"[") + body.count(b",") > _MAX_ELEMENTS:
        raise InvalidConversationFile(Text("too many elements", "元素过多"))
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidConversationFile(Text("not JSON", "不是 JSON")) from None
    if not _has_shape(document, {"format": _FORMAT, "entries": list}):
        raise InvalidConversationFile(_WRONG_MEMBERS)
    if len(document["entries"]) > _MAX_ENTRIES:
        raise InvalidConversationFile(_TOO_MANY)
    return [_read_entry(entry, Text(f"entry {at}", f"entries[{at}]")) for at, entry in enumerate(document["entries"])]


def _read_entry(entry: object, name: Text) -> dict[str, Any]:
    """Return the members of an entry that are known."""
    try:
        read = parse_json(json.dumps(entry, allow_nan=False).encode())  # limits depth and number of elements
    except (ValueError, MalformedPush, RecursionError):
        raise InvalidConversationFile(name) from None
    kind = read.get("kind")
    shape = {**_COMMON, **_SHAPES.get(kind, {})} if isinstance(kind, str) and kind in _SHAPES else None
    if shape is None:
        raise InvalidConversationFile(label(name, same("kind")))
    wrong = [member for member, one in shape.items() if not _has_shape(read.get(member), one)]
    if wrong:
        raise InvalidConversationFile(label(name, same(wrong[0])))
    return {member: read.get(member) for member in shape}


def _add(chat: Chat, entry: dict[str, Any], numbers: Mapping[int, int]) -> int:
    """Add an entry and return its number."""
    shown = {name: value for name, value in entry.items() if value is not None and name != "document"}
    wire: dict[str, Any] = {"imported": json.dumps(entry, ensure_ascii=False), "kind": entry["kind"]}
    if entry["kind"] == "message":
        return _add_message(chat, entry, {**wire, "is_push": entry["user"] is not None})
    if "of" in entry:
        shown["of"] = numbers.get(entry["of"])
    return chat.add(**shown, wire=wire)


def _add_message(chat: Chat, entry: Mapping[str, Any], wire: Any) -> int:
    names = ("user", "fields", "mode", "format", "document", "at", "tries")
    message = PagePush(**{name: entry[name] for name in names}, is_done=True)
    message.entry = chat.add(**{**message.to_entry(), "wire": wire})
    return message.entry
