"""Send a subscription notice (订阅消息) to many users. Stop it at any time; run the same command to continue.

    python examples/push_notice.py openids.txt --template TEMPLATE_ID --data thing1=拿铁 --data time2=15:01

The file has one OpenID a line; ``-`` means standard input, ``--all`` all followers. Reads WECHAT_APPID and
WECHAT_SECRET. Exit status 0: done; 1: stopped, run it again; 3: done, but some users are in doubt; 130: Ctrl-C.
"""

import argparse
import contextlib
import functools
import hashlib
import importlib.util
import itertools
import json
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from wechat_msg import Client, errors
from wechat_msg.api import Call, subscribe, user

# Every other error ends the program; its text says what to do: a quota that is used up, a wrong AppSecret ...
SKIP = (errors.UserRefused, errors.UserNotFound, errors.WindowClosed)  # the user cannot be reached
IN_DOUBT = (errors.AnswerLost, errors.UnreadableAnswer)  # WeChat may have sent the notice: it is not sent again
LATER = (errors.RateLimited, errors.SystemBusy, errors.TransportError)  # WeChat has not sent it
MAX_LOST_IN_A_ROW = 10  # answers; more mean that something is wrong with the connection


class Record:
    """The state of each user, in a file.

    A user is "sending" before the notice goes out, and "sent" or "skipped" after WeChat has answered. If the program is
    killed in between, it is unknown whether the notice went out. The next run finds the state "sending" and changes it
    to "in doubt", for at most one user of each worker. All other users have received the notice once, or are still
    waiting for it.
    """

    def __init__(self, path: str) -> None:
        self.lock = threading.Lock()
        self.db = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
        self.execute("CREATE TABLE IF NOT EXISTS users (openid TEXT PRIMARY KEY, state TEXT NOT NULL, reason TEXT)")
        self.execute("UPDATE users SET state = 'in doubt', reason = 'killed while sending' WHERE state = 'sending'")

    def claim(self, openid: str) -> bool:
        """Add the user; return False if the record has the user already, who then receives nothing more."""
        return bool(
            self.execute("INSERT INTO users VALUES (?, 'sending', '') ON CONFLICT DO NOTHING RETURNING 1", openid)
        )

    def set_state(self, openid: str, state: str, reason: object = "") -> None:
        self.execute("UPDATE users SET state = ?, reason = ? WHERE openid = ?", state, str(reason), openid)

    def release(self, openid: str) -> None:
        self.execute("DELETE FROM users WHERE openid = ?", openid)

    def execute(self, query: str, *values: str) -> list[Any]:
        with self.lock:
            return self.db.execute(query, values).fetchall()


class Sender:
    """Sender of one notice to many users, in one or more threads."""

    def __init__(self, client: Client, make_call: Callable[[str], Call[Any]], record: Record, max_wait: float) -> None:
        self.client, self.make_call, self.record, self.max_wait = client, make_call, record, max_wait
        self.lock, self.stop, self.lost_in_a_row = threading.Lock(), threading.Event(), 0

    def send_to_all(self, openids: Iterator[str], workers: int, advance: Callable[[], object]) -> None:
        with ThreadPoolExecutor(workers) as pool:
            try:
                for worker in as_completed([pool.submit(self.work, openids, advance) for _ in range(workers)]):
                    worker.result()
            finally:
                self.stop.set()  # after an error or Ctrl-C the workers finish their current users

    def work(self, openids: Iterator[str], advance: Callable[[], object]) -> None:
        while not self.stop.is_set():
            with self.lock:
                openid = next(openids, None)
            if openid is None:
                break
            self.send(openid)
            advance()
            if self.lost_in_a_row >= MAX_LOST_IN_A_ROW:
                raise errors.ClientError(f"{self.lost_in_a_row} answers in a row were lost; check the network")

    def send(self, openid: str) -> None:
        """Send to one user; wait while WeChat is busy or cannot be reached."""
        give_up_at, pause = time.monotonic() + self.max_wait, 0.5
        while not self.stop.is_set():
            try:
                self.client.get_access_token()  # first, because no user is in doubt if this fails
                self.try_to_send(openid)
                break
            except LATER as error:
                if time.monotonic() + pause > give_up_at:
                    raise
                print(f"again in {pause:g} s: {error}", file=sys.stderr)
            self.stop.wait(pause)
            pause = min(pause * 2, 60)

    def try_to_send(self, openid: str) -> None:
        if not self.record.claim(openid):
            return
        try:
            self.client.call(self.make_call(openid))
        except IN_DOUBT as error:
            self.record.set_state(openid, "in doubt", error)
            self.lost_in_a_row += 1
            return
        except SKIP as error:
            self.record.set_state(openid, "skipped", error)
        except errors.ClientError:
            self.record.release(openid)
            raise
        else:
            self.record.set_state(openid, "sent")
        self.lost_in_a_row = 0


@contextlib.contextmanager
def show_progress(total: int) -> Iterator[Callable[[], object]]:
    """Yield a function to call after each user. Without a terminal or rich, it prints a line for every 100 users."""
    if sys.stderr.isatty() and importlib.util.find_spec("rich"):
        from rich.console import Console
        from rich.progress import MofNCompleteColumn, Progress

        columns = (*Progress.get_default_columns(), MofNCompleteColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            yield functools.partial(progress.advance, progress.add_task("sending 发送中", total=total))
    else:
        numbers = itertools.count(1)

        def advance() -> None:
            done = next(numbers)
            if done % 100 == 0 or done == total:
                print(f"{done} of {total}", file=sys.stderr)

        yield advance


def list_openids(source: str | None, client: Client) -> tuple[Iterator[str], int]:
    """Return the OpenIDs and their number; those of all followers if *source* is None."""
    if source is None:
        return client.iterate(user.iterate_openids()), client.call(user.list_openids()).total
    openids = (sys.stdin.read() if source == "-" else Path(source).read_text("utf-8-sig")).split()
    return iter(openids), len(openids)


def print_result(record: Record) -> bool:
    """Print the number of users in each state and the users in doubt; return whether there are any."""
    counts = dict(record.execute("SELECT state, count(*) FROM users GROUP BY state"))
    print(", ".join(f"{state} {counts.get(state, 0)}" for state in ("sent", "skipped", "in doubt")))
    for openid, reason in record.execute("SELECT openid, reason FROM users WHERE state = 'in doubt' ORDER BY openid"):
        print(f"in doubt 无法确定是否已发出: {openid} ({reason})")
    return "in doubt" in counts


def parse_field(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not (name and value):
        raise argparse.ArgumentTypeError("must have the form thing1=拿铁")
    return name, value


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Send a subscription notice to many users. 批量发送订阅消息")
    users = parser.add_mutually_exclusive_group(required=True)
    users.add_argument("openids", nargs="?", help="file with an OpenID a line; -: standard input")
    users.add_argument("--all", action="store_true", help="all followers of the Official Account 全部关注者")
    parser.add_argument("--template", required=True, help="id of the template 模板 ID")
    parser.add_argument("--data", action="append", required=True, type=parse_field, metavar="thing1=拿铁")
    parser.add_argument("--page", help="page that a tap on the notice opens 点击后打开的页面")
    parser.add_argument("--biz", action="store_true", help="notice of an Official Account 公众号订阅通知")
    parser.add_argument(
        "--workers", type=int, choices=range(1, 65), default=1, metavar="N", help="number of threads 并发数"
    )
    parser.add_argument("--record", help="file for the state of each user; by default one for each notice")
    parser.add_argument("--max-wait", type=float, default=180, help="seconds to wait while WeChat is busy")
    return parser.parse_args()


def run(options: argparse.Namespace) -> int:
    notice = {"template_id": options.template, "data": dict(options.data), "page": options.page}
    make_call = functools.partial(subscribe.send_biz if options.biz else subscribe.send, **notice)
    with Client.from_env() as client:
        digest = hashlib.sha256(json.dumps([client.appid, options.biz, notice]).encode()).hexdigest()
        record = Record(options.record or f"notice-{digest[:12]}.db")
        try:
            openids, total = list_openids(options.openids, client)
            with show_progress(total) as advance:
                Sender(client, make_call, record, options.max_wait).send_to_all(openids, options.workers, advance)
        finally:
            is_in_doubt = print_result(record)
    return 3 if is_in_doubt else 0


def main() -> int:
    options = read_options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service manager's stop does the same as Ctrl-C
    try:
        return run(options)
    except KeyboardInterrupt:
        return 130
    except (errors.WeChatError, sqlite3.Error, OSError, UnicodeError) as error:
        print(f"stopped 已停止: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
