"""The results of a push: the answer, WeChat's verdict on it, and all tries together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.events._kinds import find_kind
from wechat_msg.exchange import PushRequest
from wechat_msg.settings import OFFICIAL_ACCOUNT, AccountKind
from wechat_msg.testing.bilingual import Text, same
from wechat_msg.testing.simulator.problems import ASKS_AGAIN, Problem
from wechat_msg.wire import Format

__all__ = ["NOTHING", "SERVICE_UNAVAILABLE", "BotResponse", "Delivery", "NoResponse", "Outcome", "Try", "Verdict"]

Outcome = Literal["verified", "acknowledged", "replied", "failed"]

SERVICE_UNAVAILABLE = "该公众号提供的服务出现故障，请稍后再试"
"""What the user of an Official Account reads if no answer is valid."""
NOTHING = Text("nothing", "无")
"""What the user reads if nothing is shown."""


@frozen
class BotResponse:
    """The HTTP response of a bot.

    Attributes:
        status: HTTP status.
        headers: Names in lower case.
        body: At most 1 MB.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@frozen
class NoResponse:
    """The result of a request without an answer.

    Attributes:
        problem: Why there is no answer.
        detail: The reason that the system gave, or empty.
    """

    problem: Problem
    detail: str = ""


@frozen
class Verdict:
    """WeChat's verdict on one answer.

    Attributes:
        outcome: ``verified``, ``acknowledged`` (success or empty), ``replied``, or ``failed``.
        reply: The decrypted reply, by its wire names.
        problem: Why it failed.
        detail: More about the problem, without users' text.
        document: The reply as the bot wrote it, decrypted if it was sealed.
    """

    outcome: Outcome
    reply: Mapping[str, Any] | None = field(default=None, repr=False)
    problem: Problem | None = None
    detail: str = ""
    document: str = field(default="", repr=False)

    def __str__(self) -> str:
        """Return the outcome and the problem."""
        if self.problem is None:
            return self.outcome
        return f"{self.outcome}: {self.problem.what}" + (f" [{self.detail}]" if self.detail else "")


@frozen
class Try:
    """One request and its result.

    Attributes:
        number: From 1.
        began: Seconds since the first try began.
        seconds: How long it took.
        request: The request that was sent.
        answer: The bot's response; None if there was no HTTP response.
        verdict: WeChat's verdict.
    """

    number: int
    began: float
    seconds: float
    request: PushRequest
    answer: BotResponse | None
    verdict: Verdict


@frozen
class Delivery:
    """A push with all of its tries.

    Attributes:
        fields: The fields that were sent, by wire names, before sealing.
        tries: One or more.
        format: ``xml`` or ``json``.
        account_kind: The kind of account that it was sent for.
    """

    fields: Mapping[str, Any] = field(repr=False)
    tries: tuple[Try, ...]
    format: Format = "xml"
    account_kind: AccountKind = OFFICIAL_ACCOUNT

    @property
    def verdict(self) -> Verdict:
        """WeChat's verdict on the last try."""
        return self.tries[-1].verdict

    @property
    def reply(self) -> Mapping[str, Any] | None:
        """The reply by its wire names; None if there is none."""
        return self.verdict.reply

    @property
    def text(self) -> str | None:
        """The text of a text reply; None if there is none."""
        content = (self.reply or {}).get("Content")
        return content if isinstance(content, str) else None

    @property
    def is_acknowledged(self) -> bool:
        """Whether the bot acknowledged it without a reply."""
        return self.verdict.outcome == "acknowledged"

    @property
    def problem(self) -> Problem | None:
        """Why it failed; None if it did not."""
        return self.verdict.problem

    @property
    def seconds(self) -> float:
        """How long all tries took together, with the pauses between them."""
        return self.tries[-1].began + self.tries[-1].seconds

    @property
    def shown(self) -> Text:
        """What the user sees: the reply in short, nothing, or that the service is unavailable."""
        if not self.has_reader or self.problem == ASKS_AGAIN:  # there is no user who waits
            return NOTHING
        if self.problem is not None:
            return same(SERVICE_UNAVAILABLE) if self.account_kind == OFFICIAL_ACCOUNT else NOTHING
        if self.reply is None:
            return NOTHING
        return same(self.text if self.text is not None else f"[{self.reply['MsgType']}]")

    @property
    def has_reader(self) -> bool:
        """Whether there is a user to read the reply: not after ``unsubscribe``, nor of a document for WeChat itself."""
        event = str(self.fields.get("Event", ""))
        return event != "unsubscribe" and not find_kind(event).members

    def __repr__(self) -> str:
        """Return the outcome, as a failed assertion shows it."""
        return f"<Delivery {self.verdict}, tries: {len(self.tries)}, {self.seconds:.2f} s>"
