"""The parts of an answer that go out later, as texts for the store."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.endpoint.late import AnswerLater, LatePolicy
from wechat_msg.errors import ReplyError
from wechat_msg.replies import RawReply, Reply, to_customer_service_message
from wechat_msg.text import count_bytes
from wechat_msg.wire import Format

__all__ = ["add_more", "describe_part", "dump_part", "dump_parts", "is_whole", "load_kept", "load_message"]

_FORMATS: tuple[Format, ...] = ("xml", "json")


def dump_parts(late: LatePolicy | None, replies: Sequence[Reply], openid: str) -> tuple[str, ...]:
    """Return the parts for *late*: each as a customer-service message, as a passive reply, or as both.

    Raises:
        ReplyError: There is no such message or reply.
    """
    sends = isinstance(late, AnswerLater)
    keeps = not sends or cast("AnswerLater", late).unsent is not None
    return tuple(dump_part(reply, openid, sends=sends, keeps=keeps) for reply in replies)


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
    return json.dumps(part, ensure_ascii=False).encode("utf-8", "replace").decode()  # a store takes no lone surrogate


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
    return forms["keep"]["fields"]["xml"]


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
    fields: dict[Format, Any] = {form: kept["fields"].get(form, kept["fields"].get("xml")) for form in _FORMATS}
    if not kept["type"]:
        return RawReply(fields["json"])
    return _KeptReply(**kept["head"], fields={form: {"MsgType": kept["type"], **fields[form]} for form in _FORMATS})


def add_more(reply: Reply, more: str, limit: int) -> Reply:
    """Return a text with *more* at its end, if the limit of bytes allows it; any other reply as it is."""
    kept = _to_kept(reply)
    text = kept["fields"].get("xml", {}).get("Content")
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
        members = reply.fields["xml"]
        kind, fields = str(members["MsgType"]), {form: dict(each) for form, each in reply.fields.items()}
    else:
        kind, fields = reply.msg_type, {"xml": reply.to_fields("xml")}
        if (other := reply.to_fields("json")) != fields["xml"]:
            fields["json"] = other
    names = ("to_user_name", "from_user_name", "create_time")
    head = {name: value for name in names if (value := getattr(reply, name)) is not None}
    return {"type": kind, "fields": fields, "head": head}
