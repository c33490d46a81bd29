"""Checks of what an endpoint must answer: verification; every mode, format and type; re-sends; slow handlers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

import attrs

from wechat_msg.settings import MINI_PROGRAM
from wechat_msg.testing.bilingual import Text, join, label, same
from wechat_msg.testing.conformance.checks import USER, Finding, check
from wechat_msg.testing.conformance.probe import Attempt, Probe, Unreachable, expect_accepted, explain
from wechat_msg.testing.pushes import complete_fields
from wechat_msg.testing.simulator import problems
from wechat_msg.testing.simulator.verdicts import Try

__all__ = ["CHECKS"]

_QUICK = 2.5

_MEDIA: Mapping[str, Mapping[str, Any]] = {
    "image": {"PicUrl": "http://mmbiz.qpic.cn/example", "MediaId": "MEDIA_ID"},
    "voice": {"MediaId": "MEDIA_ID", "Format": "amr"},
    "video": {"MediaId": "MEDIA_ID", "ThumbMediaId": "THUMB_MEDIA_ID"},
}
_INVENTED = Finding(
    "warn",
    Text("the MediaId is invented, so downloading it fails", "MediaId 是虚构的，下载会失败"),
    Text(f"nothing if only the download failed, else {USER.en}", f"如果只是下载失败则没有影响，否则{USER.zh}"),
    Text(
        "answer also if a download fails, and acknowledge messages without a reply with success",
        "下载失败时也要应答；不需要回复的消息请返回 success",
    ),
)
_WITHOUT_MEDIA: Mapping[str, Mapping[str, Any]] = {
    "location": {"Location_X": "23.134521", "Location_Y": "113.358803", "Scale": "20", "Label": "广州"},
    "link": {"Title": "title", "Description": "description", "Url": "https://example.com/"},
    "miniprogrampage": {
        "Title": "title",
        "AppId": "wx0123456789abcdef",
        "PagePath": "pages/index",
        "ThumbUrl": "",
        "ThumbMediaId": "THUMB_MEDIA_ID",
    },
}
_EVENTS: Mapping[str, Mapping[str, Any]] = {
    "subscribe": {"EventKey": "qrscene_check", "Ticket": "TICKET"},
    "SCAN": {"EventKey": "check", "Ticket": "TICKET"},
    "CLICK": {"EventKey": "CHECK"},
    "LOCATION": {"Latitude": "23.137466", "Longitude": "113.352425", "Precision": "119.385040"},
    "unsubscribe": {"EventKey": ""},
}
_OF_MINI_PROGRAMS = ("image", "miniprogrampage")
#: The texts to send, by their names in a finding.
_TEXTS: Mapping[str, str] = {
    "]]>": "a]]>b",
    "]]></Content><FromUserName>…": (
        "]]></Content><FromUserName><![CDATA[oANOTHER]]></FromUserName><Content><![CDATA["
    ),
    "U+0008": "a\bb",
}
#: A bot that sends it back with a prefix exceeds the limit of WeChat.
_LONG_TEXT = "check: " + "检查" * 340
_LONG_NAME = Text(f"a text of {len(_LONG_TEXT.encode())} bytes", f"{len(_LONG_TEXT.encode())} 字节的文本")
_INJECTIONS: Mapping[str, str] = {
    "]]>": "a]]>b",
    "]]></Content>…": "]]></Content><MsgType><![CDATA[image]]></MsgType><Content><![CDATA[",
    "<&>": "<b>&amp;\"'</b> 你好 😀",
}


@check(
    Text("URL verification returns echostr", "接入验证原样返回 echostr"),
    impact=Text("the console refuses to save the server settings", "公众平台后台提示「Token 验证失败」，无法保存配置"),
    fix=Text("check the Token, and return echostr alone", "请核对 Token，并只返回 echostr"),
)
def verification(probe: Probe) -> Finding:
    attempt = probe.verify()
    problem = attempt.verdict.problem
    if problem == problems.REDIRECTED:
        probe.abort(attempt)
    if problem is not None:
        probe.push_text("check")  # ends all checks if no bot answers that either
    finding = expect_accepted([(same("echostr"), attempt)])
    return finding if problem in (None, problems.NOT_ECHOED) else attrs.evolve(finding, fix=problem.fix)


@check(
    Text("echostr is returned as plain text", "echostr 以纯文本返回"),
    impact=Text(
        "anyone who has seen one signed URL can run scripts under your domain (XSS)",
        "拿到一个签名网址的人可在你的域名下执行脚本（XSS）",
    ),
    fix=Text("answer with Content-Type: text/plain", "请以 Content-Type: text/plain 返回"),
)
def echostr_is_text(probe: Probe) -> Finding:
    answer = probe.verify("<script>1</script>").answer
    if answer is not None and b"<script>" in answer.body and "html" in answer.headers.get("content-type", ""):
        return Finding("warn", Text("as text/html, and not escaped", "以 text/html 返回且未转义"))
    return Finding("pass", Text("as text, or not at all", "以纯文本返回，或不返回"))


@check(
    Text("a text message is answered in every mode, as XML", "各加解密方式下都能回复文本消息（XML）"),
    impact=USER,
    fix=Text(
        "check Token, EncodingAESKey and AppID, and encrypt the reply to an encrypted message",
        "请核对 Token、EncodingAESKey、AppID，加密消息须加密回复",
    ),
)
def modes(probe: Probe) -> Finding:
    attempts = [(same(mode), probe.push({"MsgType": "text", "Content": "check"}, mode)) for mode in probe.modes]
    finding = expect_accepted(attempts)
    found = [attempt.verdict.problem for _, attempt in attempts if attempt.verdict.problem]
    if found:
        finding = attrs.evolve(finding, fix=found[0].fix)
    if found == [problems.WRONG_STATUS] * len(attempts):  # then all other rows would fail for the same reason
        raise Unreachable(finding)
    return finding


@check(
    Text("a text message is answered in every mode, as JSON", "各加解密方式下都能回复文本消息（JSON）"),
    impact=Text(
        "nothing works if the data format is set to JSON (Mini Programs, shops, Cloud Run)",
        "数据格式选 JSON 时（小程序、微信小店、云托管）完全不可用",
    ),
    fix=Text(
        "detect the format by the first character of the body, { or <, and answer in the same format",
        "请按正文首字符 { 或 < 判断格式，并以同样格式回复",
    ),
)
def json_format(probe: Probe) -> Finding:
    is_needed = probe.settings.account_kind == MINI_PROGRAM
    return expect_accepted(
        ((same(mode), probe.push({"MsgType": "text", "Content": "check"}, mode, "json")) for mode in probe.modes),
        "fail" if is_needed else "warn",
    )


@check(
    Text("messages and events of every common type are accepted", "常见的各类消息与事件都能处理"),
    impact=USER,
    fix=Text("acknowledge messages without a reply with success", "不需要回复的消息请返回 success"),
)
def types(probe: Probe) -> Finding:
    media = list(_push_media(probe))
    others = list(_push_messages(probe, _WITHOUT_MEDIA))
    if probe.settings.account_kind != MINI_PROGRAM:
        events = [{"MsgType": "event", "Event": event, **fields} for event, fields in _EVENTS.items()]
        others += [(same(fields["Event"]), probe.push(fields)) for fields in events]
    finding = expect_accepted([*media, *others])
    if finding.status == "fail" and expect_accepted(others).status == "pass":
        return attrs.evolve(_INVENTED, text=join([finding.text, _INVENTED.text]))
    return finding


def _push_media(probe: Probe) -> Iterator[Attempt]:
    for name, attempt in _push_messages(probe, _MEDIA):
        yield name, attempt
        if attempt.verdict.problem == problems.TIMED_OUT:  # perhaps in a download, as the others would
            return


def _push_messages(probe: Probe, kinds: Mapping[str, Mapping[str, Any]]) -> Iterator[Attempt]:
    for kind, fields in kinds.items():
        if probe.settings.account_kind != MINI_PROGRAM or kind in _OF_MINI_PROGRAMS:
            yield same(kind), probe.push({"MsgType": kind, **fields})


@check(
    Text("unknown message types and events are acknowledged", "未知的消息类型与事件返回 success"),
    impact=Text(f"when WeChat adds an event, {USER.en}", f"微信一旦新增事件，{USER.zh}"),
    fix=Text("acknowledge unknown types with success", "遇到未知类型请返回 success"),
)
def unknown(probe: Probe) -> Finding:
    return expect_accepted(
        [
            (Text("message type", "消息类型"), probe.push({"MsgType": "check_of_new_type", "Check": "1"})),
            (Text("event", "事件"), probe.push({"MsgType": "event", "Event": "check_of_new_event", "Check": "1"})),
        ]
    )


@check(
    Text("any text that a user writes is received", "用户写什么文本都能收到"),
    impact=Text(f"{USER.en}; or another user gets the reply", f"{USER.zh}；或者回复发给了别的用户"),
    fix=Text(
        "WeChat neither splits ]]> nor removes control characters, which XML parsers reject: remove them before "
        "parsing, and read Content up to the last ]]></Content>",
        "微信不会拆分 ]]>，也不会去掉控制字符，XML 解析器会报错：请在解析前去掉控制字符，并取到最后一个 ]]></Content>",
    ),
)
def any_text(probe: Probe) -> Finding:
    return expect_accepted((same(name), probe.push_text(content)) for name, content in _TEXTS.items())


@check(
    Text("user input cannot break or change the reply's XML", "用户输入的内容不会破坏或篡改回复的 XML"),
    impact=Text(f"{USER.en}; or a user rewrites the structure of the reply", f"{USER.zh}；用户可以任意改写回复的结构"),
    fix=Text("split ]]> into ]]]]><![CDATA[>", "请把 ]]> 拆成 ]]]]><![CDATA[>"),
)
def injection(probe: Probe) -> Finding:
    return expect_accepted((same(name), _inject(probe, content)) for name, content in _INJECTIONS.items())


def _inject(probe: Probe, content: str) -> Try:
    """Send it unchanged, and escaped if the bot's XML parser rejects that, which is the check `any_text`."""
    unchanged = probe.push_text(content)
    is_bad = unchanged.verdict.problem and unchanged.answer and unchanged.answer.status == 200
    return unchanged if is_bad else probe.push_text(f"]]>{escape(content)}<![CDATA[")


@check(
    Text("the reply to a long text is not too long", "对长文本的回复不会超长"),
    impact=USER,
    fix=problems.TEXT_TOO_LONG.fix,
)
def long_text(probe: Probe) -> Finding:
    # Only a warning: such a text is rare, and may be slow to answer.
    return expect_accepted([(_LONG_NAME, probe.push_text(_LONG_TEXT))], "warn")


@check(
    Text("a re-sent message gets the same reply, and is not handled again", "重试的消息得到同样的回复，且不重复处理"),
    impact=Text(
        "orders or points are counted twice, or the reply is lost with the first connection",
        "重复下单、重复加积分；或回复随第一次连接一起丢失",
    ),
    fix=Text(
        "save the reply by MsgId (events: FromUserName and CreateTime), as PushEndpoint does",
        "请按 MsgId（事件按 FromUserName + CreateTime）保存回复：PushEndpoint 已做到",
    ),
)
def resend(probe: Probe) -> Finding:
    now = int(time.time())
    documents = {
        Text("message", "消息"): complete_fields({"MsgType": "text", "Content": "check"}, now),
        Text("event", "事件"): complete_fields({"MsgType": "event", "Event": "CLICK", "EventKey": "CHECK"}, now),
    }
    requests = {name: probe.build(document) for name, document in documents.items()}
    first = {name: probe.send(requests[name], document) for name, document in documents.items()}
    time.sleep(probe.resend_after)
    again = {name: probe.push(document) for name, document in documents.items()}
    replayed = {name: probe.send(requests[name], document) for name, document in documents.items()}
    found = [
        label(name, what)
        for name in documents
        if (what := _compare(first[name], again[name]) or _compare(first[name], replayed[name]))
    ]
    if found:
        return Finding("fail", join(found))
    return Finding("pass", Text("same reply, also to an identical request", "回复相同，重放同一请求亦然"))


def _compare(first: Try, again: Try) -> Text | None:
    if first.verdict.problem or again.verdict.problem:
        return explain(first if first.verdict.problem else again)
    if first.verdict.reply == again.verdict.reply:
        return None
    if again.verdict.reply is None:
        return Text("the second try is only acknowledged, so the reply is lost", "第二次只返回 success，回复丢失")
    return Text("a new reply: the handler ran again", "回复是重新生成的：处理函数再次执行")


@check(
    Text("a slow answer reaches the user", "慢回复能送达用户"),
    impact=USER,
    fix=Text(
        "use PushEndpoint with a store, or acknowledge and answer with a customer-service message",
        "请用带 store 的 PushEndpoint，或先回复 success 再发客服消息",
    ),
)
def slow(probe: Probe) -> Finding:
    if probe.slow_text is None:
        return Finding("skip", Text("not checked: no text with a slow answer is given", "未指定慢回复的文本，未检查"))
    delivery = probe.deliver({"MsgType": "text", "Content": probe.slow_text})
    seconds, tries = f"{delivery.seconds:.1f} s", len(delivery.tries)
    if delivery.problem:
        return Finding("fail", explain(delivery.tries[-1]))
    how = Text("acknowledged", "已确认") if delivery.is_acknowledged else Text("answered", "已回复")
    return Finding(
        "pass", Text(f"{how.en} after {seconds}, with try {tries}", f"{how.zh}，用时 {seconds}，第 {tries} 次推送")
    )


@check(
    Text("answers take much less than 5 seconds", "应答远快于 5 秒"),
    impact=USER,
    fix=Text("do slow work in a handler that PushEndpoint waits for", "慢操作请交给 PushEndpoint 等待的处理函数"),
)
def speed(probe: Probe) -> Finding:
    seconds = f"{probe.slowest * 1000:.0f} ms"
    return Finding(
        "pass" if probe.slowest < _QUICK else "warn", Text(f"the slowest took {seconds}", f"最慢用时 {seconds}")
    )


CHECKS = (
    *(verification, echostr_is_text, modes, json_format, types, unknown),
    *(any_text, injection, long_text, resend, speed),
)
