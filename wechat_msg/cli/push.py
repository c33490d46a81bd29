"""``wechat-msg push``: send one message or event as WeChat does, and print the result."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import Any

import click

from wechat_msg.cli.account_options import account_options, insecure_option, load_settings, make_ssl_context
from wechat_msg.cli.command import BilingualCommand, option
from wechat_msg.cli.files import read_input
from wechat_msg.cli.language import Failure
from wechat_msg.cli.output import Output
from wechat_msg.cli.url import check_url
from wechat_msg.errors import MalformedPush
from wechat_msg.testing.bilingual import Text, join, label, same
from wechat_msg.testing.details import annotate, explain_detail, explain_error
from wechat_msg.testing.documents import write_document
from wechat_msg.testing.pushes import Mode
from wechat_msg.testing.simulator import Delivery, PushSimulator, Try
from wechat_msg.wire import Format, detect_format, parse_body

__all__ = ["print_try", "push"]

_NO_KEY = Text(
    "--mode {mode} needs the key: give --aes-key and --appid, or set WECHAT_ENCODING_AES_KEY and WECHAT_APPID",
    "--mode {mode} 需要密钥：请给出 --aes-key 与 --appid，或设置 WECHAT_ENCODING_AES_KEY 与 WECHAT_APPID",
)
#: The options that set a field.
_GIVEN_BY: Mapping[str, Text] = {
    "MsgType": Text("--text, --image or --event", "--text、--image 或 --event"),
    "Content": same("--text"),
    "PicUrl": same("--image"),
    "Event": same("--event"),
}
_OUTCOMES: Mapping[str, Text] = {
    "verified": Text("verified", "验证通过"),
    "acknowledged": Text("acknowledged, no reply", "已接收，无回复"),
    "replied": Text("replied", "已回复"),
    "failed": Text("failed", "失败"),
}


@click.command(
    cls=BilingualCommand,
    about=Text(
        "Send a message or an event to your server as WeChat does: signed, sealed, with 5 seconds and three tries.",
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
        "Send an image message with this picture address; its MediaId is invented.",
        "发送图片消息，值为图片网址；MediaId 是虚构的",
    ),
)
@option("--event", metavar="NAME", about=Text("Send an event, such as subscribe.", "发送事件，如 subscribe"))
@option(
    "--file",
    metavar="FILE",
    about=Text(
        "Send the unencrypted XML or JSON document in this file; - is standard input.",
        "发送文件中未加密的 XML 或 JSON；- 为标准输入",
    ),
)
@option(
    "--field",
    "extra",
    metavar="NAME=VALUE",
    multiple=True,
    about=Text("An additional field, by its wire name; repeatable.", "附加字段，用微信文档中的字段名；可重复"),
)
@option(
    "--mode",
    type=click.Choice(["plain", "compatible", "sealed"]),
    about=Text("明文, 兼容 or 安全模式; default: sealed with a key.", "明文、兼容或安全模式；有密钥时默认安全模式"),
)
@option(
    "--format",
    "form",
    type=click.Choice(["xml", "json"]),
    about=Text("Data format; default: xml.", "数据格式；默认 xml"),
)
@option(
    "--tries",
    type=click.IntRange(1, 10),
    metavar="NUMBER",
    default=3,
    about=Text("Number of tries; default: 3.", "最多推送几次；默认 3"),
)
@option("--openid", about=Text("OpenID of the sender; default: oUSER.", "发送者的 OpenID；默认 oUSER"))
@option("--json", "as_json", is_flag=True, about=Text("Print the result as JSON.", "以 JSON 输出结果"))
@option("--verbose", "-v", is_flag=True, about=Text("Show requests and answers.", "显示报文"))
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
    openid: str | None,
    as_json: bool,
    verbose: bool,
    insecure: bool,
    environ: ChainMap[str, str],
) -> int:
    """Send the push; return 0 if the answer is valid."""
    settings = load_settings(environ)
    if mode in ("compatible", "sealed") and not settings.ciphers:
        raise Failure(_NO_KEY.format(mode=mode))
    fields, own_form = _make_fields(output, text=text, image=image, event=event, file=file)
    fields |= _read_fields(extra, _find_fixed(fields, file, openid))
    simulator = PushSimulator(
        check_url("URL", url),
        settings,
        mode=mode,
        format=form or own_form,
        tries=tries,
        ssl_context=make_ssl_context(insecure=insecure),
        on_try=None if as_json else lambda attempt: print_try(output, attempt, verbose=verbose),
    )
    with simulator, output.waiting(Text("waiting for the answer", "等待应答")):
        delivery = simulator.push(fields, openid=openid)
    _print_result(output, delivery, as_json=as_json, verbose=verbose)
    return 0 if delivery.problem is None else 1


# --- the request ------------------------------------------------------------------------------------------------------


def _make_fields(output: Output, **content: str | None) -> tuple[dict[str, Any], Format]:
    given = [(name, value) for name, value in content.items() if value is not None]
    if len(given) != 1:
        text = label(Text("give one of", "请给出其中之一"), join(same(f"--{name}") for name in content))
        if given:
            both = join(same(f"--{name}") for name, _ in given)
            text = Text(f"{both.en} exclude each other; {text.en}", f"{both.zh} 不能同时使用，{text.zh}")
        raise Failure(text)
    match given[0]:
        case "text", value:
            return {"MsgType": "text", "Content": value}, "xml"
        case "image", value:
            return {"MsgType": "image", "PicUrl": value, "MediaId": "MEDIA_ID"}, "xml"
        case "event", value:
            return {"MsgType": "event", "Event": value}, "xml"
        case _, value:
            return _read_file(output, value)


def _read_file(output: Output, path: str) -> tuple[dict[str, Any], Format]:
    body = read_input(output, path)
    try:
        fields = parse_body(body)
    except MalformedPush as error:
        why = explain_error(error)
        raise Failure(Text(f"{path}: {why.en}", f"{path} 不是可以推送的 XML 或 JSON")) from None
    if "Encrypt" in fields:
        raise Failure(
            Text(
                "this document is encrypted; decrypt it with wechat-msg decrypt first",
                "文件内容已加密，可先用 wechat-msg decrypt 解开",
            )
        )
    return fields, detect_format(body)


def _find_fixed(fields: Mapping[str, Any], file: str | None, openid: str | None) -> Mapping[str, Text]:
    """Return the fields that other options than ``--field`` set, each with the name of that option."""
    fixed = {} if file is not None else {name: _GIVEN_BY[name] for name in fields.keys() & _GIVEN_BY}
    return fixed if openid is None else {**fixed, "FromUserName": same("--openid")}


def _read_fields(extra: tuple[str, ...], fixed: Mapping[str, Text]) -> dict[str, str]:
    """Parse the additional fields.

    Args:
        extra: The fields, each as NAME=VALUE.
        fixed: For each field that another option sets, the name of that option.
    """
    fields: dict[str, str] = {}
    for each in extra:
        name, equals, value = each.partition("=")
        if not name or not equals:
            raise Failure(Text("--field must be NAME=VALUE", "--field 的格式为 名称=值"))
        if name in fields or name in fixed:
            by = fixed.get(name, same("--field"))
            raise Failure(Text(f"--field {name}: already set by {by.en}", f"--field {name}：已由 {by.zh} 给出"))
        fields[name] = value
    return fields


# --- the results ------------------------------------------------------------------------------------------------------


def print_try(output: Output, attempt: Try, *, verbose: bool = False) -> None:
    """Print one try."""
    verdict = attempt.verdict
    status = f"HTTP {attempt.answer.status}  " if attempt.answer and attempt.answer.status == 200 else ""
    what = verdict.problem.what if verdict.problem else _OUTCOMES[verdict.outcome]
    seen = annotate(what, verdict.detail)
    output.print_line(
        "fail" if verdict.problem else "pass",
        Text(f"try {attempt.number}", f"第 {attempt.number} 次"),
        f"{attempt.began:.2f} s → {attempt.began + attempt.seconds:.2f} s  {status}{output.to_text(seen)}",
    )
    if verbose:
        _print_wire(output, attempt)


def _print_wire(output: Output, attempt: Try) -> None:
    request, answer = attempt.request, attempt.answer
    output.print_text(f"> {request.method} ?{request.query_string}", style="dim", indent=2)
    output.print_text(f"> {request.body.decode(errors='replace')}", style="dim", indent=2)
    if answer is not None:
        output.print_text(f"< {answer.status} {answer.headers.get('content-type', '')}", style="dim", indent=2)
        output.print_text(f"< {answer.body.decode(errors='replace')}", style="dim", indent=2)


def _print_result(output: Output, delivery: Delivery, *, as_json: bool, verbose: bool) -> None:
    if as_json:
        output.print_json(_to_json(delivery, verbose=verbose))
        return
    if verbose:
        output.print_text(Text("sent, before encryption:", "推送内容（加密前）："))
        output.print_text(
            write_document(delivery.fields, delivery.format).decode(errors="replace"), style="dim", indent=2
        )
        output.print_text(Text("answered, after decryption:", "应答内容（解密后）："))
        output.print_text(delivery.verdict.document, style="dim", indent=2)
    if delivery.problem is not None:
        output.print_text(label(Text("The user sees", "用户看到"), delivery.shown), indent=2)
        output.print_text(label(Text("Fix", "解决办法"), delivery.problem.fix), indent=2)
    elif delivery.reply is not None and not verbose:
        output.print_fields(delivery.reply, indent=2)


def _to_json(delivery: Delivery, *, verbose: bool) -> dict[str, Any]:
    return {
        **_verdict_to_json(delivery.tries[-1]),
        "reply": delivery.reply,
        "shown": delivery.shown,
        "seconds": round(delivery.seconds, 3),
        "tries": [_try_to_json(attempt, verbose=verbose) for attempt in delivery.tries],
    }


def _try_to_json(attempt: Try, *, verbose: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "number": attempt.number,
        "began": round(attempt.began, 3),
        "seconds": round(attempt.seconds, 3),
        "status": attempt.answer.status if attempt.answer else None,
        **_verdict_to_json(attempt),
    }
    if verbose:
        document["query"] = attempt.request.query
        document["body"] = attempt.request.body.decode(errors="replace")
        document["answer"] = attempt.answer.body.decode(errors="replace") if attempt.answer else None
    return document


def _verdict_to_json(attempt: Try) -> dict[str, Any]:
    problem = attempt.verdict.problem
    document = {"code": problem.code, "what": problem.what, "fix": problem.fix} if problem else None
    return {"outcome": attempt.verdict.outcome, "problem": document, "detail": explain_detail(attempt.verdict.detail)}
