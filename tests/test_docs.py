"""The documents are true: every table in them is complete, every link leads somewhere, every name exists."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import pkgutil
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

import wechat_msg
import wechat_msg.api
from tests.helpers.documents import (
    DOCUMENTS,
    ROOT,
    list_variables_of_settings,
    read_blocks,
    read_prose,
    read_tables,
    run_python,
    split,
)
from tests.helpers.written_tables import PAGES
from wechat_msg import (
    APIError,
    AsyncClient,
    Client,
    ClientError,
    PushError,
    PushSettings,
    Reply,
    ReplyError,
    StoreError,
    events,
    fields,
    jssdk,
    messages,
    replies,
    stores,
    testing,
    userdata,
)
from wechat_msg.api import errcodes
from wechat_msg.client import credential, credential_manager, hosts, sending, sources, transport
from wechat_msg.endpoint import dedup, delivery, inbox, lanes, upkeep
from wechat_msg.events._kinds import find_kind
from wechat_msg.testing import FakeWeChatAPI
from wechat_msg.testing.conformance import CHECKS
from wechat_msg.testing.fake_api import windows
from wechat_msg.testing.simulator import problems

# --- links -----------------------------------------------------------------------------------------------------------

#: Where a link to the outside may lead: the vendor's pages and the two conventions of the changelog.
HOSTS = ("developers.weixin.qq.com", "keepachangelog.com", "semver.org")


def make_anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def read_anchors(path: Path) -> set[str]:
    return {make_anchor(line.lstrip("#").strip()) for line in path.read_text("utf-8").splitlines() if line[:1] == "#"}


@pytest.mark.parametrize("document", [*DOCUMENTS, "CHANGELOG.md"])
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)\s]+)\)", read_prose(document)):
        if target.startswith("https://"):
            assert target.split("/")[2] in HOSTS, f"{document}: {target}"
            continue
        name, _, anchor = target.partition("#")
        path = (ROOT / document).parent / name if name else ROOT / document

        assert path.exists(), f"{document}: {target}"
        assert not anchor or anchor in read_anchors(path), f"{document}: {target}"


def test_the_list_of_pages_is_complete():
    linked = set(re.findall(r"\]\(([a-z_-]+\.md)\)", (ROOT / "docs/index.md").read_text("utf-8")))

    assert linked == {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}


def test_names_in_prose_exist():
    """Every `wechat_msg.something` in the prose exists."""
    for document in DOCUMENTS:
        for name in re.findall(r"`(wechat_msg(?:\.\w+)+)`", read_prose(document)):
            module, _, attribute = name.rpartition(".")
            found = importlib.util.find_spec(name) if importlib.util.find_spec(module).submodule_search_locations else 0

            assert found or hasattr(importlib.import_module(module), attribute), f"{document}: {name}"


def test_files_in_prose_exist():
    """A path in the prose that begins with a folder of the project is one of its files or folders."""
    named = {
        path
        for document in DOCUMENTS
        for path in re.findall(r"`((?:wechat_msg|tests|docs|examples)/[\w./]*)`", read_prose(document))
    }
    assert named
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_places_of_rules_exist():
    """Each name in the table that begins with a module of the package."""
    names = {
        name
        for _, place in read_tables("docs/architecture.md", "Rule", "Place")
        for name in re.findall(r"_?[a-z]+(?:\.\w+)+", place)
        if name.partition(".")[0] in list_modules()
    }

    assert names
    for name in names:
        pkgutil.resolve_name(f"wechat_msg.{name}")


# --- tables ----------------------------------------------------------------------------------------------------------


def test_every_setting_is_in_the_table():
    rows = read_tables("docs/receiving.md", "Field")

    assert [row[0] for row in rows] == [each.alias for each in attrs.fields(PushSettings) if each.init]


def test_every_environment_variable_is_in_the_table():
    rows = read_tables("docs/receiving.md", "Variable")

    assert {row[0] for row in rows} == list_variables_of_settings()


def test_every_parameter_of_an_endpoint_is_in_the_table():
    """In order, with its default, for both endpoints."""
    rows = read_tables("docs/receiving.md", "Parameter", "Default")

    for endpoint in (wechat_msg.PushEndpoint, wechat_msg.AsyncPushEndpoint):
        parameters = inspect.signature(endpoint).parameters.values()
        assert [row[:2] for row in rows] == [[each.name, describe_default(each.default)] for each in parameters]


@pytest.mark.parametrize(("number", "client"), [(0, Client), (1, AsyncClient)])
def test_every_option_of_a_client_is_in_the_table(number, client):
    """In order, with its default; where it differs, that of `Client` comes first."""
    rows = read_tables("docs/calling.md", "Option", "Default")

    assert [row[0] for row in rows] == [*inspect.signature(client).parameters]
    for (_, told, *_), parameter in zip(rows, inspect.signature(client).parameters.values(), strict=True):
        default = describe_default(parameter.default)
        assert default in (told, told.split(", ")[number % len(told.split(", "))]), parameter


def describe_default(default: Any) -> str:
    if default is inspect.Parameter.empty:
        return "required"
    if default is hosts.DEFAULT_HOSTS:
        return "the table below"
    if callable(default):
        module = getattr(default, "__module__", None) or type(default.__self__).__module__
        return f"{module.partition('.')[0]}.{default.__name__}"
    return f'"{default}"' if isinstance(default, str) else repr(default)


def test_every_host_is_in_the_table():
    rows = read_tables("docs/calling.md", "Host")

    assert tuple(f"https://{row[0]}" for row in rows) == hosts.DEFAULT_HOSTS


def test_what_a_fake_can_do_is_as_documented():
    """Each name in the table is one of the fake, and each method and property of the fake is in the table."""
    cells = [re.sub(r"\(.*?\)", "", row[0]) for row in read_tables("docs/calling.md", "What you do")]
    told = {name for cell in cells for name in split(cell)}
    fake = FakeWeChatAPI()

    assert [name for name in told if not hasattr(fake, name)] == []
    assert {name for name in vars(FakeWeChatAPI) if not name.startswith("_")} - {"start", "close"} <= told


def test_every_action_of_a_user_is_in_the_table():
    """With how many customer-service messages it allows, and for how long."""
    rows = read_tables("docs/calling.md", "Action of the user")
    units = {"minute": 60, "hours": 3600}
    told = {}
    for actions, amount, within in rows:
        count, unit = within.split()
        for action in ["message"] if actions == "a message" else re.sub(r" \(.*\)", "", actions).lower().split(", "):
            told[action] = int(amount), int(count) * units[unit]

    assert told == windows.ALLOWED


def test_every_problem_of_an_answer_is_in_the_table():
    """With an arrow if WeChat retries."""
    found = {each.code: each for each in vars(problems).values() if isinstance(each, problems.Problem)}
    rows = read_tables("docs/testing.md", "Code")

    assert rows == [[code, "→" * each.is_retried, each.what.en, each.what.zh] for code, each in found.items()]


def test_every_check_of_an_endpoint_is_in_the_table():
    rows = read_tables("docs/testing.md", "Row")

    assert rows == [[check.name, check.title.en, check.title.zh] for check in CHECKS]
    assert [row[0] for row in read_tables("docs/comparison.md", "What is asked for")] == [row[1] for row in rows]


def test_every_attribute_of_a_delivery_is_in_the_table():
    public = {each.name for each in attrs.fields(testing.Delivery)} | {
        name for name, value in vars(testing.Delivery).items() if isinstance(value, property) and name[0] != "_"
    }

    assert {row[0] for row in read_tables("docs/testing.md", "Attribute")} == public


def test_every_source_of_access_tokens_is_in_the_table():
    """With its name in the store, when it renews, and how often it may be forced."""
    rows = {row[0]: row[1:] for row in read_tables("docs/tokens.md", "Source", "Name")}
    classes = [sources.StableTokenSource, sources.ClassicTokenSource, sources.RemoteTokenSource]

    assert rows.keys() == {cls.__name__ for cls in classes} | {"FixedToken"}
    for cls in classes:
        name, early, alike, limits, _ = rows[cls.__name__]
        assert (name, early, alike) == (cls.name, f"{cls.renew_before:g} s", "yes" if cls.gives_same_token else "no")
        assert limits == (", ".join(map(describe_limit, cls.limits)) or "none")


def describe_limit(limit: tuple[int, float]) -> str:
    count, seconds = limit
    return f"{count} in {'24 h' if seconds == sources.DAY else f'{seconds:g} s'}"


def test_numbers_of_access_tokens_are_those_of_the_code():
    rows = read_tables("docs/tokens.md", "Seconds", "What")
    waiting = (
        credential_manager.LEASE,
        credential_manager.FETCH_LIMIT,
        credential_manager.FIRST_PAUSE,
        credential_manager.LONGEST_PAUSE,
    )
    interval = credential_manager.RENEW_INTERVAL
    renewal = interval, 30 * interval, credential.MIN_USE
    failure = *credential.FAILURE_TTLS.values(), credential.get_failure_ttl(ClientError())

    assert sorted(float(row[0]) for row in rows) == sorted([*waiting, *renewal, *failure])


def test_numbers_of_calls_are_those_of_the_code():
    rows = read_tables("docs/calling.md", "Seconds", "What")
    timeouts = [
        value
        for name in ("timeout", "total_timeout")
        for value in [inspect.signature(Client).parameters[name].default]
        for value in (value if isinstance(value, tuple) else [value])
    ]

    assert sorted(float(row[0]) for row in rows) == sorted(
        [*timeouts, sending.FIRST_PAUSE, sending.LONGEST_PAUSE, hosts.DOWN_FOR, transport.MAX_IDLE]
    )


def test_numbers_are_those_of_the_code():
    rows = read_tables("docs/five-second-rule.md", "Seconds", "What")
    limit = inspect.signature(wechat_msg.PushEndpoint).parameters["handler_limit"].default
    lasting = (
        delivery.ANSWER_BY,
        delivery.HANG_UP,
        lanes.LEASE,
        lanes.RENEW_EVERY,
        lanes.IDLE,
        upkeep.LOOK_EVERY,
        inbox.RETRY_AFTER[1],
        inbox.ENTRY_KEPT,
        delivery.KEEP_BY,
        dedup.KEEP,
        find_kind("xpay_refund_notify").resent_for,
        find_kind("minigame_coin_deliver_completed").resent_for,
        limit,
    )

    assert sorted(float(row[0]) for row in rows) == sorted([*lasting, delivery._FIRST_PAUSE, delivery._LONGEST_PAUSE])


def test_every_line_of_the_log_is_in_the_table():
    """With its level and its beginning, in which three dots stand for any text."""
    rows = [
        row
        for page in ("receiving", "tokens", "testing")
        for row in read_tables(f"docs/{page}.md", "Level", "Begins with")
    ]
    told = [(level, ".*".join(map(re.escape, begin.split("...")))) for level, begin, _ in rows]

    seen = set()
    for level, text in list_log_lines():
        fitting = [row for row in told if row[0] == level and re.match(row[1], text)]
        assert len(fitting) == 1, text
        seen.update(fitting)
    assert seen == set(told)


def list_log_lines() -> Iterator[tuple[str, str]]:
    """Yield the level and the format string of every call of a logger."""
    for path in (ROOT / "wechat_msg").rglob("*.py"):
        tree = ast.parse(path.read_bytes())
        texts = {node.targets[0].id: node.value for node in tree.body if is_text(node)}
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Attribute(attr="warn"), args=[ast.Constant(value=str(text)), *_]):
                    yield "WARNING", text
                case ast.Call(func=ast.Attribute(value=ast.Name("_log"), attr=level), args=[text, *_]):
                    text = texts.get(text.id) if isinstance(text, ast.Name) else text
                    if text is None:
                        continue  # the text of a caller of `warn`
                    assert isinstance(text, ast.Constant), f"{path}:{node.lineno}"
                    yield {"exception": "ERROR"}.get(level, level.upper()), text.value


def is_text(node: ast.AST) -> bool:
    match node:
        case ast.Assign(targets=[ast.Name()], value=ast.Constant(str())):
            return True
    return False


def test_every_error_is_in_the_table():
    """With its HTTP status and its hint."""
    classes = [value for name in wechat_msg.errors.__all__ if issubclass(value := getattr(wechat_msg, name), PushError)]
    rows = {row[0]: row for row in read_tables("docs/receiving.md", "Class", "Status")}

    assert rows.keys() == {cls.__name__ for cls in classes if cls is not PushError}
    for cls in classes:
        if cls is not PushError:
            assert rows[cls.__name__][1] == str(cls.status_hint)
            assert cls.hint in rows[cls.__name__][-1]


def test_every_error_of_a_call_is_in_the_table():
    """Once; an APIError with the numbers that become it."""
    known = [getattr(wechat_msg, name) for name in wechat_msg.errors.__all__]
    bases = {ClientError, wechat_msg.TransportError, APIError}
    classes = [cls for cls in known if issubclass(cls, (ClientError, StoreError)) and cls not in bases]
    rows = read_tables("docs/calling.md", "Class", "Numbers")
    meanings = errcodes.list_meanings()

    assert sorted(row[0] for row in rows) == sorted(cls.__name__ for cls in classes)
    for name, numbers, *_ in rows:
        codes = [int(number) for number in split(numbers)]
        assert bool(codes) == issubclass(getattr(wechat_msg, name), APIError)
        assert {meanings[code].error.__name__ for code in codes} <= {name}


def test_every_reply_is_in_the_table():
    """With its MsgType, its attributes, the wire names that it is sent with, and whether it can be sent later."""
    known = [getattr(replies, name) for name in replies.__all__ if name != "Reply"]
    classes = [cls for cls in known if isinstance(cls, type) and issubclass(cls, Reply)]
    rows = {row[1]: row for row in read_tables("docs/receiving.md", "MsgType", "Class")}
    base = {each.name for each in attrs.fields(Reply)}

    assert rows.keys() == {cls.__name__ for cls in classes}
    for cls in classes:
        msg_type, _, attributes, sent, later = rows[cls.__name__]
        assert msg_type == cls.msg_type
        assert split(attributes) == [each.name for each in attrs.fields(cls) if each.name not in base]
        assert split(sent) == list(list_wire_names(make_example(cls)))
        assert later == ("yes" if can_be_sent_later(make_example(cls)) else "")


def make_example(cls: Any) -> Reply:
    """Make a reply with all attributes set."""
    values: dict[str, Any] = {}
    for each in attrs.fields(cls):
        if each.name == "articles":
            values["articles"] = [wechat_msg.Article(title="t")]
        elif each.name == "perms":
            values["perms"] = [wechat_msg.ChapterPermission(start_chapter_index=0, end_chapter_index=1, perm=0)]
        elif each.name == "result_code":
            values["result_code"] = 0
        elif each.type and "str" in str(each.type) and each.name != "body":
            values[each.name] = "x" if "Mapping" not in str(each.type) else {}
    return cls(**values)


def can_be_sent_later(reply: Reply) -> bool:
    try:
        return bool(wechat_msg.to_customer_service_message(reply, "oUSER"))
    except ReplyError:
        return False


def list_wire_names(reply: Reply) -> Iterator[str]:
    if isinstance(reply, (wechat_msg.Acknowledgement, wechat_msg.RenderedReply)):
        return
    for name, value in reply.to_fields("json").items():
        if isinstance(value, Mapping):
            yield from (f"{name}.{inner}" for inner in value)
        elif isinstance(value, list):
            yield from (f"{name}.{inner}" for inner in value[0])
        else:
            yield name


def test_every_kind_of_field_is_in_the_table():
    rows = read_tables("docs/models.md", "Kind")
    readers = {"build", "build_from_json", "items_reader_of", "reader_of"}

    assert {row[0].partition("(")[0] for row in rows} == set(fields.__all__) - readers - {
        "Registry",
        "UnreadableField",
        "model",
        "snake_case",
    }


def test_every_name_to_import_is_in_a_document():
    """Users cannot find a public name that no document mentions."""
    words = {word for document in DOCUMENTS for word in re.findall(r"\w+", (ROOT / document).read_text("utf-8"))}

    places = wechat_msg, testing, stores, wechat_msg.api, wechat_msg.client, jssdk, wechat_msg.text, userdata
    names = {name for place in places for name in place.__all__ if not name.startswith("_")}

    assert sorted(names - words) == []


def list_modules() -> set[str]:
    """Return the modules and packages of the first level."""
    paths = (ROOT / "wechat_msg").glob("[a-z_]*")
    return {path.stem for path in paths if is_code(path) and not path.name.startswith("__")}


def is_code(path: Path) -> bool:
    return path.suffix == ".py" or (path / "__init__.py").exists()


def test_layout_is_complete():
    layout = next(block for block in read_blocks("docs/architecture.md", "text") if "wechat_msg/" in block.source)
    told = set(re.findall(r"^  (_?[a-z]\w+)(?:\.py|/) ", layout.source, re.MULTILINE))

    assert told == list_modules()


def test_layers_are_as_documented():
    """No module imports what docs/architecture.md does not let it import."""
    rows = [(split(row[0]), row[1]) for row in read_tables("docs/architecture.md", "Layer")]
    above: set[str] = set()

    assert {name for names, _ in rows for name in names} == list_modules()
    for names, told in rows:
        allowed = above if told.startswith("all of the above") else None
        for name in names:
            where = re.findall(r"\w+", told) if allowed is None else allowed
            assert list_imports(name) - {name, "_fork", "_lazy", "_tracebacks", "_validators"} <= set(where), name
        above |= set(names)


def list_imports(module: str) -> set[str]:
    path = ROOT / "wechat_msg" / module
    files = [*path.rglob("*.py")] if path.is_dir() else [path.with_suffix(".py")]
    text = "".join(each.read_text("utf-8") for each in files)
    return set(re.findall(r"^ *from wechat_msg\.(\w+)", text, re.MULTILINE))


def test_attributes_follow_the_naming_rule():
    for name in [*messages.__all__, *events.__all__]:
        cls = getattr(wechat_msg, name, None)
        for each in attrs.fields(cls) if attrs.has(cls) else ():
            wire = each.metadata.get("wechat_msg.wire")
            named = each.name == "raw" or each.name == fields.snake_case(wire.names[0])
            assert named or (each.name, wire.names) == ("own_create_time", ("create_time",))


@pytest.mark.parametrize("page", PAGES)
def test_tables_that_are_written_are_complete_and_true(page):
    """In a fresh interpreter, as other tests register types of their own."""
    done = run_python(["-m", "tests.helpers.written_tables", page], ROOT)

    assert done.returncode == 0, done.stderr
    assert done.stdout == (ROOT / page).read_text("utf-8"), "run: make tables"
