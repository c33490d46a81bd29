"""What came of a push: the answer, what WeChat makes of it, and all tries together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.exchange import PushRequest
from wechat_msg.settings import OFFICIAL_ACCOUNT, AccountKind
from wechat_msg.testing.simulator.problems import ASKS_AGAIN, Problem
from wechat_msg.testing.text import Text, same
from wechat_msg.wire import Format

__all__ = ["SERVICE_UNAVAILABLE", "Answer", "Delivery", "NoAnswer", "Outcome", "Try", "Verdict"]

Outcome = Literal["verified", "acknowledged", "replied", "failed"]

SERVICE_UNAVAILABLE = "该公众号提供的服务出现故障，请稍后再试"
"""What the user of an Official Account reads when no answer can be taken."""


@frozen
class Answer:
    """An HTTP answer.

    Attributes:
        status: HTTP status.
        headers: Names in lower case.
        body: No more than WeChat would ever need.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@frozen
class NoAnswer:
    """What there is instead of an answer.

    Attributes:
        problem: Why there is none.
        detail: What the system said; empty: nothing.
    """

    problem: Problem
    detail: str = ""


@frozen
class Verdict:
    """What WeChat makes of one answer.

    Attributes:
        outcome: ``verified``, ``acknowledged`` (success or empty), ``replied``, or ``failed``.
        reply: The reply, opened, by its wire names.
        problem: Why it failed.
        detail: More about it, without users' words.
        document: The reply as it was written; of a sealed one, what was inside.
    """

    outcome: Outcome
    reply: Mapping[str, Any] | None = field(default=None, repr=False)
    problem: Problem | None = None
    detail: str = ""
    document: str = field(default="", repr=False)

    def __str__(self) -> str:
        """Tell the outcome, and what is wrong."""
        if self.problem is None:
            return self.outcome
        return f"{self.outcome}: {self.problem.what}" + (f" [{self.detail}]" if self.detail else "")


@frozen
class Try:
    """One request and what came of it.

    Attributes:
        number: From 1.
        began: Seconds since the first try began.
        seconds: How long it took.
        request: What was sent.
        answer: What came; None: nothing that is an HTTP answer.
        verdict: What WeChat makes of it.
    """

    number: int
    began: float
    seconds: float
    request: PushRequest
    answer: Answer | None
    verdict: Verdict


@frozen
class Delivery:
    """A push with all of its tries.

    Attributes:
        fields: What was sent, by wire names, before it was sealed.
        tries: At least one.
        format: ``xml`` or ``json``.
        account_kind: Which kind of account it was sent for.
    """

    fields: Mapping[str, Any] = field(repr=False)
    tries: tuple[Try, ...]
    format: Format = "xml"
    account_kind: AccountKind = OFFICIAL_ACCOUNT

    @property
    def verdict(self) -> Verdict:
        """What WeChat makes of the last try's answer."""
        return self.tries[-1].verdict

    @property
    def reply(self) -> Mapping[str, Any] | None:
        """The reply by its wire names; None: there is none."""
        return self.verdict.reply

    @property
    def text(self) -> str | None:
        """The text of a text reply; None: there is none."""
        content = (self.reply or {}).get("Content")
        return content if isinstance(content, str) else None

    @property
    def is_acknowledged(self) -> bool:
        """Whether it was taken, and nothing replied."""
        return self.verdict.outcome == "acknowledged"

    @property
    def problem(self) -> Problem | None:
        """Why it failed; None: it did not."""
        return self.verdict.problem

    @property
    def seconds(self) -> float:
        """How long all tries took together."""
        return self.tries[-1].began + self.tries[-1].seconds

    @property
    def shown(self) -> Text:
        """What the user sees: the reply in short, nothing, or that the service is unavailable."""
        if not self.has_reader or self.problem == ASKS_AGAIN:  # which is about events that no user has caused
            return NOTHING
        if self.problem is not None:
            return same(SERVICE_UNAVAILABLE) if self.account_kind == OFFICIAL_ACCOUNT else NOTHING
        if self.reply is None:
            return NOTHING
        return same(self.text if self.text is not None else f"[{self.reply['MsgType']}]")

    @property
    def has_reader(self) -> bool:
        """Whether anybody is there to see anything: not after ``unsubscribe``."""
        return self.fields.get("Event") != "unsubscribe"

    def __repr__(self) -> str:
        """Tell the outcome, as it stands in a failed assertion."""
        return f"<Delivery {self.verdict}, tries: {len(self.tries)}, {self.seconds:.2f} s>"


NOTHING = Text("nothing", "无")
