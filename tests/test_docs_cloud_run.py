"""docs/cloud-run.md: its bot on a real server, started as its Dockerfile says, with what Cloud Run sends to it.

A proxy stands for the network of the container, in which ``http://api.weixin.qq.com`` adds the credential.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.helpers.documents import APPID, read_blocks
from tests.helpers.rows import check_rows
from tests.helpers.servers import serve
from tests.helpers.waiting import wait_until
from wechat_msg import PushSettings
from wechat_msg.testing import PushSimulator, build_push

PAGE = "docs/cloud-run.md"
SETTINGS = PushSettings(appid=APPID, cloud_run=True)
FROM_WECHAT = {"X-WX-SOURCE": "wx", "X-WX-ENV": "prod-1", "X-WX-OPENID": "oUSER", "X-WX-APPID": APPID}
JSON = {"Content-Type": "application/json"}
XML = {"Content-Type": "text/xml"}
TEXT = {
    "ToUserName": "gh_1",
    "FromUserName": "oUSER",
    "CreateTime": 1700000000,
    "MsgType": "text",
    "Content": "你好",
    "MsgId": 6054768590064713728,
}


@contextlib.contextmanager
def stand_for_the_network() -> Iterator[tuple[str, list[tuple[str, dict[str, object]]]]]:
    """Run a proxy; yield its address, and the target and the body of each request that it gets."""
    requests: list[tuple[str, dict[str, object]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append((self.path, json.loads(body)))
            answer = b'{"errcode":0,"errmsg":"ok"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", requests
        server.shutdown()


class Bot:
    def __init__(self, port, requests):
        self.url, self.port, self.requests = f"http://127.0.0.1:{port}/wechat", port, requests

    def send(self, body, headers, method="POST"):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, "/wechat", body, headers)
            response = connection.getresponse()
            return response.status, response.read()


def start(folder, *blocks):
    """Start the bot of some blocks of the page, by the command of its Dockerfile, on a free port."""
    (folder / "app.py").write_text("\n".join(block.source for block in blocks), "utf-8")
    (dockerfile,) = (block.source for block in read_blocks(PAGE) if block.language == "dockerfile")
    command = json.loads(re.search(r"^CMD (.*)$", dockerfile, re.MULTILINE)[1])
    variables = dict(re.findall(r"^ENV (\w+)=(.*)$", dockerfile, re.MULTILINE))
    options = [option.replace("0.0.0.0:80", "127.0.0.1:0") for option in command[1:-1]]
    return lambda proxy: serve(
        *("-m", command[0], *options, "--no-control-socket", command[-1]),
        environ={**variables, "HTTP_PROXY": proxy, "http_proxy": proxy, "NO_PROXY": "", "no_proxy": ""},
        folder=folder,
    )


@contextlib.contextmanager
def run(folder, *blocks):
    with stand_for_the_network() as (proxy, requests), start(folder, *blocks)(proxy) as server:
        yield Bot(server.port, requests)


CODE = read_blocks(PAGE, "code")


@pytest.fixture(scope="module")
def bot(tmp_path_factory):
    with run(tmp_path_factory.mktemp("bot"), CODE[0]) as bot:
        yield bot


class TestTheBot:
    def test_answers_what_the_console_sends_when_the_path_is_saved(self, bot):
        def check(body, headers):
            assert bot.send(body, {**headers, **FROM_WECHAT}) == (200, b"success")

        check_rows(
            [
                (b'{"action":"CheckContainerPath"}', JSON),
                (b'{\n  "action": "CheckContainerPath"\n}', JSON),
                (b"<xml><action>CheckContainerPath</action></xml>", XML),
                (b"<xml><action><![CDATA[CheckContainerPath]]></action></xml>", XML),
            ],
            check,
        )

    def test_answers_json_with_json_and_xml_with_xml(self, bot):
        status, body = bot.send(json.dumps(TEXT), {**JSON, **FROM_WECHAT})
        assert status == 200
        assert json.loads(body)["Content"] == "You said: 你好"
        members = "".join(f"<{name}>{value}</{name}>" for name, value in {**TEXT, "MsgId": 2}.items())
        status, body = bot.send(f"<xml>{members}</xml>".encode(), {**XML, **FROM_WECHAT})
        assert status == 200
        assert "<Content><![CDATA[You said: 你好]]></Content>".encode() in body

    def test_is_played_with_by_the_simulator(self, bot):
        for form in ("json", "xml"):
            with PushSimulator(bot.url, SETTINGS, format=form) as wechat:
                assert wechat.verify().verdict.outcome == "verified"
                assert wechat.push_text("hi").text == "You said: hi"
                assert wechat.push_event("unsubscribe").is_acknowledged

    def test_sends_the_rest_of_an_answer_without_an_access_token(self, bot):
        with PushSimulator(bot.url, SETTINGS, openid="oLONG") as wechat:
            first = wechat.push_text("长" * 1000).text
        wait_until(lambda: bot.requests)
        target, message = bot.requests[0]
        assert target == "http://api.weixin.qq.com/cgi-bin/message/custom/send"
        assert message["touser"] == "oLONG"
        assert first + message["text"]["content"] == "You said: " + "长" * 1000

    def test_refuses_what_is_no_push_of_cloud_run(self, bot):
        sealed = PushSettings(token="spamtest", encoding_aes_key="A" * 43, appid=APPID)

        def check(status, body, method="POST"):
            assert bot.send(body, FROM_WECHAT, method)[0] == status

        check_rows(
            [
                (403, b"", "GET"),
                (403, build_push(sealed, TEXT).body),
                (400, b"{}"),
                (400, b'{"action":"Another"}'),
                (400, b"CheckContainerPath"),
                (400, b'{"action":"CheckContainerPath"'),
                (413, b'{"action":"CheckContainerPath"}' + b" " * (1 << 20)),
                (200, json.dumps({**TEXT, "MsgId": 3, "Content": "CheckContainerPath"})),
            ],
            check,
        )


@pytest.mark.parametrize("spelling", ["X-WX-SOURCE", "x-wx-source", "X-WX-SOURCES"])
def test_a_bot_with_public_access_accepts_only_what_the_gateway_marks(tmp_path, spelling):
    with run(tmp_path, *CODE[:2]) as bot:
        assert bot.send(json.dumps(TEXT), {**JSON, spelling: "wx"})[0] == 200
        assert bot.send(b'{"action":"CheckContainerPath"}', {**JSON, spelling: "wx"}) == (200, b"success")
        assert bot.send(json.dumps(TEXT), JSON)[0] == 404
        with PushSimulator(bot.url, SETTINGS, format="json") as wechat:
            assert wechat.verify().verdict.outcome == "verified"
            assert wechat.chat("hi") == "You said: hi"
