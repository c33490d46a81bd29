"""The pages for those who come from WeRoBot and wechatpy: both sides of each example run, and the tables are true."""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests
import wechatpy.client.api
import wechatpy.events
import wechatpy.messages
import werobot
import werobot.client
import werobot.session
from wechatpy import WeChatClient

import wechat_msg
from tests.helpers.documents import (
    APPID,
    KEY,
    SECRET,
    TOKEN,
    Block,
    find_blocks,
    read_prose,
    read_section,
    read_tables,
)
from tests.helpers.run_document import exchange_with_wsgi
from wechat_msg import Client, PushEndpoint, PushRequest, PushSettings, events, messages
from wechat_msg.adapters.wsgi import push_app
from wechat_msg.testing import FakeWeChatAPI, build_push, open_reply

WEROBOT, WECHATPY = PAGES = "docs/coming-from-werobot.md", "docs/coming-from-wechatpy.md"
PLAIN = PushSettings(token=TOKEN)
SEALED = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID)


def text(content: str) -> dict[str, str]:
    return {"MsgType": "text", "Content": content}


PICTURE = {"MsgType": "image", "MediaId": "PICTURE", "PicUrl": "https://example.com/p.jpg"}
SUBSCRIBE = {"MsgType": "event", "Event": "subscribe"}
SCAN = {**SUBSCRIBE, "EventKey": "qrscene_7", "Ticket": "T"}
TODAY = {"MsgType": "event", "Event": "CLICK", "EventKey": "TODAY"}
FORECASTS = [
    (text("help"), "Send a city and a number of days."),
    (text("帮助"), "Send a city and a number of days."),
    (text("北京 3"), "北京: 3 days of sun"),
    (text("help me"), "I did not understand."),
    (SUBSCRIBE, "Welcome!"),
    (SCAN, "Welcome!"),
    (PICTURE, "I did not understand."),
]
NEWS = [{"Title": "News", "Url": "https://example.com"}]
NEWS_OF_TODAY = [
    {
        "Title": "News",
        "Description": "Of today",
        "PicUrl": "https://example.com/a.jpg",
        "Url": "https://example.com/a",
    }
]

#: What is sent to the bots of an example, one after the other, and what they answer.
TALKS: dict[tuple[str, str], list[tuple[Mapping[str, str], Any]]] = {
    (WEROBOT, "Hello World"): [(text("hi"), "Hello World!"), (PICTURE, None), (SUBSCRIBE, None)],
    (WEROBOT, "Filters"): [*FORECASTS, (TODAY, "Sunny."), ({**TODAY, "EventKey": "OTHER"}, "I did not understand.")],
    (WEROBOT, "Session"): [(text("a"), "You have sent 1 messages."), (PICTURE, "You have sent 2 messages.")],
    (WEROBOT, "Replies"): [(PICTURE, {"MediaId": "PICTURE"}), (text("news"), NEWS_OF_TODAY), (SUBSCRIBE, None)],
    (WEROBOT, "Flask"): [(text("你好"), "你好"), (PICTURE, None)],
    (WECHATPY, "Echo"): [(text("你好"), "你好"), (PICTURE, "Only text, please.")],
    (WECHATPY, "Filters"): FORECASTS,
    (WECHATPY, "Replies"): [
        (PICTURE, {"MediaId": "PICTURE"}),
        (text("agent"), None),
        (text("news"), NEWS),
        (SUBSCRIBE, "Only texts and pictures, please."),
    ],
}
#: Examples that call the API, or only make a client.
CALLERS = [(WEROBOT, "Client"), (WECHATPY, "Client"), (WECHATPY, "Session")]


def read_example(page: str, example: str) -> tuple[Block, Block]:
    """Return the block for the other package and the one for this package."""
    before, after = read_section(page, example, "before", "code")[:2]
    assert (before.kind, after.kind) == ("before", "code"), f"{page}: {example}"
    return before, after


def count_lines(block: Block) -> int:
    return sum(bool(line.strip()) for line in block.source.splitlines())


def run(block: Block) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile("\n" * (block.line - 1) + block.source, block.document, "exec"), names)
    return names


# --- the examples ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_every_example_takes_as_many_lines_or_fewer(page):
    """Each has a row, whose numbers are true; no line is longer than those of the package."""
    rows = read_tables(page, "Example")

    assert [(page, row[0]) for row in rows] == [key for key in [*TALKS, *CALLERS] if key[0] == page]
    assert len(rows) == len([block for block in find_blocks("before") if block.document == page])
    for example, before, after in rows:
        blocks = read_example(page, example)
        assert [count_lines(block) for block in blocks] == [int(before), int(after)], example
        assert int(after) <= int(before), example
        assert all(len(line) <= 120 and ";" not in line for line in blocks[1].source.splitlines()), example


def ask(bot: dict[str, Any], request: PushRequest) -> bytes:
    """Send a push to what an example has made."""
    if "app" in bot:
        status, body = exchange_with_wsgi(bot["app"], "/wechat", request)
        assert status == 200
        return body
    if "robot" in bot:
        return ask({"app": bot["robot"].wsgi}, request)
    if "endpoint" in bot:
        return ask({"app": push_app(bot["endpoint"])}, request)
    if "parse_message" in bot:
        return bot["answer"](request.body).encode()
    return PushEndpoint(PLAIN, bot["answer"]).handle(request).body


def simplify(value: Any) -> Any:
    """Remove empty members, because each package writes others."""
    if isinstance(value, list):
        return [simplify(each) for each in value]
    if isinstance(value, dict):
        return {name: simplify(each) for name, each in value.items() if each and name != "CreateTime"}
    return value


def get_content(reply: Mapping[str, Any] | None) -> Any:
    """Return what the user sees of a reply."""
    found = reply or {}
    articles = found.get("Articles", {}).get("item")
    return found.get("Content") or found.get("Image") or ([articles] if isinstance(articles, dict) else articles)


@pytest.mark.parametrize(("page", "example"), TALKS)
def test_both_sides_of_an_example_give_the_same_answers(page, example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # for the files of sessions
    monkeypatch.setattr(werobot.WeRoBot, "run", lambda robot: None)
    account = SEALED if example == "Echo" else PLAIN
    bots = [run(block) for block in read_example(page, example)]
    try:
        for fields, content in TALKS[page, example]:
            request = build_push(account, fields)
            before, after = (simplify(open_reply(account, ask(bot, request))) for bot in bots)
            assert get_content(after) == content
            assert after == before
    finally:
        close_sessions(bots[0])


def close_sessions(bot: dict[str, Any]) -> None:
    if "robot" in bot and (storage := bot["robot"].session_storage):
        storage.db.close()


def test_a_plain_push_to_an_account_with_a_key_is_refused_after_the_move():
    """As the page on wechatpy says: there, the request decides about the mode."""
    before, after = (run(block)["app"] for block in read_example(WECHATPY, "Echo"))
    request = build_push(PLAIN, text("forged"))

    assert exchange_with_wsgi(before, "/wechat", request)[0] == 200
    assert exchange_with_wsgi(after, "/wechat", request)[0] == 403


@pytest.mark.parametrize(("page", "example"), CALLERS)
def test_both_sides_of_an_example_make_the_same_calls(page, example, monkeypatch):
    calls = [list(record_calls(block, monkeypatch)) for block in read_example(page, example)]

    assert calls[0] == calls[1]
    assert bool(calls[0]) == (example == "Client")


def record_calls(block: Block, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str, Any]]:
    """Run an example with a fake API, and yield the calls in their order, without those for the access_token."""
    send = requests.Session.request
    with FakeWeChatAPI(APPID, SECRET) as wechat, monkeypatch.context() as patches:
        wechat.users["oUSER"]["subscribe_scene"] = "ADD_SCENE_QR_CODE"
        patches.setitem(inspect.unwrap(Client.__init__).__kwdefaults__, "hosts", [wechat.url])
        patches.setattr(
            requests.Session,
            "request",
            lambda session, method, url, **more: send(
                session, method, url.replace("https://api.weixin.qq.com", wechat.url), **more
            ),
        )
        run(block)
        for request in wechat.requests:
            if "token" not in request.path:
                yield request.method, request.path, request.json if request.body else None


# --- the tables ------------------------------------------------------------------------------------------------------


def read_names(page: str, heading: str) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the names in code of both columns of the table below a heading."""
    section = read_prose(page).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    for line in section.splitlines():
        if line.startswith("| `"):
            left, right = re.split(r"(?<!\\)\|", line)[1:3]
            yield re.findall(r"`([^`]+)`", left), re.findall(r"`([^`]+)`", right)


def list_methods(*classes: type) -> set[str]:
    return {name for each in classes for name, value in vars(each).items() if callable(value) and name[0] != "_"}


def is_ours(name: str) -> bool:
    """Return whether a name of a table is a function of the API, a module's, or a method of a client."""
    name = name.partition("(")[0]
    for place in ("wechat_msg.api", "wechat_msg"):
        try:
            return callable(pkgutil.resolve_name(f"{place}.{name}"))
        except (AttributeError, ImportError):
            pass
    return hasattr(Client, name.removeprefix("client."))


@pytest.mark.parametrize("page", PAGES)
def test_functions_that_replace_methods_exist(page):
    rows = [*read_names(page, "All methods of the client")]

    assert len(rows) > 20
    assert [name for _, ours in rows for name in ours if not is_ours(name)] == []


def test_every_method_of_the_client_of_werobot_is_in_the_table():
    told = [name for theirs, _ in read_names(WEROBOT, "All methods of the client") for name in theirs]
    methods = list_methods(werobot.client.Client) | {"token"}

    assert sorted(told) == sorted(methods - {"get", "post", "request", "appid", "appsecret"})


#: Topics of wechatpy of which each method is in the table, or named below it.
TOPICS = ["message", "template", "user", "tag", "menu", "media", "qrcode", "jsapi", "customservice", "misc"]
WITHOUT_FUNCTION = {"message.get_autoreply_info", "misc.short_url", "user.get_group_id"}


def test_every_method_of_the_client_of_wechatpy_is_in_the_table():
    told = [name for theirs, _ in read_names(WECHATPY, "All methods of the client") for name in theirs]
    methods = {f"{topic}.{name}" for topic in TOPICS for name in list_methods(type(getattr(WeChatClient, topic)))}
    methods |= {"qrcode.get_url"}  # a class method

    assert len(told) == len({*told})
    for name in told:
        topic, _, method = name.partition(".")
        assert hasattr(getattr(WeChatClient, topic), method), name
    assert methods - {*told} == WITHOUT_FUNCTION


def test_every_decorator_of_werobot_is_in_the_table():
    rows = [*read_names(WEROBOT, "All decorators")]
    told = {name: cls for theirs, ours in rows for name, cls in zip(theirs, ours, strict=True)}
    general = {"handler", "filter", "key_click", "add_handler", "add_filter", "error_page", "get_handlers"}
    flow = {"parse_message", "get_reply", "get_encrypted_reply", "check_signature", "crypto", "client"}

    assert told.keys() == list_methods(werobot.robot.BaseRoBot) - general - flow
    for name, cls in told.items():
        kind = name.removesuffix("_event") if name != "location_event" else "location"
        wire = getattr(wechat_msg, cls).wire_type.lower()
        assert wire == kind or "unknown" in name, name


def test_session_storages_of_both_are_in_the_tables():
    for page, package in ((WEROBOT, werobot.session), (WECHATPY, wechatpy.session)):
        modules = [each.name for each in pkgutil.iter_modules(package.__path__)]
        told = {name.partition("(")[0].lower() for theirs, _ in read_names(page, "Session") for name in theirs}
        assert {name for name in modules if name not in told} <= {"saekvstorage"}, page


def list_models() -> dict[str, str]:
    """Return the names of the classes of this package by their MsgType or Event, in lower case."""
    classes = [getattr(wechat_msg, name, None) for name in [*messages.__all__, *events.__all__]]
    return {cls.wire_type.lower(): cls.__name__ for cls in classes if getattr(cls, "wire_type", "")}


def test_classes_of_wechatpy_have_the_same_name_or_are_in_the_table():
    told = {name: ours for theirs, ours in read_names(WECHATPY, "All messages and events") for name in theirs}
    models, types = list_models(), {**wechatpy.messages.MESSAGE_TYPES, **wechatpy.events.EVENT_TYPES}

    assert len({name for name in types if name in models}) > 20
    for name in types.keys() & models.keys():
        assert models[name] in (types[name].__name__, *told.get(types[name].__name__, [])), name


def test_attributes_in_the_tables_exist():
    models = [getattr(wechat_msg, name, None) for name in [*messages.__all__, *events.__all__]]
    rows = [*read_names(WEROBOT, "All attributes"), *read_names(WECHATPY, "All messages and events")]
    told = {name for _, ours in rows for each in ours for name in each.split(".") if name.islower()}

    assert len(told) > 20
    assert [name for name in told if not any(hasattr(model, name) for model in models)] == []


def test_names_for_arguments_of_replies_exist():
    """Each class with its keywords in the right column of the tables on replies."""
    for page in PAGES:
        calls = [
            call
            for _, ours in read_names(page, "Replies")
            for name in ours
            for call in re.findall(r"(\w+Reply)\((.*)\)", name)
        ]
        assert calls
        for cls, arguments in calls:
            parameters = inspect.signature(getattr(wechat_msg, cls)).parameters
            assert {*re.findall(r"(\w+)=", arguments)} <= parameters.keys(), f"{page}: {cls}"
