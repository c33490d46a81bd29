"""The bot on a language model, with a small server in place of the model and `FakeWeChatAPI` in place of WeChat."""

import contextlib
import itertools
import json
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import ClassVar

import pytest
from attrs import Factory, define

from tests.helpers.forking import fork_from
from tests.helpers.playgrounds import Follower, Page
from tests.helpers.rows import check_rows
from tests.helpers.servers import TIMEOUT, UVICORN, Client, Server, serve
from tests.helpers.waiting import wait_until
from wechat_msg import PushSettings
from wechat_msg.testing import FakeWeChatAPI, build_push, open_reply
from wechat_msg.testing.fake_api.fake_account import Media

SETTINGS = PushSettings(
    token="aTokenForTests", encoding_aes_key="aKeyForTests" * 3 + "1234567", appid="wx0123456789abcdef"
)
COMMAND = [*UVICORN, "examples.llm_bot:app"]
#: What the bot and its server import, directly or not.
LIBRARIES = [
    *("uvicorn.main", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto", "uvicorn.lifespan.on"),
    *("openai.resources.chat", "openai.resources.audio", "markdown_it", "wechat_msg.adapters.asgi"),
    *("wechat_msg.api.customer_service", "wechat_msg.api.miniprogram", "wechat_msg.client.async_transport"),
    *("wechat_msg.endpoint", "wechat_msg.library", "wechat_msg.stores.sqlite", "wechat_msg.text"),
]
CHECK, TYPING = "/wxa/msg_sec_check", "/cgi-bin/message/custom/typing"
MORE = "\n（回复任意文字查看后文）"
GREETING = "Tea comes in **many** kinds, and all are leaves of one plant."
CODE = "```python\n" + "print('a kettle')\n\n" * 8 + "```"
END = "That is all; see [here](https://example.com/tea)."
ANSWER = f"{GREETING}\n\nThis is how to make it, with a kettle:\n\n{CODE}\n\n{END}"
#: The texts that the user reads: the first paragraph is long enough for a part, the others are not until the code ends.
PARTS = [
    "Tea comes in many kinds, and all are leaves of one plant.",
    "This is how to make it, with a kettle:\n\n" + CODE[10:-4].rstrip(),
    'That is all; see <a href="https://example.com/tea">here</a>.',
]


@define
class FakeLLM:
    """A server with OpenAI's API. It writes `answer` in small pieces, and waits before each text of `pauses`.

    Each answer begins differently, as those of a model do; a model that is asked to continue does. If there is a text
    `ends_before`, an answer ends there without a finish_reason, as a whole stream or with a broken connection.
    """

    answer: str = ANSWER
    pauses: dict[str, threading.Event] = Factory(dict)
    heard: str = "What is tea?"
    status: int = 200
    ends_before: str = ""
    breaks_connection: bool = False
    asked: list[list[dict[str, str]]] = Factory(list)
    files: list[bytes] = Factory(list)
    port: int = 0

    def write(self, turns):
        """Yield the pieces of an answer."""
        text = f"Once more: {self.answer}" if turns in self.asked else self.answer
        self.asked.append(turns)
        if turns[-1]["content"] == "Continue.":
            text = text.removeprefix(turns[-2]["content"])
        for waited, event in self.pauses.items():
            before, found, after = text.partition(waited)
            if found:
                yield from divide(before)
                event.wait(TIMEOUT)
                text = found + after
        yield from divide(text.partition(self.ends_before)[0] if self.ends_before else text)
        if self.breaks_connection:
            raise ConnectionAbortedError


def divide(text):
    return [text[start : start + 7] for start in range(0, len(text), 7)]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        llm, body = self.server.llm, self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/audio/transcriptions":
            llm.files.append(body)
            self.begin("application/json")
            self.send(json.dumps({"text": llm.heard}))
            self.send("")
            return
        assert self.path == "/v1/chat/completions"
        asked = json.loads(body)
        assert (asked["model"], asked["stream"]) == ("tea", True)
        self.begin("text/event-stream")
        self.close_connection = True
        with contextlib.suppress(OSError):  # the bot was killed, or this server breaks off
            self.stream(llm.write(asked["messages"]) if llm.status == 200 else ())

    def begin(self, content_type):
        self.send_response(self.server.llm.status)
        self.send_header("Content-Type", content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send(self, text):
        self.wfile.write(f"{len(text.encode()):x}\r\n{text}\r\n".encode())

    def stream(self, pieces):
        head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "tea"}
        for piece in itertools.chain([None], pieces):
            choice = {"index": 0, "delta": {"role": "assistant", "content": piece}, "finish_reason": None}
            self.send(f"data: {json.dumps({**head, 'choices': [choice]})}\n\n")
        if not self.server.llm.ends_before:
            choice = {"index": 0, "delta": {}, "finish_reason": "stop"}
            self.send(f"data: {json.dumps({**head, 'choices': [choice]})}\n\n")
        self.send(f"data: {json.dumps({**head, 'choices': []})}\n\ndata: [DONE]\n\n")
        self.send("")

    def log_message(self, *args):
        pass


@pytest.fixture
def llm():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.llm = FakeLLM(port=server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.llm
        for event in server.llm.pauses.values():
            event.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def wechat():
    with FakeWeChatAPI(SETTINGS.appid) as wechat:
        yield wechat


@define
class Bot:
    """The bot, and a user of it."""

    server: Server
    numbers: Iterator[int]

    def ask(self, content, user="oUSER", **fields):
        """Send a message, and return the text of the passive reply."""
        message = {"MsgType": "text", "Content": content, "FromUserName": user, "MsgId": next(self.numbers), **fields}
        with contextlib.closing(Client(self.server.port)) as client:
            response = client.push("/wechat", build_push(SETTINGS, message))
        assert response.status == 200
        reply = open_reply(SETTINGS, response.body)
        return reply and reply["Content"]


@pytest.fixture(scope="module")
def forks():
    with fork_from(*LIBRARIES) as forks:
        yield forks


@pytest.fixture
def start(forks, llm, wechat, tmp_path):
    numbers = itertools.count(1)

    @contextlib.contextmanager
    def start(**environ):
        with forks.serve(*COMMAND, environ={**make_environ(llm, tmp_path), **call(wechat), **environ}) as server:
            yield Bot(server, numbers)

    return start


def make_environ(llm, folder):
    settings = {"TOKEN": SETTINGS.token, "ENCODING_AES_KEY": SETTINGS.encoding_aes_key, "APPID": SETTINGS.appid}
    return {
        **{f"WECHAT_{name}": value for name, value in settings.items()},
        "WECHAT_STORE": f"{folder}/store.db",
        "OPENAI_API_KEY": "a key",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{llm.port}/v1",
        "LLM_MODEL": "tea",
    }


def call(wechat):
    return {"WECHAT_SECRET": wechat.secret, "WECHAT_API_HOSTS": wechat.url}


def wait_for_texts(wechat, number):
    """Return the texts of the customer-service messages, when there are so many."""
    wait_until(lambda: len(wechat.messages) >= number)
    return [message["text"]["content"] for message in wechat.messages]


class TestAnswer:
    def test_goes_out_in_paragraphs_while_the_model_writes_it(self, start, llm, wechat):
        llm.pauses = {"This is": threading.Event(), END: threading.Event()}
        with start() as bot:
            assert bot.ask("What is tea?") == PARTS[0]
            llm.pauses["This is"].set()
            assert wait_for_texts(wechat, 1) == PARTS[1:2]
            llm.pauses[END].set()
            assert wait_for_texts(wechat, 2) == PARTS[1:]

        ((system, question),) = llm.asked
        assert (system["role"], question) == ("system", {"role": "user", "content": "What is tea?"})
        assert [message["aimsgcontext"] for message in wechat.messages] == [{"is_ai_msg": 1}] * 2
        assert {request.json["touser"] for request in wechat.requests_to(TYPING)} == {"oUSER"}

    @pytest.mark.endurance
    def test_continues_after_a_death_and_repeats_nothing(self, start, llm, wechat):
        llm.pauses = {END: threading.Event()}
        with start(LLM_CHECK="1") as bot:
            assert bot.ask("What is tea?") == PARTS[0]
            assert wait_for_texts(wechat, 1) == PARTS[1:2]
            wechat.delay(CHECK, TIMEOUT)
            llm.pauses[END].set()
            wait_until(lambda: wechat.requests_to(CHECK)[-1].json["content"] == END)
            os.kill(bot.server.pid, signal.SIGKILL)
        wechat.clear_faults()
        with start() as bot:
            assert wait_for_texts(wechat, 2) == PARTS[1:]
            llm.answer = "Yes."
            assert bot.ask("And green tea?") == "Yes."

        said = {"role": "assistant", "content": ANSWER.removesuffix(END)}
        first, second, third = llm.asked
        assert second == [*first, said, {"role": "user", "content": "Continue."}]
        assert third == [*first, {**said, "content": ANSWER}, {"role": "user", "content": "And green tea?"}]
        assert len(wechat.messages) == 2

    def test_waits_for_the_user_if_wechat_refuses_the_messages(self, start, llm, wechat):
        wechat.verified = False
        with start() as bot:
            assert bot.ask("What is tea?") == PARTS[0]
            os.kill(bot.server.pid, signal.SIGTERM)  # it keeps the answer before it ends
            bot.server.wait()
            assert "kept instead, as it could not be sent: 48001" in bot.server.read_log()
        with start() as bot:
            assert [bot.ask("go on"), bot.ask("go on")] == [PARTS[1] + MORE, PARTS[2]]
            assert len(llm.asked) == 1
            assert bot.ask("And now?") == PARTS[0]

        assert wechat.messages == []

    def test_waits_for_the_user_if_the_account_sends_no_messages(self, start, llm, wechat):
        with start(LLM_LATE="keep") as bot:
            assert [bot.ask("What is tea?"), bot.ask("go on")] == [part + MORE for part in PARTS[:2]]
            assert bot.ask("/new") == "好的，我们聊点别的。"
            assert bot.ask("go on") == PARTS[2]

        assert len(llm.asked) == 1
        assert wechat.requests == []

    def test_is_sent_in_a_mini_program(self, start, wechat):
        with start(WECHAT_ACCOUNT_KIND="mini_program") as bot:
            assert bot.ask("What is tea?") is None
            assert wait_for_texts(wechat, 3) == PARTS

    def test_is_an_apology_if_the_model_fails(self, start, llm):
        llm.status = 401
        with start() as bot:
            assert bot.ask("a secret of mine").startswith("抱歉，出了点问题")
            llm.status = 200
            assert bot.ask("hello", MsgId=7) == PARTS[0]
            log = bot.server.read_log()

        assert "no complete answer to message 1: AuthenticationError" in log
        assert "a secret of mine" not in log

    @pytest.mark.parametrize("breaks_connection", [False, True])
    def test_that_breaks_off_is_sent_with_a_notice(self, start, llm, wechat, breaks_connection):
        llm.ends_before, llm.breaks_connection = "; see", breaks_connection
        with start() as bot:
            assert bot.ask("What is tea?") == PARTS[0]
            assert wait_for_texts(wechat, 3) == [PARTS[1], "That is all", "抱歉，回答中断了，请再问一次。"]
            llm.ends_before, llm.breaks_connection = "", False
            bot.ask("What is tea?")
            assert "no complete answer to message 1: 回答中断了" in bot.server.read_log()

        assert llm.asked[1][2:] == [
            {"role": "assistant", "content": ANSWER.partition("; see")[0] + "…"},
            {"role": "user", "content": "What is tea?"},
        ]

    def test_that_is_empty_is_a_hint(self, start, llm):
        llm.answer = " \n\n"
        with start() as bot:
            assert bot.ask("What is tea?") == "抱歉，没有得到回答，请换个说法再问。"
            llm.answer = "Yes."
            bot.ask("Is it?")

        assert [turn["content"] for turn in llm.asked[1][1:]] == ["What is tea?", "…", "Is it?"]


LINES = "print('a kettle')\n\n" * 8
WORDS = "These words are just as many as the first part of an answer needs."
#: Answers, and the paragraphs of the model with which their parts begin.
DIVIDED = {
    "paragraphs, each part longer": ("\n\n".join([f"{number} {WORDS}" for number in range(8)]), ["0", "1", "3", "6"]),
    "short paragraphs": ("One.\n\nTwo.\n\nThree.", ["One."]),
    "code that comes first": (f"```\n{LINES}```\n\nEnd.", ["print", "End."]),
    "code in a paragraph": (f"Code:\n```sh\n{LINES}```\nMore.\n\nEnd.", ["Code:", "End."]),
    "code in a list": (f"- Code:\n\n  ```\n{LINES}  ```\n\nEnd.", ["• Code:", "End."]),
    "quoted code": (f"> ```\n> {WORDS}\n>\n> x\n> ```\n\nEnd.", ["> These", "End."]),
    "backticks in tildes": (f"~~~\n```\n\n{LINES}~~~\n\nEnd.", ["```", "End."]),
    "three backticks in four": (f"````\n```\n\n{LINES}```\n\n````\n\nEnd.", ["```", "End."]),
    "code without an end": (f"```\n{LINES}{LINES}", ["print"]),
    "code in a line": (f"```x``` {WORDS}\n\nEnd.", ["x These", "End."]),
    "blank lines with spaces": (f"{WORDS}\n  \n\n\nEnd.", ["These", "End."]),
    "nothing": ("", ["抱歉，没有得到回答"]),
}


def test_parts_end_between_paragraphs_and_never_in_code(start, llm, wechat):
    wechat.limits_messages = False
    with start() as bot:

        def check(answer, beginnings):
            llm.answer = answer
            wechat.messages.clear()
            first = bot.ask(answer)
            texts = [] if first is None else [first, *wait_for_texts(wechat, len(beginnings) - 1)]
            bot.ask("/new")  # which waits for the end of the answer
            assert len(wechat.messages) == max(len(texts) - 1, 0)
            assert len(texts) == len(beginnings)
            assert all(text.startswith(begin) for text, begin in zip(texts, beginnings, strict=True)), texts

        check_rows(DIVIDED.values(), check)


class TestHistory:
    def test_has_a_limit_and_is_each_users_own(self, start, llm):
        llm.answer = "Understood."
        with start(LLM_HISTORY="2") as bot:
            for text in ("one", "two"):
                assert bot.ask(text) == "Understood."
        with start(LLM_HISTORY="2") as bot:
            bot.ask("three")
            bot.ask("four", "oUSER2")
            assert bot.ask("/new") == "好的，我们聊点别的。"
            bot.ask("five")

        asked = [[turn["content"] for turn in turns[1:]] for turns in llm.asked]
        assert asked[:3] == [["one"], ["one", "Understood.", "two"], ["two", "Understood.", "three"]]
        assert asked[3:] == [["four"], ["five"]]

    def test_has_the_first_answer_before_the_second_question(self, start, llm):
        llm.answer, llm.pauses = "Understood.", {"stood": threading.Event()}
        with start() as bot, ThreadPoolExecutor(2) as pool:
            first = pool.submit(bot.ask, "one")
            wait_until(lambda: llm.asked)
            second = pool.submit(bot.ask, "two")
            time.sleep(0.2)
            assert len(llm.asked) == 1
            llm.pauses["stood"].set()
            assert [first.result(), second.result()] == ["Understood."] * 2

        assert [turn["content"] for turn in llm.asked[1][1:]] == ["one", "Understood.", "two"]


class TestVoice:
    def test_is_a_question_if_there_is_a_model_for_it(self, start, llm, wechat):
        wechat.media["M"] = Media("voice", "M.amr", b"#!AMR and so on", "audio/amr", wechat.now, is_permanent=False)
        with start(LLM_VOICE_MODEL="ears") as bot:
            assert bot.ask("", MsgType="voice", MediaId="M", Format="amr") == PARTS[0]

        assert llm.asked[0][1]["content"] == llm.heard
        assert all(word in llm.files[0] for word in (b"#!AMR and so on", b'filename="M.amr"', b"ears"))

    def test_gets_a_hint_otherwise(self, start, llm):
        with start() as bot:
            assert bot.ask("", MsgType="voice", MediaId="M", Format="amr").startswith("请发送文字提问")

        assert llm.asked == []


class TestContentCheck:
    RISKY: ClassVar = {"errcode": 0, "errmsg": "ok", "result": {"suggest": "risky", "label": 20001}, "detail": []}

    def test_refuses_questions(self, start, llm, wechat):
        wechat.answer(CHECK, self.RISKY, times=1)
        with start(LLM_CHECK="1") as bot:
            assert bot.ask("What is tea?").startswith("抱歉，这个话题")

        assert llm.asked == []
        assert wechat.requests_to(CHECK)[0].json["openid"] == "oUSER"

    def test_ends_an_answer(self, start, llm, wechat):
        llm.pauses = {"This is": threading.Event()}
        with start(LLM_CHECK="1") as bot:
            assert bot.ask("What is tea?") == PARTS[0]
            wechat.answer(CHECK, self.RISKY, times=1)
            llm.pauses["This is"].set()
            assert wait_for_texts(wechat, 1) == ["抱歉，这个话题我不能谈。"]

        checked = [request.json["content"] for request in wechat.requests_to(CHECK)]
        assert checked[:2] == ["What is tea?", GREETING + "\n\n"]


def test_runs_in_the_playground_with_one_command(llm, tmp_path):
    command = ["-m", "wechat_msg", "dev", "examples.llm_bot:app", "--port", "0", "--lang", "en"]
    with serve(*command, environ=make_environ(llm, tmp_path)) as server:
        address = wait_until(lambda: re.search(r"http://\S+\?key=\S+", server.read_log()))[0]
        page = Page(SimpleNamespace(base=address.partition("/?")[0], address=address)).log_in()
        chat = Follower(page)
        number = page.push({"MsgType": "text", "Content": "What is tea?"})
        reply = chat.wait(lambda each: each["kind"] == "reply" and each["of"] == number)
        sent = [chat.wait(lambda each, part=part: read_message(each) == part) for part in PARTS[1:]]

    assert reply["reply"]["Content"] == PARTS[0]
    assert [each["message"]["aimsgcontext"] for each in sent] == [{"is_ai_msg": 1}] * 2


def read_message(entry):
    return entry.get("message", {}).get("text", {}).get("content")
