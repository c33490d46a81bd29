"""The documents are true: every example in them is run, every table in them is complete, every link leads somewhere.

After a change of the models ``python tests/test_docs.py models --write`` renews the tables of docs/models.md, and after
one of wechat_msg.api ``python tests/test_docs.py topics --write`` those of docs/calling.md.
``python tests/test_docs.py run README.md`` runs the examples of one document, as the tests do.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import doctest
import importlib
import importlib.util
import inspect
import itertools
import json
import os
import pkgutil
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import attrs
import pytest
import yaml

import wechat_msg
import wechat_msg.api
from wechat_msg import (
    APIError,
    AsyncClient,
    Client,
    ClientError,
    Event,
    Message,
    PushError,
    PushRequest,
    PushSettings,
    Reply,
    ReplyError,
    StoreError,
    UserMessage,
    events,
    fields,
    jssdk,
    messages,
    replies,
    settings,
    stores,
    testing,
    userdata,
)
from wechat_msg.api import errcodes
from wechat_msg.cli.main import app as cli
from wechat_msg.client import credential, credential_manager, hosts, sending, sources, transport
from wechat_msg.endpoint import dedup, delivery
from wechat_msg.testing import FakeWeChatAPI, build_echostr_request, build_push, open_reply
from wechat_msg.testing.conformance import CHECKS
from wechat_msg.testing.fake_api import windows
from wechat_msg.testing.simulator import problems

ROOT = Path(__file__).parents[1]
READMES = ["README.md", "README.zh-CN.md"]
DOCUMENTS = READMES + sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/*.md"))
MOST_LINES_OF_A_QUICKSTART = 15
MOST_LINES_OF_A_README = 250

#: What the documents use; the tests put a free port in its place.
ADDRESS = "http://127.0.0.1:8000"
PORT = "8000"
TOKEN = "mytoken123"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
APPID = "wx0123456789abcdef"
SECRET = "0123456789abcdef0123456789abcdef"


# --- reading the documents -------------------------------------------------------------------------------------------


class Block(NamedTuple):
    """A fenced block: `line` is that of its first line, counted from 1."""

    document: str
    line: int
    language: str
    source: str

    @property
    def kind(self) -> str:
        """How it is tested: program, doctest, code, shell, text or diagram; "" means not at all."""
        if self.language == "python" and "__main__" in self.source:
            return "program"
        if self.language in ("python", "pycon"):
            return "doctest" if ">>> " in self.source else "code"
        kinds = {"sh": "shell", "xml": "text", "json": "text", "yaml": "text", "text": "text", "mermaid": "diagram"}
        return kinds.get(self.language, "")

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def read_blocks(document: str, *kinds: str) -> list[Block]:
    """Return the fenced blocks of a document; all of them, or those of the given kinds."""
    blocks, block = [], None
    for number, line in enumerate((ROOT / document).read_text("utf-8").splitlines(), 1):
        if block is None and line.lstrip().startswith("```"):
            block = Block(document, number + 1, line.strip().strip("`").strip(), "")
        elif block is not None and line.strip() == "```":
            blocks.append(block)
            block = None
        elif block is not None:
            block = block._replace(source=block.source + line + "\n")
    assert block is None, f"{document}: the last block has no end"
    return [each for each in blocks if not kinds or each.kind in kinds]


def find_blocks(*kinds: str) -> list[Block]:
    return [block for document in DOCUMENTS for block in read_blocks(document, *kinds)]


def read_prose(document: str) -> str:
    """Return a document without its blocks."""
    text = (ROOT / document).read_text("utf-8")
    return re.sub(r"^[ ]*```.*?^[ ]*```$", "", text, flags=re.DOTALL | re.MULTILINE)


def read_tables(document: str, *columns: str) -> list[list[str]]:
    """Return the rows of every table whose first columns are the given ones, without mark-up."""
    rows, wanted = [], False
    for line in read_prose(document).splitlines():
        if not line.startswith("|"):
            wanted = False
            continue
        cells = [cell.strip().replace("`", "") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells[: len(columns)] == list(columns):
            wanted = True
        elif wanted and set("".join(cells)) - set("-:"):
            rows.append(cells)
    return rows


# --- running the examples --------------------------------------------------------------------------------------------


def run_document(document: str) -> None:
    """Run a document's examples in order, in one namespace; in a process of its own, see `main`."""
    module = types.ModuleType("document")
    sys.modules["document"] = module
    namespace = vars(module)
    set_up_django("wechat_msg.stores.django" in (ROOT / document).read_text("utf-8"))
    with FakeWeChatAPI(APPID, SECRET) as wechat:
        for client in (Client, AsyncClient):  # those that name no hosts ask the fake
            inspect.unwrap(client.__init__).__kwdefaults__["hosts"] = [wechat.url]
        run_blocks(document, namespace)
        run_tests_with_fixtures(document)
    assert namespace.get("INSTALLED_APPS", APPS) == APPS


def run_blocks(document: str, namespace: dict[str, Any]) -> None:
    for block in read_blocks(document, "code", "doctest"):
        before = dict(namespace)
        if block.kind == "doctest":
            run_doctest(block, namespace)
        else:
            exec(compile("\n" * (block.line - 1) + block.source, document, "exec"), namespace)
        new = {name: value for name, value in namespace.items() if before.get(name) is not value}
        for name, value in new.items():
            if name.startswith("test_") and not inspect.signature(value).parameters:
                value()
            elif name in ("app", "application", "urlpatterns"):
                check_web_stack(value, block, namespace["settings"])
        sys.stdout.write(f"{block} {block.kind}\n")


def run_tests_with_fixtures(document: str) -> None:
    """Let pytest run the document's tests, if they ask for fixtures; they import what the document does."""
    source = "\n".join(block.source for block in read_blocks(document, "code"))
    if re.search(r"^def test_\w+\(\w", source, re.MULTILINE):
        Path("test_document.py").write_text(source, "utf-8")
        with contextlib.redirect_stdout(sys.stderr):
            assert pytest.main(["-q", "-p", "no:cacheprovider", "test_document.py"]) == 0


#: What a document tells its readers to install in their project is what is installed where its examples run.
APPS = ["wechat_msg.stores.django"]


def set_up_django(with_store: bool) -> None:
    """Make a project whose URLs are the document's; and whose database, if it is needed, is a file beside it."""
    import django
    from django.conf import settings as django_settings
    from django.core.management import call_command

    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": "django.sqlite3"}
    django_settings.configure(
        ROOT_URLCONF="document", ALLOWED_HOSTS=["*"], INSTALLED_APPS=APPS, DATABASES={"default": database}
    )
    django.setup()
    if with_store:
        call_command("migrate", verbosity=0)


def run_doctest(block: Block, namespace: dict[str, Any]) -> None:
    test = doctest.DocTestParser().get_doctest(block.source, namespace, block.document, block.document, block.line - 1)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    failed, attempted = runner.run(test, clear_globs=False)
    assert attempted, f"{block} holds no example"
    assert not failed, f"{block}: see above"
    namespace.update(test.globs)


def check_web_stack(app: Any, block: Block, account: PushSettings) -> None:
    """Verify the URL of an application made by a block, send it a push, a forged one and one for nobody."""
    template = "/" + (re.findall(r"""["']/?(wechat[^"'.]*)["']""", block.source) or ["wechat"])[-1]
    url = re.sub(r"<[^>]*>|{[^}]*}", "shop", template)
    exchange = choose_exchange(app)
    echo = exchange(url, build_echostr_request(account, "42"))
    assert echo == (200, b"42"), f"{block}: URL verification gave {echo}"
    status, body = exchange(url, build_push(account, {"MsgType": "text", "Content": "hi"}))
    reply = open_reply(account, body)
    assert status == 200, f"{block}: {status}"
    assert reply, f"{block}: no answer"
    status, _ = exchange(url, build_push(PushSettings(token="forged"), {"MsgType": "text", "Content": "hi"}))
    assert status == 403, f"{block}: a forged push gave {status}"
    if url != template:
        status, _ = exchange(url.replace("shop", "nobody"), build_push(account, {}))
        assert status == 404, f"{block}: an unknown account gave {status}"


def choose_exchange(app: Any) -> Any:
    if isinstance(app, list):
        return exchange_with_django
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__):
        return lambda url, request: asyncio.run(exchange_with_asgi(app, url, request))
    return lambda url, request: exchange_with_wsgi(app, url, request)


def exchange_with_django(url: str, request: PushRequest) -> tuple[int, bytes]:
    from django.test import Client
    from django.urls import clear_url_caches

    clear_url_caches()
    client = Client(enforce_csrf_checks=True)
    where, content_type = f"{url}?{urlencode(request.query)}", request.content_type or "text/plain"
    response = client.generic(request.method, where, request.body, content_type)
    return response.status_code, response.content


def exchange_with_wsgi(app: Any, url: str, request: PushRequest) -> tuple[int, bytes]:
    from werkzeug.test import Client

    response = Client(app).open(
        url, method=request.method, query_string=request.query, data=request.body, content_type=request.content_type
    )
    return response.status_code, response.data


async def exchange_with_asgi(app: Any, url: str, request: PushRequest) -> tuple[int, bytes]:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(event: Any) -> None:
        sent.append(event)

    scope = {"type": "http", "method": request.method, "path": url, "query_string": urlencode(request.query).encode()}
    await app({**scope, "headers": [], "http_version": "1.1", "root_path": "", "scheme": "http"}, receive, send)
    return sent[0]["status"], b"".join(event.get("body", b"") for event in sent[1:])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_examples_run(document, tmp_path):
    """Every block of Python in the document runs, and every doctest gives what it shows."""
    done = run_python([__file__, "run", document], tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [f"{b} {b.kind}" for b in read_blocks(document, "code", "doctest")]


def run_python(arguments: list[str], cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=cwd,
        env=make_environ(**environ),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def make_environ(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WECHAT_", "DJANGO_", "FLASK_"))}
    account = {"WECHAT_TOKEN": TOKEN, "WECHAT_APPID": APPID, "WECHAT_SECRET": SECRET}
    shared = {"WECHAT_TOKEN_SERVER_SECRET": "a long shared secret"}
    return {**kept, **account, **shared, "PYTHONIOENCODING": "utf-8", "NO_PROXY": "*", "no_proxy": "*", **more}


def test_every_block_is_tested():
    """A block in a language that no test knows is an example that nobody runs."""
    assert [str(block) for block in find_blocks() if not block.kind] == []


def test_text_blocks_are_well_formed():
    for block in find_blocks("text"):
        if block.language == "json":
            json.loads(block.source)
        elif block.language == "xml":
            wechat_msg.wire.parse_body(block.source.encode())
        elif block.language == "yaml":
            yaml.safe_load(block.source)


#: The lines that diagrams may have; Mermaid would read ";" and "#" in a text as something else.
TEXT = r"[^;#]+"
DIAGRAMS = {
    "sequenceDiagram": [
        rf"participant (?P<new>\w+) as {TEXT}",
        rf"(?P<a>\w+)(?:->>|--x)(?P<b>\w+): {TEXT}",
        rf"Note over (?P<a>\w+): {TEXT}",
        rf"(?P<open>loop|alt) {TEXT}",
        rf"else {TEXT}",
        r"(?P<close>end)",
    ],
    "stateDiagram-v2": [rf"(?:\[\*\]|\w+) --> (?:\[\*\]|\w+): {TEXT}"],
}


@pytest.mark.parametrize("block", find_blocks("diagram"), ids=str)
def test_diagrams_are_well_formed(block):
    """Each line is one that Mermaid knows, who takes part is introduced, and what begins ends."""
    kind, *lines = (line.strip() for line in block.source.splitlines())
    parts, depth = set(), 0
    for line in lines:
        found = next((found for form in DIAGRAMS[kind] if (found := re.fullmatch(form, line))), None)
        assert found, f"{block}: {line}"
        names = found.groupdict()
        parts.add(names.get("new"))
        assert {names.get("a"), names.get("b")} <= {*parts, None}, f"{block}: {line}"
        depth += bool(names.get("open")) - bool(names.get("close"))
        assert depth >= 0, f"{block}: {line}"
    assert depth == 0, f"{block}: a loop or an alt has no end"


# --- whole programs: real processes, real HTTP -----------------------------------------------------------------------


def name_program(block: Block) -> str:
    framework = next(word for word in ("flask", "django", "fastapi") if word in block.source)
    return f"{block.document}-{framework}"


PROGRAMS = find_blocks("program")
OPENER = build_opener(ProxyHandler({}))


@contextlib.contextmanager
def start_program(block: Block, folder: Path) -> Iterator[str]:
    """Save the block as app.py, as the document says, start it on a free port, and yield its address."""
    from tests.helpers.servers import serve  # not at the top: this file also runs as a script, from elsewhere

    assert block.source.count(PORT) == 1
    (folder / "app.py").write_text(block.source.replace(PORT, "0"), "utf-8")
    # With a key and allow_plaintext one process takes all three modes.
    secrets = {
        "WECHAT_TOKEN": TOKEN,
        "WECHAT_ENCODING_AES_KEY": KEY,
        "WECHAT_APPID": APPID,
        "WECHAT_ALLOW_PLAINTEXT": "1",
    }
    with serve(str(folder / "app.py"), environ=secrets) as server:
        yield ADDRESS.replace(PORT, str(server.port))


def send(url: str, request: PushRequest) -> tuple[int, bytes]:
    data = request.body if request.method == "POST" else None
    headers = {"Content-Type": request.content_type} if data else {}
    try:
        with OPENER.open(Request(f"{url}?{urlencode(request.query)}", data, headers), timeout=10) as response:
            return response.status, response.read()
    except HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize("block", PROGRAMS, ids=name_program)
def test_quickstart_serves(block, tmp_path):
    """The program, started as its reader would start it, passes WeChat's verification and answers in every mode."""
    account = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID)
    with start_program(block, tmp_path) as address:
        url = f"{address}/wechat"

        assert send(url, build_echostr_request(account, "42")) == (200, b"42")
        for mode in ("plain", "compatible", "sealed"):
            status, body = send(url, build_push(account, {"MsgType": "text", "Content": "你好"}, mode=mode))

            assert status == 200
            assert (b"Encrypt" in body) == (mode != "plain")
            assert "你好" in open_reply(account, body)["Content"]
        assert send(url, build_push(account, {"MsgType": "event", "Event": "unsubscribe"})) == (200, b"success")
        assert send(url, build_push(PushSettings(token="forged"), {}))[0] == 403

        push = next(words for words in read_shell(block.document) if words[:2] == ["wechat-msg", "push"])
        done = run_python(["-m", "wechat_msg", *(word.replace(ADDRESS, address) for word in push[1:])], tmp_path)
        assert done.returncode == 0, done.stderr
        assert "你好" in done.stdout


def test_documents_speak_of_the_token_that_the_tests_use():
    for document in READMES:
        text = (ROOT / document).read_text("utf-8")

        assert f"WECHAT_TOKEN={TOKEN}" in text


@pytest.mark.parametrize("document", READMES)
def test_readme_has_a_short_quickstart_per_framework(document):
    quickstarts = read_blocks(document, "program")

    assert [name_program(block) for block in quickstarts] == [f"{document}-{w}" for w in ("flask", "django", "fastapi")]
    assert max(len(block.source.splitlines()) for block in quickstarts) <= MOST_LINES_OF_A_QUICKSTART


@pytest.mark.parametrize("document", READMES)
def test_readme_begins_with_a_bot_of_six_lines(document):
    first = read_blocks(document)[0]

    assert first.kind == "code"
    assert len(first.source.splitlines()) == 6
    assert "view_func=push_view(PushEndpoint(" in first.source  # so `check_web_stack` has played WeChat with it


@pytest.mark.parametrize("document", READMES)
def test_readme_is_short(document):
    assert len((ROOT / document).read_text("utf-8").splitlines()) <= MOST_LINES_OF_A_README


# --- shell blocks ----------------------------------------------------------------------------------------------------


def read_commands(block: Block) -> list[list[str]]:
    """Return the words of every command, without comments and the variables set in front."""
    commands = []
    for line in block.source.splitlines():
        words = shlex.split(line, comments=True)
        while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
            words = words[1:]
        if words:
            commands.append(words)
    return commands


def read_shell(document: str) -> list[list[str]]:
    return [words for block in read_blocks(document, "shell") for words in read_commands(block)]


def check_own_command(block: Block, arguments: list[str]) -> None:
    """Find the command, and every option that it is given."""
    command = cli.commands[arguments[0]]
    options = {option for parameter in command.params for option in parameter.opts}
    given = {word for word in arguments[1:] if word.startswith("--")}
    assert given <= options, f"{block}: {given - options}"


#: What pip is told to install, and where that is until the first release.
DISTRIBUTION = "wechat-msg-sdk"
REPOSITORY = r"git\+https://github\.com/wechat-msg/wechat_msg\.git"


def check_pip(block: Block, words: list[str]) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    for word in words:
        own = re.fullmatch(rf"(?:{DISTRIBUTION}|\.|path/to/checkout)(?:\[([a-z,]+)\])?(?: @ {REPOSITORY})?", word)
        if own:
            assert set((own[1] or "flask").split(",")) <= extras.keys(), f"{block}: {word}"
        elif not word.startswith("-"):
            assert importlib.util.find_spec(word), f"{block}: {word}"


def check_command(block: Block, words: list[str]) -> None:
    command, arguments = words[0], words[1:]
    text = (ROOT / block.document).read_text("utf-8")
    match command:
        case "pip":
            assert arguments[0] == "install"
            check_pip(block, arguments[1:])
        case "make":
            targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
            assert set(arguments) <= set(targets), f"{block}: {arguments}"
        case "export":
            name = arguments[0].partition("=")[0]
            assert name in environment_variables() | VARIABLES_OF_CLIENTS, f"{block}: {name}"
        case "wechat-msg":
            check_own_command(block, arguments)
        case "python" | ".venv/bin/python" if arguments[0] == "-m":
            module = arguments[1]
            assert importlib.util.find_spec(module) or (ROOT / module.replace(".", "/")).with_suffix(".py").exists()
        case "python" | ".venv/bin/python":
            assert (ROOT / arguments[0]).exists() or f"`{arguments[0]}`" in text, f"{block}: {arguments[0]}"
        case "flask" | "gunicorn" | "uvicorn":
            assert shutil.which(command, path=str(Path(sys.executable).parent)), f"{block}: {command}"
            module = next(word for word in arguments if ":" in word).partition(":")[0]
            assert (ROOT / f"{module}.py").exists() or f"`{module}.py`" in text, f"{block}: {module}"
        case _:
            pytest.fail(f"{block}: nothing checks {command}")


@pytest.mark.parametrize("block", find_blocks("shell"), ids=str)
def test_shell_blocks_name_what_exists(block):
    """Extras, packages, make targets, variables, modules and files in shell blocks are there."""
    commands = read_commands(block)

    assert commands
    for words in commands:
        check_command(block, words)


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
    """What the prose calls `wechat_msg.something` is something."""
    for document in DOCUMENTS:
        for name in re.findall(r"`(wechat_msg(?:\.\w+)+)`", read_prose(document)):
            module, _, attribute = name.rpartition(".")
            found = importlib.util.find_spec(name) if importlib.util.find_spec(module).submodule_search_locations else 0

            assert found or hasattr(importlib.import_module(module), attribute), f"{document}: {name}"


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


def environment_variables() -> set[str]:
    return {"WECHAT_" + name.upper() for name in settings._ENVIRONMENT}


VARIABLES_OF_CLIENTS = {"WECHAT_APPID", "WECHAT_SECRET", "WECHAT_TOKEN_SERVER_SECRET"}


def test_every_setting_is_in_the_table():
    rows = read_tables("docs/receiving.md", "Field")

    assert [row[0] for row in rows] == [each.alias for each in attrs.fields(PushSettings) if each.init]


def test_every_environment_variable_is_in_the_table():
    rows = read_tables("docs/receiving.md", "Variable")

    assert {row[0] for row in rows} == environment_variables()


def test_every_parameter_of_an_endpoint_is_in_the_table():
    """In order, with its default, for both endpoints."""
    rows = read_tables("docs/receiving.md", "Parameter", "Default")

    for endpoint in (wechat_msg.PushEndpoint, wechat_msg.AsyncPushEndpoint):
        parameters = inspect.signature(endpoint).parameters.values()
        assert [row[:2] for row in rows] == [[each.name, tell_default(each.default)] for each in parameters]


@pytest.mark.parametrize(("number", "client"), [(0, Client), (1, AsyncClient)])
def test_every_option_of_a_client_is_in_the_table(number, client):
    """In order, with its default; where it differs, that of `Client` comes first."""
    rows = read_tables("docs/calling.md", "Option", "Default")

    assert [row[0] for row in rows] == [*inspect.signature(client).parameters]
    for (_, told, *_), parameter in zip(rows, inspect.signature(client).parameters.values(), strict=True):
        default = tell_default(parameter.default)
        assert default in (told, told.split(", ")[number % len(told.split(", "))]), parameter


def tell_default(default: Any) -> str:
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


def test_what_a_fake_can_do_is_as_told():
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
    """With an arrow if WeChat tries again."""
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


def test_every_source_of_tokens_is_in_the_table():
    """With what it is called in the store, when it renews, and how often it may be forced."""
    rows = {row[0]: row[1:] for row in read_tables("docs/tokens.md", "Source", "Name")}
    classes = [sources.StableTokenSource, sources.ClassicTokenSource, sources.RemoteTokenSource]

    assert rows.keys() == {cls.__name__ for cls in classes} | {"FixedToken"}
    for cls in classes:
        name, early, alike, limits, _ = rows[cls.__name__]
        assert (name, early, alike) == (cls.name, f"{cls.renew_before:g} s", "yes" if cls.gives_same_token else "no")
        assert limits == (", ".join(map(tell_limit, cls.limits)) or "none")


def tell_limit(limit: tuple[int, float]) -> str:
    count, seconds = limit
    return f"{count} in {'24 h' if seconds == sources.DAY else f'{seconds:g} s'}"


def test_numbers_of_tokens_are_those_of_the_code():
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
        delivery.LEASE,
        delivery.RENEW_EVERY,
        dedup.KEEP,
        dedup.KEEP_LONG,
        limit,
    )

    assert sorted(float(row[0]) for row in rows) == sorted([*lasting, *delivery._PAUSES])


def test_every_line_of_the_log_is_in_the_table():
    """With its level and what it begins with, where three dots stand for anything."""
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
    """Yield level and text, before its values are put in, of every call of a logger."""
    for path in (ROOT / "wechat_msg").rglob("*.py"):
        tree = ast.parse(path.read_bytes())
        texts = {node.targets[0].id: node.value for node in tree.body if is_text(node)}
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name("_log"), attr=level), args=[text, *_]):
                    text = texts[text.id] if isinstance(text, ast.Name) else text
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
    """Once; those of WeChat with numbers that are made into it."""
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


def split(cell: str) -> list[str]:
    return [word.strip() for word in cell.split(",") if word.strip()]


def make_example(cls: Any) -> Reply:
    """Make a reply in which everything is filled in."""
    values: dict[str, Any] = {}
    for each in attrs.fields(cls):
        if each.name == "articles":
            values["articles"] = [wechat_msg.Article(title="t")]
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
    others = {"Registry", "UnreadableField", "build", "items_reader_of", "model", "reader_of", "snake_case"}

    assert {row[0].partition("(")[0] for row in rows} == set(fields.__all__) - others


def test_every_name_to_import_is_in_a_document():
    """A public name that no document mentions is one that nobody finds."""
    text = "".join((ROOT / document).read_text("utf-8") for document in DOCUMENTS)

    places = wechat_msg, testing, stores, wechat_msg.api, wechat_msg.client, jssdk, userdata
    names = {name for place in places for name in place.__all__ if not name.startswith("_")}

    assert sorted(name for name in names if not re.search(rf"\b{name}\b", text)) == []


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


def test_layers_are_as_told():
    """No module imports what docs/architecture.md does not let it import."""
    rows = [(split(row[0]), row[1]) for row in read_tables("docs/architecture.md", "Layer")]
    above: set[str] = set()

    assert {name for names, _ in rows for name in names} == list_modules()
    for names, told in rows:
        allowed = above if told.startswith("all of the above") else None
        for name in names:
            where = re.findall(r"\w+", told) if allowed is None else allowed
            assert list_imports(name) - {name, "_lazy", "_tracebacks", "_validators"} <= set(where), name
        above |= set(names)


def list_imports(module: str) -> set[str]:
    path = ROOT / "wechat_msg" / module
    files = [*path.rglob("*.py")] if path.is_dir() else [path.with_suffix(".py")]
    text = "".join(each.read_text("utf-8") for each in files)
    return set(re.findall(r"^ *from wechat_msg\.(\w+)", text, re.MULTILINE))


# --- the tables of the models ----------------------------------------------------------------------------------------


def render_models() -> dict[str, str]:
    """Return the tables of docs/models.md by their names."""
    names = [*messages.__all__, *events.__all__]
    everything = [each for name in names if isinstance(each := getattr(wechat_msg, name, None), type)]
    everything.sort(key=lambda cls: (*module_order(cls), inspect.getsourcelines(cls)[1]))
    typed = [cls for cls in everything if issubclass(cls, Message) and cls.wire_type]
    common = [render_row([f"`{cls.__name__}`"], cls, base) for cls, base in COMMON.items()]
    own = [cls for cls in typed if not issubclass(cls, Event)]
    parts = [cls for cls in everything if not issubclass(cls, Message)]
    return {
        "common": "\n".join(["| Class | What it is | Always there | May be `None` |", "|---" * 4 + "|", *common]),
        "messages": render_table("MsgType", own, UserMessage),
        "events": "\n\n".join(render_topics([cls for cls in typed if issubclass(cls, Event)])),
        "parts": render_table("Class", parts, None),
        "spellings": render_spellings([*typed, *parts]),
    }


#: The bases that are shown, each with the one that it is compared to.
COMMON: dict[type, type | None] = {Message: None, UserMessage: Message, Event: Message}
FIRST_TOPICS = ["messages", "relation", "menu"]


def module_order(cls: type) -> tuple[int, str]:
    name = cls.__module__.rpartition(".")[2]
    return (FIRST_TOPICS.index(name) if name in FIRST_TOPICS else len(FIRST_TOPICS)), name


def render_topics(classes: list[Any]) -> Iterator[str]:
    """Yield a heading and a table per module; the heading is the first sentence of the module's docstring."""
    for module, members in itertools.groupby(classes, lambda cls: cls.__module__):
        title = re.split(r"[.:;](?: |$)", inspect.getdoc(sys.modules[module]).partition("\n")[0])[0]
        yield f"### {title}\n\n{render_table('Event', list(members), Event)}"


def render_table(first: str, classes: list[Any], base: Any) -> str:
    heads = [first] if first == "Class" else [first, "Class"]
    lines = ["| " + " | ".join([*heads, "What it is", "Always there", "May be `None`"]) + " |"]
    lines.append("|---" * (len(heads) + 3) + "|")
    for cls in classes:
        names = " ".join(f"`{name}`" for name in wire_types(cls)) if first != "Class" else ""
        lines.append(render_row([f"`{cls.__name__}`"] if first == "Class" else [names, f"`{cls.__name__}`"], cls, base))
    return "\n".join(lines)


def wire_types(cls: Any) -> list[str]:
    others = [name for name in events.base.EVENTS.names_of(cls) if name != cls.wire_type.lower()]
    return [cls.wire_type, *(name.upper() if cls.wire_type.isupper() else name for name in others)]


def render_row(first: list[str], cls: Any, base: Any) -> str:
    inherited = {each.name for each in attrs.fields(base)} if base else set()
    own = [each for each in attrs.fields(cls) if each.name not in inherited]
    always = [render_attribute(cls, each) for each in own if each.default is not None]
    perhaps = [render_attribute(cls, each) for each in own if each.default is None]
    known = vars(base or object).keys()
    properties = [f"`{n}` (property)" for n, v in inspect.getmembers(cls) if isinstance(v, property) and n not in known]
    cells = [*first, render_summary(cls), ", ".join([*always, *properties]), ", ".join(perhaps)]
    return "| " + " | ".join(cells) + " |"


def render_summary(cls: Any) -> str:
    summary = inspect.getdoc(cls).partition("\n")[0].replace("``", "`")
    return re.split(r"\.(?: |$)|: `|; ", summary)[0]


def render_attribute(cls: Any, attribute: attrs.Attribute[Any]) -> str:
    hint = str(attribute.type).replace(" | None", "")
    hint = re.sub(r"tuple\[(\w+), \.\.\.\]", r"tuple of \1", hint).replace("Mapping[str, Any]", "mapping")
    return f"`{attribute.name}`" if hint == "str" else f"`{attribute.name}` ({hint})"


def render_spellings(classes: list[Any]) -> str:
    found: dict[tuple[str, ...], list[str]] = {}
    for cls in classes:
        for each in attrs.fields(cls):
            wire = each.metadata.get("wechat_msg.wire")
            if wire and len(wire.names) > 1 and each.name != "event":
                found.setdefault((each.name, *wire.names), []).append(cls.__name__)
    lines = ["| Attribute | Wire names | Classes |", "|---|---|---|"]
    for (attribute, *wire_names), owners in found.items():
        cells = [", ".join(f"`{name}`" for name in names) for names in ([attribute], wire_names, owners)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


# --- the tables of the API -------------------------------------------------------------------------------------------


class Topic(NamedTuple):
    """A module of wechat_msg.api that has functions for users."""

    name: str
    title: str
    purpose: str
    functions: dict[str, Any]


def list_topics() -> Iterator[Topic]:
    """Yield every module whose docstring begins with a name of WeChat's, which is how topics are told from tools."""
    for module in pkgutil.iter_modules(wechat_msg.api.__path__):
        found = importlib.import_module(f"wechat_msg.api.{module.name}")
        title, purpose = split_summary(found)
        if is_chinese(title):
            functions = {name: each for name in found.__all__ if inspect.isfunction(each := getattr(found, name))}
            # In the order of the source, which puts together what belongs together.
            functions = dict(sorted(functions.items(), key=lambda item: source_order(item[1])))
            yield Topic(module.name, title, purpose, functions)


def source_order(function: Any) -> tuple[str, int]:
    return function.__module__, inspect.unwrap(function).__code__.co_firstlineno


def split_summary(documented: Any) -> tuple[str, str]:
    """Return WeChat's name and what follows, of the first line of a docstring."""
    title, _, text = inspect.getdoc(documented).partition("\n")[0].replace("``", "`").partition(": ")
    return title, text.removesuffix(".")


def is_chinese(text: str) -> bool:
    return bool(re.search("[\u4e00-\u9fff]", text))


def render_api() -> dict[str, str]:
    """Return the tables of docs/calling.md by their names."""
    topics = list(list_topics())
    lines = ["| Module | 中文 | What it is for |", "|---|---|---|"]
    lines += [f"| [`{topic.name}`](#{topic.name}) | {topic.title} | {topic.purpose} |" for topic in topics]
    return {"topics": "\n".join(lines), "functions": "\n\n".join(map(render_functions, topics))}


def render_functions(topic: Topic) -> str:
    lines = [f"### {topic.name}", "", "| Function | 中文 | What it does |", "|---|---|---|"]
    for name, function in topic.functions.items():
        title, text = split_summary(function)
        assert is_chinese(title), f"{topic.name}.{name} does not begin with WeChat's name"
        what = re.split(r"; |\. ", text)[0]
        lines.append(f"| `{name}({', '.join(list_required(function))})` | {title} | {what} |")
    return "\n".join(lines)


def list_required(function: Any) -> Iterator[str]:
    for parameter in inspect.signature(function).parameters.values():
        if parameter.default is parameter.empty and parameter.kind != parameter.VAR_KEYWORD:
            yield parameter.name


# --- tables that are written -----------------------------------------------------------------------------------------


def replace_tables(text: str, tables: Mapping[str, str]) -> str:
    """Put the tables in place of what stands between their marks."""
    for name, table in tables.items():
        mark = rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)"
        text, count = re.subn(mark, lambda found, new=table: f"{found[1]}\n{new}\n\n{found[2]}", text, flags=re.DOTALL)
        assert count == 1, name
    return text


PAGES = {"models": ("docs/models.md", render_models), "topics": ("docs/calling.md", render_api)}


@pytest.mark.parametrize("name", PAGES)
def test_tables_that_are_written_are_complete_and_true(name):
    """In a fresh interpreter, as other tests register types of their own."""
    done = run_python([__file__, name], ROOT)

    assert done.returncode == 0, done.stderr
    assert done.stdout == (ROOT / PAGES[name][0]).read_text("utf-8"), f"run: python tests/test_docs.py {name} --write"


def test_attributes_follow_the_naming_rule():
    for name in [*messages.__all__, *events.__all__]:
        cls = getattr(wechat_msg, name, None)
        for each in attrs.fields(cls) if attrs.has(cls) else ():
            wire = each.metadata.get("wechat_msg.wire")
            assert each.name == "raw" or each.name == fields.snake_case(wire.names[0])


def main(task: str, argument: str = "") -> None:
    if task == "run":
        return run_document(argument)
    name, render = PAGES[task]
    page = ROOT / name
    text = replace_tables(page.read_text("utf-8"), render())
    if argument == "--write":
        page.write_text(text, "utf-8")
    else:
        sys.stdout.write(text)
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
