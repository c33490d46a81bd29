"""WeChat's side of a push: build requests as it does, and read the answers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from wechat_msg.errors import MalformedPush, SettingsError
from wechat_msg.exchange import PushRequest, PushResponse
from wechat_msg.settings import PushSettings
from wechat_msg.signature import compute_msg_signature, compute_signature, verify_msg_signature
from wechat_msg.testing.documents import read_document, write_document
from wechat_msg.wire import Format

__all__ = ["Mode", "build_echostr_request", "build_path_check", "build_push", "complete_fields", "open_reply"]

Mode = Literal["plain", "compatible", "sealed"]
"""明文模式, 兼容模式, 安全模式."""

_CONTENT_TYPES: Mapping[Format, str] = {"xml": "text/xml", "json": "application/json"}
#: The header that the gateway of Cloud Run adds; its value is unconfirmed, and so is the spelling ``x-wx-sources``.
_OF_CLOUD_RUN = {"X-WX-SOURCE": "wx"}


def build_push(
    settings: PushSettings,
    fields: Mapping[str, Any],
    *,
    mode: Mode | None = None,
    format: Format = "xml",
    now: Callable[[], float] = time.time,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> PushRequest:
    """Build a push as WeChat does: signed, and sealed if the mode requires it; for Cloud Run (云托管) neither.

    As WeChat does, it writes texts unchanged: ``]]>`` is not split, and characters that XML forbids stay.

    Args:
        settings: The account's settings. To forge a push, give the settings of another account.
        fields: Wire names and values, as on WeChat's page. Missing ones of ToUserName, FromUserName, CreateTime,
            MsgType (text) and MsgId (messages only) get values.
        mode: plain, compatible or sealed. If None, sealed if the settings have a key, else plain. Not used for Cloud
            Run.
        format: xml or json.
        now: Clock for the timestamp and CreateTime, seconds since the epoch.
        random_bytes: Source of nonce, MsgId and the envelope's random bytes.

    Raises:
        SettingsError: The mode needs a key, and the settings have none; or there is no such format.
        ReplyError: The fields cannot be written in the format.

    Example:
        >>> from wechat_msg import PushSettings, open_push
        >>> settings = PushSettings(token="spamtest", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")
        >>> request = build_push(settings, {"MsgType": "text", "Content": "hi"})
        >>> open_push(settings, request).message.content
        'hi'
    """
    document = complete_fields(fields, int(now()), random_bytes=random_bytes)
    if settings.cloud_run:
        return _build_unsigned(document, format)
    mode = mode or ("sealed" if settings.ciphers else "plain")
    query = {**_sign(settings, now, random_bytes), "openid": str(document.get("FromUserName") or "")}
    if mode != "plain":
        encrypt = _encrypt(settings, write_document(document, format), random_bytes)
        query["encrypt_type"] = "aes"
        query["msg_signature"] = compute_msg_signature(
            settings.token, timestamp=query["timestamp"], nonce=query["nonce"], encrypt=encrypt
        )
        shown = document if mode == "compatible" else _addressee(document)
        document = {**shown, "Encrypt": encrypt}
    return PushRequest("POST", query, write_document(document, format), _CONTENT_TYPES[format])


def build_echostr_request(
    settings: PushSettings,
    echostr: str = "4375120948345356249",
    *,
    now: Callable[[], float] = time.time,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> PushRequest:
    """Build the GET request by which WeChat verifies a URL; it is the same in every mode.

    Example:
        >>> from wechat_msg import PushSettings, answer_echostr
        >>> settings = PushSettings(token="spamtest")
        >>> answer_echostr(settings, build_echostr_request(settings, "42").query)
        '42'
    """
    return PushRequest("GET", {**_sign(settings, now, random_bytes), "echostr": echostr})


def build_path_check(format: Format = "json") -> PushRequest:
    """Build the request by which Cloud Run (云托管) checks the path of its pushes.

    Example:
        >>> build_path_check().body
        b'{"action":"CheckContainerPath"}'
    """
    return _build_unsigned({"action": "CheckContainerPath"}, format)


def open_reply(settings: PushSettings, response: PushResponse | bytes) -> dict[str, Any] | None:
    """Read the answer to a push as WeChat does.

    Returns:
        The reply's fields by their wire names; None for an acknowledgement (``success`` or nothing).

    Raises:
        PushError: The status is not 200, the answer is malformed, or its signature or encryption is wrong. WeChat
            shows the user that the service is unavailable (该公众号提供的服务出现故障).
    """
    if isinstance(response, PushResponse) and response.status != 200:
        raise MalformedPush("the status is not 200, which WeChat treats as a failure")
    body = response if isinstance(response, bytes) else response.body
    if body in (b"", b"success"):
        return None
    document = read_document(body)
    if "Encrypt" not in document:
        return document
    verify_msg_signature(
        settings.token,
        msg_signature=document.get("MsgSignature", ""),
        timestamp=str(document.get("TimeStamp", "")),
        nonce=str(document.get("Nonce", "")),
        encrypt=document["Encrypt"],
    )
    if not settings.ciphers:
        raise SettingsError("the reply is sealed, but the settings have no encoding_aes_key")
    return read_document(settings.ciphers[0].decrypt(document["Encrypt"]))


def complete_fields(
    fields: Mapping[str, Any], create_time: int, *, random_bytes: Callable[[int], bytes] = os.urandom
) -> dict[str, Any]:
    """Add the fields that a push needs and *fields* do not have, as `build_push` does.

    Example:
        >>> push = complete_fields({"MsgType": "event", "Event": "subscribe"}, 1700000000)
        >>> push["FromUserName"], push["CreateTime"]
        ('oABCDEFGHIJKLMNOPQRSTUVWXYZ0', 1700000000)
    """
    if "InfoType" in fields:
        return {"CreateTime": create_time, **fields}
    document = {
        "ToUserName": "gh_0123456789ab",
        "FromUserName": "oABCDEFGHIJKLMNOPQRSTUVWXYZ0",
        "CreateTime": create_time,
        "MsgType": "text",
        **fields,
    }
    if document["MsgType"] != "event":
        document.setdefault("MsgId", int.from_bytes(random_bytes(7), "big"))
    return document


def _addressee(document: Mapping[str, Any]) -> dict[str, Any]:
    name = "AppId" if "InfoType" in document else "ToUserName"
    return {name: document[name]} if name in document else {}


def _build_unsigned(document: Mapping[str, Any], format: Format) -> PushRequest:
    return PushRequest("POST", {}, write_document(document, format), _CONTENT_TYPES[format], _OF_CLOUD_RUN)


def _sign(settings: PushSettings, now: Callable[[], float], random_bytes: Callable[[int], bytes]) -> dict[str, str]:
    timestamp, nonce = str(int(now())), str(int.from_bytes(random_bytes(4), "big"))
    signature = compute_signature(settings.token, timestamp, nonce)
    return {"signature": signature, "timestamp": timestamp, "nonce": nonce}


def _encrypt(settings: PushSettings, document: bytes, random_bytes: Callable[[int], bytes]) -> str:
    if not settings.ciphers:
        raise SettingsError(
            "compatible and sealed pushes need an encoding_aes_key", hint="兼容模式与安全模式需要 EncodingAESKey"
        )
    return settings.ciphers[0].encrypt(document, random_bytes=random_bytes)
