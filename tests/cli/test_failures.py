"""Failures of the commands that call WeChat's API: one line in either language that says what failed and why."""

from __future__ import annotations

import contextlib
import re

import pytest

from tests.helpers.commands import CHINESE, answering, ask, find_english
from tests.helpers.raw_http import listen, refuse
from tests.helpers.rows import check_rows
from wechat_msg.testing import FakeWeChatAPI

SECRET = "0" * 32


@pytest.fixture
def addresses(environ):
    """Return addresses of servers: WeChat's, and some with faults."""
    environ.setenv("WECHAT_TOKEN_SERVER_SECRET", "a shared secret")
    with contextlib.ExitStack() as opened:
        yield {
            "refused": opened.enter_context(refuse()),
            "closed": opened.enter_context(listen(lambda connection: connection.read_request())).url,
            "page": opened.enter_context(answering(b"<html>")),
            "wechat": opened.enter_context(FakeWeChatAPI()).url,
        }


#: Command lines, and the errors in English and in Chinese. In capitals: host and port of a server.
FAILURES = {
    "port": ("token --api http://REFUSED", "cannot connect to REFUSED: Connection refused", "无法连接 REFUSED：请检查"),
    "reason": ("call user.list_tags --api http://REFUSED", "Connection refused", "[连接被拒绝]"),
    "host": (
        "menu show --api http://nowhere.invalid",
        "cannot connect to nowhere.invalid: ",
        "无法连接 nowhere.invalid",
    ),
    "token server": (
        "token --token-server http://REFUSED",
        "cannot connect to REFUSED: Connection refused",
        "无法连接 REFUSED：",
    ),
    "answer": ("token --api http://CLOSED", "no answer from CLOSED: the connection was closed", "[连接被关闭]"),
    "page": ("token --api http://PAGE", "no JSON object [POST http://PAGE/cgi-bin/stable_token]", "应答不是微信接口的"),
    "page of a token server": ("token --token-server http://PAGE", "[POST http://PAGE/token]", "[POST http://PAGE/"),
    "AppID": ("token --api http://WECHAT --appid wx9999999999999999", "40013: invalid appid", "40013: invalid appid"),
    "menu": ("menu show --api http://WECHAT", "46003: menu no exist", "46003: menu no exist"),
    "OpenID": ("call user.get_info nobody --api http://WECHAT", "40003: invalid openid", "OpenID 不正确"),
    "path": (
        "call raw_call GET /no --api http://WECHAT",
        "the fake API does not have this path",
        "请检查接口路径",
    ),
    "upload": (
        "call media.upload image @nowhere.png --api http://WECHAT",
        "cannot read the file to upload nowhere.png: No such file or directory",
        "无法读取要上传的文件 nowhere.png [文件不存在]",
    ),
    "upload of a folder": ("call media.upload image @. --api http://WECHAT", "upload .: Is a directory", "[是目录，"),
    "list": ("call user.batch_tag 1 [1] --api http://WECHAT", "must be a list of texts", "openids 应为文本的列表"),
    "path with a query": ("call raw_call GET /a?b=1 --api http://WECHAT", "put the query into params", "请放入 params"),
}


class TestFailures:
    def test_are_named_in_one_line_of_the_selected_language(self, addresses):
        hosts = {name.upper(): url.partition("://")[2] for name, url in addresses.items()}

        def fill(text):
            return re.sub("|".join(hosts), lambda name: hosts[name[0]], text)

        def check(line, english, chinese):
            words = fill(line).split()
            result = ask(*words)
            assert (result.stdout, result.stderr.count("\n")) == ("", 1)
            assert result.exit_code in (1, 2)
            assert fill(english) in result.stderr
            assert not CHINESE.search(result.stderr)
            assert "Error" not in result.stderr

            result = ask("--lang", "zh", *words)
            assert (result.stdout, result.stderr.count("\n")) == ("", 1)
            assert fill(chinese) in result.stderr
            ours = re.sub(r"\d{5}: [^（]*|POST|OpenID|AppID|openids|params|/cgi-bin\S+", "", result.stderr)
            assert find_english(ours, words) == set()

        check_rows(FAILURES, check)

    def test_of_a_wrong_appsecret_do_not_show_it(self, addresses, environ):
        environ.setenv("WECHAT_SECRET", SECRET)
        english, chinese = (ask("token", "--api", addresses["wechat"], "--lang", each).stderr for each in ("en", "zh"))
        assert english.startswith("wechat-msg: 40125: invalid appsecret, rid ")
        assert not CHINESE.search(english)
        assert "AppSecret 不正确，请到" in chinese
        assert "Check" not in chinese
        assert SECRET not in english + chinese
