"""Requests of the page and of the bot: what is refused, and uploaded files."""

from __future__ import annotations

import contextlib
import json

import pytest

from tests.helpers.playgrounds import PNG, SETTINGS, TOKEN, Follower, Page, call_app, run_playground
from tests.helpers.rows import check_rows
from wechat_msg import Client, PushSettings, SettingsError
from wechat_msg.api import media
from wechat_msg.playground import BrowserSession, Playground, make_app


class TestRefusals:
    def test_garbage_is_refused(self, page):
        def check(body):
            status, headers, answer = page.ask("POST", "/playground/pushes", body)
            assert status == 400
            assert headers["content-type"] == "application/json"
            assert json.loads(answer)["error"].keys() == {"en", "zh"}

        check_rows(
            [b"", b"{", b"[]", b"\xff", b'{"fields": []}', b'{"fields": {"MsgType": ""}}', b"[" * 100_000, b"{}"]
            + [
                json.dumps({"fields": fields, "mode": mode, "format": form}).encode()
                for fields, mode, form in [
                    ({"MsgType": "text", "a b": 1}, "sealed", "xml"),
                    ({"MsgType": ["text"]}, "sealed", "xml"),
                    ({"MsgType": "text"}, "other", "xml"),
                    ({"MsgType": "text"}, "sealed", "yaml"),
                    ({"MsgType": "text", "n": float("nan")}, "sealed", "json"),
                ]
            ],
            check,
        )

    def test_half_characters_are_sent(self, page, chat):
        body = b'{"fields": {"MsgType": "text", "Content": "\\ud83d"}, "mode": "sealed", "format": "json"}'
        status, _, answer = page.ask("POST", "/playground/pushes", body)
        assert status == 202
        chat.wait_done(json.loads(answer)["id"])
        assert page.wire(json.loads(answer)["id"])

    def test_a_body_that_is_too_large(self, page):
        assert page.ask("POST", "/playground/pushes", b" " * (1 << 20) + b"{}")[0] == 413
        for path in ("/playground/media?kind=image", "/cgi-bin/media/upload?type=image"):
            status, _, _ = page.ask("POST", path, b"x", Content_Type="image/png", Content_Length=str(13 << 20))
            assert status == 413

    def test_an_invalid_content_length(self):
        """Some servers pass on what they do not understand."""

        def check(length):
            app = make_app(SETTINGS, "http://127.0.0.1:1/")
            assert call_app(app, "POST", "/cgi-bin/token", b"{}", host="127.0.0.1", content_length=length)[0] == 413

        check_rows(["\xb2", "9" * 5000, "-1", "1.0"], check)

    def test_a_body_that_becomes_too_large(self, page):
        pieces = (b"x" * (1 << 20) for _ in range(11))
        with contextlib.suppress(ConnectionError):  # the server may hang up on it
            assert page.ask("POST", "/playground/media?kind=image", pieces, Content_Type="image/png")[0] == 413

    def test_garbage_at_the_api(self, page):
        for path in ("/cgi-bin/menu/create", "/cgi-bin/token", "/nothing", "/%ff", "//"):
            for body in (b"[" * 100_000, b"\xff", b"{}"):
                status, headers, _ = page.ask("POST", path, body)
                assert status in (200, 400)
                assert headers["content-type"].startswith("application/json")

    def test_unknown_paths_are_refused(self, page):
        assert page.ask("GET", "/playground/nothing")[0] == 404
        assert page.ask("PUT", "/playground/pushes")[0] in (403, 404)
        assert page.ask("GET", "/playground/static/../app.py")[0] == 404
        assert page.ask("GET", "/playground/static/%2e%2e/app.py")[0] == 404
        assert page.ask("GET", "/playground/media/nothing")[0] == 404
        assert page.wire(10**12) is None


class TestTheAccount:
    def test_is_verified_until_the_page_changes_it(self, page, chat):
        for is_verified in (True, False, True):
            if chat.entries:
                assert page.post("account", {"is_verified": is_verified})[0] == 200
            chat.wait(lambda entry, wanted=is_verified: entry["id"] == "account" and entry["is_verified"] == wanted)
            assert page.playground.api.verified == is_verified

    def test_can_lack_verification_from_the_start(self):
        with run_playground("http://127.0.0.1:1/", verified=False) as playground:
            chat = Follower(Page(playground).log_in())
            assert not chat.wait(lambda entry: entry["id"] == "account")["is_verified"]

    def test_of_a_mini_program_cannot_lack_verification(self):
        settings = PushSettings(token=TOKEN, account_kind="mini_program")
        with pytest.raises(SettingsError, match="verified"):
            Playground(settings, "http://127.0.0.1:1/", port=0, verified=False)


class TestMedia:
    def test_documents_are_refused(self, page):
        def check(content_type):
            assert page.upload(b"<script>alert(1)</script>", content_type)[0] == 415

        check_rows(["text/html", "image/svg+xml", "application/xhtml+xml", "", "IMAGE/SVG+XML"], check)

    def test_documents_that_the_bot_uploads_do_not_run(self, page):
        def check(content_type):
            client = Client("wx0123456789abcdef", page.playground.api.secret, hosts=[page.playground.base])
            upload = media.upload("image", b"<script>alert(1)</script>", filename="x.html", content_type=content_type)
            media_id = client.call(upload).media_id
            for path in (f"/playground/media/{media_id}", f"/fake/file?media_id={media_id}"):
                _, headers, _ = page.ask("GET", path)
                assert headers["content-type"] == "application/octet-stream"
                assert headers["content-disposition"].startswith("attachment")
                assert "sandbox" in headers["content-security-policy"]
                assert headers["x-content-type-options"] == "nosniff"

        check_rows(["text/html", "image/svg+xml"], check)

    def test_a_picture_comes_back_whole_and_in_parts(self, page):
        status, made = page.upload(PNG, "image/png")
        assert status == 201
        path = f"/playground/media/{made['media_id']}"
        assert page.ask("GET", path)[2] == PNG
        status, headers, body = page.ask("GET", path, Range="bytes=2-3")
        assert (status, headers["content-range"], body) == (206, f"bytes 2-3/{len(PNG)}", PNG[2:4])
        assert page.ask("GET", made["url"].removeprefix(page.playground.base), Cookie=None)[2] == PNG

    def test_the_oldest_are_removed_when_there_are_too_many(self):
        session = BrowserSession("http://127.0.0.1:8765")
        app = make_app(SETTINGS, "http://127.0.0.1:1/", session=session, max_media_bytes=2 * len(PNG))
        headers = {"host": "127.0.0.1:8765", "origin": session.base, "cookie": f"{session.cookie}={session.key}"}
        target = "/playground/media?kind=image"
        uploads = [call_app(app, "POST", target, PNG, content_type="image/png", **headers) for _ in range(3)]
        ids = [json.loads(body)["media_id"] for _, body in uploads]
        statuses = [call_app(app, "GET", f"/playground/media/{media_id}", **headers)[0] for media_id in ids]
        assert statuses == [404, 200, 200]

    def test_an_echo_bot_can_send_it_back(self, page, chat):
        _, made = page.upload(PNG, "image/png")
        number = page.push({"MsgType": "image", "MediaId": made["media_id"], "PicUrl": made["url"]})
        reply = chat.wait(lambda entry: entry.get("of") == number)
        assert reply["reply"]["Image"]["MediaId"] == made["media_id"]
