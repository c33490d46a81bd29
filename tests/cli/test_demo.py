"""``wechat-msg demo``: the lines it prints, and that it notices a bot with wrong answers."""

from __future__ import annotations

import contextlib
import re
import time

import attrs
import pytest

from tests.helpers.servers import run
from wechat_msg import NO_DEDUP, PushEndpoint
from wechat_msg.adapters.wsgi import push_app
from wechat_msg.cli import demo as command
from wechat_msg.cli import scenes
from wechat_msg.cli.account_options import make_settings
from wechat_msg.cli.bot import PATH, EchoBot, listen
from wechat_msg.cli.output import Output
from wechat_msg.cli.stage import Stage
from wechat_msg.testing import FakeWeChatAPI

SETTINGS = make_settings()


def test_prints_all_scenes_on_one_screen_and_succeeds():
    began = time.monotonic()
    status, output = run("-m", "wechat_msg", "demo", "--lang", "zh")

    assert status == 0, output
    assert time.monotonic() - began < 15
    assert len(output.splitlines()) <= 45
    assert "✗" not in output
    for word in ("接入验证", "明文模式 XML", "兼容模式 XML", "安全模式 XML", "安全模式 JSON", "全部符合预期"):
        assert word in output
    assert output.count("HTTP 403") == 3
    assert len(set(re.findall(r"CreateTime \d+", output))) == 1
    assert len(set(re.findall(r"nonce \d+", output))) == 3
    assert re.search(r"0\.0 s – 5\.\d s .*\n.* 5\.\d s – 7\.\d s  → 7 秒后的回复", output)
    assert re.search(r"0\.0 s – 4\.\d s  success.*\n.* 6\.\d s  → 6 秒后的回复", output)
    assert re.search(r"0\.0 s – 4\.\d s  → 正在思考.*\n.* 4\.\d s – 6\.\d s  → 6 秒后的回复", output)


@contextlib.contextmanager
def set_stage(app, handled=()):
    """Yield a stage on which *app* is every bot."""
    with FakeWeChatAPI() as api, listen(app) as url:
        yield Stage(SETTINGS, *[url + PATH] * 4, api, list(handled))


def count_unexpected(scene, app, capsys):
    """Play a scene; return how many lines are unexpected, and how many there are."""
    with set_stage(app) as stage:
        counted = command.print_scene(Output("en"), scenes.Text("", ""), scene(stage))
    shown = capsys.readouterr().out
    assert shown.count("✗") == counted
    return counted, counted + shown.count("✓")


def answer_always(answer, status="200 OK"):
    def app(environ, start_response):
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(status, [])
        return [answer]

    return app


class TestNotices:
    @pytest.mark.parametrize(
        "scene", [scenes.verify, scenes.forge, scenes.wait_longer, scenes.answer_later, scenes.fetch]
    )
    def test_a_bot_that_always_acknowledges(self, scene, capsys):
        counted, of = count_unexpected(scene, answer_always(b"success"), capsys)

        assert counted == of > 0

    def test_a_bot_that_acknowledges_instead_of_replying(self, capsys):
        assert count_unexpected(scenes.converse, answer_always(b"success"), capsys) == (5, 6)

    def test_answers_that_are_not_sealed(self, capsys):
        answer = b"<xml><ToUserName>oUSER</ToUserName><Content>hi</Content></xml>"
        assert count_unexpected(scenes.converse, answer_always(answer), capsys) == (6, 6)

    def test_a_server_that_only_fails(self, capsys):
        assert count_unexpected(scenes.converse, answer_always(b"", "500 Oops"), capsys) == (6, 6)
        assert count_unexpected(scenes.forge, answer_always(b"", "500 Oops"), capsys) == (3, 3)

    def test_a_handler_that_runs_again(self, capsys):
        numbers = iter(range(100))
        app = push_app(PushEndpoint(SETTINGS, lambda message: str(next(numbers)), store=NO_DEDUP))

        counted, of = count_unexpected(scenes.send_again, app, capsys)
        assert (counted, of) == (3, 4)  # the second reply, the third, and how often the handler ran

    def test_a_bot_of_other_settings(self, capsys):
        with EchoBot(attrs.evolve(SETTINGS, token="another")) as bot:
            assert count_unexpected(scenes.converse, bot.app, capsys) == (6, 6)


def test_ends_with_1_if_anything_is_unexpected(monkeypatch, capsys):
    @contextlib.contextmanager
    def open_wrong_stage():
        with set_stage(answer_always(b"success")) as stage:
            yield stage

    monkeypatch.setattr(command, "open_stage", open_wrong_stage)
    status = command.demo.callback.__wrapped__(Output("en"))

    assert status == 1
    assert "not as expected" in capsys.readouterr().out
