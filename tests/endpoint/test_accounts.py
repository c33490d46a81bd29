"""Accounts may share a store without any effect on each other; the endpoints of one account share their pushes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from tests.helpers.rows import each_row
from wechat_msg import AsyncPushEndpoint, MemoryStore, PushEndpoint, PushSettings
from wechat_msg.testing import build_push, open_reply

KEY = "A" * 43
#: The owner of the second account wrote it: the account is the first one's, and so is the user.
FORGED = {"ToUserName": "gh_first", "FromUserName": "oUSER", "CreateTime": 1700000000, "MsgId": 42, "Content": "hi"}
CLICK = {
    "ToUserName": "gh_first",
    "FromUserName": "oUSER",
    "CreateTime": 1700000000,
    "MsgType": "event",
    "Event": "CLICK",
    "EventKey": "BUY",
}

ACCOUNTS = {
    "plain, by Token": (PushSettings(token="first0Token"), PushSettings(token="second0Token")),
    "plain, by AppID": (PushSettings(token="sameToken", appid="wx1"), PushSettings(token="sameToken", appid="wx2")),
    "plain and sealed": (PushSettings(token="sameToken"), PushSettings("sameToken", encoding_aes_key=KEY, appid="wx2")),
    "sealed": (
        PushSettings(token="sameToken", encoding_aes_key=KEY, appid="wx1"),
        PushSettings(token="sameToken", encoding_aes_key=KEY, appid="wx2"),
    ),
    "by identity": (
        PushSettings(token="sameToken", identity="production"),
        PushSettings(token="sameToken", identity="test"),
    ),
}
PLATFORM = PushSettings(token="sameToken", encoding_aes_key=KEY, appid="wx1", extra_appids=["wx2"])

Ask = Callable[..., str]


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Send a push to an endpoint, all of which share one store; give the text of its reply."""
    store = MemoryStore()

    def ask(settings: PushSettings, answer: str, fields: Any, *, sender: Any = None, **options: Any) -> str:
        push = build_push(sender or settings, fields)
        if request.param == "sync":
            response = PushEndpoint(settings, lambda message: answer, store=store, **options).handle(push)
        else:
            endpoint = AsyncPushEndpoint(settings, lambda message: answer, store=store, **options)
            response = asyncio.run(endpoint.handle(push))
        return str(open_reply(settings, response)["Content"])

    return ask


@pytest.mark.parametrize("fields", [FORGED, CLICK], ids=["message", "event"])
@pytest.mark.parametrize("names", ACCOUNTS)
class TestTwoAccounts:
    def test_never_answer_for_each_other(self, ask, names, fields):
        """The second account's owner has his endpoint answer before the first one's user writes ..."""
        first, second = ACCOUNTS[names]
        assert ask(second, "the second's words", fields) == "the second's words"
        assert ask(first, "the first's words", fields) == "the first's words"

    def test_never_read_what_the_other_has_answered(self, ask, names, fields):
        """... or after."""
        first, second = ACCOUNTS[names]
        assert ask(first, "the first's words", fields) == "the first's words"
        assert ask(second, "the second's words", fields) == "the second's words"

    def test_stay_apart_with_keys_of_ones_own(self, ask, names, fields):
        first, second = ACCOUNTS[names]
        for settings, answer in ((first, "the first's words"), (second, "the second's words")):
            assert ask(settings, answer, fields, dedup_key=lambda message: "the same") == answer


class TestOneAccount:
    @each_row("settings", [each for accounts in ACCOUNTS.values() for each in accounts])
    def test_is_answered_once_by_all_its_endpoints(self, ask, settings):
        assert ask(settings, "the answer", FORGED) == "the answer"
        assert ask(attrs.evolve(settings), "another", FORGED) == "the answer"

    def test_may_change_its_token_if_it_has_an_appid_or_an_identity(self, ask):
        """As while a new Token is rolled out: one process knows it already, another one does not yet."""
        for name in ("appid", "identity"):
            old = PushSettings(token="oldToken", **{name: f"{name}1"})
            new = attrs.evolve(old, token="newToken", previous_tokens=["oldToken"])
            assert ask(old, name, FORGED) == name
            assert ask(new, "another", FORGED, sender=old) == name

    def test_may_be_sent_with_a_previous_token_first_and_with_the_new_one_then(self, ask):
        new = PushSettings(token="newToken", previous_tokens=["oldToken"])
        assert ask(new, "the answer", FORGED, sender=PushSettings(token="oldToken")) == "the answer"
        assert ask(new, "another", FORGED) == "the answer"

    def test_may_switch_its_mode_if_it_has_an_appid(self, ask):
        plain = PushSettings(token="sameToken", appid="wx1")
        assert ask(plain, "the answer", FORGED) == "the answer"
        assert ask(PLATFORM, "another", FORGED) == "the answer"


class TestAThirdPartyPlatform:
    """One endpoint gets the pushes of all accounts, which WeChat seals with the platform's own key."""

    def test_answers_each_account_for_itself(self, ask):
        for account in ("gh_first", "gh_second"):
            assert ask(PLATFORM, account, {**FORGED, "ToUserName": account}) == account
