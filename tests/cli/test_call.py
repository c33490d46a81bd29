"""``wechat-msg call``: functions and their arguments, results, files and credentials."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

from tests.helpers.commands import COMMAND, ask
from tests.helpers.rows import check_rows
from tests.helpers.servers import ROOT, TIMEOUT, complete
from wechat_msg.api import user
from wechat_msg.cli.api_functions import find_function, list_functions
from wechat_msg.cli.call import to_json
from wechat_msg.cli.language import Failure
from wechat_msg.cli.output import Output
from wechat_msg.testing import FakeWeChatAPI

OUTPUT = Output("en")


@pytest.fixture
def wechat():
    with FakeWeChatAPI() as wechat:
        yield wechat


def call(wechat, *words):
    result = ask("call", *words, "--api", wechat.url)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


class TestCall:
    def test_prints_the_result(self, wechat):
        wechat.add_user("o中文", remark="朋友")

        assert call(wechat, "user.get_info", "o中文", "lang=en")["remark"] == "朋友"
        assert [each["openid"] for each in call(wechat, "user.batch_get_info", '["oUSER", "oUSER2"]')] == [
            "oUSER",
            "oUSER2",
        ]
        assert call(wechat, "user.update_remark", "oUSER", "remark=a=b") is None
        assert call(wechat, "user.get_info", "openid=oUSER")["remark"] == "a=b"
        assert call(wechat, "user.update_remark", "remark=friend", "oUSER") is None
        assert len(call(wechat, "user.iterate_openids")) == 4
        assert call(wechat, "raw_call", "GET", "/cgi-bin/user/get")["total"] == 4
        assert call(wechat, "qrcode.make_image_url", "T").endswith("?ticket=T")

    def test_sends_texts_as_they_are(self, wechat):
        check_rows(
            ["a=b", "@all", '{"a": 1}', "true", "null"],
            lambda text: call(wechat, "customer_service.send", "oUSER", text),
        )
        assert [each["text"]["content"] for each in wechat.messages][2:] == ['{"a": 1}', "true", "null"]

    def test_reads_json_of_files(self, wechat, tmp_path):
        body = {"touser": "oUSER", "msgtype": "text", "text": {"content": "你好"}}
        (tmp_path / "body.json").write_text(json.dumps(body, ensure_ascii=False), "utf-8-sig")

        call(wechat, "customer_service.send_body", f"@{tmp_path / 'body.json'}")
        result = ask("call", "customer_service.send_body", "@-", "--api", wechat.url, stdin=json.dumps(body))

        assert result.exit_code == 0
        assert [each["text"] for each in wechat.messages] == [{"content": "你好"}] * 2

    def test_uploads_and_downloads_files(self, wechat, tmp_path):
        picture, copy = tmp_path / "picture.png", tmp_path / "copy.png"
        picture.write_bytes(bytes(range(256)) * 10)

        uploaded = call(wechat, "media.upload", "image", f"@{picture}")
        downloaded = call(
            wechat, "media.download", f"media_id={uploaded['media_id']}", "-o", str(copy)
        )  # it may begin with -

        assert downloaded["size"] == 2560
        assert copy.read_bytes() == picture.read_bytes()

    def test_shows_a_bar_on_a_terminal_while_it_transfers(self, wechat, tmp_path):
        (tmp_path / "picture.png").write_bytes(bytes(3_000_000))
        words = ("call", "media.upload", "image", "@picture.png", "--api", wechat.url)
        terminal, end = pty.openpty()
        with subprocess.Popen(
            (sys.executable, *COMMAND, *words),
            cwd=tmp_path,
            env=complete({"TERM": "xterm"}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=end,
        ) as process:
            os.close(end)
            output, _ = process.communicate(timeout=TIMEOUT)
        shown = os.read(terminal, 1 << 16).decode()
        os.close(terminal)

        assert json.loads(output)["type"] == "image"
        assert "3.0/3.0 MB" in shown

    def test_hides_credentials(self, wechat):
        for words in (["access_token.get_access_token"], ["jsapi.get_ticket"]):
            hidden, shown = call(wechat, *words), call(wechat, *words, "--show-secrets")
            (name,) = hidden.keys() & {"access_token", "ticket"}
            assert hidden[name] == "***"
            assert len(shown[name]) > 20
        assert len(call(wechat, "qrcode.create", "1")["ticket"]) > 3  # which is public

    def test_refuses_what_it_cannot_send(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "broken.json").write_text('{\n"a": }')
        (tmp_path / "latin.json").write_bytes(b'"\xe9"')
        (tmp_path / "deep.json").write_text("[" * 200_000)
        rows = [
            (["user.get_inf"], "wechat_msg.api has no function: user.get_inf; did you mean user.get_info?"),
            (["os.system"], "wechat_msg.api has no function: os.system"),
            (["user.get_info.__globals__"], "wechat_msg.api has no function"),
            (["user.get_info"], "user.get_info: missing: openid; usage: user.get_info openid [lang=]"),
            (
                ["user.get_info", "oUSER", "en"],
                "user.get_info: too many arguments; usage: user.get_info openid",
            ),
            (["user.get_info", "oUSER", "openid=o"], "user.get_info: openid is given twice"),
            (["user.get_info", "oUSER", "progress=1"], "too many arguments; usage"),
            (["user.delete_tag", "x"], "id must be a number"),
            (["user.delete_tag", "true"], "id must be a number"),
            (["user.batch_tag", "1", "oUSER"], "openids must be JSON, or @FILE with it"),
            (["user.batch_tag", "1", "@nowhere"], "cannot read nowhere"),
            (["user.batch_tag", "1", "@broken.json"], "broken.json:2:6: not JSON"),
            (["user.batch_tag", "1", "@latin.json"], "latin.json is not UTF-8"),
            (["user.batch_tag", "1", "@deep.json"], "deep.json is nested too deeply"),
            (["user.batch_tag", "1", "[1]"], "openids must be a list of texts"),
            (["raw_call", "GET", "/a", "needs_access_token=1"], "needs_access_token must be true or false"),
            (["raw_call", "POST", "/a", "json={"], "json must be JSON"),
            (["media.upload", "image", "picture.png"], "file must be @FILE, a file to upload"),
            (["media.upload", "image", "@nowhere.png"], "cannot read the file to upload nowhere.png: No such file or"),
            (["media.download", "M"], "the result is a file: give --output FILE"),
            (["user.list_tags", "-o", "x"], "--output is for results that are files"),
        ]

        def check(words, text):
            with FakeWeChatAPI() as wechat:
                result = ask("call", *words, "--api", wechat.url)
            assert (result.exit_code, result.stdout) == (2, "")
            assert text in result.stderr

        check_rows({" ".join(words): (words, text) for words, text in rows}, check)
        assert not (tmp_path / "x").exists()

    def test_names_what_is_missing_in_chinese(self):
        result = ask("call", "user.get_info", "--lang", "zh")
        assert result.stderr == "wechat-msg: user.get_info：缺少参数：openid；用法：user.get_info openid [lang=]\n"

    def test_reports_the_refusal_of_wechat(self, wechat, tmp_path):
        result = ask("call", "user.get_info", "nobody", "--api", wechat.url)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "40003: invalid openid" in result.stderr

        result = ask("call", "raw_call", "GET", "/cgi-bin/nothing", "--api", wechat.url)
        assert "40066: invalid url: the fake API does not have this path" in result.stderr

        file = tmp_path / "kept"
        file.write_text("before")
        result = ask("call", "media.download", "nothing", "-o", str(file), "--api", wechat.url)
        assert result.exit_code == 1
        assert file.read_text() == "before"

    def test_reports_a_file_that_cannot_be_written(self, wechat, tmp_path):
        media_id = call(wechat, "media.upload", "image", f"@{ROOT / 'Makefile'}")["media_id"]
        result = ask("call", "media.download", media_id, "-o", str(tmp_path), "--api", wechat.url)
        assert result.exit_code == 2
        assert f"cannot write {tmp_path}: Is a directory" in result.stderr

    def test_lists_all_functions(self):
        lines = ask("call").stdout.splitlines()
        assert "user.get_info openid [lang=]" in lines
        assert any("获取用户基本信息" in line for line in lines)


class TestFunctions:
    def test_are_those_of_the_api(self):
        functions = list_functions()
        assert len(functions) > 120
        assert functions["user.get_info"].function is user.get_info
        assert functions["miniprogram.code2session"].required == ["js_code"]
        assert len({each.function for each in functions.values()}) == len(functions)
        assert not {"get", "post", "call.get", "menu.MatchRule", "results.no_result"} & functions.keys()

    def test_take_values_of_their_kinds(self):
        def check(name, word, value):
            function = find_function(name)
            words = ["1"] * (len(function.required) - (not function.takes_more))
            assert list(function.read_arguments(OUTPUT, [*words, word]).values())[-1] == value

        check_rows(
            {
                "text": ("user.create_tag", "12", "12"),
                "number": ("user.delete_tag", "12", 12),
                "negative": ("user.delete_tag", "-12", -12),
                "number for a scene": ("qrcode.create", "12", 12),
                "text for a scene": ("qrcode.create", "a b", "a b"),
                "text of digits for a scene": ("qrcode.create", '"12"', "12"),
                "leading zero": ("qrcode.create", "012", "012"),
                "flag": ("access_token.get_stable_access_token", "force_refresh=true", True),
                "list": ("menu.create", "[]", []),
                "mapping": ("menu.create", "{}", {}),
                "text or mapping": ("subscribe.set_user_notify_ext", '{"a": 1}', {"a": 1}),
                "text for both": ("subscribe.set_user_notify_ext", "{a", "{a"),
                "further member": ("miniprogram.get_user_risk_rank", "email_address=a@b.c", "a@b.c"),
            }
            | {"file": ("media.upload", "@a.png", "a.png")},
            check,
        )

    def test_that_do_not_exist_are_refused_in_chinese(self):
        with pytest.raises(Failure, match=r"没有这个函数：user\.nothing"):
            find_function("user.nothing")

    def test_are_completed_by_shells(self):
        done = subprocess.run(
            (sys.executable, "-c", "from wechat_msg.cli import main; main()"),
            env=complete(
                {"_WECHAT_MSG_COMPLETE": "bash_complete", "COMP_WORDS": "wechat-msg call user.get_", "COMP_CWORD": "2"}
            ),
            capture_output=True,
            timeout=TIMEOUT,
        )
        assert done.stdout == b"plain,user.get_info\n"
        assert done.stderr == b""


class TestToJson:
    def test_hides_the_access_token_in_the_address_of_a_request(self):
        text = {"request_url": "/cgi-bin/user/get?access_token=abc&x=1"}
        assert to_json(text) == {"request_url": "/cgi-bin/user/get?access_token=***&x=1"}

    def test_keeps_members_of_members(self):
        assert to_json({"a": ({"session_key": "k", "b": None},)}) == {"a": [{"session_key": "***", "b": None}]}
        assert to_json({"session_key": "k"}, show_secrets=True) == {"session_key": "k"}
