"""Probe: what conformance checks send, and how they evaluate the answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NoReturn

import attrs

from wechat_msg.errors import PushError
from wechat_msg.exchange import PushRequest
from wechat_msg.settings import PushSettings
from wechat_msg.testing.bilingual import Text, join, label
from wechat_msg.testing.conformance.checks import Finding, Status
from wechat_msg.testing.details import annotate
from wechat_msg.testing.documents import read_document
from wechat_msg.testing.pushes import Mode, build_push
from wechat_msg.testing.simulator import problems
from wechat_msg.testing.simulator.simulator import PushSimulator
from wechat_msg.testing.simulator.verdicts import Delivery, Try
from wechat_msg.wire import Format

__all__ = ["Attempt", "Probe", "Unreachable", "expect_accepted", "expect_refused", "explain"]

Attempt = tuple[Text, Try]
"""What was tried, and its result."""

_NO_SERVER = (problems.UNREACHABLE, problems.TLS_FAILED, problems.NOT_HTTP)
#: Statuses of proxies, and of servers without an endpoint at this path.
_NOT_FROM_BOT = (404, 405, 502, 503, 504)
_MAX_TIMEOUTS = 2

_Reaction = Literal["accepted", "no_answer", "crashed", "unclear", "refused"]


class Unreachable(Exception):
    """The endpoint cannot be reached, or no longer.

    Attributes:
        finding: The finding of the check that noticed it.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.finding: Finding = finding


class Probe:
    """A sender of the requests of checks.

    Args:
        simulator: Plays WeChat's side.
        slow_text: A text that the bot answers slowly; None if there is none.
        resend_after: Seconds between a push and its re-send.
    """

    def __init__(self, simulator: PushSimulator, slow_text: str | None, resend_after: float) -> None:
        self._simulator = simulator
        self.slow_text: str | None = slow_text
        self.resend_after: float = resend_after
        self.slowest: float = 0.0
        self._timeouts = 0
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
        return self._require_server(self._simulator.verify(echostr))

    def push(self, fields: Mapping[str, Any], mode: Mode | None = None, format: Format = "xml") -> Try:
        """Send a genuine push once."""
        attempt = self._require_server(self._simulator.push(fields, mode=mode, format=format, tries=1).tries[0])
        if attempt.answer is not None:
            self.slowest = max(self.slowest, attempt.seconds)
            self._require_bot(attempt, attempt.answer.status)
        return attempt

    def push_text(self, content: str) -> Try:
        """Send a genuine text message once."""
        return self.push({"MsgType": "text", "Content": content})

    def deliver(self, fields: Mapping[str, Any]) -> Delivery:
        """Send a genuine push until it is answered, at most as often as WeChat does."""
        return self._simulator.push(fields)

    def build(
        self, fields: Mapping[str, Any], *, mode: Mode | None = None, settings: PushSettings | None = None
    ) -> PushRequest:
        """Build a push in XML without sending it."""
        return build_push(settings or self.settings, fields, mode=mode)

    def send(self, request: PushRequest, fields: Mapping[str, Any] | None = None) -> Try:
        """Send a request once, unchanged."""
        return self._require_server(self._simulator.send(request, fields or {}))

    def abort(self, attempt: Try) -> NoReturn:
        """End all checks.

        Raises:
            Unreachable: Always; its finding explains this try.
        """
        # Before the first push the address or the server is wrong; afterwards the check's own request is the cause.
        fix = attempt.verdict.problem.fix if attempt.verdict.problem and not self._is_bot_known else None
        raise Unreachable(Finding("fail", explain(attempt), fix=fix))

    def _require_server(self, attempt: Try) -> Try:
        """Return the try, or end all checks if no server answers or too many requests have timed out."""
        problem = attempt.verdict.problem
        self._has_answered |= problem not in (problems.TIMED_OUT, problems.HUNG_UP)
        self._timeouts += problem == problems.TIMED_OUT or not self._has_answered
        most = _MAX_TIMEOUTS if self._has_answered else 1
        if problem in _NO_SERVER or self._timeouts > most:
            self.abort(attempt)
        return attempt

    def _require_bot(self, attempt: Try, status: int) -> None:
        """End all checks if the first push is answered by something else than the bot, such as a proxy."""
        if not self._is_bot_known and (attempt.verdict.problem == problems.REDIRECTED or status in _NOT_FROM_BOT):
            self.abort(attempt)
        self._is_bot_known = True


# --- what must be accepted --------------------------------------------------------------------------------------------


def expect_accepted(attempts: Iterable[Attempt], otherwise: Status = "fail") -> Finding:
    """Return a pass if WeChat accepts every answer, else the attempts that failed, and why."""
    listed = list(attempts)
    failed = [(name, attempt) for name, attempt in listed if attempt.verdict.problem]
    if failed:
        return Finding(otherwise, join(label(name, explain(attempt)) for name, attempt in failed))
    return Finding("pass", join(name for name, _ in listed))


def explain(attempt: Try) -> Text:
    """Return in one line why WeChat rejects an answer."""
    problem = attempt.verdict.problem
    return annotate(problem.what, attempt.verdict.detail) if problem else Text("accepted", "正常")


# --- what must be refused --------------------------------------------------------------------------------------------

_ANSWER_403 = Text("answer refused requests with 403", "拒绝时请返回 403")
#: The worst first.
_REACTIONS: Mapping[_Reaction, Finding] = {
    "accepted": Finding("fail", Text("processed as if genuine", "当作真实推送处理")),
    "no_answer": Finding(
        "fail",
        Text("no answer", "没有应答"),
        Text("an attacker keeps a worker busy", "攻击者可占用工作进程"),
        _ANSWER_403,
    ),
    "crashed": Finding(
        "warn",
        Text("refused, but with a server error", "已拒绝，但返回的是服务端错误"),
        Text("forged requests fill the log with errors", "伪造请求会让错误日志泛滥"),
        _ANSWER_403,
    ),
    "unclear": Finding(
        "warn",
        Text("status 200, as if genuine", "返回 200，如同真实推送"),
        Text("it is unknown whether it was refused", "无法判断是否已拒绝"),
        _ANSWER_403,
    ),
    "refused": Finding("pass", Text("refused", "已拒绝")),
}


def expect_refused(attempts: Iterable[Attempt]) -> Finding:
    """Return a pass if every attempt was refused with 4xx, else those that were not."""
    listed = list(attempts)
    received = {_react_to(attempt) for _, attempt in listed}
    worst: _Reaction = next(reaction for reaction in _REACTIONS if reaction in received)
    finding = _REACTIONS[worst]
    named = [_name(name, attempt) for name, attempt in listed if _react_to(attempt) == worst]
    return attrs.evolve(finding, text=label(finding.text, join(named)))


def _name(name: Text, attempt: Try) -> Text:
    if attempt.answer is None or attempt.answer.status in range(400, 500):
        return name
    return Text(f"{name.en} ({attempt.answer.status})", f"{name.zh}（{attempt.answer.status}）")


def _react_to(attempt: Try) -> _Reaction:
    if attempt.answer is None:
        return "refused" if attempt.verdict.problem == problems.HUNG_UP else "no_answer"
    if attempt.answer.status in range(400, 500):
        return "refused"
    if attempt.answer.status in range(500, 600):
        return "crashed"
    return "accepted" if attempt.verdict.outcome == "verified" or _is_reply(attempt.answer.body) else "unclear"


def _is_reply(body: bytes) -> bool:
    with contextlib.suppress(PushError):
        return not {"MsgType", "Encrypt"}.isdisjoint(read_document(body))
    return False
