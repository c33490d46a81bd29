"""``wechat-msg menu``: the menu of the account, and the checks of a file."""

from __future__ import annotations

import json

import pytest

from tests.helpers.commands import ask
from tests.helpers.rows import check_rows
from wechat_msg.cli.menu import find_faults
from wechat_msg.testing import FakeWeChatAPI

CLICK = {"type": "click", "name": "帮助", "key": "HELP"}
VIEW = {"type": "view", "name": "官网", "url": "https://example.com/"}
MENU = {"button": [CLICK, {"name": "更多", "sub_button": [VIEW, CLICK]}]}


@pytest.fixture
def wechat():
    with FakeWeChatAPI() as wechat:
        yield wechat


def push(wechat, document, *words):
    return ask("menu", "push", "-", "--api", wechat.url, *words, stdin=json.dumps(document))


class TestMenu:
    def test_is_shown_as_json_that_can_be_pushed(self, wechat):
        assert push(wechat, MENU).stdout.startswith("✓ menu replaced")
        shown = json.loads(ask("menu", "show", "--api", wechat.url).stdout)
        assert shown["menu"]["button"] == MENU["button"]

        shown["menu"]["button"].pop()
        assert push(wechat, shown).exit_code == 0
        assert push(wechat, [*shown["menu"]["button"], {**VIEW, "sub_button": []}]).exit_code == 0
        shown = json.loads(ask("menu", "show", "--api", wechat.url).stdout)
        assert shown["menu"]["button"] == [CLICK, VIEW]

    def test_that_does_not_exist_is_reported(self, wechat):
        result = ask("menu", "show", "--api", wechat.url)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "46003" in result.stderr

    def test_of_another_form_is_not_sent(self, wechat):
        def check(document, text):
            result = push(wechat, document)
            assert (result.exit_code, result.stdout) == (2, "")
            assert text in result.stderr

        check_rows(
            {
                "text": ("button", '- must be {"button": [...]}'),
                "no buttons": ({}, '- must be {"button": [...]}'),
                "mapping of buttons": ({"button": {}}, '- must be {"button": [...]}'),
                "conditional": ({**MENU, "matchrule": {"tag_id": "2"}}, "menu.add_conditional @FILE"),
            },
            check,
        )
        assert wechat.requests == []

    def test_with_faults_is_not_sent_and_each_is_named(self, wechat):
        result = push(
            wechat, {"button": [{"type": "click", "name": "a"}, {"type": "view", "name": "b" * 17, "url": "u"}]}
        )
        assert result.stdout == "✗ button[0]  needs key\n✗ button[1].name  has 17 bytes; 16 are allowed\n"
        assert (result.exit_code, result.stderr) == (2, "wechat-msg: -: not sent\n")
        assert wechat.requests == []
        assert "缺少 key" in push(wechat, [{"type": "click", "name": "a"}], "--lang", "zh").stdout


class TestFindFaults:
    def test_names_place_and_reason(self):
        def check(buttons, *faults):
            assert [f"{place}: {fault.en}" for place, fault in find_faults(buttons)] == [*faults]

        check_rows(
            {
                "nothing wrong": (MENU["button"],),
                "all levels full": (
                    [{"name": "一二三四五", "sub_button": [{**CLICK, "name": "二" * 20, "key": "k" * 128}] * 5}] * 3,
                ),
                "no button": ([], "button: has 0 buttons; 1 to 3 are allowed"),
                "four buttons": ([CLICK] * 4, "button: has 4 buttons; 1 to 3 are allowed"),
                "six below": (
                    [{"name": "a", "sub_button": [CLICK] * 6}],
                    "button[0].sub_button: has 6 buttons; 1 to 5 are allowed",
                ),
                "no object": ([None], "button[0]: must be an object"),
                "no list": ([{"name": "a", "sub_button": {"list": []}}], "button[0].sub_button: must be a list"),
                "three levels": (
                    [{"name": "a", "sub_button": [{"name": "b", "sub_button": [CLICK]}]}],
                    "button[0].sub_button[0]: a submenu cannot have a submenu",
                ),
                "no name": ([{**CLICK, "name": ""}], "button[0]: needs name"),
                "no name above": ([{"sub_button": [CLICK]}], "button[0]: needs name"),
                "long name": ([{**CLICK, "name": "一二三四五六"}], "button[0].name: has 18 bytes; 16 are allowed"),
                "long key": ([{**CLICK, "key": "k" * 129}], "button[0].key: has 129 bytes; 128 are allowed"),
                "long url": ([{**VIEW, "url": "u" * 1025}], "button[0].url: has 1025 bytes; 1024 are allowed"),
                "key of another kind": ([{**CLICK, "key": 1}], "button[0]: needs key"),
                "Mini Program": (
                    [{"type": "miniprogram", "name": "a", "url": "u"}],
                    "button[0]: needs appid",
                    "button[0]: needs pagepath",
                ),
            },
            check,
        )

    def test_names_the_types_if_one_is_unknown(self):
        for kind in ("clik", "", None, [], "text"):
            ((place, fault),) = find_faults([{**CLICK, "type": kind}])
            assert place == "button[0].type"
            assert fault.en.startswith("must be one of article_id, ")
