"""No secret and no user's word is in a log, an error or a repr, whatever goes well or wrong; over real HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import attrs
import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from tests.helpers.both_clients import InLoop, both
from tests.helpers.frames import list_locals, walk_errors, write_in_all_ways
from tests.helpers.logs import listen_to_all
from wechat_msg._flow import CompareAndSet, Get
from wechat_msg.api import customer_service, media, oauth, template, user
from wechat_msg.api.access_token import AccessToken
from wechat_msg.api.call import SECRET, Call, File, Upload, raw_call
from wechat_msg.api.jsapi import Ticket
from wechat_msg.api.miniprogram import login
from wechat_msg.client import (
    AsyncClient,
    ClassicTokenSource,
    Client,
    FixedToken,
    RemoteTokenSource,
    StableTokenSource,
)
from wechat_msg.client.credential import Credential
from wechat_msg.client.credential_manager import RejectedCredential
from wechat_msg.client.redaction import LOGGERS
from wechat_msg.client.steps import Send
from wechat_msg.errors import (
    AccessTokenRejected,
    AnswerLost,
    APIError,
    CallError,
    ConnectFailed,
    InvalidCredential,
    QuotaExhausted,
    ReplyError,
    StoreError,
    SystemBusy,
    UnreadableAnswer,
    UserNotFound,
)
from wechat_msg.stores import MemoryStore, SQLiteStore
from wechat_msg.testing import FakeWeChatAPI

APPSECRET = "AppSecretOfTheAccount00000000001"
WRONG_SECRET = "AppSecretThatIsWrong000000000002"
SHARED_SECRET = "SharedSecretOfTheTokenServer0003"
REMOTE_TOKEN = "TokenOfTheTokenServer00000000004"
FIXED_TOKEN = "TokenThatSomebodyHandsIn00000005"
SESSION_KEY = "SessionKeyOfTheUser0000000000006"
JS_CODE = "CodeOfTheMiniProgram000000000007"
CODE = "CodeOfTheWebPage0000000000000008"
SAID = "只有用户和公众号知道的话"
NICKNAME = "用户的昵称"
FILE = b"ContentOfTheFile0000000000000009"
SECRETS = (
    *(APPSECRET, WRONG_SECRET, SHARED_SECRET, REMOTE_TOKEN, FIXED_TOKEN, SESSION_KEY, JS_CODE, CODE),
    *(SAID, NICKNAME, FILE.decode()),
)
#: A call that any account may make, and its path.
READ, PATH = user.get_info("oUSER"), "/cgi-bin/user/info"


# --- what could be found ---------------------------------------------------------------------------------------------


class Evidence(logging.Handler):
    """Collects whatever a program prints, or a tool that watches it: logs, errors and reprs."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.found: list[str] = []
        self.locals: list[str] = []
        self.errors: list[BaseException] = []
        self.loggers: set[str] = set()
        self.secrets = set(SECRETS)
        self.wechat: FakeWeChatAPI | None = None
        self.is_control = False
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep all of a record, also what a formatter would leave out."""
        self.loggers.add(record.name)
        self.found += [self.format(record), str(record.msg), repr(record.args), repr(vars(record))]
        self.errors += [each for each in record.args or () if isinstance(each, BaseException)]

    def record(self, thing: Any) -> None:
        """Keep what a thing shows of itself."""
        self.found += [repr(thing), str(thing)]

    def record_error(self, error: BaseException) -> None:
        """Keep what an error shows, and those that led to it, with all that they hold."""
        self.found += ["".join(traceback.format_exception(error))]
        for each in walk_errors(error):
            self.found += [repr(each), str(each), repr(each.args), repr(getattr(each, "__notes__", []))]
            self.found += [repr(vars(each)), *traceback.format_exception_only(each)]
        self.locals += [f"{place} = {value}" for place, value in list_locals(error)]

    def attempt(self, expected: Any, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call a function, which ends as expected, in a result or an error of a class; keep what that shows."""
        result, error = None, None
        try:
            result = function(*args, **options)
        except Exception as caught:
            error = caught
            self.record_error(error)
        self.record(result)
        assert type(error) is (expected or type(None)), repr(error)
        return result

    def search(self) -> list[str]:
        """Return where a secret is found."""
        for error in self.errors:
            self.locals += [f"{place} = {value}" for place, value in list_locals(error)]
        credentials = (self.secrets | self._list_access_tokens()) - {SAID, NICKNAME, FILE.decode()}
        return _search(self.found, self.secrets | credentials) + _search(self.locals, credentials)

    def _list_access_tokens(self) -> set[str]:
        """Return all tokens that went over the line, and those that WeChat gave last."""
        if self.wechat is None:
            return set()
        sent = [item for request in self.wechat.requests for item in request.query.items()]
        given = {self.wechat.access_token, self.wechat.stable_access_token} - {None}
        return given | {value for name, value in sent if name.endswith("_token") and value}


def _search(found: list[str], secrets: set[str]) -> list[str]:
    needles = {form for secret in secrets for form in write_in_all_ways(secret)}
    return [text for text in found if any(needle in text for needle in needles)]


@pytest.fixture
def evidence() -> Iterator[Evidence]:
    """Listen to every logger at the lowest level, and search in the end."""
    evidence = Evidence()
    with listen_to_all(evidence):
        yield evidence


@pytest.fixture
def wechat(evidence: Evidence) -> Iterator[FakeWeChatAPI]:
    """Play WeChat; the tokens that it gives are secrets."""
    with FakeWeChatAPI(secret=APPSECRET) as wechat:
        evidence.wechat = wechat
        wechat.add_user("oUSER", nickname=NICKNAME, remark=NICKNAME)
        yield wechat


@pytest.fixture(autouse=True)
def nothing_is_found(evidence: Evidence) -> Iterator[None]:
    """Search when the test is over, and the fake has told what it gave."""
    yield
    assert evidence.is_control or evidence.search() == []


class Account:
    """Makes clients of one kind for the account that the fake plays."""

    def __init__(self, make: Callable[..., Any], wechat: FakeWeChatAPI, evidence: Evidence) -> None:
        self.make, self.wechat, self.evidence = make, wechat, evidence
        self.store = MemoryStore()

    def open(self, secret: str | None = APPSECRET, **options: Any) -> Any:
        chosen = {"hosts": [self.wechat.url], "store": self.store, "random": lambda: 0.0, **options}
        client = self.make(self.wechat.appid, secret, **chosen)
        self.evidence.record(client)
        return client

    def attempt(self, expected: Any, call: Call[Any], /, **options: Any) -> Any:
        """Make a client, and one call with it."""
        self.evidence.record(call)
        with self.open(**options) as client:
            return self.evidence.attempt(expected, client.call, call)

    def prepare(self, **options: Any) -> None:
        """Fetch a token, so that what follows goes wrong only with the call itself."""
        self.attempt(None, READ, **options)


@pytest.fixture
def account(make: Callable[..., Any], wechat: FakeWeChatAPI, evidence: Evidence) -> Account:
    return Account(make, wechat, evidence)


class Down(MemoryStore):
    """A store that cannot be reached."""

    def get(self, key: str) -> bytes | None:
        raise StoreError("the store is down")

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        raise StoreError("the store is down")


class Broken(MemoryStore):
    """A store that was written in a hurry, and fails at tokens."""

    is_broken = True

    def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        fails = self.is_broken and value is not None and b"renew_at" in value
        return 1 / 0 if fails else super().compare_and_set(key, expected, value, ttl)


def find_dead_host() -> str:
    """Return an address on which no server listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


# --- what goes well --------------------------------------------------------------------------------------------------


@both
class TestNothingIsShownOfCallsThatGoWell:
    @pytest.mark.parametrize("source", [StableTokenSource(), ClassicTokenSource()], ids=["stable", "classic"])
    def test_with_messages_and_users(self, account, evidence, source):
        calls = [
            customer_service.send("oUSER", SAID),
            template.send("oUSER", "TEMPLATE_ID", {"keyword1": SAID}),
            user.get_info("oUSER"),
            user.batch_get_info(["oUSER"]),
            user.update_remark("oUSER", NICKNAME),
            raw_call("POST", "/cgi-bin/message/custom/send", json={"touser": "oUSER", "msgtype": "x", "x": SAID}),
        ]
        with account.open(token_source=source) as client:
            for call in calls[:-1]:
                evidence.record(call)
                evidence.attempt(None, client.call, call)
            evidence.record(calls[-1])
            evidence.attempt(None, list, client.iterate(user.iterate_openids()))
        assert account.wechat.messages[0]["text"] == {"content": SAID}

    def test_with_access_tokens_and_tickets(self, account, evidence):
        with account.open() as client:
            access_token = evidence.attempt(None, client.get_access_token)
            evidence.attempt(None, client.get_access_token, rejected=access_token.access_token)
            for kind in ("jsapi", "wx_card"):
                evidence.secrets.add(evidence.attempt(None, client.get_ticket, kind).ticket)
        evidence.secrets.add(access_token.access_token)

    def test_with_users_who_log_in(self, account, evidence):
        with account.open() as client:
            evidence.record(login.code2session(JS_CODE))
            session = evidence.attempt(None, client.call, login.code2session(JS_CODE))
            call = login.check_session(session.openid, session.session_key)
            evidence.record(call)
            evidence.attempt(None, client.call, call)
            access_token = evidence.attempt(None, client.call, oauth.get_access_token(CODE))
            access_token = evidence.attempt(None, client.call, oauth.refresh_access_token(access_token.refresh_token))
            info = evidence.attempt(
                None, client.call, oauth.get_user_info(access_token.access_token, access_token.openid)
            )
            assert info.nickname == NICKNAME
        evidence.secrets |= {session.session_key, access_token.access_token, access_token.refresh_token}

    def test_with_files(self, account, evidence):
        call = media.upload("image", FILE)
        evidence.record(call)
        evidence.record(call.upload)
        with account.open() as client:
            uploaded = evidence.attempt(None, client.call, call)
            file = evidence.attempt(None, client.call, media.download(uploaded.media_id))
        assert file.content == FILE

    def test_with_other_sources_of_access_tokens(self, account, evidence):
        account.wechat.answer("/token", {"access_token": REMOTE_TOKEN, "expires_in": 7200})
        account.wechat.answer(PATH, {"openid": "oUSER", "subscribe": 1, "nickname": NICKNAME})
        remote = RemoteTokenSource(account.wechat.url, SHARED_SECRET)
        sources = (remote, FixedToken(FIXED_TOKEN), FixedToken(lambda: FIXED_TOKEN, "cloudbase_access_token"))
        for source in sources:
            evidence.record(source)
            account.attempt(None, READ, secret=None, token_source=source)


# --- what goes wrong -------------------------------------------------------------------------------------------------


@both
class TestNothingIsShownOfCallsThatFail:
    @pytest.mark.parametrize("source", [StableTokenSource(), ClassicTokenSource()], ids=["stable", "classic"])
    def test_as_no_connection_is_made(self, account, source):
        dead = [find_dead_host(), find_dead_host()]
        account.attempt(ConnectFailed, READ, hosts=dead, token_source=source)
        account.attempt(ConnectFailed, READ, hosts=dead, token_source=FixedToken(FIXED_TOKEN))
        account.attempt(ConnectFailed, customer_service.send("oUSER", SAID), hosts=dead, token_source=source)
        account.attempt(ConnectFailed, login.code2session(JS_CODE), hosts=["http://name.invalid"], retries=0)

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_as_the_connection_is_dropped(self, account, when):
        for source in (StableTokenSource(), ClassicTokenSource()):
            account.wechat.drop("*", when=when, times=None)
            account.attempt(AnswerLost, READ, token_source=source, store=MemoryStore())
            account.wechat.clear_faults()
            account.prepare(token_source=source)
            account.wechat.drop("*", when=when, times=None)
            account.attempt(AnswerLost, READ, token_source=source)
            account.attempt(AnswerLost, customer_service.send("oUSER", SAID), token_source=source)
            account.attempt(AnswerLost, login.code2session(JS_CODE), token_source=source)
            account.attempt(AnswerLost, media.upload("image", FILE), token_source=source)
            account.wechat.clear_faults()

    def test_as_the_answer_does_not_come_in_time(self, account):
        account.prepare()
        account.wechat.delay("*", 60)
        account.attempt(AnswerLost, READ, timeout=(10.0, 0.1), retries=1)
        account.attempt(AnswerLost, customer_service.send("oUSER", SAID), timeout=(10.0, 0.1))
        account.attempt(
            AnswerLost, READ, timeout=(10.0, 0.1), store=MemoryStore(), token_source=ClassicTokenSource(), retries=0
        )

    @pytest.mark.parametrize(
        ("body", "status", "content_type"),
        [
            (f"<html>{SAID} {APPSECRET} {FIXED_TOKEN}</html>".encode(), 502, "text/html"),
            (f'{{"nickname": "{NICKNAME}", "openid": "{SAID}'.encode(), 200, "application/json"),
            (f'{{"errcode": "{APPSECRET}", "errmsg": "{SAID}"}}'.encode(), 200, "application/json"),
            (f'["{APPSECRET}", "{SAID}"]'.encode(), 200, "text/plain"),
            (SAID.encode("gb18030"), 200, "application/json"),
            (FILE, 200, "image/png"),
            (b"", 200, "application/json"),
        ],
        ids=["HTML", "half", "odd errcode", "list", "not UTF-8", "file", "nothing"],
    )
    def test_as_the_answer_cannot_be_read(self, account, body, status, content_type):
        account.prepare()
        account.wechat.answer("*", body, status=status, content_type=content_type)
        fixed = FixedToken(FIXED_TOKEN)
        for call in (READ, login.code2session(JS_CODE), customer_service.send("oUSER", SAID)):
            account.attempt(UnreadableAnswer, call, retries=1, token_source=fixed)
        for source in (StableTokenSource(), ClassicTokenSource()):
            account.attempt(UnreadableAnswer, READ, retries=0, token_source=source, store=MemoryStore())

    def test_as_the_answer_is_another_than_expected(self, account):
        account.prepare()
        account.wechat.answer("*", {"openid": {NICKNAME: SAID}, "session_key": [SESSION_KEY], "subscribe": SAID})
        for call in (READ, login.code2session(JS_CODE)):
            account.attempt(UnreadableAnswer, call, token_source=FixedToken(FIXED_TOKEN))

    def test_as_it_is_sent_elsewhere(self, account):
        """As it would be with the access_token, if it went there."""
        account.prepare()
        elsewhere = f"{account.wechat.url}/elsewhere?access_token={FIXED_TOKEN}&secret={APPSECRET}"
        account.wechat.answer(PATH, b"", status=302, content_type="text/html", headers={"Location": elsewhere})
        account.attempt(UnreadableAnswer, READ)
        assert account.wechat.requests_to("/elsewhere") == []

    @pytest.mark.parametrize("source", [StableTokenSource(), ClassicTokenSource()], ids=["stable", "classic"])
    def test_as_the_access_token_is_rejected_for_good(self, account, source):
        account.prepare(token_source=source)
        account.wechat.fail(PATH, 40001, "invalid credential, access_token is invalid or not latest")
        for _ in range(7):
            account.attempt(AccessTokenRejected, READ, token_source=source)

    @pytest.mark.parametrize("source", [StableTokenSource(), ClassicTokenSource()], ids=["stable", "classic"])
    def test_as_wechat_repeats_the_request(self, account, evidence, source):
        with account.open(token_source=source) as client:
            access_token = client.get_access_token().access_token
            text = f"invalid access_token={access_token}&secret={APPSECRET}"
            text += f" token {access_token} secret {APPSECRET} rid: 1-2-3-4-5"
            account.wechat.fail(PATH, 40003, text)
            evidence.attempt(UserNotFound, client.call, READ)
            account.wechat.fail(PATH, 40001, text)
            for path in ("/cgi-bin/token", "/cgi-bin/stable_token"):
                account.wechat.fail(path, 45009, f"invalid secret={APPSECRET} {APPSECRET}")
            evidence.attempt(QuotaExhausted, client.call, READ)
        assert [text for text in evidence.found if "invalid access_token=***" in text] != []

    @pytest.mark.parametrize("source", [StableTokenSource(), ClassicTokenSource()], ids=["stable", "classic"])
    def test_as_the_secret_is_wrong(self, account, source):
        account.attempt(InvalidCredential, READ, secret=WRONG_SECRET, token_source=source)
        for path in ("/cgi-bin/token", "/cgi-bin/stable_token", "/sns/jscode2session"):
            account.wechat.fail(path, 40125, f"invalid appsecret {WRONG_SECRET}, secret={WRONG_SECRET} rid: 1-2-3-4-5")
        for _ in range(2):
            account.attempt(InvalidCredential, READ, secret=WRONG_SECRET, token_source=source, store=MemoryStore())
        account.attempt(InvalidCredential, login.code2session(JS_CODE), secret=WRONG_SECRET, token_source=source)
        account.attempt(CallError, READ, secret=None, token_source=source, store=MemoryStore())

    def test_as_others_fetch_access_tokens_too(self, account, evidence):
        with account.open(token_source=ClassicTokenSource()) as client:
            for _ in range(7):
                account.wechat.revoke_access_tokens()
                evidence.attempt(
                    None if len(account.wechat.requests_to(PATH)) < 10 else AccessTokenRejected, client.call, READ
                )
        assert [text for text in evidence.found if "was replaced before it expired" in text] != []

    def test_as_a_sticky_access_token_cannot_be_replaced(self, account, evidence):
        with account.open() as client:
            evidence.attempt(None, client.call, READ)
            account.wechat.revoke_access_tokens(sticky=True)
            evidence.attempt(None, client.call, READ)
            account.wechat.revoke_access_tokens(sticky=True)
            evidence.attempt(AccessTokenRejected, client.call, READ)

    def test_as_the_store_is_down(self, account, tmp_path):
        folder = tmp_path / "missing"
        for store in (Down(), SQLiteStore(folder / "store.db", timeout=0.0)):
            account.attempt(StoreError, READ, token_source=ClassicTokenSource(), store=store)
            account.attempt(None, READ, store=store)
            account.wechat.fail(PATH, 42001, times=1)
            account.attempt(None, READ, store=store)
            account.wechat.advance(31)  # until a token may be forced again

    @pytest.mark.parametrize("garbage", [b"garbage", b"{}", b'{"value":5}', b"[NaN]", b"\xff"])
    def test_as_the_store_holds_garbage(self, account, garbage):
        access_token = f"access_token:{account.wechat.appid}:stable"
        for key in (access_token, f"{access_token}:limited"):
            account.store.compare_and_set(key, None, garbage + APPSECRET.encode(), 60)
        account.prepare()
        account.wechat.revoke_access_tokens(sticky=True)
        account.attempt(None, READ)

    def test_as_the_access_token_cannot_be_renewed(self, account, evidence):
        for errcode in (40164, 45009, -1):
            with account.open(
                token_source=ClassicTokenSource(), clock=account.wechat.clock, store=MemoryStore()
            ) as client:
                evidence.attempt(None, client.call, READ)
                account.wechat.advance(7000)
                account.wechat.fail("/cgi-bin/token", errcode, f"secret={APPSECRET} {APPSECRET}")
                evidence.attempt(None, client.call, READ)
            account.wechat.clear_faults()
        assert [text for text in evidence.found if "could not be renewed yet" in text] != []

    def test_as_they_cannot_be_sent(self, account):
        calls = [
            raw_call("POST", "/x", json={"content": SAID, "odd": {1, 2}}),
            raw_call("POST", "/x", json={"content": SAID + "\ud800", "odd": APPSECRET}),
            raw_call("POST", "/x", json={SAID: {"within": SECRET}}),
            raw_call("GET", "/x", params={"content": SAID + "\ud800"}),
            raw_call("GET", "/x", params={SAID: None}),
            raw_call("GET", "/x", host=f"https://{SAID} {APPSECRET}"),
        ]
        for call in calls:
            account.attempt(CallError, call)

    def test_as_the_client_cannot_be_made_or_is_closed(self, account, evidence):
        for secret in (f"{APPSECRET}\n", f"{APPSECRET} {SAID}", APPSECRET.encode()):
            evidence.attempt(CallError, account.make, "wx1", secret)
        client = account.open()
        client.close()
        if account.make is Client:
            evidence.attempt(CallError, client.call, READ)

    def test_as_functions_of_the_user_fail(self, account):
        """These errors go up as they are; the client's own variables do not go with them."""
        account.prepare()
        account.attempt(ZeroDivisionError, media.upload("image", FILE, progress=lambda *_: 1 / 0))
        account.attempt(ZeroDivisionError, READ, token_source=FixedToken(lambda: 1 / 0))
        account.attempt(ZeroDivisionError, READ, store=Broken(), token_source=ClassicTokenSource())

    def test_as_a_token_server_refuses(self, account):
        wrong = RemoteTokenSource(account.wechat.url, SHARED_SECRET)
        dead = RemoteTokenSource(find_dead_host(), SHARED_SECRET)
        account.wechat.fail("/token", 40125, "wrong shared secret")
        account.attempt(InvalidCredential, READ, secret=None, token_source=wrong)
        account.wechat.clear_faults()
        account.wechat.fail("/token", -1)
        account.attempt(SystemBusy, READ, secret=None, token_source=wrong, store=MemoryStore())
        account.attempt(ConnectFailed, READ, secret=None, token_source=dead, store=MemoryStore())

    def test_as_the_program_raises_an_error_while_it_handles_another(self, account, evidence):
        """The error of the call comes up in another one, and another one in that of the call."""
        account.wechat.fail(PATH, 40003)

        def handle() -> None:
            try:
                int("something else")
            except ValueError:
                with account.open() as client:
                    client.call(READ)

        evidence.attempt(UserNotFound, handle)


def test_nothing_is_shown_of_a_session_that_tries_again_by_itself(evidence, wechat):
    """urllib3 then writes the URL into logs of its own."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=Retry(2, backoff_factor=0, allowed_methods=None)))
    account = Account(Client, wechat, evidence)
    wechat.drop("*", times=1)
    account.attempt(None, READ, session=session, token_source=ClassicTokenSource())
    wechat.drop("*", times=None)
    account.attempt(AnswerLost, READ, session=session, token_source=ClassicTokenSource(), retries=0)
    session.close()
    assert {"urllib3.util.retry", "urllib3.connectionpool"} <= evidence.loggers


def test_nothing_is_shown_of_a_renewal_that_fails_in_its_thread(evidence, wechat, monkeypatch):
    failed: list[BaseException] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: failed.append(args.exc_value))
    store = Broken()
    with Client(wechat.appid, APPSECRET, hosts=[wechat.url], store=store, clock=wechat.clock) as client:
        store.is_broken = False
        client.call(READ)
        store.is_broken = True
        wechat.advance(7000)
        client.call(READ)
    (error,) = failed
    assert isinstance(error, ZeroDivisionError)
    evidence.record_error(error)


def test_nothing_is_shown_of_a_call_that_is_cancelled(evidence, wechat):
    async def main() -> None:
        async with AsyncClient(
            wechat.appid, APPSECRET, hosts=[wechat.url], token_source=ClassicTokenSource()
        ) as client:
            await client.call(READ)
            wechat.delay(PATH, 60)
            task = asyncio.create_task(client.call(READ))
            while len(wechat.requests_to(PATH)) < 2:  # noqa: ASYNC110, the fake is no task
                await asyncio.sleep(0.005)
            evidence.record(task)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError as error:
                evidence.record_error(error)
            evidence.record(task)

    asyncio.run(main(), debug=True)
    assert "asyncio" in evidence.loggers


# --- what is inside --------------------------------------------------------------------------------------------------


class TestNothingIsShownBy:
    def test_what_the_client_works_with(self, evidence):
        things = [
            Credential(FIXED_TOKEN, 1.0, 2.0),
            RejectedCredential(FIXED_TOKEN, AccessTokenRejected(40001)),
            AccessToken(access_token=FIXED_TOKEN, expires_in=7200),
            Ticket(ticket=FIXED_TOKEN, expires_in=7200),
            login.Session(openid="oUSER", session_key=SESSION_KEY),
            File(content=FILE, size=len(FILE)),
            Upload(file=FILE, filename="a.jpg", fields={"description": SAID}),
            *(StableTokenSource(), ClassicTokenSource(), FixedToken(FIXED_TOKEN)),
            RemoteTokenSource("https://tokens.example.com", SHARED_SECRET),
            *RemoteTokenSource("https://tokens.example.com", SHARED_SECRET).attempts(FIXED_TOKEN),
            raw_call("POST", "/x", params={"access_token": FIXED_TOKEN}, json={"content": SAID}),
            attrs.evolve(READ, headers={"Authorization": SHARED_SECRET}),
        ]
        for thing in things:
            evidence.record(thing)

    def test_the_errors_of_calls_that_cannot_be_made(self, evidence):
        for path in (f"/x?access_token={FIXED_TOKEN}", f"/x?secret={APPSECRET}&content={SAID}"):
            evidence.attempt(CallError, raw_call, "GET", path)
        for headers in ({"Authorization": f"Bearer {SHARED_SECRET}\r\n"}, {SAID: SHARED_SECRET}):
            evidence.attempt(CallError, Call, "GET", "/x", dict, headers=headers)
        evidence.attempt(CallError, Upload, file=FILE, filename=SAID)
        evidence.attempt(CallError, RemoteTokenSource, "https://tokens.example.com", f"{SHARED_SECRET}\n")
        evidence.attempt(ReplyError, customer_service.send, "oUSER", SAID.encode())

    @pytest.mark.parametrize("source", [StableTokenSource(), ClassicTokenSource()], ids=["stable", "classic"])
    @pytest.mark.parametrize(
        "call",
        [READ, customer_service.send("oUSER", SAID), login.code2session(JS_CODE), media.upload("image", FILE)],
        ids=["read", "send", "login", "upload"],
    )
    def test_the_steps_of_a_call(self, evidence, wechat, source, call):
        """Which tools show that keep the variables of each line of a traceback."""
        client = Client(wechat.appid, APPSECRET, hosts=[wechat.url], token_source=source)
        flow, given = client._caller.call(call), None
        kinds = set()
        try:
            while True:
                step = flow.send(given)
                kinds.add(type(step))
                evidence.record(step)
                given = client._perform(step)
                evidence.record(given if isinstance(step, Send) else None)
                for frame in walk_frames(flow):
                    for value in frame.values():
                        evidence.record(value)
        except StopIteration as end:
            evidence.record(end.value)
        client.close()
        assert kinds >= ({Send} if call.path.startswith("/sns/") else {Send, Get, CompareAndSet})


def walk_frames(flow: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects in each frame of a flow that stands still; text and bytes would be too easy to find."""
    while flow is not None and hasattr(flow, "gi_frame") and flow.gi_frame is not None:
        named = flow.gi_frame.f_locals.items()
        yield {name: value for name, value in named if not isinstance(value, (str, bytes, dict, list, tuple))}
        flow = flow.gi_yieldfrom


# --- the search itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [Client, InLoop], ids=["sync", "async"])
class TestTheSearch:
    """It must be able to fail."""

    @pytest.fixture(autouse=True)
    def control(self, evidence: Evidence) -> None:
        evidence.is_control = True

    def test_finds_secrets_in_logs_without_a_handler(self, account, evidence):
        filters = {name: logging.getLogger(name).filters[:] for name in LOGGERS}
        try:
            with account.open(token_source=ClassicTokenSource()) as client:
                for name in LOGGERS:
                    logging.getLogger(name).filters.clear()
                evidence.attempt(None, client.call, READ)
        finally:
            for name in LOGGERS:
                logging.getLogger(name).filters[:] = filters[name]
        found = "\n".join(evidence.search())
        assert APPSECRET in found
        assert account.wechat.access_token in found

    @pytest.mark.parametrize("secret", [APPSECRET, SAID, NICKNAME, SESSION_KEY])
    def test_finds_secrets_wherever_an_error_could_hold_them(self, account, evidence, secret):
        plain = ValueError("plain")
        noted, caused, surrounded, grouped, holding = (ValueError("plain") for _ in range(5))
        noted.add_note(f"note {secret}")
        caused.__cause__ = ValueError(f"cause {secret}")
        surrounded.__context__ = ValueError(secret)
        holding.url = f"https://example.com/?x={quote(secret)}"  # type: ignore[attr-defined]
        grouped.__cause__ = ExceptionGroup("group", [ValueError(json.dumps(secret))])
        evidence.record_error(plain)
        assert evidence.search() == []
        for error in (noted, caused, surrounded, grouped, holding, APIError(1, secret), ValueError(secret.encode())):
            evidence.found.clear()
            evidence.record_error(error)
            assert evidence.search() != []

    def test_listens_to_all_loggers(self, account, evidence):
        account.prepare()
        library = {"urllib3.connectionpool"} if account.make is Client else {"httpx2", "httpcore2.http11"}
        assert library | {"wechat_msg"} <= evidence.loggers
