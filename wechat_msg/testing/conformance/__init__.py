"""Whether a live endpoint does what WeChat expects, and refuses what it must: a table of checks."""

from __future__ import annotations

import time
from collections.abc import Iterator

from wechat_msg.errors import SettingsError
from wechat_msg.testing.conformance import answers, refusals
from wechat_msg.testing.conformance.checks import Check
from wechat_msg.testing.conformance.probe import Finding, Probe, Unreachable
from wechat_msg.testing.conformance.row import Row, Status
from wechat_msg.testing.simulator.simulator import PushSimulator
from wechat_msg.testing.text import Text, same

__all__ = ["CHECKS", "Check", "Row", "Status", "check_endpoint"]

CHECKS: tuple[Check, ...] = (*answers.CHECKS, *refusals.CHECKS, answers.slow)
"""All checks, in the order in which they run; the slow one is the last, as its handlers may go on after it."""

_NOT_TRIED = Finding("skip", Text("not tried", "未检查"))


def check_endpoint(simulator: PushSimulator, *, slow_text: str | None = None) -> Iterator[Row]:
    """Check a live endpoint; each row is given as soon as it is known.

    It sends about 60 requests, some of them forged, broken or big. Messages are texts like ``check``, of the
    simulator's user. If no bot answers at the address, the first row tells why, and nothing else is tried.

    Args:
        simulator: Plays WeChat's side; its settings must be those of the endpoint.
        slow_text: A text that the bot takes more than 5 seconds to answer.

    Raises:
        SettingsError: *simulator* is none.

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
        raise SettingsError("an endpoint is checked by way of a PushSimulator")
    probe = Probe(simulator, slow_text)
    is_reachable = True
    for check in CHECKS:
        began = time.monotonic()
        finding = _NOT_TRIED
        if is_reachable:
            try:
                finding = check.run(probe)
            except Unreachable as error:
                is_reachable = False
                finding = error.finding
        yield _make_row(check, finding, time.monotonic() - began)


def _make_row(check: Check, finding: Finding, seconds: float) -> Row:
    shown = mend = same("")
    if finding.status in ("fail", "warn"):
        shown, mend = finding.shown or check.shown, finding.mend or check.mend
    return Row(check.name, check.title, finding.status, finding.text, shown, mend, seconds)
