"""The example publish_article.py, as a process, with `FakeWeChatAPI` in place of WeChat."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys

import pytest

from tests.helpers.forking import fork_from
from tests.helpers.rows import check_rows
from tests.helpers.servers import ROOT
from tests.helpers.waiting import wait_until
from wechat_msg import Client
from wechat_msg.api import draft, freepublish
from wechat_msg.testing import FakeWeChatAPI

UPLOAD, ADD_COVER = "/cgi-bin/media/uploadimg", "/cgi-bin/material/add_material"
ADD, UPDATE, PREVIEW = "/cgi-bin/draft/add", "/cgi-bin/draft/update", "/cgi-bin/message/mass/preview"
SUBMIT, STATUS = "/cgi-bin/freepublish/submit", "/cgi-bin/freepublish/get"
PICTURES = {"tea.jpg": b"\xff\xd8\xff of tea", "茶 壶.png": b"\x89PNG\r\n\x1a\n of a pot"}
TEXT = """# 茶 & tea

![Tea](tea.jpg)

Tea comes in **many** kinds <script>alert(1)</script>:

| a | b |
|---|---|
| 1 | 2 |

![pot](<茶 壶.png>)

![the same tea](tea.jpg)
"""
LIBRARIES = ["requests", "markdown_it", "rich.progress", "wechat_msg.client.clients", "wechat_msg.api.mass"]
LIBRARIES += ["wechat_msg.api.draft", "wechat_msg.api.freepublish"]


class Article:
    """A Markdown file with its pictures in a folder, and the example to publish it."""

    def __init__(self, run_program, wechat, folder):
        self.run_program, self.wechat, self.path = run_program, wechat, folder / "article.md"
        self.write(TEXT)
        for name, content in PICTURES.items():
            (folder / name).write_bytes(content)
        self.command = [str(ROOT / "examples/publish_article.py"), str(self.path)]
        self.environ = {
            "WECHAT_APPID": wechat.appid,
            "WECHAT_SECRET": wechat.secret,
            "WECHAT_API_HOSTS": wechat.url,
        }

    def write(self, text):
        self.path.write_text(text, "utf-8")

    @property
    def state_path(self):
        return self.path.with_name(f"article.md.{self.wechat.appid}.json")

    @property
    def state(self):
        return json.loads(self.state_path.read_text("utf-8"))

    @state.setter
    def state(self, state):
        self.state_path.write_text(json.dumps(state), "utf-8")

    def run(self, *options):
        status, output = self.run_program(*self.command, *options, environ=self.environ)
        assert "Traceback" not in output
        assert self.wechat.secret not in output
        return status, output

    @contextlib.contextmanager
    def start(self, *options, stderr=subprocess.STDOUT):
        environ = {**os.environ, **self.environ, "TERM": "xterm"}
        command = [sys.executable, *self.command, *options]
        with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=stderr) as process:
            try:
                yield process
            finally:
                process.kill()

    def kill_at(self, path, times, *options):
        """Kill the program when WeChat has handled the request of that number to *path*, before its answer arrives."""
        for number in range(times):
            self.wechat.delay(path, 60 if number == times - 1 else 0, times=1)
        before = len(self.wechat.requests_to(path))
        with self.start(*options) as process:
            wait_until(lambda: len(self.wechat.requests_to(path)) == before + times)
            process.kill()
            process.wait()
        self.wechat.clear_faults()

    def count(self, *paths):
        return [len(self.wechat.requests_to(path)) for path in paths]

    @property
    def published(self):
        """The articles of all publications."""
        return [article for job in self.wechat.publications.values() for article in job.articles]


@pytest.fixture(scope="module")
def run():
    with fork_from(*LIBRARIES) as forks:
        yield forks.run


@pytest.fixture
def wechat():
    with FakeWeChatAPI() as wechat:
        yield wechat


@pytest.fixture
def article(run, wechat, tmp_path):
    return Article(run, wechat, tmp_path)


class TestAWholeRun:
    def test_publishes_the_article_with_its_pictures(self, wechat, article):
        status, output = article.run("--author", "Anna", "--preview", "anna_wx", "--publish")

        (published,) = article.published
        assert (status, output.splitlines()[-1]) == (0, f"published 已发布: {published['url']}")
        assert (published["title"], published["author"]) == ("茶 & tea", "Anna")
        pictures = re.findall(r'<img src="([^"]+)" alt="[^"]+" style="max-width: 100%" />', published["content"])
        assert pictures == [wechat.url_of(each["media_id"]) for each in self.uploaded(wechat)]
        assert "&lt;script&gt;" in published["content"]
        assert "<td>2</td>" in published["content"]
        assert "<h1>" not in published["content"]
        assert article.count(UPLOAD, ADD_COVER, ADD, PREVIEW, SUBMIT) == [2, 1, 1, 1, 1]
        assert wechat.requests_to(PREVIEW)[0].json["towxname"] == "anna_wx"

    def uploaded(self, wechat):
        """The pictures of the article, in the order of the text."""
        ids = {media.content: media_id for media_id, media in wechat.media.items() if media.kind == "article image"}
        tea, pot = PICTURES.values()
        return [{"media_id": ids[content]} for content in (tea, pot, tea)]

    def test_without_publish_ends_with_a_draft_that_the_next_run_changes(self, wechat, article):
        first = article.run()
        article.write(TEXT.replace("many", "all"))
        second = article.run()

        assert first == second == (0, second[1])
        assert article.count(ADD, UPDATE, UPLOAD, SUBMIT) == [1, 1, 2, 0]
        (stored,) = (media.description["news_item"][0] for media in wechat.media.values() if media.kind == "draft")
        assert "<strong>all</strong>" in stored["content"]

    def test_waits_until_the_article_is_published(self, wechat, article):
        wechat.publish_seconds = 1000
        with article.start("--publish") as process:
            wait_until(lambda: article.count(STATUS) == [1])
            wechat.advance(1000)
            output = process.communicate()[0].decode()

        assert (process.returncode, article.count(SUBMIT)) == (0, [1])
        assert output.splitlines()[-1] == f"published 已发布: {article.published[0]['url']}"

    def test_of_a_published_article_does_nothing(self, article):
        first = article.run("--publish")
        again = article.run("--publish")

        assert first[1].splitlines()[-1] == again[1].splitlines()[-1]
        assert article.count(UPLOAD, ADD, UPDATE, SUBMIT) == [2, 1, 0, 1]

    def test_shows_a_progress_bar_on_a_terminal(self, wechat, article):
        wechat.delay(PREVIEW, 0.3)
        terminal, programs_end = pty.openpty()
        with article.start("--preview", "anna_wx", "--publish", stderr=programs_end) as process:
            os.close(programs_end)
            shown = read_to_the_end(terminal)
            result = process.communicate()[0].decode()

        assert all(part in shown for part in ("draft 草稿", "publication 发布", "━", "100%"))
        assert result == f"published 已发布: {article.published[0]['url']}\n"

    def test_takes_the_words_of_the_title_and_styles_code(self, article):
        article.write("# C\\# & `Client` *now*\n\n![](tea.jpg)\n\n```python\nx = 1\n```\n")
        assert article.run("--publish")[0] == 0

        (published,) = article.published
        assert published["title"] == "C# & Client now"
        assert '<pre style="overflow-x: auto"><code class="language-python">x = 1' in published["content"]

    def test_has_a_cover_of_its_own_if_one_is_given(self, wechat, article):
        (article.path.parent / "cover.png").write_bytes(b"\x89PNG cover")
        article.write("# Title\n\nNo picture.\n")
        assert article.run("--cover", str(article.path.parent / "cover.png"))[0] == 0

        (draft,) = (media.description["news_item"][0] for media in wechat.media.values() if media.kind == "draft")
        assert wechat.media[draft["thumb_media_id"]].content == b"\x89PNG cover"


def read_to_the_end(terminal):
    shown = b""
    with contextlib.suppress(OSError):  # that is how a terminal ends
        while piece := os.read(terminal, 4096):
            shown += piece
    os.close(terminal)
    return shown.decode()


#: Stages at which the program is killed: a path, and the number of its request. WeChat has handled that request.
STAGES = [(ADD_COVER, 1), (UPLOAD, 1), (UPLOAD, 2), (ADD, 1), (PREVIEW, 1), (SUBMIT, 1), (STATUS, 1)]


class TestARunThatIsKilled:
    @pytest.mark.parametrize(("path", "times"), STAGES)
    def test_is_continued(self, wechat, article, path, times):
        options = ("--preview", "anna_wx", "--publish")
        article.kill_at(path, times, *options)
        status, output = article.run(*options)

        (published,) = article.published
        assert (status, output.splitlines()[-1]) == (0, f"published 已发布: {published['url']}")
        # Only the upload whose answer was lost with the program is repeated.
        expected = {UPLOAD: 2, ADD_COVER: 1, ADD: 1, SUBMIT: 1}
        for upload in {path} & {UPLOAD, ADD_COVER}:
            expected[upload] += 1
        assert article.count(*expected) == list(expected.values())

    def test_twice_in_a_row_is_continued(self, wechat, article):
        article.kill_at(UPLOAD, 2, "--publish")
        article.kill_at(ADD, 1, "--publish")
        assert article.run("--publish")[0] == 0
        assert (len(article.published), article.count(ADD, UPDATE, SUBMIT)) == (1, [1, 1, 1])

    def test_while_it_is_unknown_whether_the_article_was_submitted_does_not_submit_it_again(self, wechat, article):
        wechat.publish_seconds = 1000
        article.kill_at(SUBMIT, 1, "--publish")
        status, output = article.run("--publish")

        assert (status, article.count(SUBMIT)) == (1, [1])
        assert "无法确定是否已提交" in output
        assert 'remove "publish_id" from' in output
        wechat.advance(1000)
        assert article.run("--publish")[1].splitlines()[-1] == f"published 已发布: {article.published[0]['url']}"
        assert article.count(SUBMIT) == [1]

    def test_by_ctrl_c_ends_without_a_traceback(self, wechat, article):
        wechat.publish_seconds = 1000
        with article.start("--publish") as process:
            wait_until(lambda: article.count(STATUS) == [1])
            process.send_signal(signal.SIGINT)
            output = process.communicate()[0].decode()
        wechat.advance(1000)

        assert (process.returncode, "Traceback" in output) == (130, False)
        assert article.run("--publish")[0] == 0
        assert article.count(SUBMIT) == [1]


#: Errors of WeChat, and a part of the message.
ERRORS = [
    (UPLOAD, 40005, "40005"),
    (ADD, 45003, "标题"),
    (PREVIEW, 40132, "40132"),
    (SUBMIT, 53503, "该草稿未通过发布检查"),
    (SUBMIT, 53505, "手动保存"),
    (SUBMIT, 48001, "48001"),
]


class TestAFailure:
    def test_is_explained_and_the_next_run_continues(self, wechat, article):
        def check(path, errcode, text):
            wechat.fail(path, errcode, times=1)
            status, output = article.run("--preview", "anna_wx", "--publish")
            assert (status, text in output, str(errcode) in output) == (1, True, True)

        check_rows(ERRORS, check)
        assert article.run("--publish")[0] == 0
        assert (len(article.published), article.count(ADD)) == (1, [2])

    def test_of_the_publication_is_explained_and_the_draft_can_be_changed(self, wechat, article):
        wechat.publish_status = 4
        status, output = article.run("--publish")
        assert (status, "平台审核不通过" in output) == (1, True)
        wechat.publish_status = 0
        assert article.run("--publish")[0] == 0
        assert article.count(ADD, UPDATE, SUBMIT) == [1, 1, 2]

    def test_is_found_before_the_first_upload_if_a_picture_is_missing(self, article):
        article.write(TEXT + "\n![](missing.png)\n")
        status, output = article.run("--publish")

        assert (status, "missing.png" in output, article.count(UPLOAD, ADD_COVER)) == (1, True, [0, 0])

    def test_is_found_before_the_first_upload_if_a_picture_is_not_written_as_markdown_wants_it(self, article):
        article.write(TEXT + "\n![pot](茶 壶.png)\n")
        status, output = article.run("--publish")

        assert (status, "![pot](茶 壶.png)" in output, article.count(UPLOAD, ADD_COVER)) == (1, True, [0, 0])

    def test_is_explained_if_the_file_has_no_title_or_picture_or_does_not_exist(self, article):
        def check(text, expected):
            article.write(text)
            status, output = article.run()
            assert (status, expected in output) == (1, True)

        check_rows([("no title", "标题"), ("", "标题"), ("# Title\n\nno picture", "封面")], check)
        article.path.write_bytes(b"# \xff")
        status, output = article.run()
        assert (status, f"UTF-8 编码: {article.path}" in "".join(output.split("\n"))) == (1, True)
        article.path.unlink()
        assert article.run()[0] == 1

    def test_is_explained_if_the_state_file_is_another_one(self, article):
        assert article.run()[0] == 0
        [state_file] = article.path.parent.glob("*.json")

        def check(content):
            state_file.write_bytes(content)
            status, output = article.run()
            assert (status, "不是本程序的进度文件" in output, "Traceback" in output) == (1, True, False)

        check_rows([b"null", b"5", b"[]", b"", b"\xff", b"[" * 100_000], check)

    def test_of_the_connection_after_the_submission_does_not_submit_it_again(self, wechat, article):
        wechat.drop(SUBMIT, when="after")
        assert article.run("--publish")[0] == 1
        assert article.run("--publish")[0] == 0
        assert (len(article.published), article.count(SUBMIT)) == (1, [1])

    def test_of_the_connection_before_the_submission_is_decided_by_the_user(self, wechat, article):
        wechat.drop(SUBMIT, when="before")
        assert [article.run("--publish")[0] for _ in range(2)] == [1, 1]
        article.state = {name: value for name, value in article.state.items() if name != "publish_id"}
        assert article.run("--publish")[0] == 0
        assert (len(article.published), article.count(SUBMIT)) == (1, [2])

    def test_because_wechat_is_busy_leaves_it_unknown_whether_the_article_was_submitted(self, wechat, article):
        wechat.fail(SUBMIT, -1, times=1)
        outputs = [article.run("--publish") for _ in range(2)]

        assert ([status for status, _ in outputs], article.count(SUBMIT)) == ([1, 1], [1])
        assert "无法确定是否已提交" in outputs[1][1]


#: Answers about a publication that has ended, of which WeChat names no article.
WITHOUT_URL = [
    {"publish_status": 0, "article_id": "AID"},
    {"publish_status": 0, "article_detail": {"count": 0, "item": []}},
    {"publish_status": 5},
    {"publish_status": 6},
]


@pytest.mark.parametrize("answer", WITHOUT_URL)
def test_a_published_article_without_a_url_is_not_submitted_again(wechat, article, answer):
    wechat.answer(STATUS, answer, times=1)
    status, output = article.run("--publish")
    assert (status, f"publish_status {answer['publish_status']}" in output) == (1, True)
    assert article.run("--publish")[0] == 0
    assert (len(article.published), article.count(SUBMIT)) == (1, [1])


class TestAnotherArticleWithTheSameCover:
    @pytest.fixture
    def other(self, wechat, article):
        """The draft of a colleague, made after that of the article."""
        article.run()
        client = Client(wechat.appid, wechat.secret, hosts=[wechat.url])
        news = draft.News(title="other", content="c", thumb_media_id=article.state["cover"])
        return client, client.call(draft.add([news]))

    def test_is_not_changed(self, article, other):
        client, media_id = other
        assert article.run()[0] == 0
        assert article.count(ADD, UPDATE) == [2, 1]
        assert client.call(draft.get(media_id)).news_item[0].title == "other"

    def test_is_not_taken_for_the_article_whose_submission_was_lost(self, wechat, article, other):
        client, media_id = other
        client.call(freepublish.submit(media_id))
        wechat.drop(SUBMIT, when="before")
        outputs = [article.run("--publish") for _ in range(2)]

        assert [status for status, _ in outputs] == [1, 1]
        assert "无法确定是否已提交" in outputs[1][1]


def test_a_draft_that_was_deleted_in_the_console_is_added_again(wechat, article):
    article.run()
    for media_id in [media_id for media_id, media in wechat.media.items() if media.kind == "draft"]:
        del wechat.media[media_id]
    assert article.run("--publish")[0] == 0
    assert article.count(ADD, UPDATE) == [2, 0]
