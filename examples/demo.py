"""The main job in one screen: a real bot as a real server, and WeChat played against it.  make demo

Two servers are started from examples/flask_app.py: one for sealed pushes only, one that also takes plain ones. They are
sent pushes as WeChat makes them, in every mode and format; the answers are opened and checked as WeChat would. Ends
with exit status 0 if every answer is as it should be, else with 1.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import requests

from wechat_msg import PushError, PushRequest, PushSettings, generate_encoding_aes_key, generate_token
from wechat_msg.testing import build_echostr_request, build_push, open_reply

BOT = Path(__file__).with_name("flask_app.py")
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
    plain = attrs.evolve(sealed, allow_plaintext=True)
    failures = 0
    with start_bot(plain) as plain_url, start_bot(sealed) as sealed_url:
        failures += verify(plain, plain_url) + verify(sealed, sealed_url)
        for mode in MODES:
            settings, url = (plain, plain_url) if mode == "plain" else (sealed, sealed_url)
            for form in ("xml", "json"):
                failures += converse(settings, url, mode, form)
        failures += try_to_forge(sealed, sealed_url, plain_url)
    print(f"\n{failures} unexpected." if failures else "\nEverything as it should be.")
    return 1 if failures else 0


def verify(settings: PushSettings, url: str) -> int:
    """Do what the console does when the server settings are saved (接入验证)."""
    request = build_echostr_request(settings)
    response = send(url, request)
    passed = response.status_code == 200 and response.text == request.query["echostr"]
    say("URL verification", f"GET {url}", f"{response.status_code} {response.text}", passed=passed)
    return 0 if passed else 1


def converse(settings: PushSettings, url: str, mode: str, form: str) -> int:
    """Send the whole conversation in one mode and format; return how many answers were not what they should be."""
    print(f"\n── {mode} {MODES[mode]} · {form.upper()} " + "─" * 40)
    failures = 0
    for shown, fields in CONVERSATION:
        push = build_push(settings, fields, mode=mode, format=form)  # type: ignore[arg-type]
        response = send(url, push)
        try:
            reply = open_reply(settings, response.content)
        except PushError as error:
            passed, seen = False, str(error)
        else:
            passed, seen = judge(response, reply, push.query["openid"], sealed=mode != "plain"), describe(reply)
        say("user", shown, f"{seen}   ({response.status_code}, {len(response.content)} bytes)", passed=passed)
        failures += not passed
    return failures


def try_to_forge(sealed: PushSettings, sealed_url: str, plain_url: str) -> int:
    """Send what must be refused."""
    print("\n── refused " + "─" * 52)
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


def say(who: str, what: str, answer: str, *, passed: bool) -> None:
    """Print one exchange."""
    print(f"{'✓' if passed else '✗ UNEXPECTED'} {who:>9} ▸ {what}\n            ◂ {answer}")


@contextlib.contextmanager
def start_bot(settings: PushSettings) -> Iterator[str]:
    """Start the example bot as a process of its own on a free port, and yield its URL."""
    secrets = {
        "WECHAT_TOKEN": settings.token,
        "WECHAT_ENCODING_AES_KEY": settings.encoding_aes_key or "",
        "WECHAT_APPID": settings.appid or "",
        "WECHAT_ALLOW_PLAINTEXT": str(int(settings.allow_plaintext)),
    }
    environ = {**os.environ, **secrets, "HOST": "127.0.0.1", "PORT": "0"}
    command = [sys.executable, BOT]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as bot:
        try:
            yield f"{read_address(bot)}/wechat"
        finally:
            bot.terminate()


def read_address(bot: subprocess.Popen[str]) -> str:
    """Wait until the bot tells at which address it listens."""
    said: list[str] = []
    for line in bot.stdout or ():
        said.append(line)
        if address := re.search(r"http://127\.0\.0\.1:\d+", line):
            return address[0]
    raise SystemExit(f"{BOT.name} did not start:\n{''.join(said)}")


if __name__ == "__main__":
    raise SystemExit(main())
