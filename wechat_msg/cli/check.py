"""``wechat-msg check``: check a live endpoint and print a table."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import click

from wechat_msg import __version__
from wechat_msg.cli.account_options import account_options, insecure_option, load_settings, make_ssl_context
from wechat_msg.cli.command import BilingualCommand, option
from wechat_msg.cli.output import Output
from wechat_msg.cli.url import check_url
from wechat_msg.testing.bilingual import Text, label
from wechat_msg.testing.conformance import CHECKS, Row, check_endpoint
from wechat_msg.testing.simulator import PushSimulator

__all__ = ["check"]


@click.command(
    cls=BilingualCommand,
    about=Text(
        "Check that a live endpoint does what WeChat expects and refuses forgeries. Sends about 60 requests.",
        "检查线上接口是否符合微信要求、能否拒绝伪造；约 60 个请求",
    ),
    examples=["wechat-msg check https://example.com/wechat"],
)
@click.argument("url")
@option(
    "--slow",
    metavar="TEXT",
    about=Text(
        "A text that your bot needs more than 5 seconds to answer.", "一条你的机器人需要 5 秒以上才能回复的文本"
    ),
)
@option("--json", "as_json", is_flag=True, about=Text("Print the result as JSON.", "以 JSON 输出结果"))
@insecure_option
@account_options
@click.pass_obj
def check(
    output: Output, *, url: str, slow: str | None, as_json: bool, insecure: bool, environ: ChainMap[str, str]
) -> int:
    """Run all checks; return 0 if none failed."""
    settings = load_settings(environ)
    with PushSimulator(check_url("URL", url), settings, ssl_context=make_ssl_context(insecure=insecure)) as simulator:
        rows = check_endpoint(simulator, slow_text=slow)
        done = list(rows if as_json else _print_each(output, rows))
    if as_json:
        output.print_json(_to_json(url, done))
    else:
        _print_summary(output, done)
    return 1 if _count(done, "fail") else 0


def _print_each(output: Output, rows: Iterable[Row]) -> Iterator[Row]:
    results = iter(rows)
    for number in range(1, len(CHECKS) + 1):
        with output.waiting(Text(f"checking, {number} of {len(CHECKS)}", f"检查中 {number}/{len(CHECKS)}")):
            row = next(results)
        _print_row(output, row)
        yield row


def _print_row(output: Output, row: Row) -> None:
    if row.status in ("pass", "skip"):
        output.print_line(row.status, row.title, row.finding)
        return
    output.print_line(row.status, row.title)
    for name, text in (
        (Text("finding", "现象"), row.finding),
        (Text("impact", "后果"), row.impact),
        (Text("fix", "解决"), row.fix),
    ):
        output.print_text(label(name, text), indent=4)


def _print_summary(output: Output, rows: list[Row]) -> None:
    passed, warned, failed, skipped = (_count(rows, status) for status in ("pass", "warn", "fail", "skip"))
    output.print_text()
    output.print_line(
        "fail" if failed else "pass",
        Text(
            f"{passed} passed, {failed} failed, {warned} warnings, {skipped} not checked",
            f"{passed} 项通过，{failed} 项不通过，{warned} 项警告，{skipped} 项未检查",
        ),
    )


def _to_json(url: str, rows: list[Row]) -> dict[str, Any]:
    return {
        "url": url,
        "version": __version__,
        "passed": _count(rows, "pass"),
        "failed": _count(rows, "fail"),
        "rows": [attrs.asdict(row, recurse=False) for row in rows],
    }


def _count(rows: Iterable[Row], status: str) -> int:
    return sum(row.status == status for row in rows)
