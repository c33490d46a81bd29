"""Playgrounds, a bot for them, and clients that send what a browser sends."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import threading
import time
from urllib.parse import urlsplit
from wsgiref.simple_server import make_server

from attrs import define, field

from tests.helpers.servers import TIMEOUT
from wechat_msg import (
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
    TextMessage,
    TransferCustomerServiceReply,
    VideoReply,
    VoiceReply,
)
from wechat_msg._wsgi_server import QuietHandler, ThreadingServer
from wechat_msg.adapters.wsgi import push_app
from wechat_msg.playground import Playground

TOKEN, KEY = "spamtestTOKEN", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
SETTINGS = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid="wx0123456789abcdef")
FORMATS = ["xml", "json"]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
REPLIES = {
    "image": ImageReply(media_id="M"),
    "voice": VoiceReply(media_id="M"),
    "video": VideoReply(media_id="M", title="片名"),
    "music": MusicReply(thumb_media_id="M", title="歌名", music_url="https://example.com/a.mp3"),
    "news": NewsReply(articles=[Article(title="标题", url="https://example.com/")]),
    "transfer_customer_service": TransferCustomerServiceReply(kf_account="a@b"),
}


def make_bot():
    router, kept = Router(), []

    @router.on(TextMessage, lambda message: message.content in REPLIES)
    def answer_any(message):
        return REPLIES[message.content]

    @router.on(TextMessage, content="slow")
    def answer_late(_):
        time.sleep(5)  # longer than three tries

    @router.on(TextMessage, content="story")
    def keep_the_answer(_):
        kept[:] = ["part 1", "part 2"]
        time.sleep(0.6)  # longer than one try
        return "write anything to read it"

    @router.on(TextMessage, content="next")
    def give_the_next_part(_):
        return kept.pop(0)

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
def run_bot(port=0, app=None):
    with make_server("127.0.0.1", port, app or make_bot(), ThreadingServer, QuietHandler) as server:
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

    def push(self, fields, mode="sealed", format="xml", openid="oUSER"):
        asked = {"fields": fields, "mode": mode, "format": format, "openid": openid}
        status, answer = self.post("pushes", asked)
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


def make_client(playground):
    return Client("wx0123456789abcdef", playground.api.secret, hosts=[playground.base])
