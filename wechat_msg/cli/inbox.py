"""``wechat-msg inbox``: list, retry or drop what was acknowledged or queued, and is not done."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import click

from wechat_msg import __version__
from wechat_msg._flow import Flow
from wechat_msg.cli.application import load_endpoint
from wechat_msg.cli.command import BilingualCommand, BilingualGroup, option
from wechat_msg.cli.language import Failure
from wechat_msg.cli.logs import handle_logs
from wechat_msg.cli.output import Mark, Output
from wechat_msg.endpoint.administration import (
    AnyEndpoint,
    EntryChange,
    KeptPush,
    Retried,
    drop,
    keeps,
    list_kept,
    perform,
    retry,
)
from wechat_msg.endpoint.handling import EXPLANATIONS
from wechat_msg.endpoint.parts import describe_part
from wechat_msg.errors import StoreError, WeChatError
from wechat_msg.testing.bilingual import Text, join, label, same
from wechat_msg.testing.details import explain_error

__all__ = ["inbox"]

T = TypeVar("T")

_SLOT = re.compile("[0-9]{1,9}:[0-9]{1,9}")
_ENVELOPE = ("ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId", "Event")  # the row says what matters
_STATES: Mapping[str, Text] = {
    "waits": Text("waits", "等待处理"),
    "runs": Text("runs", "处理中"),
    "unsent": Text("answer waits", "回复待发"),
    "lost": Text("lost", "已丢失"),
}
_EMPTY = Text("The inbox is empty.", "收件箱为空")
_KEEPS_NOTHING = Text(
    "{name} keeps nothing: it needs a store that processes share, such as SQLiteStore, and AnswerLater or queue=",
    "{name} 不保存推送：需要可供多进程共享的 store（如 SQLiteStore），并使用 AnswerLater 或 queue=",
)
_NOTHING_THERE = Text("nothing is kept there", "没有保存任何推送")
_OWNED = Text("not touched: a process works on it", "未改动：有进程正在处理")


@click.group(
    "inbox",
    cls=BilingualGroup,
    invoke_without_command=True,
    about=Text(
        "Show, retry or drop the pushes that your server has acknowledged or queued, and has not finished.",
        "查看、重试或删除已应答（或已入队）但尚未完成的推送",
    ),
)
@click.pass_context
def inbox(ctx: click.Context) -> None:
    """Print the help, or run a command."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _endpoint_argument(command: Callable[..., int]) -> Callable[..., int]:
    return click.argument("name", metavar="MODULE:ENDPOINT")(command)


def _slots_arguments(about: Text) -> Callable[[Callable[..., int]], Callable[..., int]]:
    slots = click.argument("slots", nargs=-1, metavar="[SLOT]...")
    lost = option("--lost", is_flag=True, about=about)
    return lambda command: _endpoint_argument(slots(lost(command)))


@inbox.command(
    "list",
    cls=BilingualCommand,
    about=Text(
        "List what is kept: its slot, its state, its attempts, its age and, if it is lost, why.\n"
        "States: it waits for a process, runs in one, only its answer waits to be sent, or it is lost.",
        "列出保存的推送：编号、状态、尝试次数、时间，以及丢失的原因\n"
        "状态：等待处理、处理中、回复待发（只差发送回复）、已丢失",
    ),
    examples=["wechat-msg inbox list app:endpoint"],
)
@_endpoint_argument
@option("--texts", is_flag=True, about=Text("Show what users wrote, and the answers.", "显示用户发送的内容与回复"))
@option("--json", "as_json", is_flag=True, about=Text("Print the result as JSON.", "以 JSON 输出结果"))
@click.pass_obj
def list_command(output: Output, *, name: str, texts: bool, as_json: bool) -> int:
    """List the inbox; return 0."""
    kept = _perform(_load(name), list_kept)
    if as_json:
        entries = [_to_json(push, texts=texts) for push in kept]
        output.print_json({"version": __version__, "kept": len(kept), "entries": entries})
    elif not kept:
        output.print_text(_EMPTY)
    else:
        _print_rows(output, kept, texts=texts)
        counts = {state: sum(push.state == state for push in kept) for state in _STATES}
        parts = [Text(f"{n} {_STATES[each].en}", f"{n} {_STATES[each].zh}") for each, n in counts.items() if n]
        output.print_text(label(Text(f"{len(kept)} kept", f"共 {len(kept)} 条"), join(parts)))
    return 0


@inbox.command(
    "retry",
    cls=BilingualCommand,
    about=Text(
        "Work on what no process works on any more, and wait for the handlers. A timer may run it.\n"
        "Named or lost ones get three new attempts; running servers look every 5 seconds for those of their own.",
        "处理已没有进程负责的推送，并等待处理函数结束；可由定时任务执行\n"
        "指定的或已丢失的推送会重新获得三次机会；正在运行的服务每 5 秒查看一次自己的推送",
    ),
    examples=["wechat-msg inbox retry app:endpoint", "wechat-msg inbox retry app:endpoint --lost"],
)
@_slots_arguments(Text("Try everything again that is lost.", "重试所有已丢失的推送"))
@option(
    "--wait",
    "seconds",
    type=click.IntRange(0, 86400),
    metavar="SECONDS",
    default=30,
    about=Text(
        "How long to wait for handlers, which then leave their pushes to others; default: 30.",
        "最多等待多少秒，届时未结束的推送留给其他进程；默认 30",
    ),
)
@click.pass_obj
def retry_command(output: Output, *, name: str, slots: tuple[str, ...], lost: bool, seconds: int) -> int:
    """Work on the inbox; return 0 if nothing failed."""
    _check_slots(slots)
    endpoint = _load(name)
    with handle_logs(_Warnings(output)), output.waiting(Text("waiting for handlers", "等待处理函数")):
        result = _perform(endpoint, lambda endpoint: retry(endpoint, slots, lost=lost, seconds=seconds))
    refused = [change for change in result.changes if not change.is_made]
    for change in refused:
        _print_change(output, change)
    is_queued = endpoint.queue is not None
    gone = {(push.slot, push.entry.key) for push in result.before} - {
        (push.slot, push.entry.key) for push in result.after
    }
    has_failed = _count_failed(result) > 0 or (not is_queued and result.started > len(gone))
    if not result.before and not result.changes:
        output.print_text(_EMPTY)
        return 0
    started = Text("enqueued", "条已入队") if is_queued else Text("started", "条开始处理")
    output.print_line(
        "fail" if has_failed else "pass",
        Text(
            f"{result.started} {started.en}, {len(gone)} done, {len(result.after)} still kept",
            f"{result.started} {started.zh}，{len(gone)} 条已完成，{len(result.after)} 条仍保存",
        ),
    )
    _print_rows(output, result.after, texts=False)
    return 1 if has_failed or refused else 0


@inbox.command(
    "drop",
    cls=BilingualCommand,
    about=Text(
        "Delete pushes: nobody works on them, and their users get no answer.",
        "删除推送：不再处理，用户也不会收到回复",
    ),
    examples=["wechat-msg inbox drop app:endpoint 0:3", "wechat-msg inbox drop app:endpoint --lost"],
)
@_slots_arguments(Text("Delete everything that is lost.", "删除所有已丢失的推送"))
@click.pass_obj
def drop_command(output: Output, *, name: str, slots: tuple[str, ...], lost: bool) -> int:
    """Delete from the inbox; return 0 if everything was deleted."""
    _check_slots(slots)
    if not slots and not lost:
        raise Failure(
            Text("give the slots to drop, as list shows them, or --lost", "请给出 list 显示的编号，或 --lost")
        )
    changes = _perform(_load(name), lambda endpoint: drop(endpoint, slots, lost=lost))
    for change in changes:
        _print_change(output, change)
    if not changes:
        output.print_text(Text("Nothing is lost.", "没有已丢失的推送"))
    return 0 if all(change.is_made for change in changes) else 1


# --- the endpoint -----------------------------------------------------------------------------------------------------


class _Warnings(logging.Handler):
    """A handler that prints the package's warnings; of an error only its class, as its text may be a user's."""

    def __init__(self, output: Output) -> None:
        super().__init__(logging.WARNING)
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        message = explain_error(WeChatError(record.getMessage()))
        self._output.print_line("warn", message, f"[{type(error).__name__}]" if error else "")


def _load(name: str) -> AnyEndpoint:
    endpoint = load_endpoint(name)
    if not keeps(endpoint):
        raise Failure(_KEEPS_NOTHING.format(name=name))
    return endpoint


def _perform(endpoint: AnyEndpoint, make_flow: Callable[[AnyEndpoint], Flow[T]]) -> T:
    try:
        return perform(endpoint, make_flow(endpoint))
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001, a store of the user's own may raise anything
        kind = type(error).__name__
        raise Failure(Text(f"the store raised {kind}", f"store 抛出了 {kind}")) from None


def _check_slots(slots: Iterable[str]) -> None:
    for slot in slots:
        if not _SLOT.fullmatch(slot):
            why = Text("a slot is two numbers, as in 0:3; list shows them", "编号是两个数字，例如 0:3，可用 list 查看")
            raise Failure(label(same(slot), why))


def _count_failed(result: Retried) -> int:
    """Return how many pushes have had an attempt, and are not done."""
    before = {(push.slot, push.entry.key): push for push in result.before}
    failed = 0
    for push in result.after:
        old = before.get((push.slot, push.entry.key))
        changed = old is not None and (old.state, old.entry.attempt) != (push.state, push.entry.attempt)
        failed += changed and push.state != "runs"
    return failed


# --- rows -------------------------------------------------------------------------------------------------------------


def _print_rows(output: Output, kept: Iterable[KeptPush], *, texts: bool) -> None:
    for push in kept:
        mark: Mark = "fail" if push.state == "lost" else "skip"
        output.print_line(mark, _describe(push), _explain_loss(push))
        if texts:
            answer = {output.to_text(Text("answer", "回复")): _list_answers(push)} if push.entry.parts else {}
            output.print_fields({**_list_fields(push), **answer}, indent=4)


def _print_change(output: Output, change: EntryChange) -> None:
    if change.push is None:
        output.print_line("fail", change.slot, _NOTHING_THERE)
    elif change.is_made:
        output.print_line("pass", label(Text("dropped", "已删除"), _describe(change.push)))
    else:
        output.print_line("warn", _describe(change.push), _OWNED)


def _describe(push: KeptPush) -> Text:
    state, entry = _STATES[push.state], push.entry
    kind, age = _name_kind(push), _format_age(time.time() - entry.came)
    attempts = Text("1 attempt" if entry.attempt == 1 else f"{entry.attempt} attempts", f"{entry.attempt} 次尝试")
    known = join([kind, Text(f"user {_mask(push)}", f"用户 {_mask(push)}"), attempts, age])
    return Text(f"{push.slot}  {state.en}  {known.en}", f"{push.slot}  {state.zh}  {known.zh}")


def _name_kind(push: KeptPush) -> Text:
    if push.message is None:
        return Text("a push that cannot be opened", "无法解开的推送")
    return same(type(push.message).__name__)


def _mask(push: KeptPush) -> str:
    """Return the end of the OpenID: enough to find the user in a log, and not enough to write to him."""
    openid = "" if push.message is None else push.message.from_user_name
    return "…" + openid[len(openid) - min(len(openid) // 4, 4) :]


def _format_age(seconds: float) -> Text:
    if seconds < 60:
        return Text(f"{max(seconds, 0):.0f} s ago", f"{max(seconds, 0):.0f} 秒前")
    if seconds < 3600:
        return Text(f"{seconds / 60:.0f} min ago", f"{seconds / 60:.0f} 分钟前")
    return Text(f"{seconds / 3600:.1f} h ago", f"{seconds / 3600:.1f} 小时前")


def _explain_loss(push: KeptPush) -> Text:
    reason = push.entry.reason
    return explain_error(WeChatError(EXPLANATIONS[reason])) if reason else same("")


def _list_fields(push: KeptPush) -> dict[str, Any]:
    raw = {} if push.message is None else push.message.raw
    return {str(name): value for name, value in raw.items() if name not in _ENVELOPE}


def _list_answers(push: KeptPush) -> list[Any]:
    """Return what the user is to get."""
    return [describe_part(part) for part in push.entry.parts]


def _to_json(push: KeptPush, *, texts: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "slot": push.slot,
        "state": push.state,
        "attempts": push.entry.attempt,
        "age": round(time.time() - push.entry.came, 1),
        "type": None if push.message is None else type(push.message).__name__,
        "user": _mask(push),
        "reason": push.entry.reason or None,
    }
    if texts:
        row |= {"push": _list_fields(push), "answers": _list_answers(push)}
    return row
