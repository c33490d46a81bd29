"""Every function of wechat_msg.api: its request, the result of its answer, and both over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import json
import pickle
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

import wechat_msg.api
from tests.api.cases.case import Case
from tests.helpers.rows import check_rows
from tests.helpers.servers import run
from wechat_msg import AsyncClient, Client
from wechat_msg.api._response import APIResponse, read_response
from wechat_msg.api.call import APPID, SECRET, Call, File, Pages
from wechat_msg.client import FixedToken
from wechat_msg.client.multipart import MultipartBody
from wechat_msg.testing import APIRequest, FakeWeChatAPI

TOPICS = sorted(path.stem for path in (Path(__file__).parent / "cases").glob("*.py") if path.stem != "case")
#: Modules of wechat_msg.api that are not topics.
TOOLS = {"_arguments", "_response", "call", "errcodes", "results"}


def load_cases() -> Iterator[Case]:
    for topic in TOPICS:
        yield from importlib.import_module(f"tests.api.cases.{topic}").CASES


CASES = list(load_cases())


def functions_of(topic: str) -> set[str]:
    """Return the public functions of a topic that make calls."""
    module = importlib.import_module(f"wechat_msg.api.{topic}")
    return {
        f"{topic}.{name}"
        for name in module.__all__
        if inspect.isfunction(function := getattr(module, name)) and "Call[" in str(function.__annotations__["return"])
    }


def as_text(value: object) -> str:
    return {APPID: "wx0123456789abcdef", SECRET: "0123456789abcdef0123456789abcdef"}.get(value, str(value))


def fill(json: Any) -> Any:
    """Replace the placeholders as a client does."""
    if not isinstance(json, dict):
        return json
    return {name: as_text(value) if value in (APPID, SECRET) else value for name, value in json.items()}


def list_modules() -> list[str]:
    return sorted({module.name for module in pkgutil.iter_modules(wechat_msg.api.__path__)} - TOOLS)


def test_every_topic_and_every_function_has_a_case():
    functions = {function for topic in list_modules() for function in functions_of(topic)}

    assert functions - {case.function for case in CASES} == set()


class TestCall:
    def test_is_the_request_that_the_page_of_the_api_asks_for(self):
        def check(case: Case) -> None:
            call = case.call
            assert (call.method, call.path) == (case.method, case.path)
            assert {name: str(value) for name, value in call.params.items()} == {
                name: str(value) for name, value in case.params.items()
            }
            assert json_of(call) == case.json
            assert (call.upload is not None) == bool(case.files)

        check_rows(CASES, check)

    def test_is_a_value(self):
        def check(case: Case) -> None:
            twin = pickle.loads(pickle.dumps(case.call)) if is_picklable(case.call) else case.call
            assert twin == case.call

        check_rows(CASES, check)

    def test_shows_no_parameter_in_its_repr(self):
        def check(case: Case) -> None:
            shown = repr(case.call)
            values = [str(value) for value in case.params.values()] + list(texts_of(case.json))
            assert [value for value in values if len(value) > 3 and f"{value!r}" in shown] == []

        check_rows(CASES, check)


#: Errors that count as success, and which requests make them one.
DONE_ALL_THE_SAME = {
    45065: lambda call: call.json["clientmsgid"],  # the caller's own name for the message that was sent before
    45081: lambda call: call.json["command"] == "Typing",  # the state that is asked for is on already
}


class TestResult:
    def test_is_a_success_despite_an_errcode_only_if_the_request_makes_it_one(self):
        counted = [(case, errcode) for case in CASES for errcode in case.call.also_done]

        assert {errcode for _, errcode in counted} == set(DONE_ALL_THE_SAME)
        assert [case for case, errcode in counted if not DONE_ALL_THE_SAME[errcode](case.call)] == []

    def test_is_the_value_in_the_answer(self):
        def check(case: Case) -> None:
            assert case.result == read_response(case.call, to_response(case))

        check_rows(CASES, check)

    def test_of_members_of_other_types_is_a_result_or_an_unreadable_answer(self):
        def check(case: Case) -> None:
            for answer in ({}, {"errcode": 0}, strange(case.answer)):
                with contextlib.suppress(wechat_msg.UnreadableAnswer):
                    read_response(case.call, APIResponse(200, "application/json", json.dumps(answer).encode()))

        check_rows(CASES, check)


JUNK = [None, -1, "", "x\ud800", b"x", object(), [], ["a", None], {"a": object()}, float("nan"), 10**4200, {1}, True]


def public_functions(topic: str) -> dict[str, Any]:
    """Return the functions and classes of a topic by name."""
    module = importlib.import_module(f"wechat_msg.api.{topic}")
    found = {name: getattr(module, name) for name in module.__all__}
    return {name: value for name, value in found.items() if callable(value) and not issubclass_of_result(value)}


def issubclass_of_result(value: object) -> bool:
    """Return whether it is a model that only `build` makes."""
    return isinstance(value, type) and hasattr(value, "__wire__")


def junk_arguments(function: Any) -> Iterator[dict[str, Any]]:
    """Yield arguments of which one, or all, have a wrong type."""
    parameters = inspect.signature(function).parameters.values()
    named = [each for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    required = {each.name: "ok" for each in named if each.default is each.empty}
    for junk in JUNK:
        yield {each.name: junk for each in named}
        for each in named:
            yield {**required, each.name: junk}


@pytest.mark.parametrize("topic", list_modules())
def test_arguments_of_a_wrong_type_are_refused_with_a_wechat_error(topic, tmp_path, monkeypatch):
    """They are refused when the call is made, or when it is written."""
    monkeypatch.chdir(tmp_path)
    client = Client("wx0123456789abcdef", "secret", token_source=FixedToken("token"))

    def check(function: Any) -> None:
        for arguments in junk_arguments(function):
            with contextlib.suppress(wechat_msg.WeChatError):
                made = function(**arguments)
                call = made.first if isinstance(made, Pages) else made
                repr(call)
                if isinstance(call, Call):
                    write(client, call)

    check_rows(public_functions(topic), check)


def write(client: Client, call: Call[Any]) -> None:
    """Write a call as a client does before it sends it."""
    flow = client._caller.call(call)
    try:
        body = next(flow).request.body
        if isinstance(body, MultipartBody):
            body.open()
            body.read()
    finally:
        flow.close()


@pytest.fixture(scope="module")
def wechat() -> Iterator[FakeWeChatAPI]:
    with FakeWeChatAPI() as wechat:
        yield wechat


@contextlib.contextmanager
def open_client(wechat: FakeWeChatAPI, colour: str) -> Iterator[Callable[[Call[Any]], Any]]:
    """Return a function that sends a call with a client of this colour."""
    if colour == "sync":
        with Client(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
            yield client.call
        return
    client = AsyncClient(wechat.appid, wechat.secret, hosts=[wechat.url])
    with asyncio.Runner() as runner:
        yield lambda call: runner.run(client.call(call))
        runner.run(client.close())


class TestOverHTTP:
    @pytest.mark.parametrize("colour", ["sync", "async"])
    def test_a_call_arrives_as_it_was_made_and_returns_its_result(self, colour, wechat):
        with open_client(wechat, colour) as send:

            def check(case: Case) -> None:
                wechat.answer(case.path, case.answer, content_type=case.content_type, times=1)
                result = send(to_fake(case.call, wechat))
                assert case.result == without_headers(result)
                check_request(wechat.requests_to(case.path)[-1], case)

            check_rows(CASES, check)

    def test_a_call_is_known_to_the_fake(self, wechat):
        """The fake may refuse it, as it does not have the users and media of the case."""
        with open_client(wechat, "sync") as send:

            def check(case: Case) -> None:
                errcode = 0
                try:
                    send(to_fake(case.call, wechat))
                except wechat_msg.ClientError as error:
                    errcode = getattr(error, "errcode", None)
                assert errcode not in (-1, 40033, 40066, 43001, 43002, 47001)
                assert errcode is not None or case.function == "qrcode.get_image"  # an unknown ticket is a bare 404
                check_request(wechat.requests_to(case.path)[-1], case)

            check_rows(CASES, check)


def check_request(request: APIRequest, case: Case) -> None:
    assert request.method == case.method
    query = {name: value for name, value in request.query.items() if name != "access_token" or name in case.params}
    assert query == {name: as_text(value) for name, value in case.params.items()}
    if case.files:
        assert {name: tuple(file) for name, file in request.files.items()} == dict(case.files)
        assert dict(request.form) == dict(case.form)
    else:
        assert request.json == fill(case.json)
    assert case.call.needs_access_token == ("access_token" in request.query and "access_token" not in case.params)


def to_fake(call: Call[Any], wechat: FakeWeChatAPI) -> Call[Any]:
    """Send a call with its own host to the fake, too."""
    return attrs.evolve(call, host=wechat.url) if call.host else call


def to_response(case: Case) -> APIResponse:
    if isinstance(case.answer, bytes):
        file = File(content=case.answer, size=len(case.answer), content_type=case.content_type)
        name = case.result.filename if isinstance(case.result, File) else None
        return APIResponse(200, case.content_type, file=attrs.evolve(file, filename=name))
    return APIResponse(200, case.content_type, json.dumps(case.answer).encode())


def without_headers(result: Any) -> Any:
    return attrs.evolve(result, headers={}) if isinstance(result, File) else result


def json_of(call: Call[Any]) -> Any:
    return call.json if call.body is None else json.loads(call.body)


def is_picklable(call: Call[Any]) -> bool:
    return call.into is None and (call.upload is None or isinstance(call.upload.file, (bytes, str, Path)))


def texts_of(json: Any) -> Iterator[str]:
    if isinstance(json, str):
        yield json
    for member in json.values() if isinstance(json, dict) else json if isinstance(json, list) else ():
        yield from texts_of(member)


def strange(value: Any) -> Any:
    """Give every member of an answer another type."""
    if isinstance(value, dict):
        return {name: 0 if name == "errcode" else strange(member) for name, member in value.items()}
    return {"odd": [None, {}]}


def test_every_topic_is_an_attribute_of_the_package():
    names = ", ".join(f"wechat_msg.api.{topic}.__name__" for topic in list_modules())
    status, output = run("-c", f"import wechat_msg; print(*[{names}], hasattr(wechat_msg.api, 'nonsense'))")

    assert (status, output.split()) == (0, [*(f"wechat_msg.api.{topic}" for topic in list_modules()), "False"])


def test_a_topic_is_imported_without_the_others():
    code = "import sys, wechat_msg.client as _; before = {*sys.modules}\nfrom wechat_msg.api import user\n"
    code += "print(*{*sys.modules} - before)"
    status, output = run("-c", code)

    assert (status, output.split()) == (0, ["wechat_msg.api.user"])


def test_the_names_of_the_package_are_listed_and_exist():
    assert [name for name in wechat_msg.api.__all__ if not hasattr(wechat_msg.api, name)] == []
    assert set(wechat_msg.api.__all__) <= set(dir(wechat_msg.api))
