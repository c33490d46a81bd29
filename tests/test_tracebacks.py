"""What error trackers record: no frame of an error contains a secret, and no repr fails or shows one."""

from __future__ import annotations

import asyncio
import base64
import copy
import inspect
import io
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from tests.helpers.first_principles import APPID, KEY, TOKEN
from tests.helpers.frames import find_leaks, list_locals, walk_errors
from tests.helpers.hostile import CASES, OTHER_KEY, OTHER_TOKEN, PLAIN, SEALED
from tests.helpers.public_names import signature_of, walk_functions, walk_public
from tests.helpers.rows import each_row
from tests.test_hostile import request_of, settings_for
from wechat_msg import (
    AsyncPushEndpoint,
    Client,
    MessageCipher,
    PushEndpoint,
    PushError,
    PushSettings,
    WeChatError,
    answer_echostr,
    compute_msg_signature,
    compute_signature,
    jssdk,
    open_push,
    seal_reply,
    userdata,
    verify_msg_signature,
    verify_signature,
)
from wechat_msg._tracebacks import clears_locals, define, frozen, safe_repr
from wechat_msg.adapters.wsgi import push_app
from wechat_msg.api import kf, oauth, qrcode
from wechat_msg.api.access_token import AccessToken, get_access_token
from wechat_msg.api.call import Call, raw_call
from wechat_msg.api.jsapi import Ticket
from wechat_msg.api.miniprogram import login, xpay
from wechat_msg.client import AsyncClient, ClassicTokenSource, FixedToken, RemoteTokenSource, StableTokenSource
from wechat_msg.client.credential import Credential
from wechat_msg.client.token_server import make_token_server
from wechat_msg.crypto import parse_encoding_aes_key
from wechat_msg.replies import RawReply
from wechat_msg.testing import build_push, open_reply

AES_KEY = base64.b64decode(KEY + "=")
#: Values that no frame may contain; the IV is the first half of the AES key.
SECRETS = (TOKEN, OTHER_TOKEN, KEY, OTHER_KEY, AES_KEY, AES_KEY[:16], AES_KEY[16:])
SECRET = "SecretOfAnyKindThatNobodyMaySee1"
SURROGATE = f"{SECRET}\ud800"


def catch(function: Callable[..., Any], *args: Any, **options: Any) -> BaseException | None:
    """Return the error that a call raises."""
    try:
        function(*args, **options)
    except Exception as error:
        return error
    return None


def fail_with(secret: str, **locals_: object) -> None:
    raise ValueError("plain")


class TestClearsLocals:
    def test_clears_the_local_variables_of_all_frames_of_an_error(self):
        def inner(secret: str) -> None:
            copied = [secret]
            fail_with(*copied)

        error = catch(clears_locals(inner), SECRET)
        names = [set(frame.f_locals) for frame, _ in traceback.walk_tb(error.__traceback__)]
        assert names[1:] == [{"target"}, set(), set()]

    def test_leaves_the_lines_of_the_traceback(self):
        error = catch(clears_locals(fail_with), SECRET)
        assert 'raise ValueError("plain")' in "".join(traceback.format_exception(error))

    def test_clears_those_of_its_causes(self):
        def cause(secret: str) -> None:
            try:
                fail_with(secret)
            except ValueError as error:
                raise KeyError from error

        def context(secret: str) -> None:
            try:
                cause(secret)
            except KeyError:
                raise ExceptionGroup("several", [catch(fail_with, secret)])  # noqa: B904

        error = catch(clears_locals(context), SECRET)
        assert [type(each) for each in walk_errors(error)] == [ExceptionGroup, ValueError, KeyError, ValueError]
        assert [text for text in all_locals(error) if SECRET in text] == []

    def test_drops_the_context_of_what_is_raised_from_none(self):
        def encode(secret: str) -> None:
            try:
                secret.encode()
            except UnicodeEncodeError:
                raise ValueError("not text") from None

        assert catch(encode, SURROGATE).__context__.object == SURROGATE
        assert catch(clears_locals(encode), SURROGATE).__context__ is None

    def test_leaves_alone_what_the_caller_was_handling(self):
        def handle() -> None:
            try:
                fail_with("a value of the caller's")
            except ValueError:
                clears_locals(fail_with)(SECRET)

        error = catch(handle)
        assert "a value of the caller's" in all_locals(error)
        assert [text for text in all_locals(error) if SECRET in text] == []

    def test_works_for_coroutines_and_for_what_ends_them(self):
        @clears_locals
        async def wait_with(secret: str) -> None:
            await asyncio.sleep(60 if secret else 0)

        async def main() -> BaseException:
            task = asyncio.create_task(wait_with(SECRET))
            await asyncio.sleep(0)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError as error:
                return error
            raise AssertionError

        assert inspect.iscoroutinefunction(wait_with)
        assert asyncio.run(wait_with("")) is None
        error = asyncio.run(main())
        assert [text for text in all_locals(error) if SECRET in text] == []

    def test_works_for_classes(self):
        @clears_locals
        @frozen
        class Key:
            text: str = attrs.field(repr=False, validator=attrs.validators.max_len(3))

        assert repr(Key("abc")) == "Key()"
        assert str(inspect.signature(Key)) == "(text: 'str') -> None"
        error = catch(Key, SECRET)
        assert [text for text in all_locals(error) if SECRET in text] == []

    def test_leaves_name_docstring_and_signature(self):
        assert inspect.signature(open_push) == inspect.signature(inspect.unwrap(open_push))
        assert compute_signature.__doc__.startswith("Return the signature over *parts*")
        assert pickle.loads(pickle.dumps(compute_signature)) is compute_signature


def all_locals(error: BaseException | None) -> list[str]:
    """Return the local variables of the frames after that of `catch`, including those of the tests."""
    found = []
    for each in walk_errors(error):
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if frame.f_code.co_name not in ("catch", "handle", "main", "run"):
                found += map(str, frame.f_locals.values())
    return found


# --- every public name ------------------------------------------------------------------------------------------------


class TestEveryPublicName:
    def test_that_is_given_a_secret_clears_the_frames_of_its_errors(self):
        """Except functions that cannot raise, and classes that validate nothing."""
        secrets = {
            *("token", "encoding_aes_key", "secret", "shared_secret", "appkey", "session_key", "password"),
            *("access_token", "refresh_token", "rejected", "ticket", "jsapi_ticket", "api_ticket"),
        }
        listed = [
            place
            for place, function in walk_functions()
            if secrets & signature_of(function).parameters.keys()
            and not place.startswith(("wechat_msg.testing.", "wechat_msg.playground."))  # whose secrets are invented
            and not place.rpartition(".")[2].startswith("is_")
            and not inspect.isgeneratorfunction(function)
            and not getattr(function, "__isabstractmethod__", False)
            and not (attrs.has(function) and not any(each.validator for each in attrs.fields(function)))
            and not clears_its_locals(function.__init__ if isinstance(function, type) else function)
        ]
        assert listed == []

    def test_that_is_a_class_has_a_repr_while_it_is_half_made(self):
        listed, count = [], 0
        for place, cls in walk_public(inspect.isclass):
            author = next(base for base in cls.__mro__ if "__repr__" in vars(base))
            # A tuple is never half built.
            if author.__module__.startswith("wechat_msg") and catch(cls.__new__, cls) is None:
                error = catch(repr, cls.__new__(cls))
                listed += [] if error is None else [f"{place}: {error!r}"]
                count += 1
        assert listed == []
        assert count > 200


def clears_its_locals(function: Any) -> bool:
    return function.__code__.co_filename == clears_locals.__code__.co_filename


class TestRecords:
    def test_show_what_they_are_while_they_are_half_made(self):
        @frozen(kw_only=True)
        class Frozen:
            name: str

        @define
        class Defined:
            name: str

        for cls in (Frozen, Defined):
            assert repr(cls(name="a")).endswith(f"{cls.__name__}(name='a')")
            assert repr(cls.__new__(cls)) == f"<{cls.__name__}, not initialised>"
        assert repr(PushSettings.__new__(PushSettings)) == "<PushSettings, not initialised>"

    def test_show_no_secret_whatever_of_them_is_made(self):
        """As when a validator refuses one value after others have been set."""
        half_made = PushSettings.__new__(PushSettings)
        for name in ("token", "encoding_aes_key", "previous_tokens", "previous_encoding_aes_keys", "tokens"):
            object.__setattr__(half_made, name, SECRET)
            assert SECRET not in repr(half_made)

    def test_of_a_class_of_the_user_may_be_as_safe(self):
        class SafeClass:
            @safe_repr
            def __repr__(self) -> str:
                return self.missing

        assert repr(SafeClass()) == "<SafeClass, not initialised>"


# --- refusals of pushes -----------------------------------------------------------------------------------------------


class Errors(logging.Handler):
    """A handler that keeps the errors that endpoints log."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found += [each for each in record.args or () if isinstance(each, BaseException)]


@pytest.fixture
def logged() -> Iterator[list[BaseException]]:
    """Return the errors that the package logs."""
    handler, logger = Errors(), logging.getLogger("wechat_msg")
    logger.addHandler(handler)
    yield handler.found
    logger.removeHandler(handler)


def finish(handled: Any) -> Any:
    return asyncio.run(handled) if inspect.iscoroutine(handled) else handled


REFUSED = [case for case in CASES if case.error]


class TestNoSecretIsInTheFramesOfRefusals:
    def test_of_the_pure_functions(self):
        leaks = {}
        for case in REFUSED:
            request = request_of(case)
            given = request.query if request.method == "GET" else request
            error = catch(answer_echostr if request.method == "GET" else open_push, settings_for(case), given)
            assert isinstance(error, PushError)
            leaks[case.name] = find_leaks(error, SECRETS)
        assert {name: found for name, found in leaks.items() if found} == {}

    @pytest.mark.parametrize("make", [PushEndpoint, AsyncPushEndpoint])
    def test_of_the_endpoints(self, make, logged):
        leaks = {}
        for case in REFUSED:
            logged.clear()
            assert finish(make(settings_for(case)).handle(request_of(case))).status == case.status
            assert isinstance(logged[-1], PushError)
            leaks[case.name] = [leak for error in logged for leak in find_leaks(error, SECRETS)]
        assert {name: found for name, found in leaks.items() if found} == {}

    def test_of_settings_with_several_tokens_and_keys(self):
        settings = attrs.evolve(
            SEALED, token=OTHER_TOKEN, previous_tokens=[TOKEN], previous_encoding_aes_keys=[OTHER_KEY]
        )
        leaks = {}
        for case in REFUSED:
            if case.keyed and case.method == "POST" and (error := catch(open_push, settings, request_of(case))):
                leaks[case.name] = find_leaks(error, SECRETS)
        assert len(leaks) > 100
        assert {name: found for name, found in leaks.items() if found} == {}


def raise_bytes(_size: int) -> bytes:
    raise OSError("no random bytes")


class OddReply(RawReply):
    """A reply whose author made a mistake."""

    def to_fields(self, form: str) -> dict[str, Any]:
        raise LookupError("a mistake")


class TestNoSecretIsInTheFramesOfAnswers:
    @pytest.mark.parametrize("settings", [PLAIN, SEALED], ids=["plain", "sealed"])
    def test_that_cannot_be_given(self, settings):
        push = open_push(settings, build_push(settings, {"MsgType": "text", "Content": "hi"}))
        refused = [
            catch(seal_reply, settings, push, object()),
            catch(seal_reply, attrs.evolve(settings, account_kind="mini_program"), push, "text"),
            catch(seal_reply, settings, push, RawReply(fields={"Bad Name": "x"})),
            catch(seal_reply, settings, push, OddReply(fields={"MsgType": "text"})),
        ]
        if settings is SEALED:
            refused.append(catch(seal_reply, settings, push, "hi", random_bytes=raise_bytes))
        for error in refused:
            assert error is not None
            assert find_leaks(error, SECRETS) == []

    def test_keep_the_local_variables_of_the_users_own_functions(self):
        push = open_push(PLAIN, build_push(PLAIN, {"MsgType": "text", "Content": "hi"}))
        error = catch(seal_reply, PLAIN, push, OddReply(fields={"MsgType": "text"}))
        assert traceback_ends_with(error, {"self", "form"})

    @pytest.mark.parametrize("make", [PushEndpoint, AsyncPushEndpoint])
    def test_of_endpoints_whose_handler_fails(self, make):
        def handle(message: object) -> None:
            fail_with("a value of the handler's")

        handled = make(SEALED, handle).handle
        push = build_push(SEALED, {"MsgType": "text", "Content": "hi"})
        error = catch(
            (lambda: asyncio.run(handled(push))) if make is AsyncPushEndpoint else handled,
            *[push][: make is PushEndpoint],
        )
        assert find_leaks(error, SECRETS) == []
        assert traceback_ends_with(error, {"secret", "locals_"})

    def test_of_a_wsgi_server_that_hands_on_its_environment(self):
        """As wsgiref and CGI do; error trackers record the frames between the server and a handler that fails."""
        push = build_push(PLAIN, {"MsgType": "text", "Content": "hi"})
        environ = {
            "SOME_PASSWORD": SECRET,
            "REQUEST_METHOD": "POST",
            "QUERY_STRING": push.query_string,
            "CONTENT_LENGTH": str(len(push.body)),
            "wsgi.input": io.BytesIO(push.body),
        }
        error = catch(push_app(PushEndpoint(PLAIN, fail_with)), environ, lambda status, headers: None)
        assert isinstance(error, ValueError)
        assert find_leaks(error, [SECRET]) == []

    def test_that_the_test_kit_cannot_open(self):
        push = open_push(SEALED, build_push(SEALED, {"MsgType": "text", "Content": "hi"}))
        answer = seal_reply(SEALED, push, "hello")
        others = attrs.evolve(SEALED, token=OTHER_TOKEN), attrs.evolve(SEALED, encoding_aes_key=OTHER_KEY)
        for settings in (*others, PushSettings(token=TOKEN)):
            assert find_leaks(catch(open_reply, settings, answer), SECRETS) == []
        assert find_leaks(catch(build_push, PLAIN, {}, mode="sealed"), SECRETS) == []


def traceback_ends_with(error: BaseException | None, names: set[str]) -> bool:
    return [set(frame.f_locals) for frame, _ in traceback.walk_tb(error.__traceback__)][-1] >= names


# --- functions that take a secret and raise ---------------------------------------------------------------------------

ENVIRON = {"WECHAT_TOKEN": SECRET, "WECHAT_SECRET": SECRET, "WECHAT_ENCODING_AES_KEY": SECRET, "OTHER": SECRET}
SETTINGS: dict[str, Any] = {"token": TOKEN, "encoding_aes_key": KEY, "appid": APPID}
SIGNED = {"timestamp": "1", "nonce": "2"}
IN_BLOCKS = base64.b64encode(SECRET.encode()[:16]).decode()

REFUSALS: dict[str, Callable[[], object]] = {
    "token": lambda: PushSettings(token=f"{SECRET} "),
    "token_bytes": lambda: PushSettings(token=SECRET.encode()),  # type: ignore[arg-type]
    "key": lambda: PushSettings(**{**SETTINGS, "token": "abc", "encoding_aes_key": SECRET}),
    "key_without_appid": lambda: PushSettings(token="abc", encoding_aes_key=SECRET),
    "previous_tokens": lambda: PushSettings(token="abc", previous_tokens=[SECRET, ""]),
    "previous_tokens_as_text": lambda: PushSettings(token="abc", previous_tokens=SECRET),
    "previous_keys": lambda: PushSettings(**{**SETTINGS, "token": "abc", "previous_encoding_aes_keys": [SECRET]}),
    "another_setting": lambda: PushSettings(token=SECRET[:32], encoding_aes_key=KEY, appid=APPID, max_age=-1),
    "settings_from_env": lambda: PushSettings.from_env(environ=ENVIRON),
    "settings_from_env_without_token": lambda: PushSettings.from_env("NONE_", environ=ENVIRON),
    "settings_from_env_odd_number": lambda: PushSettings.from_env(environ={**ENVIRON, "WECHAT_MAX_AGE": SECRET}),
    "cipher": lambda: MessageCipher(SECRET, APPID),
    "cipher_appid": lambda: MessageCipher(KEY, ""),
    "cipher_appid_to_seal": lambda: MessageCipher(KEY, APPID).encrypt(b"", appid=""),
    "cipher_without_random": lambda: MessageCipher(KEY, APPID, random_bytes=raise_bytes).encrypt(b""),
    "cipher_opens": lambda: MessageCipher(KEY, APPID).decrypt("A" * 64),
    "parse_encoding_aes_key": lambda: parse_encoding_aes_key(SECRET),
    "compute_signature": lambda: compute_signature(SURROGATE, "1", "2"),
    "compute_msg_signature": lambda: compute_msg_signature(SURROGATE, encrypt="x", **SIGNED),
    "verify_signature": lambda: verify_signature(SECRET, signature="x", **SIGNED),
    "verify_msg_signature": lambda: verify_msg_signature(SECRET, msg_signature="x", encrypt="x", **SIGNED),
    "decrypt_user_data_key": lambda: userdata.decrypt_user_data(SECRET, "AAAA", "AAAA", appid=APPID),
    "decrypt_user_data_surrogate": lambda: userdata.decrypt_user_data(SURROGATE, "AAAA", "AAAA", appid=APPID),
    "decrypt_user_data_iv": lambda: userdata.decrypt_user_data(IN_BLOCKS, "AAAA", "AAAA", appid=APPID),
    "decrypt_user_data": lambda: userdata.decrypt_user_data(IN_BLOCKS, "A" * 64, IN_BLOCKS, appid=APPID),
    "decrypt_user_data_size": lambda: userdata.decrypt_user_data(IN_BLOCKS, "AAAA", IN_BLOCKS, appid=APPID),
    "raw_data": lambda: userdata.verify_raw_data("{}", SECRET, signature="x"),
    "raw_data_signature": lambda: userdata.compute_raw_data_signature("\ud800", SECRET),
    "raw_data_key": lambda: userdata.compute_raw_data_signature("{}", SURROGATE),
    "session_signature": lambda: userdata.compute_session_signature(SECRET, "\ud800"),
    "pay_signature": lambda: userdata.compute_pay_signature(SECRET, "/xpay", "\ud800"),
    "pay_signature_key": lambda: userdata.compute_pay_signature(SURROGATE, "/xpay", ""),
    "page": lambda: jssdk.compute_signature(SECRET, noncestr="1", timestamp="1", url="example.com"),
    "page_surrogate": lambda: jssdk.compute_signature(SURROGATE, noncestr="1", timestamp="1", url="https://a"),
    "page_config": lambda: jssdk.make_config(APPID, SECRET, "https://example.com", "chooseImage"),
    "card": lambda: jssdk.compute_card_signature(SURROGATE, "1"),
    "card_value": lambda: jssdk.compute_card_signature(SECRET, 1),  # type: ignore[arg-type]
    "check_session": lambda: login.check_session("oUSER", SURROGATE),
    "reset_session": lambda: login.reset_user_session_key("oUSER", SURROGATE),
    "encrypt_keys": lambda: login.get_user_encrypt_key("oUSER", SURROGATE),
    "xpay_body": lambda: xpay.xpay_call("/xpay/x", {"a": object()}, appkey=SECRET, session_key=SECRET),
    "xpay_path": lambda: xpay.xpay_call("no path", {}, appkey=SECRET),
    "xpay_key": lambda: xpay.query_user_balance("oUSER", session_key=SURROGATE, appkey=SECRET),
    "xpay_value": lambda: xpay.currency_pay("oUSER", "\ud800", 1, session_key=SECRET, appkey=SECRET),
    "xpay_list": lambda: xpay.start_upload_goods("no list", appkey=SECRET),
    "xpay_date": lambda: xpay.download_bill(1, 2, appkey=SECRET),  # type: ignore[arg-type]
    "qr_code": lambda: qrcode.make_image_url(SURROGATE),
    "call_path": lambda: Call("GET", "no path", dict, {"access_token": SECRET}),
    "call_headers": lambda: Call("GET", "/x", dict, headers={"Authorization": f"Bearer {SECRET}\r\n"}),
    "raw_call": lambda: raw_call("get", "/x", params={"access_token": SECRET}),
    "answer": lambda: get_access_token().parse({"access_token": SECRET}),
    "client": lambda: Client(APPID, f"{SECRET}\n"),
    "client_option": lambda: Client(APPID, SECRET, retries=-1),
    "client_unknown_option": lambda: Client(APPID, SECRET, retry=1),  # type: ignore[call-arg]
    "client_from_env": lambda: Client.from_env("NONE_", environ=ENVIRON),
    "client_from_env_option": lambda: Client.from_env(environ={**ENVIRON, "WECHAT_APPID": APPID}, hosts=[]),
    "async_client": lambda: AsyncClient(APPID, f"{SECRET}\n"),
    "remote_source": lambda: RemoteTokenSource("https://example.com", f"{SECRET}\n"),
    "remote_source_url": lambda: RemoteTokenSource("", SECRET),
    "fixed_token": lambda: Client(APPID, token_source=FixedToken(f"{SECRET} ")).call(kf.list_accounts()),
    "fixed_token_function": lambda: Client(APPID, token_source=FixedToken(lambda: 1 / 0)).get_access_token(
        rejected=SECRET
    ),
    "token_server": lambda: make_token_server([], SECRET),
}


@each_row("refuse", REFUSALS)
def test_no_secret_is_in_the_frames_of_what_refuses(refuse):
    error = catch(refuse)
    assert isinstance(error, (WeChatError, TypeError, OSError, ValueError))
    assert find_leaks(error, [SECRET, SECRET[:16], *SECRETS]) == []


def test_the_environment_is_not_in_the_frames_of_what_reads_it(monkeypatch):
    monkeypatch.setenv("SOME_OTHER_PASSWORD", SECRET)
    for read in (PushSettings.from_env, Client.from_env, AsyncClient.from_env):
        assert find_leaks(catch(read, "NONE_"), [SECRET]) == []


# --- copies -----------------------------------------------------------------------------------------------------------

KEPT = [
    PLAIN,
    SEALED,
    attrs.evolve(SEALED, previous_tokens=[OTHER_TOKEN], previous_encoding_aes_keys=[OTHER_KEY]),
    StableTokenSource(),
    ClassicTokenSource(),
    RemoteTokenSource("https://tokens.example.com", SECRET),
    FixedToken(SECRET),
    Credential(SECRET, 1.0, 2.0),
    AccessToken(access_token=SECRET, expires_in=7200),
    Ticket(ticket=SECRET, expires_in=7200),
    login.Session(openid="oUSER", session_key=SECRET),
    oauth.get_user_info(SECRET, "oUSER"),
]


@each_row("kept", KEPT)
@each_row("clone", [copy.deepcopy, lambda kept: pickle.loads(pickle.dumps(kept))])
def test_settings_and_credentials_can_be_copied_and_pickled(kept, clone):
    twin = clone(kept)
    assert twin == kept
    assert repr(twin) == repr(kept)


def test_settings_open_pushes_when_they_have_been_pickled():
    settings = pickle.loads(pickle.dumps(SEALED))
    assert open_push(settings, build_push(SEALED, {"MsgType": "text", "Content": "hi"})).message.content == "hi"


# --- the search itself ------------------------------------------------------------------------------------------------


class TestTheSearch:
    """The search must be able to fail."""

    @pytest.mark.parametrize("form", [str, str.encode, lambda text: [{"a": (text,)}], lambda text: text.encode().hex()])
    def test_finds_secrets_in_local_variables(self, form):
        namespace: dict[str, Any] = {}
        exec(compile("def fail(secret):\n    raise ValueError", "/elsewhere.py", "exec"), namespace)
        error = catch(namespace["fail"], form(SECRET))
        assert [place for place, _ in list_locals(error)] == ["/elsewhere.py:2 fail: secret"]
        assert find_leaks(error, [SECRET]) == ["/elsewhere.py:2 fail: secret"]
        assert find_leaks(ValueError(form(SECRET)), [SECRET]) != []

    def test_finds_them_in_functions_without_the_decorator(self):
        error = catch(inspect.unwrap(verify_signature), SECRET, signature="x", **SIGNED)
        assert find_leaks(error, [SECRET]) != []
