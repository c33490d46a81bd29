"""What is measured: `JOBS`, each with our side, the side of wechatpy, and the floor: the bare C calls for it."""

from __future__ import annotations

import asyncio
import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha1
from inspect import iscoroutinefunction
from time import process_time
from typing import Any, NamedTuple
from xml.parsers import expat

from Crypto.Cipher import AES

from wechat_msg import PushRequest, PushSettings, open_push, seal_reply, verify_signature
from wechat_msg.crypto import parse_encoding_aes_key
from wechat_msg.testing import build_push, open_reply
from wechat_msg.wire import detect_format, parse_body

try:
    import wechatpy.crypto
    import wechatpy.replies
    import wechatpy.utils
except ImportError:
    wechatpy = None

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
}


class Job(NamedTuple):
    """One row of a table. Every side returns a tuple of what it read and, last, of what it answered."""

    name: str
    case: str
    expected: tuple[str, ...]
    ours: Side
    floor: Side
    theirs: Side | None = None
    target: float | None = None  # ours / theirs
    timer: Callable[[], float] = process_time
    runner: asyncio.Runner | None = None  # has the event loop of the sides that are coroutine functions

    def __str__(self) -> str:
        return f"{self.name}: {self.case}"


def check(job: Job) -> None:
    """Run every side once and check its result; bare calls return nothing."""
    results = [call(job, side) for side in (job.ours, job.theirs, job.floor) if side]
    assert {compare(result) for result in results if result is not None} == {job.expected}


def call(job: Job, side: Side) -> Any:
    """Return the result of a side; await it if necessary."""
    return job.runner.run(side()) if iscoroutinefunction(side) else side()


def make_push(settings: PushSettings, name: str, form: Any = "xml", **others: Any) -> PushRequest:
    fields = {**INPUTS[name], **others}
    if form == "json":  # the list of the popup event has no wrapper there
        fields = {**fields, **fields.get("SubscribeMsgPopupEvent", {})}
        fields.pop("SubscribeMsgPopupEvent", None)
    return build_push(
        settings, {"ToUserName": ACCOUNT, "FromUserName": USER, "CreateTime": TIME, **fields}, format=form
    )


def expect(name: str) -> tuple[str, ...]:
    fields = INPUTS[name]
    return fields.get("Content") or fields["Event"], USER, ACCOUNT, str(fields.get("MsgId", "")), str(TIME)


def compare(result: tuple[Any, ...]) -> tuple[str, ...]:
    """Make the results of different sides comparable: values as text, sealed answers opened."""
    return tuple(open_reply(SEALED, each)["Content"] if isinstance(each, bytes) else str(each or "") for each in result)


# --- our side --------------------------------------------------------------------------------------------------------


def our_signature(query: Mapping[str, str]) -> tuple[()]:
    verify_signature(SEALED.token, signature=query["signature"], timestamp=query["timestamp"], nonce=query["nonce"])
    return ()


def our_receive(settings: PushSettings, request: PushRequest, *, answer: bool = False) -> tuple[Any, ...]:
    push = open_push(settings, PushRequest(request.method, request.query, request.body))
    message = push.message
    words = message.event if message.msg_type == "event" else message.content
    msg_id = getattr(message, "msg_id", None)
    fields = (words, message.from_user_name, message.to_user_name, msg_id, message.create_time)
    return (*fields, seal_reply(settings, push, words).body) if answer else fields


def our_reply(push: Any, text: str) -> tuple[bytes]:
    return (seal_reply(SEALED, push, text).body,)


# --- wechatpy's side, written as its manual has it -------------------------------------------------------------------


def their_signature(query: Mapping[str, str]) -> tuple[()]:
    wechatpy.utils.check_signature(SEALED.token, query["signature"], query["timestamp"], query["nonce"])
    return ()


def their_receive(crypto: Any, request: PushRequest, *, answer: bool = False) -> tuple[Any, ...]:
    their_signature(request.query)
    xml: Any = request.body
    if crypto is not None:
        query = request.query
        xml = crypto.decrypt_message(xml, query["msg_signature"], query["timestamp"], query["nonce"])
    message = wechatpy.parse_message(xml)
    # Events that it has no class for are without an attribute `event`.
    words = message.content if message.type == "text" else message._data["Event"]
    fields = (words, message.source, message.target, message.id, message.time)
    return (*fields, *their_reply(crypto, message, request.query, words)) if answer else fields


def their_reply(crypto: Any, message: Any, query: Mapping[str, str], text: str) -> tuple[bytes]:
    xml = wechatpy.create_reply(text, message).render()
    return (crypto.encrypt_message(xml, query["nonce"], query["timestamp"]).encode(),)


# --- the floor: the same bytes through the bare C calls ---------------------------------------------------------------


def run_all(calls: list[Side]) -> None:
    for call in calls:
        call()


def sign(*parts: str) -> Side:
    data = "".join(sorted((SEALED.token, *parts))).encode()
    return lambda: sha1(data).hexdigest()


def parse(body: bytes) -> Side:
    if detect_format(body) == "json":
        return partial(json.loads, body)
    return lambda: expat.ParserCreate().Parse(body, True)


KEY = parse_encoding_aes_key(SEALED.encoding_aes_key)
new_aes = partial(AES.new, KEY, AES.MODE_CBC, KEY[:16])


def bare_signature(query: Mapping[str, str]) -> list[Side]:
    return [sign(query["timestamp"], query["nonce"])]


def bare_receive(request: PushRequest) -> list[Side]:
    query, encrypt = request.query, parse_body(request.body).get("Encrypt")
    calls = [*bare_signature(query), parse(request.body)]
    if encrypt is not None:
        sealed = a2b_base64(encrypt)
        calls += [
            sign(query["timestamp"], query["nonce"], encrypt),
            partial(a2b_base64, encrypt),
            lambda: new_aes().decrypt(sealed),
            parse(SEALED.ciphers[0].decrypt(encrypt)),
        ]
    return calls


def bare_reply(answer: bytes) -> list[Side]:
    fields = parse_body(answer)
    sealed = a2b_base64(fields["Encrypt"])
    plain = new_aes().decrypt(sealed)
    return [
        lambda: new_aes().encrypt(plain),
        partial(b2a_base64, sealed),
        sign(str(fields["TimeStamp"]), fields["Nonce"], fields["Encrypt"]),
    ]


# --- the jobs --------------------------------------------------------------------------------------------------------


def signature_job() -> Job:
    query = make_push(PLAIN, "text 400 B").query
    return Job(
        name="signature",
        case="of the URL",
        expected=(),
        ours=partial(our_signature, query),
        floor=partial(run_all, bare_signature(query)),
        theirs=partial(their_signature, query) if wechatpy else None,
        target=0.65,
    )


def receive_job(name: str, case: str, settings: PushSettings, target: float | None = None) -> Job:
    request = make_push(settings, case)
    return Job(
        name=name,
        case=case,
        expected=expect(case),
        ours=partial(our_receive, settings, request),
        floor=partial(run_all, bare_receive(request)),
        theirs=partial(their_receive, CRYPTO if settings is SEALED else None, request) if wechatpy else None,
        target=target,
    )


def reply_job(case: str) -> Job:
    request, text = make_push(SEALED, case), expect(case)[0]
    push = open_push(SEALED, request)
    message = wechatpy and wechatpy.parse_message(SEALED.ciphers[0].decrypt(parse_body(request.body)["Encrypt"]))
    return Job(
        name="reply, sealed",
        case=case,
        expected=(text,),
        ours=partial(our_reply, push, text),
        floor=partial(run_all, bare_reply(seal_reply(SEALED, push, text).body)),
        theirs=partial(their_reply, CRYPTO, message, request.query, text) if wechatpy else None,
        target=0.65,
    )


def whole_job(name: str, case: str, form: str, target: float) -> Job:
    request, xml = make_push(SEALED, case, form), make_push(SEALED, case)
    answer = seal_reply(SEALED, open_push(SEALED, request), expect(case)[0]).body
    return Job(
        name=name,
        case=case,
        expected=(*expect(case), expect(case)[0]),
        ours=partial(our_receive, SEALED, request, answer=True),
        floor=partial(run_all, bare_receive(request) + bare_reply(answer)),
        theirs=partial(their_receive, CRYPTO, xml, answer=True) if wechatpy else None,
        target=target,
    )


CRYPTO = wechatpy and wechatpy.crypto.WeChatCrypto(SEALED.token, SEALED.encoding_aes_key, SEALED.appid)

JOBS = [
    signature_job(),
    *(receive_job("receive, plain", case, PLAIN) for case in INPUTS),
    *(receive_job("receive, sealed", case, SEALED, 0.80 if case == "text 400 B" else None) for case in INPUTS),
    *(reply_job(case) for case in INPUTS if case.startswith("text")),
    *(whole_job("whole job, sealed", case, "xml", 0.75) for case in INPUTS),
    *(whole_job("whole job, sealed JSON", case, "json", 0.50) for case in INPUTS),
]
