"""Serving: ports, hosts, the end, and a slow bot."""

from __future__ import annotations

import contextlib
import http.client
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from tests.helpers.playgrounds import KEY, SETTINGS, TOKEN, Follower, Page
from tests.helpers.rows import check_rows
from tests.helpers.servers import ROOT, TIMEOUT, serve
from wechat_msg import SettingsError
from wechat_msg.playground import Playground


class TestServing:
    def test_a_port_in_use_is_an_error(self, playground):
        with pytest.raises(SettingsError, match="listen"):
            Playground(SETTINGS, "http://127.0.0.1:1/", port=urlsplit(playground.base).port)

    def test_an_invalid_port_is_an_error(self):
        def check(port):
            with pytest.raises(SettingsError, match="port"):
                Playground(SETTINGS, "http://127.0.0.1:1/", port=port)

        check_rows([-1, 70_000], check)

    def test_an_invalid_host_is_an_error(self):
        def check(host):
            with pytest.raises(SettingsError, match=r"listen|host"):
                Playground(SETTINGS, "http://127.0.0.1:1/", host=host, port=0)

        check_rows(["\ud800", "x" * 300, "no such host", "192.0.2.1", "", b"127.0.0.1", None, 5], check)

    def test_an_invalid_url_is_an_error_and_releases_the_port(self):
        with pytest.raises(SettingsError, match="url"):
            Playground(SETTINGS, "ftp://x", port=0)

    def test_ends_quietly_at_ctrl_c_although_pages_are_open(self):
        program = (
            "from wechat_msg import PushSettings; from wechat_msg.playground import run_playground\n"
            "run_playground(PushSettings(token='abc'), 'http://127.0.0.1:1/', port=0)"
        )
        process = subprocess.Popen([sys.executable, "-c", program], stdout=-1, stderr=-2, cwd=ROOT, text=True)
        with process:
            address = process.stdout.readline().strip()
            base, _, key = address.partition("/?key=")
            link = http.client.HTTPConnection(urlsplit(base).netloc, timeout=TIMEOUT)
            with contextlib.closing(link):
                name = f"wechat_playground_{urlsplit(base).port}"
                link.request("GET", "/playground/events", headers={"Cookie": f"{name}={key}"})
                link.getresponse().readline()
                began = time.monotonic()
                process.send_signal(signal.SIGINT)
                assert process.communicate(timeout=TIMEOUT)[0] == ""
                assert process.returncode == 0
                assert time.monotonic() - began < TIMEOUT / 2


@pytest.mark.endurance
class TestASlowBot:
    """The command, one message, and an answer that is too late for a reply."""

    def test_answers_in_the_chat(self):
        account = {"WECHAT_TOKEN": TOKEN, "WECHAT_ENCODING_AES_KEY": KEY, "WECHAT_APPID": SETTINGS.appid}
        with serve("-m", "wechat_msg", "playground", "--port", "0", environ=account) as server:
            address = re.search(r"http://\S+\?key=\S+", server.read_log())[0]
            page = Page(SimpleNamespace(base=address.partition("/?")[0], address=address)).log_in()
            chat = Follower(page)
            message = chat.wait_done(page.push({"MsgType": "text", "Content": "4.7"}))
            late = chat.wait(lambda entry: entry["kind"] == "service")

        assert [one["outcome"] for one in message["tries"]] == ["acknowledged"]
        assert late["message"]["text"]["content"].startswith("4.7 ")
