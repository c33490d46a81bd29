"""Checks of what must be answered: verification, every mode, format and type, once for all tries."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

import attrs

from wechat_msg.settings import MINI_PROGRAM
from wechat_msg.testing.conformance.checks import USER, check
from wechat_msg.testing.conformance.probe import Attempt, Finding, Probe, Unreachable, explain, judge_takings
from wechat_msg.testing.simulator import problems
from wechat_msg.testing.simulator.results import Try
from wechat_msg.testing.text import Text, join, label, same

__all__ = ["CHECKS"]

#: Replies tell the second in which they were made.
_UNTIL_THE_NEXT_SECOND = 1.05
_QUICK = 2.5

_MEDIA: Mapping[str, Mapping[str, Any]] = {
    "image": {"PicUrl": "http://mmbiz.qpic.cn/example", "MediaId": "MEDIA_ID"},
    "voice": {"MediaId": "MEDIA_ID", "Format": "amr"},
    "video": {"MediaId": "MEDIA_ID", "ThumbMediaId": "THUMB_MEDIA_ID"},
}
_INVENTED = Finding(
    "warn",
    Text("the MediaId is invented, so that a download of it fails", "MediaId 是虚构的，下载会失败"),
    Text(f"nothing, if it was the download that failed, else {USER.en}", f"如果只是下载失败则没有影响，否则{USER.zh}"),
    Text(
        "answer also if a download fails, and acknowledge with success what you do not answer",
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
#: How each text stands in a finding.
_TEXTS: Mapping[str, str] = {
    "]]>": "a]]>b",
    "]]></Content><FromUserName>…": (
        "]]></Content><FromUserName><![CDATA[oANOTHER]]></FromUserName><Content><![CDATA["
    ),
    "U+0008": "a\bb",
}
#: Bots that send it back with something in front exceed what WeChat takes.
_LONG_TEXT = "check: " + "检查" * 340
_LONG_NAME = Text(f"a text of {len(_LONG_TEXT.encode())} bytes", f"{len(_LONG_TEXT.encode())} 字节的文本")
_INJECTIONS: Mapping[str, str] = {
    "]]>": "a]]>b",
    "]]></Content>…": "]]></Content><MsgType><![CDATA[image]]></MsgType><Content><![CDATA[",
    "<&>": "<b>&amp;\"'</b> 你好 😀",
}


@check(
    Text("URL verification is answered with echostr", "接入验证原样返回 echostr"),
    shown=Text("the console refuses to save the server settings", "公众平台后台提示「Token 验证失败」，无法保存配置"),
    mend=Text("check the Token, and answer echostr alone", "请核对 Token，并只返回 echostr"),
)
def verification(probe: Probe) -> Finding:
    one = probe.verify()
    problem = one.verdict.problem
    if problem == problems.REDIRECTED:
        probe.end(one)
    if problem is not None:
        probe.push_text("check")  # ends the whole check if no bot answers that either
    finding = judge_takings([(same("echostr"), one)])
    return finding if problem in (None, problems.NOT_ECHOED) else attrs.evolve(finding, mend=problem.mend)


@check(
    Text("echostr is answered as plain text", "echostr 以纯文本返回"),
    shown=Text(
        "who has seen one signed URL can show a page of theirs under your domain (XSS)",
        "拿到一个签名网址的人可在你的域名下执行脚本（XSS）",
    ),
    mend=Text("answer with Content-Type: text/plain", "请以 Content-Type: text/plain 返回"),
)
def echostr_is_text(probe: Probe) -> Finding:
    answer = probe.verify("<script>1</script>").answer
    if answer is not None and b"<script>" in answer.body and "html" in answer.headers.get("content-type", ""):
        return Finding("warn", Text("as text/html, and not escaped", "以 text/html 返回且未转义"))
    return Finding("pass", Text("as text, or not at all", "以纯文本返回，或不返回"))


@check(
    Text("a text message is answered in every mode, as XML", "各加解密方式下都能回复文本消息（XML）"),
    shown=USER,
    mend=Text(
        "check Token, EncodingAESKey and AppID, and seal what is sealed",
        "请核对 Token、EncodingAESKey、AppID，加密消息须加密回复",
    ),
)
def modes(probe: Probe) -> Finding:
    attempts = [(same(mode), probe.push({"MsgType": "text", "Content": "check"}, mode)) for mode in probe.modes]
    finding = judge_takings(attempts)
    found = [one.verdict.problem for _, one in attempts if one.verdict.problem]
    if found:
        finding = attrs.evolve(finding, mend=found[0].mend)
    if found == [problems.WRONG_STATUS] * len(attempts):  # then every other row would fail for the same reason
        raise Unreachable(finding)
    return finding


@check(
    Text("a text message is answered in every mode, as JSON", "各加解密方式下都能回复文本消息（JSON）"),
    shown=Text(
        "nothing works once the data format is set to JSON (Mini Programs, shops, Cloud Run)",
        "数据格式选 JSON 时（小程序、微信小店、云托管）完全不可用",
    ),
    mend=Text(
        "read the body by its first character, { or <, and answer alike",
        "请按正文首字符 { 或 < 判断格式，并以同样格式回复",
    ),
)
def json_format(probe: Probe) -> Finding:
    is_needed = probe.settings.account_kind == MINI_PROGRAM
    return judge_takings(
        ((same(mode), probe.push({"MsgType": "text", "Content": "check"}, mode, "json")) for mode in probe.modes),
        "fail" if is_needed else "warn",
    )


@check(
    Text("messages and events of every common type are taken", "常见的各类消息与事件都能处理"),
    shown=USER,
    mend=Text("acknowledge with success what you do not answer", "不需要回复的消息请返回 success"),
)
def types(probe: Probe) -> Finding:
    media = list(_push_media(probe))
    others = list(_push_messages(probe, _WITHOUT_MEDIA))
    if probe.settings.account_kind != MINI_PROGRAM:
        others += _push_events(probe)
    finding = judge_takings([*media, *others])
    if finding.status == "fail" and judge_takings(others).status == "pass":
        return attrs.evolve(_INVENTED, text=join([finding.text, _INVENTED.text]))
    return finding


def _push_media(probe: Probe) -> Iterator[Attempt]:
    for attempt in _push_messages(probe, _MEDIA):
        yield attempt
        if attempt[1].verdict.problem == problems.TIMED_OUT:  # in a download, perhaps, as would be the others
            return


def _push_messages(probe: Probe, kinds: Mapping[str, Mapping[str, Any]]) -> Iterator[Attempt]:
    for kind, fields in kinds.items():
        if probe.settings.account_kind != MINI_PROGRAM or kind in _OF_MINI_PROGRAMS:
            yield same(kind), probe.push({"MsgType": kind, **fields})


def _push_events(probe: Probe) -> list[Attempt]:
    return [
        (same(event), probe.push({"MsgType": "event", "Event": event, **fields})) for event, fields in _EVENTS.items()
    ]


@check(
    Text("types and events that are not known yet are acknowledged", "未知的消息类型与事件返回 success"),
    shown=Text(f"with WeChat's next new event, {USER.en}", f"微信一旦新增事件，{USER.zh}"),
    mend=Text("acknowledge with success whatever is not known", "遇到未知类型请返回 success"),
)
def unknown(probe: Probe) -> Finding:
    return judge_takings(
        [
            (Text("message type", "消息类型"), probe.push({"MsgType": "check_of_new_type", "Check": "1"})),
            (Text("event", "事件"), probe.push({"MsgType": "event", "Event": "check_of_new_event", "Check": "1"})),
        ]
    )


@check(
    Text("a text arrives, whatever the user has written", "用户写什么文本都能收到"),
    shown=Text(f"{USER.en}; or another user gets the answer", f"{USER.zh}；或者回复发给了别的用户"),
    mend=Text(
        "WeChat neither splits ]]> nor drops control characters, which XML parsers refuse: drop them before parsing, "
        "and take Content up to the last ]]></Content>",
        "微信不会拆分 ]]>，也不会去掉控制字符，XML 解析器会报错：请在解析前去掉控制字符，并取到最后一个 ]]></Content>",
    ),
)
def any_text(probe: Probe) -> Finding:
    return judge_takings((same(name), probe.push_text(content)) for name, content in _TEXTS.items())


@check(
    Text("what users write cannot break or change the reply's XML", "用户输入的内容不会破坏或篡改回复的 XML"),
    shown=Text(f"{USER.en}; a user decides what the reply is made of", f"{USER.zh}；用户可以任意改写回复的结构"),
    mend=Text("split ]]> into ]]]]><![CDATA[>", "请把 ]]> 拆成 ]]]]><![CDATA[>"),
)
def injection(probe: Probe) -> Finding:
    return judge_takings((same(name), _inject(probe, content)) for name, content in _INJECTIONS.items())


def _inject(probe: Probe, content: str) -> Try:
    """Send it as it is and, as an XML parser may refuse that (which is another row), so that a parser reads it."""
    as_it_is = probe.push_text(content)
    is_bad = as_it_is.verdict.problem and as_it_is.answer and as_it_is.answer.status == 200
    return as_it_is if is_bad else probe.push_text(f"]]>{escape(content)}<![CDATA[")


@check(
    Text("what is answered to a long text is not too long", "对长文本的回复不会超长"),
    shown=USER,
    mend=problems.TEXT_TOO_LONG.mend,
)
def long_text(probe: Probe) -> Finding:
    # No more than a warning: such a text is rare, and may be slow to answer.
    return judge_takings([(_LONG_NAME, probe.push_text(_LONG_TEXT))], "warn")


@check(
    Text("what is sent again gets the same reply, and is not handled again", "重试的消息得到同样的回复，且不重复处理"),
    shown=Text(
        "orders are placed twice, points are counted twice; or the reply is lost with the first connection",
        "重复下单、重复加积分；或回复随第一次连接一起丢失",
    ),
    mend=Text(
        "keep the reply by MsgId (events: FromUserName and CreateTime): PushEndpoint does",
        "请按 MsgId（事件按 FromUserName + CreateTime）保存回复：PushEndpoint 已做到",
    ),
)
def resend(probe: Probe) -> Finding:
    documents = {
        Text("message", "消息"): probe.complete({"MsgType": "text", "Content": "check"}),
        Text("event", "事件"): probe.complete({"MsgType": "event", "Event": "CLICK", "EventKey": "CHECK"}),
    }
    requests = {name: probe.build(document) for name, document in documents.items()}
    first = {name: probe.send(requests[name], document) for name, document in documents.items()}
    time.sleep(_UNTIL_THE_NEXT_SECOND)
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
        return Text("the second try is only acknowledged, the reply is lost", "第二次只返回 success，回复丢失")
    return Text("another reply, made anew: the handler ran again", "回复是重新生成的：处理函数再次执行")


@check(
    Text("a slow answer reaches the user", "慢回复能送达用户"),
    shown=USER,
    mend=Text(
        "let PushEndpoint with a store wait for the handler, or answer later as a customer-service message",
        "请用带 store 的 PushEndpoint，或先回复 success 再发客服消息",
    ),
)
def slow(probe: Probe) -> Finding:
    if probe.slow_text is None:
        return Finding("skip", Text("name a text that is answered slowly to try", "未指定慢回复的文本，未检查"))
    delivery = probe.deliver({"MsgType": "text", "Content": probe.slow_text})
    seconds, tries = f"{delivery.seconds:.1f} s", len(delivery.tries)
    if delivery.problem:
        return Finding("fail", explain(delivery.tries[-1]))
    how = Text("acknowledged", "已确认") if delivery.is_acknowledged else Text("answered", "已回复")
    return Finding(
        "pass", Text(f"{how.en} after {seconds}, with try {tries}", f"{how.zh}，用时 {seconds}，第 {tries} 次推送")
    )


@check(
    Text("answers come well within 5 seconds", "应答远快于 5 秒"),
    shown=USER,
    mend=Text("do slow work in a handler that PushEndpoint waits for", "慢操作请交给 PushEndpoint 等待的处理函数"),
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
