"""Conformance checks: whether a live endpoint does what WeChat expects and refuses what it must."""

from __future__ import annotations

import time
from collections.abc import Iterator

from wechat_msg.errors import SettingsError
from wechat_msg.testing.bilingual import Text, same
from wechat_msg.testing.conformance import answers, refusals
from wechat_msg.testing.conformance.checks import Check, Finding, Row, Status
from wechat_msg.testing.conformance.probe import Probe, Unreachable
from wechat_msg.testing.simulator.simulator import PushSimulator

__all__ = ["CHECKS", "Check", "Row", "Status", "check_endpoint"]

CHECKS: tuple[Check, ...] = (*answers.CHECKS, *refusals.CHECKS, answers.slow)
"""All checks, in the order in which they run. The slow one is last because its handler may go on after it."""

_NOT_CHECKED = Finding("skip", Text("not checked", "未检查"))


def check_endpoint(
    simulator: PushSimulator, *, slow_text: str | None = None, resend_after: float = 1.05
) -> Iterator[Row]:
    """Check a live endpoint; yield each row as soon as it is known.

    It sends about 60 requests, some of them forged, malformed or big. Messages are texts such as ``check`` from the
    simulator's user. If no bot answers at the address, the first row says why, and no other check runs.

    Args:
        simulator: Plays WeChat's side; its settings must be those of the endpoint.
        slow_text: A text that the bot takes more than 5 seconds to answer.
        resend_after: Seconds between a push and its re-send. Below 1, a reply that is created twice may not be noticed,
            because only its CreateTime differs.

    Raises:
        SettingsError: *simulator* is not a PushSimulator, or its settings are those of Cloud Run, which signs nothing.

    Example:
        >>> from wechat_msg import PushEndpoint, PushSettings
        >>> from wechat_msg.adapters.wsgi import push_app
        >>> settings = PushSettings(token="spamtest", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")
        >>> app = push_app(PushEndpoint(settings, lambda message: "Hello!"))
        >>> with PushSimulator("/", settings, wsgi=app) as wechat:
        ...     {row.name: row.status for row in check_endpoint(wechat)}["forgery"]
        'pass'
    """
    if not isinstance(simulator, PushSimulator):
        raise SettingsError("simulator must be a PushSimulator")
    if simulator.settings.cloud_run:
        hint = "云托管的推送没有签名，无从检查"
        raise SettingsError("the checks forge signatures, and Cloud Run signs nothing", hint=hint)
    probe = Probe(simulator, slow_text, resend_after)
    is_reachable = True
    for check in CHECKS:
        began = time.monotonic()
        finding = _NOT_CHECKED
        if is_reachable:
            try:
                finding = check.run(probe)
            except Unreachable as error:
                is_reachable = False
                finding = error.finding
        yield _make_row(check, finding, time.monotonic() - began)


def _make_row(check: Check, finding: Finding, seconds: float) -> Row:
    impact = fix = same("")
    if finding.status in ("fail", "warn"):
        impact, fix = finding.impact or check.impact, finding.fix or check.fix
    return Row(check.name, check.title, finding.status, finding.text, impact, fix, seconds)
