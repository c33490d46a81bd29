"""The pure functions, from request to response, and the same steps of the other libraries.

The floor is the bare C calls, for the same bytes.
"""

from __future__ import annotations

import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from hashlib import sha1
from typing import Any
from xml.parsers import expat

from Crypto.Cipher import AES

from wechat_msg import PushRequest, PushSettings, open_push, seal_reply, verify_signature
from wechat_msg.crypto import parse_encoding_aes_key
from wechat_msg.wire import detect_format, parse_body

from .jobs import PLAIN, SEALED, Job, Side, expect, make_push
from .peers import PEERS, Peer

SHORT = ("text 400 B", "scancode event", "popup event, 3 items")
RECEIVE = {**dict.fromkeys(SHORT, 0.70), "text 2 KB": 0.80, "text 20 KB": 0.95}
REPLY = {"text 400 B": 0.60, "text 2 KB": 0.90}
WHOLE = {**dict.fromkeys(SHORT, 0.62), "text 2 KB": None}


def function_jobs() -> Iterator[Job]:
    """Make the jobs."""
    yield signature_job()
    for case, target in RECEIVE.items():
        yield receive_job("receive, plain", case, PLAIN, target)
    for case, target in RECEIVE.items():
        yield receive_job("receive, sealed", case, SEALED, target)
    for case, target in REPLY.items():
        yield reply_job(case, target)
    for case, target in WHOLE.items():
        yield whole_job("whole job, sealed", case, "xml", target)
    for case in WHOLE:
        yield whole_job("whole job, sealed JSON", case, "json", None)


def of_peers(side: Callable[..., Any], *arguments: Any) -> Mapping[str, Side]:
    return {peer.name: partial(side, peer, *arguments) for peer in PEERS}


def signature_job() -> Job:
    query = make_push(PLAIN, "text 400 B").query
    return Job(
        name="signature",
        case="of the URL",
        expected=(),
        ours=partial(our_signature, query),
        peers={peer.name: partial(peer.check_signature, query) for peer in PEERS},
        floor=partial(run_all, bare_signature(query)),
    )


def receive_job(name: str, case: str, settings: PushSettings, target: float) -> Job:
    request = make_push(settings, case)
    return Job(
        name=name,
        case=case,
        expected=expect(case),
        ours=partial(our_receive, settings, request),
        peers=of_peers(their_receive, request, settings is SEALED),
        floor=partial(run_all, bare_receive(request)),
        target=target,
    )


def reply_job(case: str, target: float) -> Job:
    request, text = make_push(SEALED, case), expect(case)[0]
    push = open_push(SEALED, request)
    xml = SEALED.ciphers[0].decrypt(parse_body(request.body)["Encrypt"])
    return Job(
        name="reply, sealed",
        case=case,
        expected=(text,),
        ours=partial(our_reply, push, text),
        peers={peer.name: partial(peer.reply, peer.parse(xml), request.query, text) for peer in PEERS},
        floor=partial(run_all, bare_reply(seal_reply(SEALED, push, text).body)),
        target=target,
    )


def whole_job(name: str, case: str, form: str, target: float | None) -> Job:
    """Make a job with the two others in it; JSON is compared with their XML, as they do not read JSON."""
    request, xml = make_push(SEALED, case, form), make_push(SEALED, case)
    answer = seal_reply(SEALED, open_push(SEALED, request), expect(case)[0]).body
    return Job(
        name=name,
        case=case,
        expected=(*expect(case), expect(case)[0]),
        ours=partial(our_whole, request),
        peers=of_peers(their_whole, xml),
        floor=partial(run_all, bare_receive(request) + bare_reply(answer)),
        target=target,
    )


# --- our side --------------------------------------------------------------------------------------------------------


def our_signature(query: Mapping[str, str]) -> tuple[()]:
    verify_signature(SEALED.token, signature=query["signature"], timestamp=query["timestamp"], nonce=query["nonce"])
    return ()


def our_receive(settings: PushSettings, request: PushRequest) -> tuple[Any, ...]:
    return read(open_push(settings, PushRequest(request.method, request.query, request.body)).message)


def our_reply(push: Any, text: str) -> tuple[bytes]:
    return (seal_reply(SEALED, push, text).body,)


def our_whole(request: PushRequest) -> tuple[Any, ...]:
    push = open_push(SEALED, PushRequest(request.method, request.query, request.body))
    fields = read(push.message)
    return (*fields, *our_reply(push, fields[0]))


def read(message: Any) -> tuple[Any, ...]:
    words = message.event if message.msg_type == "event" else message.content
    msg_id = getattr(message, "msg_id", None)
    return words, message.from_user_name, message.to_user_name, msg_id, message.create_time


# --- their side ------------------------------------------------------------------------------------------------------


def their_receive(peer: Peer, request: PushRequest, is_sealed: bool) -> tuple[Any, ...]:
    return peer.read(peer.open(request, is_sealed=is_sealed))


def their_whole(peer: Peer, request: PushRequest) -> tuple[Any, ...]:
    message = peer.open(request, is_sealed=True)
    fields = peer.read(message)
    return (*fields, *peer.reply(message, request.query, fields[0]))


# --- the floor -------------------------------------------------------------------------------------------------------


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
