"""Measures bots on real servers: python -m tests.benchmarks.servers [--only WORDS] [--rounds N] [--write]

A bot's cost is the CPU time of its server's processes, from the kernel's accounts, divided by the number of messages.
Each message is new, so no answer comes from a store, and signed just before it is sent.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import pytest
from attrs import frozen

from tests.helpers.redis_server import run_redis
from tests.helpers.servers import GUNICORN, UVICORN, Client, Server, render_request, serve
from wechat_msg.testing import open_reply

from .document import replace_table
from .jobs import SEALED, expect, make_push
from .peers import describe_ours, describe_peers
from .report import format_row, judge

COMMANDS = {"Flask": (*GUNICORN, "--workers", "1"), "FastAPI": (*UVICORN, "--no-access-log")}
SERVERS = {"Flask": "Flask, gunicorn", "FastAPI": "FastAPI, uvicorn"}
CASE = "text 400 B"
MESSAGES = 2000  # a round
CONNECTIONS = 4
ROUNDS = 9
TICKS = os.sysconf("SC_CLK_TCK")  # a second


@frozen
class Bot:
    """A bot of tests/benchmarks/bots; its `name` is that of its library, or of our store."""

    framework: str
    name: str
    app: str
    store: str = ""
    target: float | None = None  # of the CPU time of the bot on wechatpy


def choose_bots(folder: str, redis_url: str | None) -> Iterator[Bot]:
    yield Bot("Flask", "wechatpy", "flask_wechatpy:app")
    yield Bot("Flask", "WeRoBot", "flask_werobot:app")
    ours = "flask_wechat_msg:app"
    yield Bot("Flask", "NO_DEDUP", ours, "NO_DEDUP", 0.87)
    yield Bot("Flask", "MemoryStore", ours, "MemoryStore", 1.00)
    yield Bot("Flask", "SQLiteStore", ours, f"SQLiteStore {folder}/flask.db", 1.25)
    if redis_url:
        yield Bot("Flask", "RedisStore", ours, f"RedisStore {redis_url}", 1.54)
    yield Bot("FastAPI", "wechatpy", "fastapi_wechatpy:app")
    yield Bot("FastAPI", "wechatpy, no declared parameters", "fastapi_wechatpy:lean")
    ours = "fastapi_wechat_msg:app"
    yield Bot("FastAPI", "NO_DEDUP", ours, "NO_DEDUP", 0.80)
    yield Bot("FastAPI", "MemoryStore", ours, "MemoryStore", 1.09)
    yield Bot("FastAPI", "SQLiteStore", ours, f"SQLiteStore {folder}/fastapi.db")
    if redis_url:
        yield Bot("FastAPI", "AsyncRedisStore", ours, f"AsyncRedisStore {redis_url}")


def main() -> None:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.servers", description=__doc__)
    parser.add_argument("--only", default="", metavar="WORDS", help="only our bots that have these words in their name")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    options = parser.parse_args()
    shutil.which("wrk") or sys.exit("wrk is not installed: apt-get install wrk")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark"))
        with on_last_core():
            bots = start_bots(stack, folder, options.only)
        for bot, server in bots.items():
            check(bot, server)
            measure(server, folder)  # what is slow only at first
        rounds = [{bot: measure(server, folder) for bot, server in bots.items()} for _ in range(options.rounds)]
    lines = [describe_versions(), "", *format_rounds(rounds)]
    print("\n".join(lines))
    if options.write:
        replace_table("servers", lines)


def start_bots(stack: contextlib.ExitStack, folder: str, only: str) -> dict[Bot, Server]:
    try:
        redis_url = stack.enter_context(run_redis()).url
    except pytest.skip.Exception:
        print("without Redis, which is not installed")
        redis_url = None
    bots = [bot for bot in choose_bots(folder, redis_url) if only in f"{bot.framework}: {bot.name}" or not bot.store]
    frameworks = {bot.framework for bot in bots if bot.store}
    return {bot: stack.enter_context(start(bot)) for bot in bots if bot.framework in frameworks}


@contextlib.contextmanager
def on_last_core() -> Iterator[None]:
    """Let what starts here stay on one core, and the load generator on the others, if there are several."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    yield
    os.sched_setaffinity(0, cores - {max(cores)} or cores)


def start(bot: Bot) -> contextlib.AbstractContextManager[Server]:
    environ = {
        "WECHAT_TOKEN": SEALED.token,
        "WECHAT_ENCODING_AES_KEY": SEALED.encoding_aes_key,
        "WECHAT_APPID": SEALED.appid,
        "STORE": bot.store,
    }
    return serve(*COMMANDS[bot.framework], f"tests.benchmarks.bots.{bot.app}", environ=environ)


def check(bot: Bot, server: Server) -> None:
    """Check the answer to one push."""
    client = Client(server.port)
    response = client.push("/wechat", make_push(SEALED, CASE, MsgId=make_id()))
    client.close()
    assert response.status == 200, (bot, server.read_log())
    assert open_reply(SEALED, response.body)["Content"] == expect(CASE)[0], bot


def measure(server: Server, folder: str) -> float:
    """Return the CPU seconds of one message."""
    pushes = Path(folder, "pushes")
    pushes.write_bytes(b"".join(make_request() for _ in range(MESSAGES + 2 * CONNECTIONS)))
    before = read_cpu_seconds(server.pid)
    load(server, pushes)
    return (read_cpu_seconds(server.pid) - before) / MESSAGES


def make_request() -> bytes:
    push = make_push(SEALED, CASE, MsgId=make_id())
    headers = {"Content-Type": push.content_type}
    request = render_request(push.method, f"/wechat?{urlencode(push.query)}", push.body, headers)
    return b"%d\n%b" % (len(request), request)


def make_id() -> int:
    return int.from_bytes(os.urandom(7), "big")


def load(server: Server, pushes: Path) -> None:
    """Send the pushes, and check that each was answered with a sealed reply."""
    script, url = Path(__file__).with_name("pushes.lua"), f"http://127.0.0.1:{server.port}"
    options = "-t1", f"-c{CONNECTIONS}", "-d60s", "-s", str(script), url, "--", str(pushes), str(MESSAGES)
    done = subprocess.run(["wrk", *options], capture_output=True, text=True, check=False)
    found = re.search(r"answered (\d+), wrong (\d+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert found.groups() == (str(MESSAGES), "0"), found[0] + server.read_log()


def read_cpu_seconds(session: int) -> float:
    """Return the CPU time of all processes that the server has started, and of those that have ended."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()  # from the third on; the name may have spaces
            if int(fields[3]) == session:
                ticks += sum(map(int, fields[11:15]))
    return ticks / TICKS


def format_rounds(rounds: list[dict[Bot, float]]) -> Iterator[str]:
    """Yield the medians over the rounds as a table in Markdown."""
    yield format_row("server", "bot", "CPU a message", "of wechatpy", "target", "")
    yield "|---|---|--:|--:|--:|---|"
    base = {bot.framework: bot for bot in rounds[0] if bot.name == "wechatpy"}
    for bot in rounds[0]:
        seconds = median(each[bot] for each in rounds)
        ratio = median(each[bot] / each[base[bot.framework]] for each in rounds)
        cells = f"{seconds * 1e6:.0f} µs", f"{ratio:.2f}", *judge(ratio, bot.target, ".2f")
        yield format_row(SERVERS[bot.framework], bot.name, *cells)


def describe_versions() -> str:
    names = "flask", "gunicorn", "fastapi", "uvicorn", "redis"
    return ", ".join([*describe_ours(), *(f"{name} {version(name)}" for name in names), *describe_peers()])


if __name__ == "__main__":
    main()
