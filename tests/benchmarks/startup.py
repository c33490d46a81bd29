"""A process that imports a library and answers its first push, as after a deployment or in a cloud function."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from textwrap import dedent

from wechat_msg.testing import open_reply

from .jobs import SEALED, expect, make_push
from .report import format_row, judge

ROOT = Path(__file__).parents[2]
ROUNDS = 25
TARGET = 1.20  # of the CPU time of wechatpy
CASE = "text 400 B"
QUERY = ("signature", "timestamp", "nonce", "msg_signature")

#: Everything but what Python itself needs to start is counted.
AROUND = """
import sys, time
account, query, body = sys.argv[1:4], dict(zip({names}, sys.argv[4:8])), sys.argv[8].encode()
start = time.process_time()
{steps}
print(time.process_time() - start)
print(answer)
"""
FUNCTIONS = """
from wechat_msg import PushRequest, PushSettings, open_push, seal_reply
settings = PushSettings(*account)
push = open_push(settings, PushRequest("POST", query, body))
answer = seal_reply(settings, push, push.message.content).body.decode()
"""
ENDPOINT = """
from wechat_msg import MemoryStore, PushEndpoint, PushRequest, PushSettings
endpoint = PushEndpoint(PushSettings(*account), lambda message: message.content, store=MemoryStore())
answer = endpoint.handle(PushRequest("POST", query, body)).body.decode()
"""
WECHATPY = """
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import check_signature
crypto = WeChatCrypto(*account)
check_signature(account[0], query["signature"], query["timestamp"], query["nonce"])
xml = crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
message = parse_message(xml)
answer = crypto.encrypt_message(create_reply(message.content, message).render(), query["nonce"], query["timestamp"])
"""
OURS = {"open_push, seal_reply": FUNCTIONS, "PushEndpoint, MemoryStore": ENDPOINT}


def format_startup() -> Iterator[str]:
    """Let the programs take turns, and yield a table in Markdown."""
    programs = {**OURS, "wechatpy": WECHATPY}
    for program in programs.values():
        start(program)  # Python keeps what it compiles
    rounds = [{name: start(program) for name, program in programs.items()} for _ in range(ROUNDS)]
    yield format_row("job", "case", "wechat_msg", "wechatpy", "ratio", "target", "")
    yield "|---|---|--:|--:|--:|--:|---|"
    for name in OURS:
        ours, theirs = (median(each[side] for each in rounds) for side in (name, "wechatpy"))
        ratio = median(each[name] / each["wechatpy"] for each in rounds)
        cells = f"{ours * 1e3:.0f} ms", f"{theirs * 1e3:.0f} ms", f"{ratio:.2f}", *judge(ratio, TARGET, ".2f")
        yield format_row("import and first push", name, *cells)


def check_startup() -> None:
    """Run our programs once."""
    for program in OURS.values():
        start(program)


def start(program: str) -> float:
    """Return the CPU seconds that *program* takes in a process of its own; check its answer."""
    request = make_push(SEALED, CASE)
    code = AROUND.format(names=QUERY, steps=dedent(program))
    account = SEALED.token, SEALED.encoding_aes_key, SEALED.appid
    arguments = *account, *map(request.query.get, QUERY), request.body.decode()
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, env=environ, stdout=subprocess.PIPE, check=True, text=True
    )
    seconds, _, answer = done.stdout.partition("\n")
    assert open_reply(SEALED, answer.encode())["Content"] == expect(CASE)[0]
    return float(seconds)
