"""``wechat-msg playground``: a page for users with the key, and missing packages."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest

from tests.helpers.commands import COMMAND, ENVIRON
from tests.helpers.playgrounds import Follower, Page
from tests.helpers.servers import TIMEOUT, run, serve


class TestPlayground:
    def test_serves_a_page_for_users_with_the_key(self):
        with serve(*COMMAND, "playground", "--port", "0", environ=dict.fromkeys(ENVIRON, "")) as server:
            url = f"http://127.0.0.1:{server.port}/"
            key = re.search(r"\?key=\S+", server.read_log())[0]
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(url, timeout=TIMEOUT)
            refused.value.close()
            opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
            with opener.open(url + key, timeout=TIMEOUT) as page:
                assert b"<html" in page.read()

        assert refused.value.code == 403

    def test_can_be_an_account_that_is_not_verified(self):
        program = ["playground", "--port", "0", "--unverified"]
        with serve(*COMMAND, *program, environ=dict.fromkeys(ENVIRON, "")) as server:
            address = re.search(r"http://\S+\?key=\S+", server.read_log())[0]
            page = Page(SimpleNamespace(base=address.partition("/?")[0], address=address)).log_in()
            chat = Follower(page)
            assert not chat.wait(lambda entry: entry["id"] == "account")["is_verified"]
            page.push({"MsgType": "text", "Content": "5"})
            assert chat.wait(lambda entry: entry.get("kind") == "refused")["advice"]
            replies = (self.ask(page, chat) for _ in range(20))  # the answer is kept when the refusal has arrived
            assert any(reply.startswith("5 ") for reply in replies)

    def ask(self, page, chat):
        """Send a text, and return that of its passive answer."""
        number = page.push({"MsgType": "text", "Content": "?"})
        return chat.wait(lambda entry: entry.get("kind") == "reply" and entry["of"] == number)["reply"]["Content"]

    @pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
    def test_prints_what_to_install(self, missing):
        code = f"import sys; sys.modules[{missing!r}] = None; from wechat_msg.cli import main; main()"
        status, output = run("-c", code, "playground", "--lang", "zh")

        assert status == 2
        assert "pip install starlette uvicorn" in output
        assert output.count("\n") == 1
