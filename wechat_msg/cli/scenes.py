"""The scenes of the demo; each yields its results line by line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from wechat_msg._tracebacks import frozen
from wechat_msg.cli.stage import Stage
from wechat_msg.crypto import generate_token
from wechat_msg.errors import MalformedPush
from wechat_msg.settings import PushSettings
from wechat_msg.testing.bilingual import Text, same
from wechat_msg.testing.documents import read_document
from wechat_msg.testing.pushes import Mode
from wechat_msg.testing.simulator import PushSimulator, Try
from wechat_msg.wire import Format

__all__ = ["QUICK", "SLOW", "Line", "Scene"]

_MODES: Mapping[Mode, Text] = {
    "plain": Text("plain     ", "明文模式"),
    "compatible": Text("compatible", "兼容模式"),
    "sealed": Text("sealed    ", "安全模式"),
}
_MAX_DELAY = 5.0


@frozen
class Line:
    """One line of a scene.

    Attributes:
        is_expected: Whether the result is as expected.
        what: What was done.
        seen: The result.
    """

    is_expected: bool
    what: Text
    seen: Text


Scene = Callable[[Stage], Iterator[Line]]


# --- quick scenes -----------------------------------------------------------------------------------------------------


def verify(stage: Stage) -> Iterator[Line]:
    """Verify the URL, as WeChat's console does when the server settings are saved."""
    with PushSimulator(stage.bot, stage.settings) as wechat:
        attempt = wechat.verify()
    seen = Text("echostr returned", "原样返回 echostr") if attempt.verdict.outcome == "verified" else _describe(attempt)
    yield Line(attempt.verdict.problem is None, same("GET"), _add_time(seen, attempt.seconds))


#: Mode, format, what the user does, the fields of the push, and the expected fields of the reply.
_CONVERSATION: list[tuple[Mode, Format, Text, dict[str, Any], dict[str, Any]]] = [
    ("plain", "xml", same("你好"), {"Content": "你好"}, {"Content": "你好"}),
    (
        "compatible",
        "xml",
        Text("[a picture]", "[图片]"),
        {"MsgType": "image", "PicUrl": "http://example.com/cat.jpg", "MediaId": "CAT"},
        {"Image": {"MediaId": "CAT"}},
    ),
    (
        "sealed",
        "xml",
        Text("[follows by QR code]", "[扫码关注]"),
        {"MsgType": "event", "Event": "subscribe", "EventKey": "qrscene_7", "Ticket": "TICKET"},
        {"MsgType": "text"},
    ),
    ("sealed", "xml", same("]]> <b>&amp; 😀"), {"Content": "]]> <b>&amp; 😀"}, {"Content": "]]> <b>&amp; 😀"}),
    (
        "sealed",
        "json",
        Text("[menu: help]", "[点击菜单：帮助]"),
        {"MsgType": "event", "Event": "CLICK", "EventKey": "HELP"},
        {"MsgType": "text"},
    ),
    ("sealed", "xml", Text("[leaves]", "[取消关注]"), {"MsgType": "event", "Event": "unsubscribe", "EventKey": ""}, {}),
]


def converse(stage: Stage) -> Iterator[Line]:
    """Send messages and events in every mode."""
    for mode, form, said, fields, expected in _CONVERSATION:
        url = stage.plain_bot if mode == "plain" else stage.bot
        with PushSimulator(url, stage.settings, mode=mode, format=form, tries=1) as wechat:
            delivery = wechat.push(fields)
        reply = delivery.reply or {}
        is_expected = delivery.problem is None and bool(reply) == bool(expected) and expected.items() <= reply.items()
        what = _join(_MODES[mode], same(f" {form.upper():<4}  "), said)
        yield Line(is_expected, what, _add_time(_describe(delivery.tries[-1]), delivery.seconds))


def forge(stage: Stage) -> Iterator[Line]:
    """Send pushes that the bot must refuse."""
    stranger = attrs.evolve(stage.settings, token=generate_token())
    neighbour = attrs.evolve(stage.settings, appid="wxfedcba9876543210")
    attempts: list[tuple[Text, PushSettings, Mode]] = [
        (Text("forged signature", "伪造签名"), stranger, "sealed"),
        (Text("plaintext instead of sealed", "安全模式下发明文"), stage.settings, "plain"),
        (Text("another account's AppID", "其他账号的 AppID"), neighbour, "sealed"),
    ]
    for what, settings, mode in attempts:
        with PushSimulator(stage.bot, settings, mode=mode, tries=1) as attacker:
            answer = attacker.push_text("let me in").tries[-1].answer
        status = answer.status if answer else 0
        is_refused = status == 403
        seen = Text("refused", "拒绝") if is_refused else Text("not refused", "没有拒绝")
        yield Line(is_refused, what, _join(seen, same(f"  HTTP {status}")))


# --- slow scenes ------------------------------------------------------------------------------------------------------


def send_again(stage: Stage) -> Iterator[Line]:
    """Send one message three times, as WeChat does if the answer is lost in transit."""
    seals, replies = set[str](), list[Mapping[str, Any] | None]()
    with PushSimulator(stage.bot, stage.settings, tries=1) as wechat:
        fields: Mapping[str, Any] = {"MsgType": "text", "Content": "一次 once"}
        for number in range(3):
            delivery = wechat.push(fields)
            fields, reply, seal = delivery.fields, delivery.reply, _find_nonce(delivery.tries[-1])
            is_same = reply is not None and (not replies or reply == replies[0]) and seal not in seals
            replies.append(reply)
            seals.add(seal)
            created = (reply or {}).get("CreateTime", "")
            details = same(f"  CreateTime {created}, nonce {seal}")
            yield Line(is_same, _number(number + 1), _join(_describe(delivery.tries[-1]), details))
            if reply is None:
                return
            if number < 2:
                time.sleep(1.1)  # a reply that is created a second time has another CreateTime
    yield _count_runs(stage, fields)


def wait_longer(stage: Stage) -> Iterator[Line]:
    """Send a message whose handler takes 7 seconds; WeChat hangs up after 5 and sends it again."""
    with PushSimulator(stage.bot, stage.settings) as wechat:
        delivery = wechat.push_text("7")
    for attempt in delivery.tries[:-1]:
        code = attempt.verdict.problem.code if attempt.verdict.problem else ""
        yield Line(code == "timed_out", _number(attempt.number), _span(attempt))
    attempt = delivery.tries[-1]
    yield Line(attempt.number > 1 and (delivery.text or "").startswith("7 "), _number(attempt.number), _span(attempt))
    yield _count_runs(stage, delivery.fields)


def answer_later(stage: Stage) -> Iterator[Line]:
    """Send a message whose handler takes 6 seconds to a bot that acknowledges it and answers later."""
    with PushSimulator(stage.late_bot, stage.settings, api=stage.api) as wechat:
        began = time.monotonic()
        delivery = wechat.push_text("6")
    is_taken = delivery.is_acknowledged and len(delivery.tries) == 1 and delivery.seconds > 4
    yield Line(is_taken, _number(1), _span(delivery.tries[-1]))
    while is_taken and not stage.api.messages and time.monotonic() < began + 6 + _MAX_DELAY:
        time.sleep(0.02)
    sent = next(iter(stage.api.messages), {})
    content = str(sent.get("text", {}).get("content", ""))
    is_right = sent.get("touser") == delivery.fields["FromUserName"] and content.startswith("6 ")
    seen = same(f"{time.monotonic() - began:.1f} s  → {content}") if sent else Text("none received", "没有收到")
    yield Line(is_right, Text("customer-service message", "客服消息"), seen)


def fetch(stage: Stage) -> Iterator[Line]:
    """Send a message whose handler takes 6 seconds to a bot that keeps its answer for the user's next message."""
    with PushSimulator(stage.keeping_bot, stage.settings) as wechat:
        first = wechat.push_text("6")
        waits = (first.text or "").startswith("正在思考") and len(first.tries) == 1
        yield Line(waits, _number(1), _span(first.tries[-1]))
        second = wechat.push_text("?")
    span = same(f"{first.seconds:.1f} s – {first.seconds + second.seconds:.1f} s  ")
    is_right = (second.text or "").startswith("6 ")
    yield Line(is_right, Text("next message", "下一条消息"), _join(span, _describe(second.tries[-1])))
    yield _count_runs(stage, first.fields)


QUICK: Mapping[Text, Scene] = {
    Text("URL verification", "接入验证"): verify,
    Text("A conversation, in every mode", "三种模式下的对话"): converse,
    Text("Requests that must be refused", "必须拒绝的请求"): forge,
}
SLOW: Mapping[Text, Scene] = {
    Text("One message, sent again: the same reply, encrypted again", "同一条消息重推：回复相同，重新加密"): send_again,
    Text(
        "A handler of 7 s: WeChat hangs up after 5 s; the next try gets the reply",
        "处理需 7 秒：微信 5 秒后断开，重试时拿到回复",
    ): wait_longer,
    Text(
        "A handler of 6 s: acknowledged in time; the reply follows as a customer-service message",
        "处理需 6 秒：先应答 success，再发客服消息",
    ): answer_later,
    Text(
        "A handler of 6 s, for an account that may not send messages: the next message gets the answer",
        "处理需 6 秒，账号不能发客服消息：先回提示，下一条消息拿到回复",
    ): fetch,
}


# --- words ------------------------------------------------------------------------------------------------------------


def _describe(attempt: Try) -> Text:
    verdict = attempt.verdict
    if verdict.problem is not None:
        return verdict.problem.what
    if verdict.reply is None:
        return Text("success, nothing to show", "success，不显示任何内容")
    shown = str(verdict.reply.get("Content") or f"[{verdict.reply['MsgType']}]")
    return same(f"→ {shown}")


def _span(attempt: Try) -> Text:
    return _join(same(f"{attempt.began:.1f} s – {attempt.began + attempt.seconds:.1f} s  "), _describe(attempt))


def _add_time(seen: Text, seconds: float) -> Text:
    return _join(seen, same(f"  ({seconds * 1000:.0f} ms)"))


def _join(*texts: Text) -> Text:
    return Text("".join(text.en for text in texts), "".join(text.zh for text in texts))


def _number(number: int) -> Text:
    return Text(f"try {number}", f"第 {number} 次")


def _count_runs(stage: Stage, fields: Mapping[str, Any]) -> Line:
    runs = stage.handled.count(str(fields["MsgId"]))
    times = Text("once" if runs == 1 else f"{runs} times", f"{runs} 次")
    return Line(runs == 1, Text("the handler ran", "处理函数运行"), times)


def _find_nonce(attempt: Try) -> str:
    try:
        return str(read_document(attempt.answer.body if attempt.answer else b"").get("Nonce", ""))
    except MalformedPush:
        return ""
