"""Probe: what checks send, and how they tell what became of it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NoReturn

import attrs

from wechat_msg._tracebacks import frozen
from wechat_msg.errors import PushError
from wechat_msg.exchange import PushRequest
from wechat_msg.settings import PushSettings
from wechat_msg.testing.conformance.row import Status
from wechat_msg.testing.details import annotate
from wechat_msg.testing.documents import read_document
from wechat_msg.testing.pushes import Mode, build_push, complete_fields
from wechat_msg.testing.simulator import problems
from wechat_msg.testing.simulator.results import Delivery, Try
from wechat_msg.testing.simulator.simulator import PushSimulator
from wechat_msg.testing.text import Text, join, label
from wechat_msg.wire import Format

__all__ = ["Attempt", "Finding", "Probe", "Unreachable", "explain", "judge_refusals", "judge_takings"]

Attempt = tuple[Text, Try]
"""What was tried, and what came of it."""

_NOBODY_THERE = (problems.UNREACHABLE, problems.TLS_FAILED, problems.NOT_HTTP)
#: The answers of proxies, and of servers that have nothing at this path.
_NOT_OF_THE_BOT = (404, 405, 502, 503, 504)
_MOST_SILENCES = 2

_Reception = Literal["taken", "silent", "crashed", "unclear", "refused"]


@frozen
class Finding:
    """What a check has found.

    Attributes:
        status: How it went.
        text: What was seen.
        shown: What comes of it; None: what the check says.
        mend: How to mend it; None: as the check says.
    """

    status: Status
    text: Text
    shown: Text | None = None
    mend: Text | None = None


class Unreachable(Exception):
    """There is no endpoint to check, or not any more.

    Attributes:
        finding: What the check that noticed it has found.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.finding: Finding = finding


class Probe:
    """Sends what checks want to send.

    Args:
        simulator: Plays WeChat's side.
        slow_text: A text that the bot answers slowly; None: nobody knows one.
    """

    def __init__(self, simulator: PushSimulator, slow_text: str | None) -> None:
        self._simulator = simulator
        self.slow_text: str | None = slow_text
        self.slowest: float = 0.0
        self._silences = 0
        self._has_answered = False
        self._is_bot_known = False

    @property
    def settings(self) -> PushSettings:
        """The account's settings."""
        return self._simulator.settings

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The modes in which WeChat may send with these settings."""
        if not self.settings.ciphers:
            return ("plain",)
        return ("plain", "compatible", "sealed") if self.settings.allow_plaintext else ("compatible", "sealed")

    def verify(self, echostr: str | None = None) -> Try:
        """Verify the URL."""
        return self._insist(self._simulator.verify(echostr))

    def push(self, fields: Mapping[str, Any], mode: Mode | None = None, format: Format = "xml") -> Try:
        """Send a genuine push once."""
        one = self._insist(self._simulator.push(fields, mode=mode, format=format, tries=1).tries[0])
        if one.answer is not None:
            self.slowest = max(self.slowest, one.seconds)
            self._insist_on_bot(one, one.answer.status)
        return one

    def push_text(self, content: str) -> Try:
        """Send a genuine text message once."""
        return self.push({"MsgType": "text", "Content": content})

    def deliver(self, fields: Mapping[str, Any]) -> Delivery:
        """Send a genuine push until it is taken, as often as WeChat does."""
        return self._simulator.push(fields)

    def complete(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Make up what a push needs."""
        return complete_fields(fields, int(time.time()))

    def build(
        self, fields: Mapping[str, Any], *, mode: Mode | None = None, settings: PushSettings | None = None
    ) -> PushRequest:
        """Make a push in XML without sending it."""
        return build_push(settings or self.settings, fields, mode=mode)

    def send(self, request: PushRequest, fields: Mapping[str, Any] | None = None) -> Try:
        """Send a request once, just as it is."""
        return self._insist(self._simulator.send(request, fields or {}))

    def end(self, one: Try) -> NoReturn:
        """End the whole check.

        Raises:
            Unreachable: What came of this try is why.
        """
        # Before the first push the address is wrong, or the server; afterwards it is what this check has sent.
        mend = one.verdict.problem.mend if one.verdict.problem and not self._is_bot_known else None
        raise Unreachable(Finding("fail", explain(one), mend=mend))

    def _insist(self, one: Try) -> Try:
        """Return a try that came through; there is no use in waiting for one time limit after the other."""
        problem = one.verdict.problem
        self._has_answered |= problem not in (problems.TIMED_OUT, problems.HUNG_UP)
        self._silences += problem == problems.TIMED_OUT or not self._has_answered
        most = _MOST_SILENCES if self._has_answered else 1
        if problem in _NOBODY_THERE or self._silences > most:
            self.end(one)
        return one

    def _insist_on_bot(self, one: Try, status: int) -> None:
        """End the whole check if the first push is not answered by the bot, but by what stands in its place."""
        if not self._is_bot_known and (one.verdict.problem == problems.REDIRECTED or status in _NOT_OF_THE_BOT):
            self.end(one)
        self._is_bot_known = True


# --- what must be taken ---------------------------------------------------------------------------------------------


def judge_takings(attempts: Iterable[Attempt], otherwise: Status = "fail") -> Finding:
    """Pass if every one was taken; else say which were not, and why."""
    listed = list(attempts)
    failed = [attempt for attempt in listed if attempt[1].verdict.problem]
    if failed:
        return Finding(otherwise, join(label(name, explain(one)) for name, one in failed))
    return Finding("pass", join(name for name, _ in listed))


def explain(one: Try) -> Text:
    """Say in one line why WeChat does not take an answer."""
    problem = one.verdict.problem
    return annotate(problem.what, one.verdict.detail) if problem else Text("taken", "正常")


# --- what must be refused --------------------------------------------------------------------------------------------

_TURN_AWAY = Text("answer 403 to what you refuse", "拒绝时请返回 403")
#: The worst first.
_RECEPTIONS: Mapping[_Reception, Finding] = {
    "taken": Finding("fail", Text("answered as if genuine", "当作真实推送处理")),
    "silent": Finding(
        "fail",
        Text("no answer", "没有应答"),
        Text("an attacker keeps a worker busy", "攻击者可占用工作进程"),
        _TURN_AWAY,
    ),
    "crashed": Finding(
        "warn",
        Text("refused, but as a failure of the server", "已拒绝，但返回的是服务端错误"),
        Text("forgeries fill the log with errors", "伪造请求会让错误日志泛滥"),
        _TURN_AWAY,
    ),
    "unclear": Finding(
        "warn",
        Text("status 200, as if genuine", "返回 200，如同真实推送"),
        Text("nobody can tell whether it was refused", "无法判断是否已拒绝"),
        _TURN_AWAY,
    ),
    "refused": Finding("pass", Text("refused", "已拒绝")),
}


def judge_refusals(attempts: Iterable[Attempt]) -> Finding:
    """Pass if every one was refused with 4xx; else say which were not."""
    listed = list(attempts)
    received = {_receive(one) for _, one in listed}
    worst: _Reception = next(reception for reception in _RECEPTIONS if reception in received)
    finding = _RECEPTIONS[worst]
    named = [_name(name, one) for name, one in listed if _receive(one) == worst]
    return attrs.evolve(finding, text=label(finding.text, join(named)))


def _name(name: Text, one: Try) -> Text:
    if one.answer is None or one.answer.status in range(400, 500):
        return name
    return Text(f"{name.en} ({one.answer.status})", f"{name.zh}（{one.answer.status}）")


def _receive(one: Try) -> _Reception:
    if one.answer is None:
        return "refused" if one.verdict.problem == problems.HUNG_UP else "silent"
    if one.answer.status in range(400, 500):
        return "refused"
    if one.answer.status in range(500, 600):
        return "crashed"
    return "taken" if one.verdict.outcome == "verified" or _is_reply(one.answer.body) else "unclear"


def _is_reply(body: bytes) -> bool:
    with contextlib.suppress(PushError):
        return not {"MsgType", "Encrypt"}.isdisjoint(read_document(body))
    return False
