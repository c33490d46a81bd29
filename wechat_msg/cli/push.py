"""``wechat-msg push``: sends one message or event as WeChat would, and shows what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from wechat_msg.cli.command import Command, option
from wechat_msg.cli.files import read_input
from wechat_msg.cli.language import Failure
from wechat_msg.cli.output import Output
from wechat_msg.cli.settings import account_options, insecure_option, load_settings, make_ssl_context
from wechat_msg.testing.documents import write_document
from wechat_msg.testing.pushes import Mode
from wechat_msg.testing.simulator import Delivery, PushSimulator, Try
from wechat_msg.testing.text import Text, label, same
from wechat_msg.wire import Format, detect_format, parse_body

__all__ = ["push", "tell_try"]

_OUTCOMES: Mapping[str, Text] = {
    "verified": Text("verified", "验证通过"),
    "acknowledged": Text("taken, no reply", "已接收，无回复"),
    "replied": Text("replied", "已回复"),
    "failed": Text("failed", "失败"),
}


@click.command(
    cls=Command,
    about=Text(
        "Send a message or an event to your server, as WeChat would: signed, sealed, with 5 seconds and three tries.",
        "像微信一样推送一条消息或事件：签名、加密、5 秒超时、最多三次",
    ),
    examples=[
        "wechat-msg push http://127.0.0.1:8000/wechat --text hi",
        "wechat-msg push http://127.0.0.1:8000/wechat --event CLICK --field EventKey=HELP",
    ],
)
@click.argument("url")
@option("--text", about=Text("Send a text message.", "发送文本消息"))
@option(
    "--image",
    metavar="PICURL",
    about=Text(
        "Send an image that is at this address; its MediaId is invented.",
        "发送图片消息，值为图片网址；MediaId 是虚构的",
    ),
)
@option("--event", metavar="NAME", about=Text("Send an event, such as subscribe.", "发送事件，如 subscribe"))
@option(
    "--file",
    metavar="FILE",
    about=Text(
        "Send this document, XML or JSON, before sealing; - reads it.",
        "发送文件中未加密的 XML 或 JSON；- 为标准输入",
    ),
)
@option(
    "--field",
    "extra",
    metavar="NAME=VALUE",
    multiple=True,
    about=Text("A further field, by its wire name; repeatable.", "附加字段，用微信文档中的字段名；可重复"),
)
@option(
    "--mode",
    type=click.Choice(["plain", "compatible", "sealed"]),
    about=Text("明文, 兼容 or 安全模式; sealed if there is a key.", "明文、兼容或安全模式；有密钥时默认安全模式"),
)
@option("--format", "form", type=click.Choice(["xml", "json"]), about=Text("Data format; xml.", "数据格式；默认 xml"))
@option(
    "--tries",
    type=click.IntRange(1, 10),
    metavar="NUMBER",
    default=3,
    about=Text("How often in all; 3.", "最多推送几次；默认 3"),
)
@option("--openid", default="oUSER", about=Text("The user who writes; oUSER.", "发送者的 OpenID；默认 oUSER"))
@option("--json", "as_json", is_flag=True, about=Text("Print the result as JSON.", "以 JSON 输出结果"))
@option("--verbose", "-v", is_flag=True, about=Text("Show what goes over the wire.", "显示报文"))
@insecure_option
@account_options
@click.pass_obj
def push(
    output: Output,
    *,
    url: str,
    text: str | None,
    image: str | None,
    event: str | None,
    file: str | None,
    extra: tuple[str, ...],
    mode: Mode | None,
    form: Format | None,
    tries: int,
    openid: str,
    as_json: bool,
    verbose: bool,
    insecure: bool,
    environ: dict[str, str],
) -> int:
    """Send it; 0 if it was taken."""
    settings = load_settings(environ)
    fields, own_form = _make_fields(text, image, event, file)
    fields |= _read_fields(extra)
    simulator = PushSimulator(
        url,
        settings,
        mode=mode,
        format=form or own_form,
        openid=openid,
        tries=tries,
        ssl_context=make_ssl_context(insecure=insecure),
        on_try=None if as_json else lambda one: tell_try(output, one, verbose=verbose),
    )
    with simulator, output.waiting(Text("waiting for the answer", "等待应答")):
        delivery = simulator.push(fields)
    if as_json:
        output.json(_to_json(delivery, verbose=verbose))
    else:
        _tell_result(output, delivery, verbose=verbose)
    return 0 if delivery.problem is None else 1


# --- what is sent -----------------------------------------------------------------------------------------------------


def _make_fields(
    text: str | None, image: str | None, event: str | None, file: str | None
) -> tuple[dict[str, Any], Format]:
    if sum(given is not None for given in (text, image, event, file)) != 1:
        names = same("--text, --image, --event, --file")
        raise Failure(label(Text("give one of", "请给出其中之一"), names))
    if text is not None:
        return {"MsgType": "text", "Content": text}, "xml"
    if image is not None:
        return {"MsgType": "image", "PicUrl": image, "MediaId": "MEDIA_ID"}, "xml"
    if event is not None:
        return {"MsgType": "event", "Event": event}, "xml"
    body = read_input(file or "-")
    fields = parse_body(body)
    if "Encrypt" in fields:
        raise Failure(
            Text(
                "this document is sealed; wechat-msg decrypt shows what is inside",
                "文件内容已加密，可先用 wechat-msg decrypt 解开",
            )
        )
    return fields, detect_format(body)


def _read_fields(extra: tuple[str, ...]) -> dict[str, str]:
    fields = {}
    for each in extra:
        name, equals, value = each.partition("=")
        if not name or not equals:
            raise Failure(Text("--field is NAME=VALUE", "--field 的格式为 名称=值"))
        fields[name] = value
    return fields


# --- what came of it --------------------------------------------------------------------------------------------------


def tell_try(output: Output, one: Try, *, verbose: bool = False) -> None:
    """Print one try."""
    verdict = one.verdict
    status = f"HTTP {one.answer.status}  " if one.answer and one.answer.status == 200 else ""
    what = verdict.problem.what if verdict.problem else _OUTCOMES[verdict.outcome]
    detail = f" [{verdict.detail}]" if verdict.detail else ""
    output.line(
        "fail" if verdict.problem else "pass",
        Text(f"try {one.number}", f"第 {one.number} 次"),
        f"{one.began:.2f} s → {one.began + one.seconds:.2f} s  {status}{output.to_text(what)}{detail}",
    )
    if verbose:
        _tell_wire(output, one)


def _tell_wire(output: Output, one: Try) -> None:
    request, answer = one.request, one.answer
    output.say(f"> {request.method} ?{request.query_string}", style="dim", indent=2)
    output.say(f"> {request.body.decode(errors='replace')}", style="dim", indent=2)
    if answer is not None:
        output.say(f"< {answer.status} {answer.headers.get('content-type', '')}", style="dim", indent=2)
        output.say(f"< {answer.body.decode(errors='replace')}", style="dim", indent=2)


def _tell_result(output: Output, delivery: Delivery, *, verbose: bool) -> None:
    if verbose:
        output.say(Text("sent, before it was sealed:", "推送内容（加密前）："))
        output.say(write_document(delivery.fields, delivery.format).decode(errors="replace"), style="dim", indent=2)
        output.say(Text("answered:", "应答内容（解密后）："))
        output.say(delivery.verdict.document, style="dim", indent=2)
    if delivery.problem is not None:
        output.say(label(Text("The user sees", "用户看到"), delivery.shown), indent=2)
        output.say(label(Text("To mend it", "解决办法"), delivery.problem.mend), indent=2)
    elif delivery.reply is not None and not verbose:
        output.fields(delivery.reply, indent=2)


def _to_json(delivery: Delivery, *, verbose: bool) -> dict[str, Any]:
    return {
        **_verdict_to_json(delivery.tries[-1]),
        "reply": delivery.reply,
        "shown": delivery.shown,
        "seconds": round(delivery.seconds, 3),
        "tries": [_try_to_json(one, verbose=verbose) for one in delivery.tries],
    }


def _try_to_json(one: Try, *, verbose: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "number": one.number,
        "began": round(one.began, 3),
        "seconds": round(one.seconds, 3),
        "status": one.answer.status if one.answer else None,
        **_verdict_to_json(one),
    }
    if verbose:
        told["query"] = one.request.query
        told["body"] = one.request.body.decode(errors="replace")
        told["answer"] = one.answer.body.decode(errors="replace") if one.answer else None
    return told


def _verdict_to_json(one: Try) -> dict[str, Any]:
    problem = one.verdict.problem
    told = {"code": problem.code, "what": problem.what, "mend": problem.mend} if problem else None
    return {"outcome": one.verdict.outcome, "problem": told, "detail": one.verdict.detail}
