"""The parts of an answer that go out later, as texts for the store."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.errors import ReplyError
from wechat_msg.replies import RawReply, Reply, to_customer_service_message
from wechat_msg.text import count_bytes
from wechat_msg.wire import Format, render_body

__all__ = ["NOTHING", "add_more", "describe_part", "dump_part", "is_whole", "load_kept", "load_message"]

NOTHING = "{}"
"""A part that can neither be sent nor kept."""

_FORMATS: tuple[Format, ...] = ("xml", "json")


def dump_part(reply: Reply, openid: str, *, sends: bool = False, keeps: bool = True) -> str:
    """Return one part; if it *sends* and *keeps*, one of the two may be impossible.

    Raises:
        ReplyError: There is no such message or reply.
    """
    part: dict[str, Any] = {}
    if sends:
        with contextlib.suppress(*[ReplyError] * keeps):
            part["send"] = to_customer_service_message(reply, reply.to_user_name or openid)
    if keeps:
        with contextlib.suppress(*[ReplyError] * bool(part)):
            part["keep"] = _to_kept(reply)
    return json.dumps(part, ensure_ascii=False).encode("utf-8", "ignore").decode()  # a store takes no lone surrogate


def is_whole(part: str) -> bool:
    """Return whether a part stands whole in the store, and not only the digest of one that has left."""
    return part.startswith("{")


def describe_part(part: str) -> Any:
    """Return what the user gets, without the OpenID."""
    if not is_whole(part):
        return None
    forms = json.loads(part)
    if message := forms.get("send"):
        return message[message["msgtype"]]
    return next(iter(forms["keep"]["fields"].values())) if "keep" in forms else None


def load_message(part: str) -> dict[str, Any]:
    """Return the customer-service message of a part.

    Raises:
        ReplyError: It can only be kept.
    """
    message: dict[str, Any] | None = json.loads(part).get("send")
    if message is None:
        raise ReplyError("this reply cannot be sent as a customer-service message（这种回复不能改用客服消息发送）")
    return message


def load_kept(part: str) -> Reply | None:
    """Return the passive reply of a part; None if it can only be sent."""
    kept = json.loads(part).get("keep")
    if kept is None:
        return None
    known = kept["fields"]
    fields: dict[Format, Any] = {form: known.get(form) or next(iter(known.values())) for form in _FORMATS}
    if not kept["type"]:
        return RawReply(fields["json"])
    return _KeptReply(**kept["head"], fields={form: {"MsgType": kept["type"], **fields[form]} for form in _FORMATS})


def add_more(reply: Reply, more: str, limit: int) -> Reply:
    """Return a text with *more* at its end, if the limit of bytes allows it; any other reply as it is."""
    kept = _to_kept(reply)
    text = next(iter(kept["fields"].values())).get("Content")
    if kept["type"] != "text" or not isinstance(text, str) or count_bytes(text + more) > limit:
        return reply
    fields: dict[Format, Any] = {form: {"MsgType": "text", "Content": text + more} for form in _FORMATS}
    return _KeptReply(**kept["head"], fields=fields)


@frozen(kw_only=True)
class _KeptReply(Reply):
    """A reply that was kept: its members by format, with its MsgType."""

    msg_type = "kept"  # its members name the real one

    fields: Mapping[Format, Mapping[str, Any]] = field(repr=False)

    def to_fields(self, form: Format) -> dict[str, Any]:
        return dict(self.fields[form])


def _to_kept(reply: Reply) -> dict[str, Any]:
    if isinstance(reply, _KeptReply):
        kind, fields = str(reply.fields["xml"]["MsgType"]), {form: dict(each) for form, each in reply.fields.items()}
    else:
        kind, fields = reply.msg_type, _write_fields(reply)
    names = ("to_user_name", "from_user_name", "create_time")
    head = {name: value for name in names if (value := getattr(reply, name)) is not None}
    return {"type": kind, "fields": fields, "head": head}


def _write_fields(reply: Reply) -> dict[Format, dict[str, Any]]:
    """Return the members of a reply in each format in which it can be written."""
    fields: dict[Format, dict[str, Any]] = {}
    problem: Exception | None = None
    for form in _FORMATS:
        try:
            members = reply.to_fields(form)
            render_body(members, form)
            fields[form] = json.loads(json.dumps(members, allow_nan=False))
        except Exception as error:  # noqa: BLE001, the user's own reply class may raise anything
            problem = error
    if not fields:
        raise ReplyError(f"a {type(reply).__name__} cannot be written（回复无法写出）") from problem
    if fields.get("json") == fields.get("xml"):
        del fields["json"]
    return fields
