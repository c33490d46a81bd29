"""What is measured: a `Job` has our side, that of each other library, and the floor; and the pushes they all get."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from inspect import iscoroutinefunction
from time import process_time, time
from typing import Any

from attrs import field, frozen

from wechat_msg import PushRequest, PushSettings
from wechat_msg.testing import build_push, open_reply

Side = Callable[[], Any]

SEALED = PushSettings(
    token="benchmark", encoding_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", appid="wx0123456789abcdef"
)
PLAIN = PushSettings(token=SEALED.token)
USER, ACCOUNT, TIME = "oABCDEFGHIJKLMNOPQRSTUVWXYZ0", "gh_0123456789ab", 1714036504
TEXT = "消息推送 message"  # 20 bytes

INPUTS: Mapping[str, Mapping[str, Any]] = {
    "text 400 B": {"MsgType": "text", "Content": TEXT * 20, "MsgId": 24577901234567890},
    "scancode event": {
        "MsgType": "event",
        "Event": "scancode_waitmsg",
        "EventKey": "rselfmenu_0_0",
        "ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": "https://example.com/tickets/4375120948345356249"},
    },
    "popup event, 3 items": {
        "MsgType": "event",
        "Event": "subscribe_msg_popup_event",
        "SubscribeMsgPopupEvent": {
            "List": [
                {"TemplateId": f"{digit}" * 43, "SubscribeStatusString": "accept", "PopupScene": 0} for digit in "123"
            ]
        },
    },
    "text 2 KB": {"MsgType": "text", "Content": TEXT * 102, "MsgId": 24577901234567890},
    "text 20 KB": {"MsgType": "text", "Content": TEXT * 1024, "MsgId": 24577901234567890},
}


@frozen(kw_only=True)
class Job:
    """One row of a table. Every side returns a tuple of what it read and, last, of what it answered."""

    name: str
    case: str
    expected: tuple[str, ...]
    ours: Side
    peers: Mapping[str, Side] = field(factory=dict)
    floor: Side | None = None
    target: float | None = None  # of our time to that of the fastest peer
    timer: Callable[[], float] = process_time
    runner: asyncio.Runner | None = None  # has the event loop of the sides that are coroutine functions

    @property
    def sides(self) -> Mapping[str, Side]:
        return {"ours": self.ours, **self.peers, **({"floor": self.floor} if self.floor else {})}

    def __str__(self) -> str:
        return f"{self.name}: {self.case}"


def check(job: Job) -> None:
    """Run every side once and check its result; bare calls return nothing."""
    results = [call(job, side) for side in job.sides.values()]
    assert {compare(result) for result in results if result is not None} == {job.expected}


def call(job: Job, side: Side) -> Any:
    """Return the result of a side; await it if necessary."""
    return job.runner.run(side()) if iscoroutinefunction(side) else side()


def compare(result: tuple[Any, ...]) -> tuple[str, ...]:
    """Make the results of different sides comparable: values as text, sealed answers opened."""
    return tuple(open_reply(SEALED, each)["Content"] if isinstance(each, bytes) else str(each or "") for each in result)


def make_push(settings: PushSettings, name: str, form: Any = "xml", ahead: float = 0.0, **others: Any) -> PushRequest:
    """Make the push of an input, signed by a clock that is *ahead* by so many seconds."""
    fields = {**INPUTS[name], **others}
    if form == "json":  # the list of the popup event has no wrapper there
        fields = {**fields, **fields.get("SubscribeMsgPopupEvent", {})}
        fields.pop("SubscribeMsgPopupEvent", None)
    fields = {"ToUserName": ACCOUNT, "FromUserName": USER, "CreateTime": TIME, **fields}
    return build_push(settings, fields, format=form, now=lambda: time() + ahead)


def expect(name: str) -> tuple[str, ...]:
    fields = INPUTS[name]
    return fields.get("Content") or fields["Event"], USER, ACCOUNT, str(fields.get("MsgId", "")), str(TIME)
