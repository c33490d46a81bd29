"""The main jobs, one screen each: a real bot as a real server, and WeChat played against it.  make demo

Two servers are started from examples/flask_app.py: one for sealed pushes only, one that also takes plain ones. They are
sent pushes as WeChat makes them, in every mode and format; the answers are opened and checked as WeChat would. Then two
processes of examples/slow_bot.py, which share a store, are sent one message several times. Ends with exit status 0 if
every answer is as it should be, else with 1. Takes about 12 seconds, as slow answers are waited for on the real clock.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import requests

from wechat_msg import PushError, PushRequest, PushSettings, generate_encoding_aes_key, generate_token
from wechat_msg.testing import build_echostr_request, build_push, open_reply

EXAMPLES = Path(__file__).parent
MODES = {"plain": "明文模式", "compatible": "兼容模式", "sealed": "安全模式"}

#: What the user does, and the push that WeChat makes of it.
CONVERSATION: list[tuple[str, dict[str, Any]]] = [
    ("你好, bot! ]]> <b>&amp; 😀", {"MsgType": "text", "Content": "你好, bot! ]]> <b>&amp; 😀"}),
    ("help", {"MsgType": "text", "Content": "help"}),
    ("[sends a picture]", {"MsgType": "image", "PicUrl": "http://example.com/cat.jpg", "MediaId": "MEDIA_ID_OF_A_CAT"}),
    (
        "[scans a QR code and follows]",
        {"MsgType": "event", "Event": "subscribe", "EventKey": "qrscene_poster7", "Ticket": "TICKET"},
    ),
    ("[taps the menu: help]", {"MsgType": "event", "Event": "CLICK", "EventKey": "HELP"}),
    ("[leaves]", {"MsgType": "event", "Event": "unsubscribe", "EventKey": ""}),
]


def main() -> int:
    """Run the demo and return the exit status."""
    sealed = PushSettings(
        token=generate_token(), encoding_aes_key=generate_encoding_aes_key(), appid="wx0123456789abcdef"
    )
    with tempfile.TemporaryDirectory() as folder:
        failures = hold_conversations(sealed, folder)
        with start_bot("slow_bot", sealed, folder) as first, start_bot("slow_bot", sealed, folder) as second:
            failures += send_again(sealed, [first, second])
            failures += wait_longer(sealed, [first, second])
    print(f"\n{failures} unexpected." if failures else "\nEverything as it should be.")
    return 1 if failures else 0


# --- every mode and format -------------------------------------------------------------------------------------------


def hold_conversations(sealed: PushSettings, folder: str) -> int:
    """Talk to the bot in every mode and format, and try to deceive it."""
    failures = 0
    plain = attrs.evolve(sealed, allow_plaintext=True)
    with start_bot("flask_app", plain, folder) as plain_bot, start_bot("flask_app", sealed, folder) as sealed_bot:
        failures += verify(plain, plain_bot.url) + verify(sealed, sealed_bot.url)
        for mode in MODES:
            settings, bot = (plain, plain_bot) if mode == "plain" else (sealed, sealed_bot)
            for form in ("xml", "json"):
                failures += converse(settings, bot.url, mode, form)
        failures += try_to_forge(sealed, sealed_bot.url, plain_bot.url)
    return failures


def verify(settings: PushSettings, url: str) -> int:
    """Do what the console does when the server settings are saved (接入验证)."""
    request = build_echostr_request(settings)
    response = send(url, request)
    passed = response.status_code == 200 and response.text == request.query["echostr"]
    say("URL verification", f"GET {url}", f"{response.status_code} {response.text}", passed=passed)
    return 0 if passed else 1


def converse(settings: PushSettings, url: str, mode: str, form: str) -> int:
    """Send the whole conversation in one mode and format; return how many answers were not what they should be."""
    print_heading(f"{mode} {MODES[mode]} · {form.upper()}")
    failures = 0
    user = f"oUSER-{mode}-{form}"  # one who does the same twice in one second would be taken for a re-send
    for shown, fields in CONVERSATION:
        push = build_push(settings, {**fields, "FromUserName": user}, mode=mode, format=form)  # type: ignore[arg-type]
        response = send(url, push)
        reply = read(settings, response)
        passed = judge(response, reply, push.query["openid"], sealed=mode != "plain")
        say(
            "user", shown, f"{describe(reply)}   ({response.status_code}, {len(response.content)} bytes)", passed=passed
        )
        failures += not passed
    return failures


def try_to_forge(sealed: PushSettings, sealed_url: str, plain_url: str) -> int:
    """Send what must be refused."""
    print_heading("refused")
    fields = {"MsgType": "text", "Content": "let me in"}
    stranger = attrs.evolve(sealed, token=generate_token())
    neighbour = attrs.evolve(sealed, appid="wxfedcba9876543210")
    genuine = build_push(sealed, fields)
    attempts: list[tuple[str, str, PushRequest]] = [
        ("forged signature, plain", plain_url, build_push(stranger, fields, mode="plain")),
        ("forged signature, sealed", sealed_url, build_push(stranger, fields)),
        ("plaintext while sealed", sealed_url, build_push(sealed, fields, mode="plain")),
        ("wrong appid", sealed_url, build_push(neighbour, fields)),
        ("another body under a right URL", sealed_url, attrs.evolve(genuine, body=build_push(sealed, fields).body)),
    ]
    failures = 0
    for name, url, request in attempts:
        response = send(url, request)
        passed = response.status_code == 403
        say("attacker", name, f"{response.status_code} {response.text}", passed=passed)
        failures += not passed
    return failures


# --- one message, several times --------------------------------------------------------------------------------------


def send_again(settings: PushSettings, bots: list[Bot]) -> int:
    """Send one message three times, as WeChat does when answers get lost on the way."""
    store = "a Redis" if os.environ.get("REDIS_URL") else "a SQLite file"
    print_heading(f"sent again 重试 · two processes share {store}")
    print("  One reply, down to its CreateTime, sealed afresh for each try. 回复相同，每次重新加密。")
    message = make_message("2")
    replies: list[Mapping[str, Any]] = []
    nonces: list[str] = []
    failures = 0
    for number, bot in enumerate([*bots, bots[0]], 1):
        start = time.monotonic()
        response = send(bot.url, build_push(settings, message))
        took = time.monotonic() - start
        reply, nonce = read(settings, response) or {}, find_nonce(response.content)
        passed = reply.get("Content", "").startswith("2 seconds later") and reply in (replies or [reply])
        passed = passed and nonce not in nonces
        details = f"after {took:.1f} s, CreateTime {reply.get('CreateTime')}, nonce {nonce}"
        say(
            "WeChat",
            f"try {number} of {message['Content']!r}, to {bot.name}",
            f"{describe(reply)}   ({details})",
            passed=passed,
        )
        replies.append(reply)
        nonces.append(nonce)
        failures += not passed
    return failures + tell_runs(bots, message)


def wait_longer(settings: PushSettings, bots: list[Bot]) -> int:
    """Send a message whose handler takes 7 seconds; WeChat hangs up after 5 and comes again."""
    print_heading("slower than WeChat waits 超过 5 秒")
    print(
        "  The handler goes on after WeChat has hung up; its reply waits for the next try. 处理不中断，下次重试时回复。"
    )
    message = make_message("7")
    failures = 0
    start = time.monotonic()
    for number, (bot, expected) in enumerate(zip(bots, ["no answer yet", "7 seconds later"], strict=True), 1):
        sent = time.monotonic() - start
        try:
            seen = describe(read(settings, send(bot.url, build_push(settings, message))))
        except requests.Timeout:
            seen = "no answer yet; WeChat hangs up"
        answered = time.monotonic() - start
        passed = seen.startswith(expected)
        say(
            "WeChat",
            f"at {sent:.1f} s   try {number} of {message['Content']!r}, to {bot.name}",
            f"at {answered:.1f} s   {seen}",
            passed=passed,
        )
        failures += not passed
    return failures + tell_runs(bots, message)


def make_message(content: str) -> dict[str, Any]:
    """Make what stays the same each time WeChat sends a message; signature, nonce and seal do not."""
    return {"MsgType": "text", "Content": content, "MsgId": secrets.randbits(63), "CreateTime": int(time.time())}


def tell_runs(bots: list[Bot], message: Mapping[str, Any]) -> int:
    """Tell how often the handler ran for this message."""
    runs = sum(bot.read_log().count(f"handling message {message['MsgId']}") for bot in bots)
    say("bot's log", "how often the handler ran", f"{runs} time{'s' * (runs != 1)}", passed=runs == 1)
    return int(runs != 1)


# --- WeChat's side ---------------------------------------------------------------------------------------------------


def send(url: str, request: PushRequest) -> requests.Response:
    """Send *request* as WeChat would: 5 seconds, no redirects."""
    return requests.request(
        request.method,
        url,
        params=dict(request.query),
        data=request.body,
        headers={"Content-Type": request.content_type},
        timeout=5,
        allow_redirects=False,
    )


def read(settings: PushSettings, response: requests.Response) -> Mapping[str, Any] | None:
    """Open a reply as WeChat would; what it could not open is shown as a reply to nobody."""
    try:
        return open_reply(settings, response.content)
    except PushError as error:
        return {"Content": str(error)}


def find_nonce(sealed: bytes) -> str:
    """Return the nonce of a sealed answer."""
    found = re.search(rb"<Nonce>\D*(\d+)", sealed)
    return found[1].decode() if found else "missing"


def judge(response: requests.Response, reply: Mapping[str, Any] | None, openid: str, *, sealed: bool) -> bool:
    """Tell whether WeChat would take this answer: sealed like its push, and addressed to the user."""
    if reply is None:
        return response.status_code == 200
    was_sealed = b"Encrypt" in response.content
    return response.status_code == 200 and was_sealed == sealed and reply.get("ToUserName") == openid


def describe(reply: Mapping[str, Any] | None) -> str:
    """Show a reply as the user would see it."""
    if reply is None:
        return "(nothing shown: success)"
    return str(reply.get("Content", f"[{reply.get('MsgType')}]"))


def print_heading(title: str) -> None:
    """Begin a part."""
    print(f"\n── {title} ".ljust(80, "─"))


def say(who: str, what: str, answer: str, *, passed: bool) -> None:
    """Print one exchange."""
    print(f"{'✓' if passed else '✗ UNEXPECTED'} {who:>9} ▸ {what}\n            ◂ {answer}")


# --- bots ------------------------------------------------------------------------------------------------------------


@attrs.frozen
class Bot:
    """An example that runs as a process of its own."""

    name: str
    url: str
    log: Path

    def read_log(self) -> str:
        """Return all that it has printed so far."""
        return self.log.read_text("utf-8")


@contextlib.contextmanager
def start_bot(example: str, settings: PushSettings, folder: str) -> Iterator[Bot]:
    """Start an example on a free port; what it prints, and its store, go into *folder*."""
    environ = {
        "WECHAT_TOKEN": settings.token,
        "WECHAT_ENCODING_AES_KEY": settings.encoding_aes_key or "",
        "WECHAT_APPID": settings.appid or "",
        "WECHAT_ALLOW_PLAINTEXT": str(int(settings.allow_plaintext)),
        "WECHAT_STORE": f"{folder}/store.db",
        "HOST": "127.0.0.1",
        "PORT": "0",
    }
    with tempfile.NamedTemporaryFile(dir=folder) as log:
        command = [sys.executable, EXAMPLES / f"{example}.py"]
        with subprocess.Popen(command, env={**os.environ, **environ}, stdout=log, stderr=log) as process:
            try:
                address = wait_for_address(process, Path(log.name))
                yield Bot(f"process {process.pid}", f"{address}/wechat", Path(log.name))
            finally:
                process.terminate()


def wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the bot tells at which address it listens."""
    while not (address := re.search(r"http://127\.0\.0\.1:[1-9]\d*", log.read_text("utf-8"))):
        if process.poll() is not None:
            raise SystemExit(f"the bot did not start:\n{log.read_text('utf-8')}")
        time.sleep(0.02)
    return address[0]


if __name__ == "__main__":
    raise SystemExit(main())
