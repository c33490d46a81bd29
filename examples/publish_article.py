"""Publish a Markdown file as an article (图文). Stop it at any time; run the same command to continue.

    python examples/publish_article.py article.md --preview WECHAT_ID
    python examples/publish_article.py article.md --publish

Reads WECHAT_APPID and WECHAT_SECRET. Exit status 0: done; 1: stopped, the message says why; 130: Ctrl-C.
"""

import argparse
import functools
import hashlib
import json
import operator
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from rich.console import Console
from rich.progress import Progress

from wechat_msg import Client, errors
from wechat_msg.api import Call, draft, freepublish, mass, material

MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
STYLES = {"p": "margin: 1em 0; line-height: 1.75", "img": "max-width: 100%"}
FAILED = {2: "it is not original 原创校验失败", 3: "it failed 常规失败", 4: "WeChat refused it 平台审核不通过"}
PRE = '<pre style="overflow-x: auto">'
IDENTIFY = operator.attrgetter("title", "thumb_media_id")  # an article of another author may have the same cover
IN_DOUBT = "?"  # the publish_id from the request to its answer


class State(dict[str, Any]):
    """What is done, in a JSON file: the uploads, ``title``, ``cover``, ``draft``, ``publish_id`` and ``url``."""

    def __init__(self, path: Path) -> None:
        try:
            done = json.loads(path.read_bytes()) if path.exists() else {}
        except (ValueError, RecursionError):
            done = None
        if not isinstance(done, dict):
            raise SystemExit(f"not a state file of this program 不是本程序的进度文件: {path}")
        super().__init__(done)
        self.path = path

    def save(self, **changes: Any) -> None:
        self.update(changes)
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self, indent=2), "utf-8")
        new.replace(self.path)  # a program that is killed leaves the old file or the new one


def upload_once(client: Client, state: State, call: Call[Any]) -> str:
    """Return the result of an upload: a URL or a media id. What is uploaded is known by its content."""
    key = f"{call.path} {hashlib.sha256(call.upload.file).hexdigest()}"
    if key not in state:
        answer = client.call(call)
        state.save(**{key: getattr(answer, "media_id", answer)})
    return state[key]


def make_article(client: Client, state: State, options: argparse.Namespace, show: Any) -> draft.News:
    """Upload the pictures and the cover, and return the article."""
    try:
        tokens = MARKDOWN.parse(options.file.read_text("utf-8-sig"))
    except UnicodeDecodeError:
        raise SystemExit(f"not UTF-8 文件不是 UTF-8 编码: {options.file}") from None
    if not tokens or tokens[0].tag != "h1":
        raise SystemExit("the file must begin with # and the title 文件应以「# 标题」开头")
    title, tokens = "".join(each.content for each in tokens[1].children), tokens[3:]  # WeChat shows the title above
    nested = [each for token in tokens for each in (token, *(token.children or ()))]
    images = [token for token in nested if token.type == "image"]
    if broken := [each.content for each in nested if each.type == "text" and re.search(r"!\[.*]\(", each.content)]:
        raise SystemExit(f"no picture 图片写法有误: {broken[0]}; a path with blanks needs <>: ![](<my tea.png>)")
    pictures = [(options.file.parent / unquote(str(image.attrs["src"]))).read_bytes() for image in images]
    if not pictures and not options.cover:
        raise SystemExit("the article needs a picture, or --cover 文章需要图片或封面")
    show(description="cover 封面", total=len(images) + 3)
    cover = options.cover.read_bytes() if options.cover else pictures[0]
    state.save(title=title, cover=upload_once(client, state, material.add_material("image", cover)))
    for image, picture in zip(images, pictures, strict=True):
        show(description="pictures 图片")
        image.attrSet("src", upload_once(client, state, material.upload_image(picture)))
    for token in nested:
        if token.nesting >= 0 and token.tag in STYLES:
            token.attrSet("style", STYLES[token.tag])
    content = MARKDOWN.renderer.render(tokens, MARKDOWN.options, {}).replace("<pre>", PRE)
    return draft.News(title=title, content=content, thumb_media_id=state["cover"], author=options.author)


def save_draft(client: Client, state: State, article: draft.News) -> None:
    """Add the draft, or change the one that an earlier run has added: it is known by its id, or its title and cover."""
    drafts = {item.media_id: item.news_item for item in client.iterate(draft.iterate_drafts(no_content=True))}
    same = [media_id for media_id, found in drafts.items() if [*map(IDENTIFY, found)] == [IDENTIFY(article)]]
    known = [media_id for media_id in (state.get("draft"), *same) if media_id in drafts]
    if known:
        client.call(draft.update(known[0], article))
    state.save(draft=known[0] if known else client.call(draft.add([article])))


def submit(client: Client, state: State) -> None:
    client.get_access_token()  # first, because nothing is in doubt if this fails
    state.save(publish_id=IN_DOUBT)
    try:
        state.save(publish_id=client.call(freepublish.submit(state["draft"])).publish_id)
    except (errors.APIError, errors.ConnectFailed) as error:
        state.save(publish_id=IN_DOUBT if isinstance(error, errors.SystemBusy) else None)
        raise


def wait(client: Client, state: State) -> None:
    """Wait until the article is published, and save its URL."""
    if state["publish_id"] == IN_DOUBT:  # an earlier run has ended there
        published = client.iterate(freepublish.iterate_published(no_content=True))
        urls = {IDENTIFY(each): each.url for item in published for each in item.news_item}
        if not (url := urls.get((state.get("title"), state["cover"]))):
            advice = f'if the console (发表记录) does not have it, remove "publish_id" from {state.path}'
            raise SystemExit(f"it is unknown whether the article was submitted 无法确定是否已提交: {advice}")
        return state.save(url=url)
    while (status := client.call(freepublish.get(state["publish_id"]))).publish_status == 1:
        time.sleep(3)
    if reason := FAILED.get(status.publish_status):
        state.save(publish_id=None)
        raise SystemExit(f"not published 未发布: {reason}")
    if status.article_detail is None or not status.article_detail.item:
        raise SystemExit(f"no URL, see the console 没有链接，请到后台查看: publish_status {status.publish_status}")
    return state.save(url=status.article_detail.item[0].article_url)


def run(client: Client, options: argparse.Namespace, show: Any) -> str:
    state = State(options.file.with_name(f"{options.file.name}.{client.appid}.json"))
    if not state.get("publish_id"):
        article = make_article(client, state, options, show)
        show(description="draft 草稿")
        save_draft(client, state, article)
        if options.preview:
            client.call(mass.preview(mass.MpNews(media_id=state["draft"]), towxname=options.preview))
        if not options.publish:
            return f"draft 草稿: {state['draft']}"
        submit(client, state)
    show(description="publication 发布")
    if "url" not in state:
        wait(client, state)
    return f"published 已发布: {state['url']}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Publish a Markdown file as an article. 把 Markdown 文件发布为图文")
    parser.add_argument("file", type=Path, help="the Markdown file, which begins with # and the title")
    parser.add_argument("--author", help="author 作者")
    parser.add_argument("--cover", type=Path, help="cover in place of the first picture 封面")
    parser.add_argument("--preview", metavar="WECHAT_ID", help="user who gets the draft 接收预览的微信号")
    parser.add_argument("--publish", action="store_true", help="publish the draft 发布")
    options = parser.parse_args()
    try:
        with Client.from_env() as client, Progress(console=Console(stderr=True)) as bar:
            result = run(client, options, functools.partial(bar.update, bar.add_task("", total=None), advance=1))
        print(result)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except (errors.WeChatError, OSError, ValueError) as error:
        raise SystemExit(f"stopped 已停止: {error}") from None


if __name__ == "__main__":
    main()
