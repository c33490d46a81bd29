"""The playground: access, pushes, what it shows, and the page in a real browser."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import itertools
import json
import math
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from types import SimpleNamespace
from urllib.parse import urlsplit
from wsgiref.simple_server import make_server

import pytest
from attrs import define, field

from tests.helpers.rows import check_rows
from tests.helpers.servers import ROOT, TIMEOUT, need, serve
from tests.helpers.waiting import wait_until
from wechat_msg import (
    APIError,
    Article,
    Client,
    Event,
    ImageMessage,
    ImageReply,
    Message,
    MusicReply,
    NewsReply,
    PushEndpoint,
    PushSettings,
    Router,
    SettingsError,
    TextMessage,
    TransferCustomerServiceReply,
    VideoReply,
    VoiceReply,
    WeChatError,
)
from wechat_msg._wsgi_server import QuietHandler, ThreadingServer
from wechat_msg.adapters.wsgi import push_app
from wechat_msg.api import customer_service, media, menu
from wechat_msg.playground import BrowserSession, Playground, make_app
from wechat_msg.playground.chat import Chat

TOKEN, KEY = "spamtestTOKEN", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
SETTINGS = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid="wx0123456789abcdef")
FORMATS = ["xml", "json"]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
HOSTILE = '<img src=x onerror="document.title=\'hacked\'"> ]]> <a href="javascript:alert(1)">x</a>'

REPLIES = {
    "image": ImageReply(media_id="M"),
    "voice": VoiceReply(media_id="M"),
    "video": VideoReply(media_id="M", title="片名"),
    "music": MusicReply(thumb_media_id="M", title="歌名", music_url="https://example.com/a.mp3"),
    "news": NewsReply(articles=[Article(title="标题", url="https://example.com/")]),
    "transfer_customer_service": TransferCustomerServiceReply(kf_account="a@b"),
}
MESSAGES = [
    {"MsgType": "text", "Content": "hi"},
    {"MsgType": "image", "MediaId": "M", "PicUrl": "http://127.0.0.1/p"},
    {"MsgType": "voice", "MediaId": "M", "Format": "amr"},
    {"MsgType": "video", "MediaId": "M", "ThumbMediaId": "T"},
    {"MsgType": "shortvideo", "MediaId": "M", "ThumbMediaId": "T"},
    {"MsgType": "location", "Location_X": "39.9", "Location_Y": "116.4", "Scale": "15", "Label": "天安门"},
    {"MsgType": "link", "Title": "t", "Description": "d", "Url": "https://example.com/"},
    {"MsgType": "miniprogrampage", "Title": "t", "AppId": "wx1", "PagePath": "p", "ThumbUrl": "u", "ThumbMediaId": "T"},
    {"MsgType": "event", "Event": "CLICK", "EventKey": "HELP"},
    {
        "MsgType": "event",
        "Event": "scancode_waitmsg",
        "EventKey": "K",
        "ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": "1"},
    },
]


def make_bot():
    router = Router()

    @router.on(TextMessage, lambda message: message.content in REPLIES)
    def answer_any(message):
        return REPLIES[message.content]

    @router.on(TextMessage, content="slow")
    def answer_late(_):
        time.sleep(5)  # longer than three tries

    @router.on(TextMessage, content="quiet")
    def reply_with_nothing(_):
        return ""

    @router.on(TextMessage)
    def echo(message):
        return message.content

    @router.on(ImageMessage)
    def echo_image(message):
        return ImageReply(media_id=message.media_id)

    @router.on(Event)
    @router.on(Message)
    def reply_with_the_type(message):
        return type(message).__name__

    return push_app(PushEndpoint(SETTINGS, router))


@contextlib.contextmanager
def run_bot(port=0):
    with make_server("127.0.0.1", port, make_bot(), ThreadingServer, QuietHandler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/wechat"
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def run_playground(url, settings=SETTINGS, **options):
    playground = Playground(settings, url, port=0, **options)
    thread = threading.Thread(target=playground.run)
    thread.start()
    try:
        yield playground
    finally:
        playground.stop()
        thread.join(TIMEOUT)
        assert not thread.is_alive()


@define
class Page:
    """A client that sends what a browser sends."""

    playground: Playground
    cookie: str = ""

    @property
    def host(self):
        return urlsplit(self.playground.base).netloc

    def log_in(self):
        status, headers, _ = self.ask("GET", self.playground.address.removeprefix(self.playground.base))
        assert status == 303
        self.cookie = headers["set-cookie"].partition(";")[0]
        return self

    def ask(self, method, path, body=None, **headers):
        """Send a request with a browser's headers; those that are None are left out."""
        origin = f"http://{self.host}" if method == "POST" else None
        sent = {"Host": self.host, "Cookie": self.cookie, "Origin": origin}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(self.host, timeout=TIMEOUT)
        with contextlib.closing(connection):
            connection.request(method, path, body, {name: value for name, value in sent.items() if value})
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()

    def post(self, path, asked, **headers):
        status, _, body = self.ask("POST", f"/playground/{path}", json.dumps(asked), **headers)
        return status, json.loads(body)

    def push(self, fields, mode="sealed", format="xml"):
        status, answer = self.post("pushes", {"fields": fields, "mode": mode, "format": format})
        assert status == 202, answer
        return answer["id"]

    def wire(self, entry):
        return json.loads(self.ask("GET", f"/playground/wires/{entry}")[2])

    def upload(self, content, content_type, kind="image"):
        status, _, body = self.ask("POST", f"/playground/media?kind={kind}&name=x", content, Content_Type=content_type)
        return status, json.loads(body)


@define
class Follower:
    """A client that follows the conversation as the page does."""

    page: Page
    known: int = 0
    entries: dict = field(factory=dict)

    def wait(self, is_met):
        """Return the first entry for which *is_met* is true; wait for it if necessary."""
        for entry in self.entries.values():
            if is_met(entry):
                return entry
        connection = http.client.HTTPConnection(self.page.host, timeout=TIMEOUT)
        with contextlib.closing(connection):
            headers = {"Cookie": self.page.cookie, "Last-Event-ID": str(self.known)}
            connection.request("GET", "/playground/events", headers=headers)
            response = connection.getresponse()
            assert response.headers["content-type"].startswith("text/event-stream")
            for line in response:
                if line.startswith(b"id: "):
                    self.known = int(line[4:])
                if line.startswith(b"data: "):
                    batch = json.loads(line[6:])
                    self.entries.update((entry["id"], entry) for entry in batch)
                    for entry in batch:
                        if is_met(entry):
                            return entry
        raise AssertionError("the stream ended")

    def wait_done(self, number):
        return self.wait(lambda entry: entry["id"] == number and entry["is_done"])


@pytest.fixture(scope="module")
def playground():
    with run_bot() as url, run_playground(url, time_limit=0.4) as playground:
        yield playground


@pytest.fixture
def page(playground):
    return Page(playground).log_in()


@pytest.fixture
def chat(page):
    return Follower(page)


class TestAccess:
    def test_is_refused_without_the_key(self, playground):
        stranger = Page(playground)
        for path in ("/", "/?key=wrong", "/playground/events", "/playground/static/main.js", "/playground/wires/1"):
            status, headers, body = stranger.ask("GET", path, Accept="text/html")
            assert status == 403
            assert "set-cookie" not in headers
            assert b"?key=" in body
        assert stranger.post("pushes", {})[0] == 403
        assert Page(playground, "wechat_playground=x").post("clearing", {})[0] == 403

    def test_the_cookie_is_for_this_page_only(self, playground):
        _, headers, body = Page(playground).ask("GET", playground.address.removeprefix(playground.base))
        assert headers["location"] == "/"
        cookie = headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert str(urlsplit(playground.base).port) in cookie.partition("=")[0]
        assert body == b""

    def test_is_possible_by_a_link_on_another_site(self, playground):
        path = playground.address.removeprefix(playground.base)
        status, headers, _ = Page(playground).ask("GET", path, Sec_Fetch_Site="cross-site")
        assert (status, headers["refresh"]) == (200, "0; url=/")
        assert "set-cookie" in headers

    def test_is_refused_under_other_host_names(self, page):
        def check(host, path):
            with contextlib.closing(
                socket.create_connection(("127.0.0.1", urlsplit(page.playground.base).port))
            ) as link:
                cookie = f"Cookie: {page.cookie}\r\n"
                link.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{cookie}Connection: close\r\n\r\n".encode())
                assert link.makefile("rb").readline().split()[1] in (b"403", b"400")

        check_rows(
            itertools.product(
                ["evil.example", "127.0.0.1.evil.example:80", "10.0.0.1:8765", "", "localhost@evil"],
                ["/", "/playground/events", "/cgi-bin/token", "/fake/file?media_id=x"],
            ),
            check,
        )

    def test_is_refused_to_pages_of_other_sites(self, page):
        def check(origin):
            for path in ("pushes", "media?kind=image", "clearing", "verification"):
                assert page.ask("POST", f"/playground/{path}", b"{}", Origin=origin)[0] == 403

        check_rows(["http://evil.example", "null", None, "http://127.0.0.1:1", "http://["], check)

    def test_of_the_api_is_refused_to_pages_of_other_sites(self, page):
        assert page.ask("POST", "/cgi-bin/stable_token", b"{}", Origin="http://evil.example")[0] == 403

    def test_is_possible_under_allowed_names(self):
        with run_playground("http://127.0.0.1:1/", allowed_hosts=["Bot.Test"]) as playground:
            path = playground.address.removeprefix(playground.base)
            assert Page(playground).ask("GET", path, Host="bot.test:80")[0] == 303
            assert Page(playground).ask("GET", path, Host="other.test:80")[0] == 403

    def test_is_possible_by_any_address_if_it_listens_everywhere(self):
        with run_playground("http://127.0.0.1:1/", host="0.0.0.0") as playground:
            assert playground.address.startswith("http://127.0.0.1:")
            path = playground.address.removeprefix(playground.base)
            assert Page(playground).ask("GET", path, Host="192.168.1.9:80")[0] == 303
            assert Page(playground).ask("GET", path, Host="evil.example:80")[0] == 403

    def test_needs_a_list_of_allowed_hosts(self):
        def check(names):
            with pytest.raises(SettingsError, match="allowed_hosts"):
                Playground(SETTINGS, "http://127.0.0.1:1/", port=0, allowed_hosts=names)

        check_rows(["bot.test", [1], 5], check)

    def test_lets_the_page_run_only_its_own_scripts(self, page):
        status, headers, body = page.ask("GET", "/")
        assert status == 200
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert b"style=" not in body


def call_app(app, method, target, body=b"", **headers):
    """Call the application without a server; return status and body."""
    path, _, query = target.partition("?")
    named = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": named}
    sent = []

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


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


class TestPushes:
    def test_a_message_of_every_type_is_answered(self, page, chat):
        def check(fields):
            number = page.push(fields)
            assert chat.wait(lambda entry: entry.get("of") == number)["kind"] == "reply"
            assert chat.wait_done(number)["fields"] == fields

        check_rows(MESSAGES, check)

    def test_go_out_in_every_mode_and_format(self, page, chat):
        def check(mode, format):
            number = page.push({"MsgType": "text", "Content": "你好"}, mode, format)
            assert chat.wait(lambda entry: entry.get("of") == number)["reply"]["Content"] == "你好"
            (one,) = page.wire(number)["tries"]
            assert ("你好" in one["request"]["body"]) == (mode == "compatible")
            assert "你好" in one["request"]["opened"]
            assert "你好" in one["document"]
            assert "你好" not in one["answer"]["body"]
            assert one["request"]["body"].startswith("<" if format == "xml" else "{")

        check_rows(itertools.product(["compatible", "sealed"], FORMATS), check)

    def test_every_reply_arrives(self, page, chat):
        def check(kind):
            number = page.push({"MsgType": "text", "Content": kind})
            reply = chat.wait(lambda entry: entry.get("of") == number)
            assert (reply["kind"], reply["reply"]["MsgType"]) == ("reply", kind)

        check_rows(list(REPLIES), check)

    def test_no_reply_is_an_acknowledgement(self, page, chat):
        done = chat.wait_done(page.push({"MsgType": "text", "Content": "quiet"}))
        assert [one["outcome"] for one in done["tries"]] == ["acknowledged"]

    def test_tries_are_shown_one_after_the_other_and_the_failure_with_its_reason(self, page, chat):
        number = page.push({"MsgType": "text", "Content": "slow"})
        for tries in (0, 1, 2, 3):
            chat.wait(lambda entry, tries=tries: entry["id"] == number and len(entry["tries"]) == tries)
        failure = chat.wait(lambda entry: entry.get("of") == number)
        assert (failure["kind"], failure["problem"]["code"]) == ("failure", "timed_out")
        assert failure["notice"] == "该公众号提供的服务出现故障，请稍后再试"
        assert failure["problem"]["fix"]["zh"]
        assert [one["number"] for one in page.wire(number)["tries"]] == [1, 2, 3]

    def test_a_plain_push_that_the_bot_refuses(self, page, chat):
        number = page.push({"MsgType": "text", "Content": "hi"}, "plain")
        one = chat.wait(lambda entry: entry["id"] == number and entry["tries"])["tries"][0]
        assert (one["status"], one["problem"]["code"]) == (403, "wrong_status")

    def test_many_run_at_once(self, page, chat):
        slow = page.push({"MsgType": "text", "Content": "slow"})
        quick = page.push({"MsgType": "text", "Content": "quick"})
        chat.wait(lambda entry: entry.get("of") == quick)
        assert not chat.entries[slow]["is_done"]

    def test_following_is_known_to_the_api(self, page, chat):
        chat.wait_done(page.push({"MsgType": "event", "Event": "unsubscribe"}))
        assert page.playground.api.users["oUSER"]["subscribe"] == 0
        assert not chat.entries["user"]["is_follower"]
        chat.wait_done(page.push({"MsgType": "event", "Event": "subscribe"}))
        chat.wait(lambda entry: entry["id"] == "user" and entry["is_follower"])

    def test_the_url_is_verified(self, page, chat):
        number = page.post("verification", {})[1]["id"]
        assert chat.wait_done(number)["tries"][0]["outcome"] == "verified"

    def test_the_secrets_are_never_shown(self, page, chat):
        number = page.push({"MsgType": "text", "Content": "hi"}, "compatible")
        chat.wait_done(number)
        told = json.dumps([page.wire(number), list(chat.entries.values())])
        assert TOKEN not in told
        assert KEY not in told
        assert [one["name"] for one in page.wire(number)["tries"][0]["signatures"]] == [
            "signature",
            "msg_signature",
            "MsgSignature",
        ]

    def test_settings_without_a_key_allow_the_plain_mode_alone(self):
        with run_playground("http://127.0.0.1:1/", PushSettings(token=TOKEN)) as playground:
            page = Page(playground).log_in()
            assert Follower(page).wait(lambda entry: entry["id"] == "about")["modes"] == ["plain"]
            asked = {"fields": {"MsgType": "text"}, "mode": "sealed", "format": "xml"}
            assert page.post("pushes", asked)[0] == 400


class TestTheBotIsDown:
    def test_it_is_shown_and_continues_when_the_bot_is_back(self):
        with run_bot() as url:
            port = urlsplit(url).port
        with run_playground(url) as playground:
            page = Page(playground).log_in()
            chat = Follower(page)
            bot = chat.wait(lambda entry: entry["id"] == "bot")
            assert not bot["is_up"]
            assert bot["problem"]["fix"]["zh"]
            with run_bot(port):
                chat.wait(lambda entry: entry["id"] == "bot" and entry["is_up"])
                number = page.push({"MsgType": "text", "Content": "back"})
                assert chat.wait(lambda entry: entry.get("of") == number)["reply"]["Content"] == "back"


class TestTheAPI:
    def make_client(self, playground):
        return Client("wx0123456789abcdef", playground.api.secret, hosts=[playground.base])

    def test_customer_service_messages_arrive(self, page, chat):
        client = self.make_client(page.playground)
        client.call(customer_service.set_typing("oUSER"))
        assert chat.wait(lambda entry: entry["id"] == "typing")["is_on"]
        items = [customer_service.MenuItem(id="1", content="好")]
        client.call(customer_service.send("oUSER", customer_service.MsgMenu(items=items)))
        shown = chat.wait(lambda entry: entry["kind"] == "service")
        assert shown["message"]["msgmenu"]["list"] == [{"id": "1", "content": "好"}]
        assert not chat.entries["typing"]["is_on"]
        wire = json.dumps(page.wire(shown["id"]))
        assert page.playground.api.stable_access_token not in wire

    def test_messages_to_others_and_refused_calls_are_no_bubbles(self, page, chat):
        client = self.make_client(page.playground)
        client.call(customer_service.send("oUSER2", "to somebody else"))
        with pytest.raises(APIError, match="40003"):
            client.call(customer_service.send("nobody", "hi"))
        refused = chat.wait(lambda entry: "message/custom" in entry.get("path", ""))
        assert refused["answer"]["errcode"] == 40003
        assert "to somebody else" not in json.dumps(list(chat.entries.values()))

    def test_a_refused_secret_is_not_shown(self, page, chat):
        def check(body):
            method, path = ("POST", "/cgi-bin/stable_token") if body else ("GET", "/cgi-bin/token")
            page.ask(method, path + ("" if body else "?grant_type=client_credential&appid=wx1&secret=SECRET"), body)
            refused = chat.wait(lambda entry: entry.get("path") == path)
            assert "SECRET" not in json.dumps([refused, page.wire(refused["id"])])

        check_rows([b"", b'{"grant_type": "client_credential", "appid": "wx1", "secret": "SECRET"}'], check)

    def test_the_menu_that_the_bot_makes_is_shown(self, page, chat):
        assert chat.wait(lambda entry: entry["id"] == "menu")["is_sample"]
        client = self.make_client(page.playground)
        client.call(menu.create([menu.ClickButton(name="帮助", key="HELP")]))
        shown = chat.wait(lambda entry: entry["id"] == "menu" and not entry["is_sample"])
        assert shown["buttons"][0]["name"] == "帮助"
        client.call(menu.delete())
        chat.wait(lambda entry: entry["id"] == "menu" and entry["is_sample"])


def take(chat, known, times=1):
    """Return what a follower who knows the change *known* gets next."""

    async def follow():
        follower = chat.follow(known)
        news = [await anext(follower) for _ in range(times)]
        await follower.aclose()
        return news[-1][0], json.loads(news[-1][1])

    return follow()


class TestTheConversation:
    def test_continues_where_the_page_lost_it(self, page):
        first = Follower(page)
        first.wait_done(page.push({"MsgType": "text", "Content": "one"}))
        later = Follower(page, first.known)
        later.wait_done(page.push({"MsgType": "text", "Content": "two"}))
        contents = [entry["fields"]["Content"] for entry in later.entries.values() if entry["kind"] == "message"]
        assert contents == ["two"]

    def test_can_be_cleared(self, page, chat):
        chat.wait_done(page.push({"MsgType": "text", "Content": "one"}))
        assert page.post("clearing", {}) == (200, {})
        fresh = Follower(page)
        fresh.wait(lambda entry: entry["id"] == "cleared")
        assert not any(isinstance(number, int) for number in fresh.entries)

    def test_a_slow_reader_gets_only_the_last_state(self):
        async def play():
            chat = Chat()
            number = chat.add("message")
            follower = chat.follow()
            known, _ = await anext(follower)
            for state in range(5000):
                chat.put(number, state=state)
            news, text = await anext(follower)
            return json.loads(text), news - known

        entries, changes = asyncio.run(play())
        assert entries == [{"id": 1, "state": 4999}]
        assert changes == 5000

    def test_keeps_no_more_than_its_limits(self):
        async def play():
            chat = Chat(max_entries=10, max_characters=5000)
            chat.put("about", kind="about")
            for number in range(1000):
                chat.add("message", number=number)
            _, few = await take(chat, 0)
            chat.add("message", wire="x" * 4900)
            _, short = await take(chat, 0)
            return few, short, chat.get_wire(1001), chat.get_wire(1)

        few, short, wire, gone = asyncio.run(play())
        assert [entry.get("number") for entry in few] == [None, *range(991, 1000)]
        assert [entry["id"] for entry in short] == ["about", 1001]
        assert len(wire) == 4902
        assert gone == "null"

    def test_a_page_that_does_not_read_blocks_no_other(self, page, chat):
        with contextlib.closing(socket.socket()) as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            deaf.connect(("127.0.0.1", urlsplit(page.playground.base).port))
            deaf.sendall(
                f"GET /playground/events HTTP/1.1\r\nHost: {page.host}\r\nCookie: {page.cookie}\r\n\r\n".encode()
            )
            numbers = [page.push({"MsgType": "text", "Content": "x" * 100_000}) for _ in range(8)]
            for number in numbers:
                chat.wait_done(number)


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


# --- in a browser -----------------------------------------------------------------------------------------------------


_SWITCHES = [
    *("headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking"),
    *("disable-component-update", "disable-sync", "window-size=1280,860"),
]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    browser, service = need("chromium"), need("chromedriver")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for switch in _SWITCHES:
        options.add_argument(f"--{switch}")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(service))
    try:
        yield driver
    finally:
        driver.quit()


FIND_LINKS = """
const [texts, done] = arguments;
import("/playground/static/links.js").then(({ findLinks }) =>
  done(texts.map((text) => [...findLinks(text)].map(({ url, label }) => [url, label]))));
"""
#: The best of three, because other programs may run at the same time.
TIME_LINKS = """
const [texts, done] = arguments;
import("/playground/static/links.js").then(({ findLinks }) => {
  const time = (text) => { const began = performance.now(); [...findLinks(text)]; return performance.now() - began; };
  done(texts.map((text) => Math.min(time(text), time(text), time(text))));
});
"""


class TestInABrowser:
    def read(self, chromium, selector):
        script = "return [...document.querySelectorAll(arguments[0])].map(one => one.textContent)"
        return chromium.execute_script(script, selector)

    def test_a_message_is_written_sent_and_answered_and_stays_text(self, page, chromium):
        page.post("clearing", {})
        chromium.get(page.playground.address)
        wait_until(lambda: self.read(chromium, "#modes button"))
        chromium.find_element("id", "text").send_keys(HOSTILE, "\ue007")
        wait_until(lambda: HOSTILE in self.read(chromium, ".row-account .bubble"))
        assert HOSTILE in self.read(chromium, ".row-user .bubble")
        wait_until(lambda: len(self.read(chromium, ".signatures li")) == 3)
        assert HOSTILE in "".join(self.read(chromium, ".section .code")).replace("]]]]><![CDATA[>", "]]>")
        assert "hacked" not in chromium.title
        assert (
            chromium.execute_script("return document.querySelectorAll('#said .bubble img, #said .bubble a').length")
            == 0
        )
        assert chromium.get_log("browser") == []

    def test_buttons_and_choices_are_pushed(self, page, chat, chromium):
        page.post("clearing", {})
        client = TestTheAPI().make_client(page.playground)
        client.call(
            menu.create([menu.ParentButton(name="更多", sub_button=[menu.ClickButton(name="帮助", key="HELP")])])
        )
        items = [customer_service.MenuItem(id="7", content="好的")]
        client.call(customer_service.send("oUSER", customer_service.MsgMenu(items=items)))
        chromium.get(page.playground.address)

        def press(selector):
            wait_until(lambda: self.read(chromium, selector))
            chromium.execute_script("document.querySelector(arguments[0]).click()", selector)

        press(".menu > div > button")
        press(".sub button")
        chat.wait(lambda entry: entry.get("fields", {}).get("EventKey") == "HELP")
        press(".choices button")
        chat.wait(lambda entry: entry.get("fields", {}).get("bizmsgmenuid") == "7")
        press("#more")
        press("#extras button")
        press("dialog .fields .plain")
        loaded = "return [...document.querySelectorAll('.row-account img.picture')].some(one => one.naturalWidth)"
        wait_until(lambda: chromium.execute_script(loaded))
        press("#follow")
        chat.wait(lambda entry: entry["id"] == "user" and not entry["is_follower"])
        press("#scan")
        press("dialog .send")
        chat.wait(lambda entry: entry.get("fields", {}).get("EventKey", "").startswith("qrscene_"))
        chat.wait(lambda entry: entry["id"] == "user" and entry["is_follower"])
        press("#scan")
        press("dialog .send")
        chat.wait(lambda entry: entry.get("fields", {}).get("Event") == "SCAN")
        client.call(menu.delete())
        assert chromium.get_log("browser") == []

    def test_odd_shapes_are_shown(self, page, chromium):
        page.post("clearing", {})
        client = TestTheAPI().make_client(page.playground)
        odd_buttons = [None, 5, {"name": 7, "sub_button": [None]}, {"name": "x", "sub_button": "y"}]
        client.raw_call("POST", "/cgi-bin/menu/create", json={"button": odd_buttons[1:]})
        for kind, inner in [("msgmenu", {"list": [None]}), ("news", {"articles": ["x"]}), ("text", {"content": {}})]:
            with contextlib.suppress(WeChatError):
                message = {"touser": "oUSER", "msgtype": kind, kind: inner}
                client.raw_call("POST", "/cgi-bin/message/custom/send", json=message)
        page.push({"MsgType": "event", "Event": {"a": [1]}, "EventKey": 5})
        page.push({"MsgType": "location", "Label": {"x": []}})
        chromium.get(page.playground.address)
        client.call(customer_service.send("oUSER", "still here"))
        wait_until(lambda: "still here" in self.read(chromium, ".row-account .bubble"))
        client.call(menu.delete())
        wait_until(lambda: "官网" in "".join(self.read(chromium, ".menu button")))
        assert chromium.get_log("browser") == []

    @pytest.mark.parametrize("number_of_elements", [4_000, pytest.param(32_000, marks=pytest.mark.endurance)])
    def test_a_document_of_very_many_elements_is_shown_in_the_panel(self, page, chat, chromium, number_of_elements):
        page.post("clearing", {})
        elements = "<a>" * number_of_elements
        number = page.push({"MsgType": "text", "Content": f"]]></Content>{elements}<Content><![CDATA["})
        chat.wait_done(number)
        chromium.get(page.playground.address)
        wait_until(lambda: self.read(chromium, ".row-user"))
        chromium.execute_script("document.querySelector('.row-user').click()")
        wait_until(lambda: chromium.execute_script("return document.querySelectorAll('.section').length") > 3)
        count = "return document.querySelector('#panel').textContent.match(/<a>/g).length"
        assert chromium.execute_script(count) >= number_of_elements
        assert chromium.get_log("browser") == []
        page.post("clearing", {})  # the next test need not load it again

    def test_links_of_web_pages_alone_are_found_in_a_text(self, page, chromium):
        chromium.get(page.playground.address)
        text = (
            "x <a href=\"https://a.example/?a=1&b=2\">one</a> y <A class='q>r' HREF = 'http://b.example'>t<b>w</b>o</A>"
            '<a href="javascript:alert(1)">three</a> <a href="/four">four</a> <a href="http://c.example">five'
        )
        assert chromium.execute_async_script(FIND_LINKS, [text]) == [
            [["https://a.example/?a=1&b=2", "one"], ["http://b.example", "t<b>w</b>o"]]
        ]

    def test_links_are_found_in_any_text_within_50_ms(self, page, chromium, record_property):
        chromium.get(page.playground.address)
        pieces = [
            *('<a href="', "<a href='", '<a href="http://x', '<a href="http://x">', "<a href='http://x\"", "<a\t\"'"),
            *(
                "<a ",
                "<a  ",
                " href",
                '<a title="',
                "<a href = ",
                '<a ""',
                "<a",
                '"',
                "'",
                "<",
                "</a>",
                "http://",
                "((((",
            ),
            '<a href="http://x">x</a>',
        ]
        texts = [start + piece * (10_000 // len(piece)) for piece in pieces for start in ("", '<a href="http://x" ')]
        slowest = max(chromium.execute_async_script(TIME_LINKS, texts))
        record_property("measured", f"links are found in 10,000 characters within {slowest:.1f} ms")
        assert slowest < 50

    def test_a_thousand_messages_are_there_after_a_reload(self, page, chromium):
        page.post("clearing", {})
        api = page.playground.api
        api.limits_messages = False
        client = TestTheAPI().make_client(page.playground)
        token = client.get_access_token().access_token
        link = http.client.HTTPConnection(page.host, timeout=TIMEOUT)
        with contextlib.closing(link):
            for number in range(1000):
                message = {"touser": "oUSER", "msgtype": "text", "text": {"content": f"第 {number} 条"}}
                link.request(
                    "POST",
                    f"/cgi-bin/message/custom/send?access_token={token}",
                    json.dumps(message, ensure_ascii=False).encode(),
                )
                assert json.loads(link.getresponse().read())["errcode"] == 0
        api.limits_messages = True
        assert len(api.requests) <= 1000
        seconds = []
        while min(seconds, default=math.inf) > 10 and len(seconds) < 3:  # the machine may be busy with something else
            began = time.monotonic()
            chromium.get(page.playground.address)
            shown = wait_until(lambda: len(bubbles := self.read(chromium, ".row-account .bubble")) == 1000 and bubbles)
            assert shown == [f"第 {number} 条" for number in range(1000)]
            seconds.append(time.monotonic() - began)
        assert min(seconds) < 10
        wait_until(lambda: chromium.execute_script("return talk.scrollTop > 5000"))
        assert chromium.get_log("browser") == []
