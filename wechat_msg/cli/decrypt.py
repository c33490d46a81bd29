"""``wechat-msg decrypt``: decrypt a captured push, or print why that fails."""

from __future__ import annotations

import logging
from collections import ChainMap

import click

from wechat_msg.cli.account_options import account_options, load_settings
from wechat_msg.cli.command import BilingualCommand, option
from wechat_msg.cli.diagnosis import Diagnosis, diagnose, read_query
from wechat_msg.cli.files import read_input
from wechat_msg.cli.language import Failure
from wechat_msg.cli.logs import handle_logs
from wechat_msg.cli.output import Output
from wechat_msg.testing.bilingual import Text, label, same
from wechat_msg.testing.details import explain_error

__all__ = ["decrypt"]


@click.command(
    cls=BilingualCommand,
    about=Text(
        "Decrypt a captured push and check it step by step. Nothing is sent.",
        "解开抓到的推送，逐步说明哪些相符、哪些不符；不联网",
    ),
    examples=["wechat-msg decrypt --query 'signature=...&timestamp=...' --body push.xml"],
)
@option(
    "--query",
    metavar="QUERY",
    about=Text(
        "Its query, its URL, or its line in the access log; without it no signature is checked.",
        "查询串、完整网址或访问日志中的那一行；缺少时无法校验签名",
    ),
)
@option(
    "--body", metavar="FILE", about=Text("File with its body; default: standard input.", "请求体文件；默认读标准输入")
)
@account_options
@click.pass_obj
def decrypt(output: Output, *, query: str | None, body: str | None, environ: ChainMap[str, str]) -> int:
    """Decrypt the push; return 0 if it would be accepted."""
    settings = load_settings(environ)
    parameters = None if query is None else read_query(query)
    if parameters == {}:
        raise Failure(Text("--query contains no parameters", "--query 中没有参数"))
    has_no_body = body is None and parameters is not None and "echostr" in parameters
    content = b"" if has_no_body else read_input(output, body or "-")
    with handle_logs(logging.NullHandler()):  # the steps show what the package would log
        found = diagnose(settings, parameters, content)
    _print_diagnosis(output, found)
    return 1 if found.error else 0


def _print_diagnosis(output: Output, found: Diagnosis) -> None:
    for step in found.steps:
        output.print_line(step.mark, step.title, step.note)
    if found.fields is not None:
        output.print_text()
        output.print_fields(found.fields, indent=2)
        output.print_text()
    if found.error is not None:
        reason = label(same(type(found.error).__name__), explain_error(found.error))
        output.print_line("fail", label(Text("refused", "拒收"), reason))
        if found.cause is not None:
            output.print_text(label(Text("Probably", "最可能的原因"), found.cause), indent=2)
    else:
        output.print_line("pass", Text("would be accepted", "可以正常接收"))
