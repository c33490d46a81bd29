"""``make demo``: the story it tells, and that it notices a bot that answers wrongly."""

import contextlib
import itertools
import subprocess
import sys
import threading
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from examples import demo
from wechat_msg import NO_DEDUP, PushEndpoint, PushSettings
from wechat_msg.adapters.wsgi import push_app
from wechat_msg.testing import build_push

ROOT = Path(__file__).parents[1]
SEALED = PushSettings(token="spamtest", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")


@pytest.mark.slow
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
    for try_again in ("sent again 重试", "no answer yet; WeChat hangs up", "◂ at 7."):
        assert try_again in done.stdout
    assert done.stdout.count("2 seconds later ... 2 秒后") == 3
    assert done.stdout.count("7 seconds later ... 7 秒后") == 1
    assert done.stdout.count("◂ 1 time\n") == 2
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
    with serve(always(answer)) as url:
        counted = demo.converse(SEALED, url, "sealed", "xml")

    assert counted == wrong
    assert capsys.readouterr().out.count("UNEXPECTED") == wrong


class TestSeveralTries:
    def test_counts_replies_that_differ_and_handlers_that_run_again(self, tmp_path, capsys):
        log = tmp_path / "log"
        numbers = itertools.count()

        def answer(message):
            with log.open("a") as file:
                print("handling message", message.msg_id, file=file)
            return f"{message.content} seconds later, reply {next(numbers)}"

        with serve(push_app(PushEndpoint(SEALED, answer, store=NO_DEDUP))) as url:
            counted = demo.send_again(SEALED, [demo.Bot("a bot", url, log)])

        assert counted == 2
        shown = capsys.readouterr().out
        assert "✗ UNEXPECTED    WeChat ▸ try 2" in shown
        assert "◂ 2 times" in shown

    def test_counts_replies_that_are_not_sealed_afresh(self, tmp_path, capsys):
        push = build_push(SEALED, {"Content": "anything"})
        sealed_once = PushEndpoint(SEALED, lambda message: "2 seconds later").handle(push).body

        with serve(always(sealed_once)) as url:
            demo.send_again(SEALED, [make_silent_bot(url, tmp_path)])

        shown = capsys.readouterr().out
        assert "✓    WeChat ▸ try 1" in shown
        assert "✗ UNEXPECTED    WeChat ▸ try 2" in shown

    @pytest.mark.parametrize("story", [demo.send_again, demo.wait_longer])
    def test_counts_acknowledgements(self, story, tmp_path, capsys):
        with serve(always(b"success")) as url:
            counted = story(SEALED, [make_silent_bot(url, tmp_path)] * 2)

        shown = capsys.readouterr().out
        assert "✓" not in shown
        assert counted == shown.count("UNEXPECTED")


def make_silent_bot(url, folder):
    log = folder / "log"
    log.touch()
    return demo.Bot("a bot", url, log)


def always(answer):
    def app(environ, start_response):
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("200 OK", [])
        return [answer]

    return app


@contextlib.contextmanager
def serve(app):
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass
