"""Every example in the documents runs: blocks of code, whole programs, commands."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import json
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import click
import pytest
import yaml

import wechat_msg
from tests.helpers.documents import (
    ADDRESS,
    APPID,
    DOCUMENTS,
    KEY,
    PORT,
    READMES,
    ROOT,
    TOKEN,
    VARIABLES_OF_CLIENTS,
    Block,
    find_blocks,
    list_variables_of_settings,
    make_environ,
    read_blocks,
    read_commands,
)
from tests.helpers.forking import Forks, fork_from
from wechat_msg import PushRequest, PushSettings
from wechat_msg.cli.commands import app as cli
from wechat_msg.testing import build_echostr_request, build_push, open_reply

#: What the documents and their tests import, directly or not.
LIBRARIES = [
    *("flask", "fastapi", "uvicorn.main", "uvicorn.protocols.http.auto", "werkzeug.serving", "werkzeug.test"),
    *("pytest", "django.core.management", "django.test", "django.urls"),
    *("click", "rich", "tests.helpers.documents", "wechat_msg.testing.pushes", "wechat_msg.client.clients"),
    *("wechat_msg.client.sync_transport", "wechat_msg.client.async_transport"),
    *("wechat_msg.adapters.flask", "wechat_msg.adapters.fastapi"),
]


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with fork_from(*LIBRARIES, options=("-W", "error")) as forks:
        yield forks


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if read_blocks(name, "code", "doctest")])
def test_examples_run(forks, document, tmp_path):
    """Every block of Python in the document runs, and every doctest gives what it shows."""
    command = ["-m", "tests.helpers.run_document", document]
    status, output, errors = forks.run_in(tmp_path, *command, environ=make_environ())

    assert status == 0, output + errors
    assert output.splitlines() == [f"{b} {b.kind}" for b in read_blocks(document, "code", "doctest")]


def test_every_block_is_tested():
    """A block in a language that no test knows is never run."""
    assert [str(block) for block in find_blocks() if not block.kind] == []


def test_text_blocks_are_well_formed():
    for block in find_blocks("text"):
        if block.language == "json":
            json.loads(block.source)
        elif block.language == "xml":
            wechat_msg.wire.parse_body(block.source.encode())
        elif block.language == "yaml":
            yaml.safe_load(block.source)


#: The lines that diagrams may have; ";" and "#" in a text have a meaning of their own in Mermaid.
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
    """Mermaid knows each line, every participant is declared, and every block ends."""
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
def start_program(forks: Forks, block: Block, folder: Path) -> Iterator[str]:
    """Save the block as app.py, as the document says, start it on a free port, and yield its address."""
    assert block.source.count(PORT) == 1
    (folder / "app.py").write_text(block.source.replace(PORT, "0"), "utf-8")
    # With a key and allow_plaintext one process takes all three modes.
    secrets = {
        "WECHAT_TOKEN": TOKEN,
        "WECHAT_ENCODING_AES_KEY": KEY,
        "WECHAT_APPID": APPID,
        "WECHAT_ALLOW_PLAINTEXT": "1",
    }
    with forks.serve(str(folder / "app.py"), environ=secrets) as server:
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
def test_quickstart_serves(forks, block, tmp_path):
    """The program, started as its reader would start it, passes WeChat's verification and answers in every mode."""
    account = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID)
    with start_program(forks, block, tmp_path) as address:
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
        command = ["-m", "wechat_msg", *(word.replace(ADDRESS, address) for word in push[1:])]
        status, output, errors = forks.run_in(tmp_path, *command, environ=make_environ())
        assert status == 0, errors
        assert "你好" in output


def test_documents_use_the_token_of_the_tests():
    for document in READMES:
        text = (ROOT / document).read_text("utf-8")

        assert f"WECHAT_TOKEN={TOKEN}" in text


@pytest.mark.parametrize("document", READMES)
def test_readme_has_a_quickstart_per_framework(document):
    quickstarts = read_blocks(document, "program")

    assert [name_program(block) for block in quickstarts] == [f"{document}-{w}" for w in ("flask", "django", "fastapi")]


@pytest.mark.parametrize("document", READMES)
def test_readme_begins_with_a_bot(document):
    first = read_blocks(document)[0]

    assert first.kind == "code"
    assert "view_func=push_view(PushEndpoint(" in first.source  # so `check_web_stack` has played WeChat with it


# --- commands --------------------------------------------------------------------------------------------------------


def read_shell(document: str) -> list[list[str]]:
    return [words for block in read_blocks(document, "shell") for words in read_commands(block)]


def check_own_command(block: Block, arguments: list[str]) -> None:
    """Find the command, and every option that it is given."""
    command = cli.commands[arguments[0]]
    if isinstance(command, click.Group):
        command = command.commands[arguments[1]]
    options = {option for parameter in command.params for option in parameter.opts}
    given = {word for word in arguments[1:] if word.startswith("--")}
    assert given <= options, f"{block}: {given - options}"


#: What pip installs, and where it comes from until the first release.
DISTRIBUTION = "wechat-msg-sdk"


REPOSITORY = r"git\+https://github\.com/wechat-msg/wechat_msg\.git"


def check_pip(block: Block, words: list[str]) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    for word in words:
        own = re.fullmatch(rf"(?:{DISTRIBUTION}|\.|path/to/checkout)(?:\[([a-z,]+)\])?(?: @ {REPOSITORY})?", word)
        if own:
            assert set((own[1] or "flask").split(",")) <= extras.keys(), f"{block}: {word}"
        elif not word.startswith("-"):
            name, _, extra = word.rstrip("]").partition("[")
            assert importlib.util.find_spec(name.replace("-", "_")), f"{block}: {word}"
            extras_of_it = importlib.metadata.metadata(name).get_all("Provides-Extra", []) if extra else [""]
            assert extra in extras_of_it, f"{block}: {word}"


def is_installed(command: str) -> bool:
    return shutil.which(command, path=str(Path(sys.executable).parent)) is not None


def check_command(block: Block, words: list[str]) -> None:
    command, arguments = words[0], words[1:]
    text = (ROOT / block.document).read_text("utf-8")
    match command:
        case "pip":
            assert arguments[0] == "install"
            check_pip(block, arguments[1:])
        case "make":
            targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
            assert set(arguments) <= set(targets), f"{block}: {arguments}"
        case "export":
            name = arguments[0].partition("=")[0]
            assert name in list_variables_of_settings() | VARIABLES_OF_CLIENTS, f"{block}: {name}"
        case "wechat-msg":
            check_own_command(block, arguments)
        case "python" | ".venv/bin/python" if arguments[0] == "-m":
            module = arguments[1]
            assert importlib.util.find_spec(module) or (ROOT / module.replace(".", "/")).with_suffix(".py").exists()
        case "python" | ".venv/bin/python":
            assert (ROOT / arguments[0]).exists() or f"`{arguments[0]}`" in text, f"{block}: {arguments[0]}"
        case "celery" | "dramatiq" | "huey_consumer" | "rq":
            assert is_installed(command), f"{block}: {command}"
        case "flask" | "gunicorn" | "uvicorn":
            assert is_installed(command), f"{block}: {command}"
            module = next(word for word in arguments if ":" in word).partition(":")[0]
            assert (ROOT / module.replace(".", "/")).with_suffix(".py").exists() or f"`{module}.py`" in text, (
                f"{block}: {module}"
            )
        case _:
            pytest.fail(f"{block}: nothing checks {command}")


@pytest.mark.parametrize("block", find_blocks("shell"), ids=str)
def test_shell_blocks_name_what_exists(block):
    """Extras, packages, make targets, variables, modules and files in shell blocks are there."""
    commands = read_commands(block)

    assert commands
    for words in commands:
        check_command(block, words)
