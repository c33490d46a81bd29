"""``make demo``: the story it tells, and that it notices a bot that answers wrongly."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from examples import demo
from wechat_msg import PushSettings

ROOT = Path(__file__).parents[1]
SEALED = PushSettings(token="spamtest", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")


def test_tells_the_whole_story_and_ends_well():
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    for heading in ("URL verification", "plain 明文模式 · XML", "compatible 兼容模式 · JSON", "sealed 安全模式 · JSON"):
        assert heading in done.stdout
    for refused in ("forged signature, sealed", "plaintext while sealed", "wrong appid"):
        assert refused in done.stdout
    assert done.stdout.count("403 Forbidden") == 5
    assert "UNEXPECTED" not in done.stdout


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (b"success", 0),
        (b"Internal Server Error", len(demo.CONVERSATION)),
        (b"<xml><ToUserName>somebody</ToUserName><Content>plain answer to a sealed push</Content></xml>", 6),
    ],
)
def test_counts_answers_that_wechat_would_not_take(answer, wrong, capsys):
    class Bot(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Bot) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            counted = demo.converse(SEALED, f"http://127.0.0.1:{server.server_port}/", "sealed", "xml")
        finally:
            server.shutdown()

    assert counted == wrong
    assert capsys.readouterr().out.count("UNEXPECTED") == wrong
