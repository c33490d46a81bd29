"""Check a captured push step by step; nothing is sent or printed."""

from __future__ import annotations

import binascii
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import attrs
from attrs import field

from wechat_msg._tracebacks import define, frozen
from wechat_msg.cli.causes import Evidence, find_cause, is_sealed, open_with_any
from wechat_msg.cli.output import Mark
from wechat_msg.crypto import Envelope
from wechat_msg.errors import AppIdMismatch, DecryptError, MalformedPush, ModeMismatch, PushError, SettingsError
from wechat_msg.events.base import UnknownEvent
from wechat_msg.exchange import PushRequest, parse_query
from wechat_msg.messages import Message, UnknownMessage
from wechat_msg.parsing import parse_message
from wechat_msg.push import answer_echostr, find_format, open_push
from wechat_msg.settings import PushSettings
from wechat_msg.signature import is_signature_valid
from wechat_msg.testing.bilingual import Text, same
from wechat_msg.wire import parse_body

__all__ = ["Diagnosis", "Step", "diagnose", "read_query"]

_IN_A_LINE = re.compile(r"\?([^\s\"'#]+)")
_OLD = 600.0  # seconds; WeChat's last try comes after about 20
_NOTHING = same("")
_ABSENT = Text("missing", "没有")
_LOST = Text("missing, or given with different values", "缺少，或重复且取值不同")
_MATCHES, _DIFFERS = Text("matches", "相符"), Text("does not match", "不符")


@frozen
class Step:
    """One check and its result."""

    mark: Mark
    title: Text
    note: Text


@define
class Diagnosis:
    """The result of all checks.

    Attributes:
        steps: The checks, in order.
        error: Why a `PushEndpoint` refuses the push; None if it accepts it.
        cause: The most probable cause of the error.
        fields: The document by its wire names; None if it is not readable.
        message: Its model.
    """

    steps: list[Step] = field(factory=list)
    error: PushError | None = None
    cause: Text | None = None
    fields: Mapping[str, Any] | None = field(default=None, repr=False)
    message: Message | None = None


def read_query(text: str) -> dict[str, str]:
    """Extract the query from a URL, from a line of an access log, or from a query alone.

    Example:
        >>> read_query('10.0.0.1 - - "POST /wechat?signature=ab&nonce=1 HTTP/1.1" 403')
        {'signature': 'ab', 'nonce': '1'}
        >>> read_query("signature=ab&amp;nonce=1")
        {'signature': 'ab', 'nonce': '1'}
    """
    found = _IN_A_LINE.search(text)
    query = found[1] if found else text.strip().strip("\"'")
    return parse_query(query.replace("&amp;", "&"))


def diagnose(
    settings: PushSettings, query: Mapping[str, str] | None, body: bytes, *, now: Callable[[], float] = time.time
) -> Diagnosis:
    """Check a push step by step.

    Args:
        settings: The account's settings.
        query: Its query parameters. If None, no signature is checked.
        body: Its body, which is empty for a URL verification.
        now: Clock, seconds since the epoch.
    """
    return _Examination(settings, query, body).run(now())


@define
class _Examination(Evidence):
    """The checks of one push, and what they have found so far."""

    found: Diagnosis = field(factory=Diagnosis)

    def run(self, now: float) -> Diagnosis:
        if self.query is not None:
            self.found.error = self._ask_endpoint(self.query)
            self._check_signature(self.query)
            self._check_age(self.query, now)
        if self.body or self.query is None or "echostr" not in self.query:
            self._check_body()
        if self.found.error is not None:
            self.found.cause = find_cause(self.found.error, self)
        return self.found

    def _ask_endpoint(self, query: Mapping[str, str]) -> PushError | None:
        """Return why an endpoint would have refused the push when it was sent; None if it would not."""
        try:
            if "echostr" in query and not self.body:
                answer_echostr(self.settings, query)
            else:
                request = PushRequest("POST", query, self.body)
                open_push(self.settings, request, now=lambda: float(query["timestamp"]))
        except PushError as error:
            return error
        return None

    def _add_step(self, mark: Mark, title: Text, note: Text = _NOTHING) -> None:
        self.found.steps.append(Step(mark, title, note))

    # --- the query

    def _check_signature(self, query: Mapping[str, str]) -> None:
        for name in ("timestamp", "nonce"):
            if not query.get(name):
                self._add_step("fail", same(name), _LOST)
        if "signature" not in query:
            self._add_step("skip", Text("signature", "signature 签名"), _ABSENT)
            return
        signature, timestamp, nonce = (query.get(name, "") for name in ("signature", "timestamp", "nonce"))
        self.signed = any(
            is_signature_valid(token, signature=signature, timestamp=timestamp, nonce=nonce)
            for token in self.settings.tokens
        )
        self._add_match(Text("signature", "signature 签名"), holds=self.signed)

    def _check_age(self, query: Mapping[str, str], now: float) -> None:
        """Warn if the push is old. A captured push may be: only a replayed one is refused for it."""
        timestamp = query.get("timestamp", "")
        if not timestamp.isdecimal():
            return
        limit, age = self.settings.max_age or _OLD, now - float(timestamp)
        if abs(age) > limit:
            hours = f"{age / 3600:.1f}"
            self._add_step("warn", Text("timestamp", "timestamp 时间戳"), Text(f"{hours} h ago", f"距今 {hours} 小时"))

    def _add_match(self, title: Text, *, holds: bool) -> None:
        self._add_step("pass" if holds else "fail", title, _MATCHES if holds else _DIFFERS)

    # --- the body

    def _check_body(self) -> None:
        title = Text("body", "请求体")
        try:
            kind = find_format(self.body).upper()
            outer = parse_body(self.body)
        except MalformedPush as error:
            size = len(self.body)
            self._add_step("fail", title, Text(f"{size} bytes, not readable", f"{size} 字节，无法解析"))
            self._set_error(error)
            return
        self.is_readable = True
        size = len(self.body)
        self._add_step("pass", title, Text(f"{kind}, {size} bytes", f"{kind}，{size} 字节"))
        encrypt = outer.get("Encrypt")
        if isinstance(encrypt, str):
            self.encrypt = encrypt
            self._check_sealed(encrypt)
        else:
            self._add_step("skip", Text("Encrypt", "Encrypt 密文"), Text("missing: a plain push", "没有：明文推送"))
            self._read_document(outer)

    def _check_sealed(self, encrypt: str) -> None:
        size = len(encrypt)
        self._add_step("pass", Text("Encrypt", "Encrypt 密文"), Text(f"{size} characters", f"{size} 个字符"))
        self._check_msg_signature(encrypt)
        is_base64 = _is_base64(encrypt)
        self._add_step("pass" if is_base64 else "fail", same("base64"))
        envelope = self._open(encrypt)
        if envelope is None:
            return
        try:
            self._read_document(parse_body(envelope.content))
        except MalformedPush as error:
            self._add_step("fail", Text("document", "内层文档"), Text("not readable", "无法解析"))
            self._set_error(error)

    def _check_msg_signature(self, encrypt: str) -> None:
        title = Text("msg_signature", "msg_signature 签名")
        if self.query is None:
            self._add_step("skip", title, Text("no query is given", "未提供查询串"))
        elif "msg_signature" not in self.query:
            self._add_step("fail", title, _ABSENT)
        else:
            self.sealed = is_sealed(self.settings, self.query, encrypt)
            self._add_match(title, holds=self.sealed)

    def _open(self, encrypt: str) -> Envelope | None:
        """Decrypt the envelope, even if it contains another AppID."""
        title, appid, ours = Text("decrypted with the key", "用密钥解密"), same("AppID"), self.settings.appid
        if not self.settings.ciphers:
            self._add_step("skip", title, Text("no EncodingAESKey is given", "未提供 EncodingAESKey"))
            self._set_error(ModeMismatch("the push is sealed, but no encoding_aes_key is set"))
            return None
        envelope = next(open_with_any(self.settings, encrypt), None) or self._open_for_another(encrypt)
        if envelope is None:
            self._add_step("fail", title, Text("failed", "无法解开"))
            self._set_error(DecryptError("no key opens the envelope"))
            return None
        self._add_step("pass", title)
        if envelope.appid in (ours, *self.settings.extra_appids):
            self._add_step("pass", appid, same(envelope.appid))
        else:
            self._add_step("fail", appid, Text(f"{envelope.appid}, expected {ours}", f"{envelope.appid}，应为 {ours}"))
            self._set_error(AppIdMismatch("the envelope is addressed to another account"))
        return envelope

    def _open_for_another(self, encrypt: str) -> Envelope | None:
        for cipher in self.settings.ciphers:
            try:
                cipher.open(encrypt)
            except AppIdMismatch as error:
                with suppress(SettingsError):  # not a valid AppID: the key is wrong
                    another = attrs.evolve(self.settings, extra_appids={*self.settings.extra_appids, error.found})
                    return next(open_with_any(another, encrypt), None)
            except DecryptError:
                pass
        return None

    def _read_document(self, fields: Mapping[str, Any]) -> None:
        title = Text("message", "消息")
        self.found.fields = fields
        try:
            self.found.message = parse_message(fields)
        except MalformedPush as error:
            self._add_step("fail", title, Text("a common field is missing", "缺少公共字段"))
            self._set_error(error)
            return
        is_known = not isinstance(self.found.message, (UnknownMessage, UnknownEvent))
        self._add_step("pass" if is_known else "warn", title, same(type(self.found.message).__name__))

    def _set_error(self, error: PushError) -> None:
        """Set the error if there is no query, from which `_ask_endpoint` would have set it."""
        if self.query is None and self.found.error is None:
            self.found.error = error


def _is_base64(text: str) -> bool:
    try:
        return bool(binascii.a2b_base64(text, strict_mode=True))
    except ValueError:
        return False
