"""Checks of what an endpoint must refuse: forgeries, downgrades, garbage, and bodies that are too big."""

from __future__ import annotations

import time

import attrs

from wechat_msg.crypto import generate_encoding_aes_key, generate_token
from wechat_msg.exchange import PushRequest
from wechat_msg.signature import compute_msg_signature
from wechat_msg.testing.bilingual import Text, same
from wechat_msg.testing.conformance.checks import ATTACKER, Finding, check
from wechat_msg.testing.conformance.probe import Attempt, Probe, expect_refused
from wechat_msg.testing.pushes import build_echostr_request, complete_fields
from wechat_msg.wire import read_encrypt

__all__ = ["CHECKS"]

_FIELDS = {"MsgType": "text", "Content": "check"}
_BIG = 10 << 20
_NO_KEY = Finding("skip", Text("no EncodingAESKey is set", "未配置 EncodingAESKey"))


@check(
    Text("a request without a signature is refused", "没有签名的请求会被拒绝"),
    impact=Text(
        "anyone who opens the address sees what they should not, or fills the log with errors",
        "任何人打开网址都会看到不该看到的内容，或产生错误日志",
    ),
    fix=Text("answer 403 if a parameter is missing", "缺少参数时请返回 403"),
)
def visit(probe: Probe) -> Finding:
    body = probe.build(_FIELDS).body
    return expect_refused(
        [
            (same("GET"), probe.send(PushRequest("GET", {}))),
            (same("POST"), probe.send(PushRequest("POST", {}, body, "text/xml"))),
            (
                Text("empty signature", "空签名"),
                probe.send(PushRequest("POST", {"signature": "", "timestamp": "", "nonce": ""}, body, "text/xml")),
            ),
        ]
    )


@check(
    Text("forged signatures are refused", "伪造的签名会被拒绝"),
    impact=ATTACKER,
    fix=Text(
        "verify signature in the plain mode, msg_signature over Encrypt in the others",
        "明文模式验证 signature，其余模式验证包含 Encrypt 的 msg_signature",
    ),
)
def forgery(probe: Probe) -> Finding:
    stranger = attrs.evolve(probe.settings, token=generate_token(), previous_tokens=())
    attempts = [(Text("verification", "接入验证"), probe.send(build_echostr_request(stranger)))]
    attempts += [(same(mode), probe.send(probe.build(_FIELDS, mode=mode, settings=stranger))) for mode in probe.modes]
    if probe.settings.ciphers:
        # The signature is genuine, but does not cover the body; only msg_signature does.
        genuine, other = probe.build(_FIELDS), probe.build({**_FIELDS, "Content": "other"})
        attempts.append((Text("another body", "替换正文"), probe.send(attrs.evolve(genuine, body=other.body))))
        unsigned = {name: value for name, value in genuine.query.items() if name != "msg_signature"}
        attempt = probe.send(attrs.evolve(genuine, query=unsigned))
        attempts.append((Text("no msg_signature", "缺少 msg_signature"), attempt))
    return expect_refused(attempts)


@check(
    Text("with an EncodingAESKey, plain pushes are refused", "配置了 EncodingAESKey 时拒绝明文推送"),
    impact=Text(
        f"anyone who has seen one signed URL can send any text: {ATTACKER.en}",
        f"拿到一个签名网址就能发送任意内容：{ATTACKER.zh}",
    ),
    fix=Text("choose the mode by the settings, never by the request", "由配置决定加解密方式，而不是由请求决定"),
)
def downgrade(probe: Probe) -> Finding:
    if not probe.settings.ciphers:
        return _NO_KEY
    if probe.settings.allow_plaintext:
        return Finding("skip", Text("the settings allow plain text", "配置允许明文"))
    plain = probe.build(_FIELDS, mode="plain")
    raw = attrs.evolve(plain, query={**plain.query, "encrypt_type": "raw"})
    return expect_refused(
        [(Text("no encrypt_type", "无 encrypt_type"), probe.send(plain)), (same("encrypt_type=raw"), probe.send(raw))]
    )


@check(
    Text("in the compatible mode, only the sealed content is trusted", "兼容模式下只采信加密部分"),
    impact=ATTACKER,
    fix=Text("decrypt Encrypt, and ignore the plain fields next to it", "解密 Encrypt，忽略旁边的明文字段"),
)
def outer_fields(probe: Probe) -> Finding:
    if not probe.settings.ciphers:
        return _NO_KEY
    fields = complete_fields({**_FIELDS, "Content": "sealed content"}, int(time.time()))
    genuine = probe.build(fields, mode="compatible")
    attempt = probe.send(attrs.evolve(genuine, body=genuine.body.replace(b"sealed content", b"FORGED content")), fields)
    if "FORGED" in attempt.verdict.document:
        return Finding("fail", Text("the plain fields are processed", "采信了明文字段"))
    if attempt.verdict.reply and "sealed content" in attempt.verdict.document:
        return Finding("pass", Text("the reply is to the sealed text", "回复的是加密部分"))
    return Finding("pass", Text("the plain fields have no effect", "明文字段没有影响"))


@check(
    Text("a message sealed for another account is refused", "拒绝发给其他账号的加密消息"),
    impact=Text("pushes of another account with the same key are processed", "使用同一密钥的其他账号的推送会被处理"),
    fix=Text("compare the id at the end of the decrypted text with your AppID", "请比对解密后末尾的 AppID"),
)
def appid(probe: Probe) -> Finding:
    if not probe.settings.ciphers:
        return _NO_KEY
    neighbour = attrs.evolve(probe.settings, appid="wxfedcba9876543210", extra_appids=())
    attempts = [
        (same(mode), probe.send(probe.build(_FIELDS, mode=mode, settings=neighbour)))
        for mode in ("compatible", "sealed")
    ]
    return expect_refused(attempts)


@check(
    Text("garbage is refused without a server error", "拒绝无效内容且不出错"),
    impact=Text(
        "an attacker can fill the log with errors, or stop a worker", "攻击者可以制造大量错误日志，甚至使工作进程退出"
    ),
    fix=Text("catch all exceptions of parsing and decryption, and answer 400", "捕获解析与解密的所有异常，返回 400"),
)
def garbage(probe: Probe) -> Finding:
    finding = expect_refused([*_send_garbage(probe), *_send_sealed_garbage(probe)])
    return finding if finding.status == "pass" else Finding("fail", finding.text)


def _send_garbage(probe: Probe) -> list[Attempt]:
    bodies = {
        Text("empty", "空正文"): b"",
        Text("text", "纯文本"): b"hello",
        Text("cut off", "截断"): b"<xml><ToUserName><![CDATA[gh_",
        Text("binary", "二进制"): bytes(range(256)),
        Text("a JSON list", "JSON 数组"): b"[1]",
        Text("deep", "深层嵌套"): b"<xml>" + b"<a>" * 2000 + b"</a>" * 2000 + b"</xml>",
    }
    genuine = probe.build(_FIELDS)
    return [(name, probe.send(attrs.evolve(genuine, body=body))) for name, body in bodies.items()]


def _send_sealed_garbage(probe: Probe) -> list[Attempt]:
    """Send envelopes that are signed correctly but contain no document."""
    if not probe.settings.ciphers:
        return []
    wrong_key = attrs.evolve(
        probe.settings, encoding_aes_key=generate_encoding_aes_key(), previous_encoding_aes_keys=()
    )
    return [
        (Text("no base64", "非 base64"), probe.send(_seal(probe, "%%%"))),
        (Text("half a block", "不足一块"), probe.send(_seal(probe, "AAAA"))),
        (Text("random blocks", "随机块"), probe.send(_seal(probe, "A" * 86 + "=="))),
        (Text("another key", "其他密钥"), probe.send(probe.build(_FIELDS, settings=wrong_key))),
    ]


def _seal(probe: Probe, encrypt: str) -> PushRequest:
    genuine = probe.build(_FIELDS, mode="sealed")
    timestamp, nonce = genuine.query["timestamp"], genuine.query["nonce"]
    signature = compute_msg_signature(probe.settings.token, timestamp=timestamp, nonce=nonce, encrypt=encrypt)
    body = f"<xml><ToUserName>gh_0123456789ab</ToUserName><Encrypt>{encrypt}</Encrypt></xml>".encode()
    return attrs.evolve(genuine, body=body, query={**genuine.query, "msg_signature": signature})


@check(
    Text("XML with a DTD is refused", "拒绝带 DTD 的 XML"),
    impact=Text(
        "an attacker can read files of the server (XXE) or use up its memory", "攻击者可读取服务器文件（XXE）或耗尽内存"
    ),
    fix=Text("disable DTDs and entities in the XML parser", "请关闭 XML 解析器的 DTD 与实体"),
)
def entities(probe: Probe) -> Finding:
    genuine = probe.build(_FIELDS)
    value = (read_encrypt(genuine.body) if probe.settings.ciphers else "") or "check"
    hidden = genuine.body.replace(b"<![CDATA[" + value.encode() + b"]]>", b"&e;")
    body = b'<!DOCTYPE xml [<!ENTITY e "' + value.encode() + b'">]>' + hidden
    return expect_refused([(Text("entity", "实体"), probe.send(attrs.evolve(genuine, body=body)))])


@check(
    Text("a body of 10 MB is refused, and the bot still answers", "拒绝 10 MB 的正文且服务不中断"),
    impact=Text("an attacker can use up the server's memory", "攻击者可耗尽服务器内存"),
    fix=Text("limit the size of the body before reading it", "请在读取前限制正文大小"),
)
def big(probe: Probe) -> Finding:
    genuine = probe.build(_FIELDS)
    body = genuine.body.replace(b"</xml>", b"<Check>" + b"A" * _BIG + b"</Check></xml>")
    finding = expect_refused([(same("10 MB"), probe.send(attrs.evolve(genuine, body=body)))])
    if probe.push_text("check").verdict.problem:
        return Finding("fail", Text("the bot no longer answers afterwards", "之后服务不再应答"))
    return finding


CHECKS = (visit, forgery, downgrade, outer_fields, appid, garbage, entities, big)
