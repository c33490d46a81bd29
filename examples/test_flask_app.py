"""Tests of the bot in flask_app.py, a template for your own: pytest examples/test_flask_app.py

The fixture `wechat_push` of the package simulates WeChat; no server is started.
"""

import runpy
from pathlib import Path

import pytest

from wechat_msg import PushSettings
from wechat_msg.testing import build_push
from wechat_msg.testing.conformance import check_endpoint

SETTINGS = PushSettings(token="mytoken123", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")
STRANGER = PushSettings(token="another", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")


@pytest.fixture
def wechat(wechat_push, monkeypatch, tmp_path):
    """Return a simulated WeChat for the bot, which starts with these settings and a store of its own."""
    monkeypatch.setenv("WECHAT_TOKEN", SETTINGS.token)
    monkeypatch.setenv("WECHAT_ENCODING_AES_KEY", SETTINGS.encoding_aes_key)
    monkeypatch.setenv("WECHAT_APPID", SETTINGS.appid)
    monkeypatch.setenv("WECHAT_STORE", str(tmp_path / "store.db"))
    monkeypatch.delenv("REDIS_URL", raising=False)
    bot = runpy.run_path(str(Path(__file__).with_name("flask_app.py")))
    return wechat_push("/wechat", SETTINGS, wsgi=bot["app"])


def test_url_is_verified(wechat):
    assert wechat.verify().verdict.outcome == "verified"


@pytest.mark.parametrize("mode", ["compatible", "sealed"])
@pytest.mark.parametrize("format", ["xml", "json"])
def test_text_comes_back_in_every_mode_and_format(wechat, mode, format):
    text = {"MsgType": "text", "Content": "你好 ]]> <b>"}
    assert wechat.push(text, mode=mode, format=format).text == "你好 ]]> <b>"


def test_picture_comes_back(wechat):
    picture = {"MsgType": "image", "PicUrl": "https://example.com/cat.jpg", "MediaId": "CAT"}
    assert wechat.push(picture).reply["Image"] == {"MediaId": "CAT"}


def test_user_who_follows_by_a_qr_code_is_greeted(wechat):
    assert "poster7" in wechat.push_event("subscribe", EventKey="qrscene_poster7", Ticket="TICKET").text


def test_unsubscribe_event_is_acknowledged(wechat):
    assert wechat.push_event("unsubscribe").is_acknowledged


def test_message_that_is_sent_again_gets_the_same_reply(wechat):
    first = wechat.push_text("hi")
    again = wechat.push(first.fields)
    assert again.reply == first.reply


def test_forged_push_is_refused(wechat):
    forged = build_push(STRANGER, {"MsgType": "text", "Content": "let me in"})
    assert wechat.send(forged, {}).answer.status == 403


def test_endpoint_passes_all_conformance_checks(wechat):
    assert [row for row in check_endpoint(wechat) if row.status in ("warn", "fail")] == []
