"""``wechat-msg inbox``: what it shows, tries again and drops, of real applications on a SQLite file."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.helpers.commands import CHINESE, COMMAND, SETTINGS, ask, find_english
from tests.helpers.rows import check_rows
from tests.helpers.servers import ROOT, TIMEOUT, complete
from tests.helpers.waiting import wait_until
from wechat_msg import AnswerLater, PushEndpoint, SQLiteStore
from wechat_msg.endpoint.handling import EXPLANATIONS
from wechat_msg.endpoint.records import dump_texts
from wechat_msg.testing import build_push

OPENID = "oABCDEFGHIJKLMNOPQRSTUVWXYZ1"
SECRET = "my secret wish"
ANSWER = "a private answer"

#: An application whose handler fails while there is a file "broken", and whose sender fails while there is "offline".
APPLICATION = f"""
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from wechat_msg import AnswerLater, AsyncPushEndpoint, NO_DEDUP, PushEndpoint, PushSettings, SQLiteStore

settings = PushSettings(token="spamtest", encoding_aes_key="A" * 43, appid="wx0123456789abcdef")
store = SQLiteStore("store.db")

def answer(message):
    if Path("broken").exists():
        raise ValueError(message.content)
    if Path("slow").exists():
        Path("begun").touch()
        threading.Event().wait(60)
    return {ANSWER!r}

async def answer_async(message):
    return answer(message)

def send(message):
    if Path("offline").exists():
        raise OSError(message["touser"])
    with open("sent", "a") as file:
        print(message["touser"], message["text"]["content"], file=file)

async def send_async(message):
    send(message)

def enqueue(job):
    with open("jobs", "a") as file:
        print(job, file=file)

class Holder:
    inner = PushEndpoint(settings, answer, store=store, late=AnswerLater(send), executor=ThreadPoolExecutor(1))

threaded = Holder.inner
plain = PushEndpoint(settings, answer, store=store, late=AnswerLater(send, after="last_try"))
asynchronous = AsyncPushEndpoint(settings, answer_async, store=store, late=AnswerLater(send_async))
queued = PushEndpoint(settings, answer, store=store, queue=enqueue)
forgetful = PushEndpoint(settings, answer)
careless = PushEndpoint(settings, answer, store=NO_DEDUP)
number = 1
"""


class QuietEndpoint(PushEndpoint):
    """An endpoint that does nothing in the background."""

    run_in_background = staticmethod(lambda flow, perform: None)


class Application:
    """An application in a folder of its own, and another process that puts pushes into its inbox."""

    def __init__(self, folder, module):
        self.folder = folder
        self.module = module
        self.store = SQLiteStore(folder / "store.db")
        self.jobs = []
        now = [0.0]
        self.other = QuietEndpoint(
            SETTINGS,
            lambda message: 1 / 0,
            store=self.store,
            late=AnswerLater(print),
            queue=self.jobs.append,
            clock=lambda: time.time() - 100,  # so its pushes are due
            monotonic=lambda: now[0],
            sleep=lambda seconds: now.__setitem__(0, now[0] + seconds),
        )
        (folder / f"{module}.py").write_text(APPLICATION)

    def keep(self, *texts):
        """Acknowledge pushes as a process that ends at once; return their jobs."""
        self.jobs.clear()
        for text in texts:
            fields = {"MsgType": "text", "Content": text, "FromUserName": OPENID}
            response = self.other.handle(build_push(SETTINGS, fields, now=self.other.clock))
            assert response.status == 200
        self.other.drain(0)
        return self.jobs[:]

    def lose(self, *texts):
        """Acknowledge pushes whose handler fails three times."""
        for job in self.keep(*texts) * 3:
            with pytest.raises(ZeroDivisionError):
                self.other.run_job(job)
        self.other.drain(0)

    def ask(self, command, endpoint="threaded", *words, private=True):
        """Run a command; nothing that users wrote or read is printed if *private*."""
        result = ask("inbox", command, f"{self.module}:{endpoint}", *words)
        if private:
            check_privacy(result.output)
        return result

    def list(self, *words, private=True):
        return json.loads(self.ask("list", "threaded", "--json", *words, private=private).stdout)["entries"]

    def list_slots(self):
        return [row["slot"] for row in self.list()]

    def read(self, name):
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []


def check_privacy(text):
    for word in (SECRET, ANSWER, OPENID, OPENID[:8], OPENID[-8:]):
        assert word not in text


@pytest.fixture
def application(tmp_path, monkeypatch):
    name = "app_" + re.sub(r"\W", "_", tmp_path.name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    importlib.invalidate_caches()
    yield Application(tmp_path, name)
    sys.modules.pop(name, None)


class TestList:
    def test_shows_one_row_for_each_push_without_texts(self, application):
        application.lose(SECRET)
        application.keep(f"{SECRET} 2")
        result = application.ask("list")

        assert result.exit_code == 0
        lost, waiting, summary = result.stdout.splitlines()
        assert lost.startswith("✗ 0:0  lost  TextMessage, user …XYZ1, 3 attempts, 2 min ago  its handler failed")
        assert re.fullmatch("– 0:[1-9]  waits  TextMessage, user …XYZ1, 0 attempts, 2 min ago", waiting)
        assert summary == "2 kept: 1 waits, 1 lost"

    def test_shows_the_same_in_chinese(self, application):
        application.lose(SECRET)
        application.keep(SECRET)
        result = application.ask("list", "threaded", "--lang", "zh")

        assert (
            "✗ 0:0  已丢失  TextMessage，用户 …XYZ1，3 次尝试，2 分钟前  处理函数失败".replace("，", "、")
            in result.stdout
        )
        assert result.stdout.splitlines()[-1] == "共 2 条：1 等待处理、1 已丢失"

    def test_shows_texts_and_answers_if_asked(self, application):
        application.keep(SECRET)
        (application.folder / "offline").touch()
        application.ask("retry")
        result = application.ask("list", "threaded", "--texts", private=False)

        assert "answer waits" in result.stdout
        assert re.search(f"    Content +{SECRET}\n    answer +.*{ANSWER}", result.stdout)
        assert OPENID not in result.stdout
        (entry,) = application.list("--texts", private=False)
        assert entry["push"] == {"Content": SECRET}
        assert entry["answers"] == [{"content": ANSWER}]

    def test_prints_json_for_programs(self, application):
        application.lose(SECRET)
        (entry,) = application.list()

        assert 90 < entry.pop("age") < 300
        assert entry == {
            "slot": "0:0",
            "state": "lost",
            "attempts": 3,
            "type": "TextMessage",
            "user": "…XYZ1",
            "reason": "failed",
        }

    def test_reports_an_empty_inbox_in_one_line(self, application):
        for endpoint in ("threaded", "plain", "asynchronous", "queued", "Holder.inner"):
            assert application.ask("list", endpoint).stdout == "The inbox is empty.\n"
        assert application.ask("list", "threaded", "--lang", "zh").stdout == "收件箱为空\n"
        assert application.list() == []

    def test_shows_what_runs_in_another_process(self, application):
        application.keep(SECRET)
        begun, end = threading.Event(), threading.Event()

        def answer(message):
            begun.set()
            end.wait(TIMEOUT)

        with ThreadPoolExecutor(1) as executor:
            server = PushEndpoint(SETTINGS, answer, store=application.store, late=AnswerLater(print), executor=executor)
            assert server.recover() == 1
            assert begun.wait(TIMEOUT)
            assert [row["state"] for row in application.list()] == ["runs"]
            for command in ("retry", "drop"):
                refused = application.ask(command, "threaded", "0:0")
                assert (refused.exit_code, "not touched: a process works on it" in refused.stdout) == (1, True)
            assert application.ask("retry").exit_code == 0
            end.set()
            server.drain(TIMEOUT)
        assert application.list() == []

    def test_shows_pushes_that_the_settings_cannot_open_any_more(self, application):
        application.keep(SECRET)
        path = application.folder / f"{application.module}.py"
        path.write_text(APPLICATION.replace('"A" * 43', '"B" * 42 + "A"'))
        result = application.ask("list")

        assert "waits  a push that cannot be opened, user …, 0 attempts" in result.stdout
        assert application.ask("retry").exit_code == 1
        (entry,) = application.list()
        assert (entry["state"], entry["reason"], entry["type"]) == ("lost", "unreadable", None)
        assert application.ask("drop", "threaded", "--lost").exit_code == 0
        assert application.list() == []

    def test_explains_every_reason_in_chinese(self):
        assert [reason for reason, text in EXPLANATIONS.items() if not CHINESE.search(text)] == []


class TestRetry:
    @pytest.mark.parametrize("endpoint", ["threaded", "plain", "asynchronous"])
    def test_handles_and_sends_what_no_process_works_on(self, application, endpoint):
        application.keep(SECRET, SECRET, SECRET)
        result = application.ask("retry", endpoint)

        assert (result.exit_code, result.stdout) == (0, "✓ 3 started, 3 done, 0 still kept\n")
        assert application.read("sent") == [f"{OPENID} {ANSWER}"] * 3
        again = application.ask("retry", endpoint)
        assert (again.exit_code, again.stdout) == (0, "The inbox is empty.\n")

    @pytest.mark.parametrize("endpoint", ["threaded", "asynchronous"])
    def test_opens_lost_ones_again(self, application, endpoint):
        application.lose(SECRET, SECRET)

        assert application.ask("retry", endpoint).stdout.startswith("✓ 0 started, 0 done, 2 still kept\n")
        assert application.read("sent") == []
        one = application.ask("retry", endpoint, application.list_slots()[1])
        assert (one.exit_code, one.stdout.splitlines()[0]) == (0, "✓ 1 started, 1 done, 1 still kept")
        rest = application.ask("retry", endpoint, "--lost")
        assert (rest.exit_code, rest.stdout) == (0, "✓ 1 started, 1 done, 0 still kept\n")
        assert application.read("sent") == [f"{OPENID} {ANSWER}"] * 2

    def test_gives_three_new_attempts(self, application):
        application.lose(SECRET)
        (application.folder / "broken").touch()
        result = application.ask("retry", "threaded", "--lost")

        assert result.exit_code == 1
        assert "✗ 1 started, 0 done, 1 still kept" in result.stdout
        assert "! a handler failed after its request had ended  [ValueError]" in result.stdout
        assert [(row["state"], row["attempts"], row["reason"]) for row in application.list()] == [("waits", 1, None)]
        (application.folder / "broken").unlink()
        assert application.ask("retry").stdout.startswith("✓ 0 started")  # it is not due yet
        assert application.ask("retry", "threaded", "0:0").exit_code == 0
        assert application.list() == []

    def test_sends_an_answer_again_without_its_handler(self, application):
        application.keep(SECRET)
        (application.folder / "offline").touch()
        for _ in range(3):
            assert application.ask("retry", "threaded", "0:0").exit_code == 1
        (application.folder / "broken").touch()
        (application.folder / "offline").unlink()

        assert [(row["state"], row["attempts"]) for row in application.list()] == [("unsent", 1)]
        assert application.ask("retry", "threaded", "0:0").exit_code == 0
        assert application.read("sent") == [f"{OPENID} {ANSWER}"]

    def test_hands_back_what_still_runs_when_the_time_is_over(self, application):
        application.keep(SECRET)
        (application.folder / "slow").touch()
        done = run_command(application, "retry", "plain", "--wait", "1")

        assert done.returncode == 1
        assert "1 started, 0 done, 1 still kept" in done.stdout
        assert [(row["state"], row["attempts"]) for row in application.list()] == [("waits", 0)]

    def test_enqueues_for_workers(self, application):
        application.keep(SECRET)
        result = application.ask("retry", "queued")

        assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "✓ 1 enqueued, 0 done, 1 still kept")
        (job,) = application.read("jobs")
        assert json.loads(job)["slot"] == "0:0"

    def test_leaves_the_pushes_of_a_running_process_to_it(self, application):
        application.lose(SECRET)
        sent = []
        with ThreadPoolExecutor(1) as executor:
            server = PushEndpoint(
                SETTINGS, lambda _: ANSWER, store=application.store, late=AnswerLater(sent.append), executor=executor
            )
            lane, process = f"{SETTINGS.identity}:lane:0", dump_texts(["another process"])
            assert application.store.compare_and_set(lane, None, process, ttl=2 * TIMEOUT)
            result = application.ask("retry", "threaded", "--lost")
            assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "✓ 0 started, 0 done, 1 still kept")
            assert application.store.compare_and_set(lane, process, None, ttl=1)
            assert server.recover() == 1
            server.drain(TIMEOUT)
        assert len(sent) == 1
        assert application.list() == []


class TestDrop:
    @pytest.mark.parametrize("endpoint", ["threaded", "asynchronous"])
    def test_deletes_named_or_lost_pushes_for_good(self, application, endpoint):
        application.lose(SECRET)
        application.keep(SECRET, SECRET)
        _, slot, left = application.list_slots()
        named = application.ask("drop", endpoint, slot)
        lost = application.ask("drop", endpoint, "--lost")

        assert named.exit_code == lost.exit_code == 0
        assert named.stdout == f"✓ dropped: {slot}  waits  TextMessage, user …XYZ1, 0 attempts, 2 min ago\n"
        assert lost.stdout.startswith("✓ dropped: 0:0  lost  TextMessage")
        assert application.list_slots() == [left]
        assert application.ask("retry", endpoint).stdout == "✓ 1 started, 1 done, 0 still kept\n"
        assert len(application.read("sent")) == 1

    def test_reports_slots_that_are_empty(self, application):
        application.keep(SECRET)
        for command in ("drop", "retry"):
            result = application.ask(command, "threaded", "0:7", "999:999999999")
            assert result.exit_code == 1
            assert "✗ 0:7  nothing is kept there\n✗ 999:999999999  nothing is kept there\n" in result.stdout

    def test_finds_no_lost_one_among_those_that_wait(self, application):
        application.keep(SECRET)

        assert application.ask("drop", "threaded", "--lost").stdout == "Nothing is lost.\n"
        assert len(application.list()) == 1

    def test_makes_a_job_of_the_push_harmless(self, application):
        (job,) = application.keep(SECRET)
        application.ask("drop", "queued", "0:0")

        application.other.run_job(job)  # the handler would raise


def run_command(application, command, endpoint, *words):
    """Run the command in a process of its own, whose current folder is not in its path."""
    code = "import sys; sys.path.remove(''); from wechat_msg.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "inbox", command, f"{application.module}:{endpoint}", *words],
        cwd=application.folder,
        env=complete({"PYTHONPATH": str(ROOT)}),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    check_privacy(done.stdout + done.stderr)
    return done


class TestCommand:
    @pytest.mark.parametrize("endpoint", ["threaded", "plain", "asynchronous"])
    def test_works_in_a_process_of_its_own_without_any_warning(self, application, endpoint):
        application.lose(SECRET)
        application.keep(SECRET)

        listed = run_command(application, "list", endpoint)
        assert (listed.returncode, listed.stderr) == (0, "")
        assert listed.stdout.endswith("2 kept: 1 waits, 1 lost\n")
        retried = run_command(application, "retry", endpoint, "--lost")
        assert (retried.returncode, retried.stderr) == (0, "")
        assert retried.stdout == "✓ 2 started, 2 done, 0 still kept\n"
        assert application.read("sent") == [f"{OPENID} {ANSWER}"] * 2

    def test_ends_at_ctrl_c_and_loses_nothing(self, application):
        application.keep(SECRET)
        (application.folder / "slow").touch()
        with subprocess.Popen(
            [sys.executable, *COMMAND, "inbox", "retry", f"{application.module}:plain"],
            cwd=application.folder,
            env=complete({"PYTHONPATH": str(ROOT)}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            wait_until(lambda: os.path.exists("begun"))
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=TIMEOUT)

        assert (process.returncode, b"Traceback" in output + errors) == (130, False)
        (application.folder / "slow").unlink()
        wait_until(
            lambda: application.ask("retry", "plain", "0:0") and not application.list()
        )  # a lease may have to end
        assert len(application.read("sent")) == 1

    def test_without_anything_shows_its_help(self):
        assert ask("inbox").stdout == ask("inbox", "--help").stdout
        for command in ("list", "retry", "drop"):
            english, chinese = (ask("inbox", command, "--help", "--lang", lang).stdout for lang in ("en", "zh"))
            assert f"wechat-msg inbox {command} [OPTIONS] MODULE:ENDPOINT" in english
            assert f"wechat-msg inbox {command} [选项] 模块:变量" in chinese


#: Modules that cannot be imported.
BROKEN = {
    "raises": 'def connect(url):\n    raise ConnectionError(url)\n\nconnect("redis://:hunter2@example.com")\n',
    "exits": 'import sys\nsys.exit("hunter2")\n',
    "mistyped": "def f(:\n",
    "misconfigured": 'from wechat_msg import PushSettings\nPushSettings(token="hunter2!")\n',
    "needy": "import nosuchpackage\n",
    "lazy": 'def __getattr__(name):\n    raise LookupError("hunter2")\n',
}


class TestEndpoint:
    def test_that_cannot_be_found_is_explained_in_one_line(self, application):
        module = application.module
        for name, source in BROKEN.items():
            (application.folder / f"{name}_{module}.py").write_text(source)
        importlib.invalidate_caches()

        def check(name, english, chinese):
            for command in (["list"], ["retry", "--wait", "1"], ["drop", "--lost"]):
                result = ask("inbox", *command, name)
                assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1), result.output
                assert english in result.stderr
                assert "hunter2" not in result.stderr
            result = ask("--lang", "zh", "inbox", "list", name)
            assert chinese in result.stderr
            assert "hunter2" not in result.stderr

        check_rows(
            {
                name: (name, english, chinese)
                for name, english, chinese in [
                    ("app", "app: must be MODULE:ENDPOINT, as in app:endpoint", "格式为 MODULE:ENDPOINT"),
                    ("", "must be MODULE:ENDPOINT", "格式为"),
                    (":", "must be MODULE:ENDPOINT", "格式为"),
                    ("app:", "must be MODULE:ENDPOINT", "格式为"),
                    (":endpoint", "must be MODULE:ENDPOINT", "格式为"),
                    (".app:endpoint", "must be MODULE:ENDPOINT", "格式为"),
                    ("app:make()", "must be MODULE:ENDPOINT", "格式为"),
                    ("a/b.py:endpoint", "must be MODULE:ENDPOINT", "格式为"),
                    ("a\0b:\x1b[31m", "must be MODULE:ENDPOINT", "格式为"),
                    ("nowhere:endpoint", "there is no module nowhere, neither in this folder", "找不到模块 nowhere"),
                    ("json.nowhere:endpoint", "there is no module json.nowhere", "找不到模块 json.nowhere"),
                    (f"{module}.py:threaded", f"there is no module {module}.py", f"找不到模块 {module}.py"),
                    (f"{module}:nothing", f"has no nothing; did you mean {module}:asynchronous, ", "中没有 nothing"),
                    (f"{module}:Holder.outer", f"{module} has no Holder.outer", "中没有 Holder.outer"),
                    (f"{module}:number", "is a int, not a PushEndpoint or", "是 int，不是 PushEndpoint"),
                    (f"{module}:PushEndpoint", "is a type, not a PushEndpoint", "是 type，不是"),
                    ("json:loads", "json:loads is a function, not a PushEndpoint", "是 function，不是"),
                    (f"{module}:forgetful", "keeps nothing: it needs a store that processes share", "不保存推送"),
                    (f"{module}:careless", "keeps nothing", "不保存推送"),
                    (f"raises_{module}:endpoint", f"ConnectionError [raises_{module}.py:2] (python -c", "无法导入"),
                    (f"exits_{module}:endpoint", f"SystemExit [exits_{module}.py:2]", "SystemExit"),
                    (f"mistyped_{module}:endpoint", f"SyntaxError [mistyped_{module}.py:1]", "SyntaxError"),
                    (f"misconfigured_{module}:endpoint", "SettingsError: token: ", "SettingsError"),
                    (f"lazy_{module}:endpoint", f"LookupError [lazy_{module}.py:2]", "LookupError"),
                    (f"needy_{module}:endpoint", "ModuleNotFoundError: nosuchpackage is not", "没有安装 nosuchpackage"),
                ]
            },
            check,
        )

    def test_that_is_missing_or_followed_by_bad_words_is_refused(self, application):
        name = f"{application.module}:threaded"

        def check(words, english, chinese):
            result = ask("inbox", *words)
            assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1), result.output
            assert english in result.stderr
            result = ask("--lang", "zh", "inbox", *words)
            assert chinese in result.stderr
            assert find_english(result.stderr, [*words, "PushEndpoint"]) <= {"app", "endpoint", "py", "list"}

        check_rows(
            [
                (["lost"], "no such command: lost; did you mean list? (wechat-msg inbox --help)", "是不是 list？"),
                (["list"], "MODULE:ENDPOINT is missing: your endpoint, such as app:endpoint", "缺少 MODULE:ENDPOINT"),
                (["list", name, "0:0"], "1 argument too many", "多了 1 个参数"),
                (["list", name, "--text"], "no such option: --text; did you mean --texts?", "是不是 --texts？"),
                (["retry", name, "0"], "0: a slot is two numbers, as in 0:3; list shows them", "编号是两个数字"),
                (["retry", name, "0:-1"], "0:-1: a slot is two numbers", "编号是两个数字"),
                (["drop", name, "１:2"], "a slot is two numbers", "编号是两个数字"),
                (["drop", name, "0:" + "9" * 5000], "a slot is two numbers", "编号是两个数字"),
                (["drop", name], "give the slots to drop, as list shows them, or --lost", "请给出 list 显示的编号"),
                (["retry", name, "--wait", "-1"], "--wait must be a whole number from 0 to 86400", "应为 0 到 86400"),
                (["retry", name, "--wait", "soon"], "--wait must be a whole number", "的整数"),
            ],
            check,
        )

    def test_whose_store_fails_is_reported(self, application):
        path = application.folder / f"{application.module}.py"
        path.write_text(APPLICATION.replace("store.db", "nowhere/store.db"))
        result = application.ask("list")
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
        assert "cannot be opened" in result.stderr

        path.write_text(APPLICATION + f"def get(key):\n    raise OSError({SECRET!r})\nstore.get = get\n")
        path.write_text(
            APPLICATION.replace(
                'SQLiteStore("store.db")',
                'type("Own", (), {"get": lambda *_: [][1], "compare_and_set": lambda *_: True})()',
            )
        )
        sys.modules.pop(application.module)
        importlib.invalidate_caches()
        result = application.ask("list")
        assert (result.exit_code, result.stderr) == (2, "wechat-msg: the store raised IndexError\n")
