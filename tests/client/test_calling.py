"""What a call becomes on the line, and what is tried again, where, how often and for how long; no I/O, no thread."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs
import pytest
from attrs import define, field, frozen

from tests.helpers.accounts import make_account
from tests.helpers.rows import check_rows
from wechat_msg._flow import CompareAndSet, Get, Sleep, drive
from wechat_msg.api import customer_service, user
from wechat_msg.api._response import APIResponse
from wechat_msg.api.access_token import get_access_token
from wechat_msg.api.call import APPID, SECRET, Call, get_without_access_token, raw_call
from wechat_msg.api.results import no_result
from wechat_msg.client import ClassicTokenSource, FixedToken, RemoteTokenSource, StableTokenSource
from wechat_msg.client.calling import Caller
from wechat_msg.client.credential_manager import FETCH_LIMIT
from wechat_msg.client.hosts import DEFAULT_HOSTS, Hosts
from wechat_msg.client.sources import fingerprint
from wechat_msg.client.steps import Background, Request, Send
from wechat_msg.errors import (
    AccessTokenRejected,
    AnswerLost,
    APIError,
    AuthorizationExpired,
    CallError,
    ConnectFailed,
    InvalidCredential,
    IPNotAllowed,
    PermissionDenied,
    QuotaExhausted,
    RateLimited,
    SystemBusy,
    TransportError,
    UnreadableAnswer,
    UserRefused,
    WeChatError,
    WindowClosed,
)
from wechat_msg.stores import MemoryStore

NOW = 1_700_000_000.0
HOST, OTHER, THIRD = "https://one.example.com", "https://two.example.com", "https://three.example.com"
STABLE, CLASSIC = "/cgi-bin/stable_token", "/cgi-bin/token"
READ = raw_call("GET", "/cgi-bin/read", params={"openid": "oUSER"})
SEND = raw_call("POST", "/cgi-bin/send", json={"touser": "oUSER"})
FIXED = FixedToken("FIXED")
#: The least time that a try gets, however little is left.
A_MOMENT = 0.05
OK = {"errcode": 0, "errmsg": "ok"}


# --- a network by hand -----------------------------------------------------------------------------------------------


@frozen
class Fails:
    """What happens instead of an answer: so many seconds pass, but no more than the caller waits; then this error."""

    error: type[TransportError]
    seconds: float = 0.0

    def happen(self, network: Network, request: Request) -> APIResponse:
        patience = request.connect_timeout if self.error is ConnectFailed else request.read_timeout
        network.now += min(self.seconds, patience)
        raise self.error("no answer")


@frozen
class Late:
    """An answer that takes so many seconds."""

    seconds: float
    answer: Any = field(factory=lambda: OK)

    def happen(self, network: Network, request: Request) -> APIResponse:
        if self.seconds >= request.read_timeout:
            return LOST.happen(network, request)
        network.now += self.seconds
        return to_answer(self.answer)


REFUSED, UNREACHABLE = Fails(ConnectFailed), Fails(ConnectFailed, 1e9)
DROPPED, LOST = Fails(AnswerLost), Fails(AnswerLost, 1e9)
HTML = APIResponse(502, "text/html", b"<html>bad gateway</html>")


def refusal(errcode: int, errmsg: str = "refused") -> dict[str, Any]:
    return {"errcode": errcode, "errmsg": errmsg}


def to_answer(answer: Any) -> APIResponse:
    return (
        answer if isinstance(answer, APIResponse) else APIResponse(200, "application/json", json.dumps(answer).encode())
    )


@define(slots=False)
class Network:
    """WeChat at the other end of a line, on a clock that only pauses and slow answers move.

    Attributes:
        chance: What every random number is, from 0 to 1.
        now: Seconds since the epoch.
        sent: All requests.
        pauses: How long was waited between them.
        plans: What happens at a path, one after the other, or at a host; the last one goes on happening.
    """

    chance: float = 1.0
    now: float = NOW
    sent: list[Request] = field(factory=list)
    pauses: list[float] = field(factory=list)
    plans: dict[str, list[Any]] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.store = MemoryStore(clock=self.monotonic)

    def monotonic(self) -> float:
        return self.now - NOW + 5000

    def plan(self, where: str, *what: Any) -> None:
        """Let something happen at a path, or at a host."""
        self.plans[where] = list(what)

    def make(
        self,
        secret: str | None = "SECRET",
        *,
        source: Any = None,
        hosts: tuple[str, ...] = (HOST,),
        connect: float | None = 3.05,
        read: float | None = 10.0,
        total: float = 30.0,
        retries: int = 2,
    ) -> Caller:
        account = make_account(
            secret=secret,
            hosts=hosts,
            timeout=(connect, read),
            total_timeout=total,
            retries=retries,
            token_source=source or StableTokenSource(),
            clock=lambda: self.now,
            monotonic=self.monotonic,
            random=lambda: self.chance,
        )
        return Caller(account, self.store)

    def call(self, call: Call[Any] = READ, /, **options: Any) -> Any:
        """Make a client, and one call with it."""
        return self.run(self.make(**options).call(call))

    def run(self, flow: Any) -> Any:
        return drive(flow, self._perform)

    def _perform(self, step: Any) -> Any:
        match step:
            case Get() | CompareAndSet():
                return step.perform()
            case Sleep():
                self.pauses.append(step.seconds)
                self.now += step.seconds
            case Send():
                self.sent.append(step.request)
                return self._answer(step.request)
            case Background():
                pass
        return None

    def _answer(self, request: Request) -> APIResponse:
        parts = urlsplit(request.url)
        host = f"{parts.scheme}://{parts.netloc}"
        plan = self.plans.get(host) or self.plans.get(parts.path) or [self._obey(parts.path)]
        what = plan.pop(0) if len(plan) > 1 else plan[0]
        return what.happen(self, request) if hasattr(what, "happen") else to_answer(what)

    def _obey(self, path: str) -> Any:
        number = sum(urlsplit(request.url).path == path for request in self.sent)
        if path in (STABLE, CLASSIC, "/token"):
            return {"access_token": f"T{number}", "expires_in": 7200}
        if path == "/cgi-bin/ticket/getticket":
            return {**OK, "ticket": f"TICKET{number}", "expires_in": 7200}
        return OK

    # --- what went over the line

    @property
    def paths(self) -> list[str]:
        return [urlsplit(request.url).path for request in self.sent]

    @property
    def hosts(self) -> list[str]:
        return [request.url.removesuffix(urlsplit(request.url).path).split("/cgi-bin")[0] for request in self.sent]

    @property
    def query(self) -> dict[str, str]:
        """Return the query of the last request."""
        return dict(parse_qsl(urlsplit(self.sent[-1].url).query, keep_blank_values=True))

    @property
    def access_tokens(self) -> list[str | None]:
        """Return the access_tokens that were sent."""
        queries = [dict(parse_qsl(urlsplit(request.url).query)) for request in self.sent]
        return [query.get("access_token") for query in queries]


@pytest.fixture
def network() -> Network:
    return Network()


def catch(network: Network, call: Call[Any] = READ, **options: Any) -> Exception:
    with pytest.raises(WeChatError) as caught:
        network.call(call, **options)
    return caught.value


# --- a call that goes well -------------------------------------------------------------------------------------------


class TestACall:
    def test_fetches_an_access_token_first_and_sends_it(self, network):
        assert network.call(READ) == OK
        assert network.paths == [STABLE, "/cgi-bin/read"]
        assert network.sent[1].url == f"{HOST}/cgi-bin/read?access_token=T1&openid=oUSER"

    def test_fetches_no_access_token_if_there_is_one(self, network):
        caller = network.make()
        for _ in range(3):
            network.run(caller.call(READ))
        assert network.paths == [STABLE, *["/cgi-bin/read"] * 3]

    def test_without_the_access_token_of_the_account_fetches_none(self, network):
        network.call(get_without_access_token("/sns/userinfo", dict, openid="oUSER"))
        assert network.paths == ["/sns/userinfo"]
        assert network.query == {"openid": "oUSER"}

    def test_has_no_question_mark_without_a_query(self, network):
        network.call(raw_call("POST", "/tcb/invoke"), source=FixedToken())
        assert network.sent[0].url == f"{HOST}/tcb/invoke"

    def test_has_what_it_needs_and_no_more(self, network):
        network.call(SEND, source=FIXED)
        (request,) = network.sent
        assert (request.method, request.body) == ("POST", b'{"touser":"oUSER"}')
        assert set(request.headers) == {"User-Agent", "Content-Type"}
        assert request.headers["Content-Type"] == "application/json"
        assert request.headers["User-Agent"].startswith("wechat_msg")

    def test_has_its_body_byte_for_byte_if_that_is_written_already(self, network):
        network.call(attrs.evolve(SEND, json=None, body=b'{"touser": "\xe4\xbd\xa0"}'), source=FIXED)
        (request,) = network.sent
        assert request.body == b'{"touser": "\xe4\xbd\xa0"}'
        assert request.headers["Content-Type"] == "application/json"

    def test_has_no_body_that_is_text(self):
        with pytest.raises(CallError, match="body must be bytes"):
            attrs.evolve(SEND, body="{}")

    def test_has_no_body_if_it_has_none(self, network):
        network.call(READ, source=FIXED)
        assert network.sent[0].body is None
        assert "Content-Type" not in network.sent[0].headers

    def test_asks_the_first_host(self, network):
        network.call(READ, hosts=DEFAULT_HOSTS)
        assert network.hosts == ["https://api.weixin.qq.com"] * 2

    def test_asks_the_host_that_it_names_itself(self, network):
        network.call(raw_call("GET", "/cgi-bin/showqrcode", host=OTHER, needs_access_token=False))
        assert network.hosts == [OTHER]

    def test_raises_errors_with_the_request_but_no_secret(self, network):
        network.plan("/cgi-bin/read", refusal(40003))
        error = catch(network)
        assert error.__notes__ == [f"GET {HOST}/cgi-bin/read"]

    def test_is_what_functions_of_the_api_return(self, network):
        for nonsense in (None, "/cgi-bin/read", user.get_info, user.iterate_openids()):
            assert isinstance(catch(network, nonsense), CallError)
        assert network.sent == []


class TestAppIDAndSecret:
    def test_are_filled_in_where_a_call_has_a_place_for_them(self, network):
        network.call(get_access_token())
        assert network.query == {"grant_type": "client_credential", "appid": "wx1", "secret": "SECRET"}
        network.call(raw_call("POST", "/x", json={"a": APPID, "s": SECRET}, needs_access_token=False))
        assert json.loads(network.sent[-1].body) == {"a": "wx1", "s": "SECRET"}

    def test_are_refused_where_there_is_no_place_for_them(self, network):
        assert isinstance(catch(network, raw_call("POST", "/x", json={"within": {"a": SECRET}})), CallError)
        assert isinstance(catch(network, raw_call("POST", "/x", json=[SECRET])), CallError)
        assert network.sent == []

    def test_are_missed_if_there_is_no_secret(self):
        def check(source):
            network = Network()
            call = get_access_token() if source is FIXED else READ
            error = catch(network, call, secret=None, source=source)
            assert isinstance(error, CallError)
            assert "needs the AppSecret" in str(error)
            assert network.sent == []

        check_rows([(row,) for row in [None, ClassicTokenSource(), FIXED]], check)


# --- a call that fails -----------------------------------------------------------------------------------------------


class TestARejectedAccessToken:
    def test_is_replaced_and_the_call_made_once_more(self):
        """WeChat did nothing the first time, so that this is no retry."""

        def check(retries, call, errcode):
            network = Network()
            network.plan(call.path, refusal(errcode), OK)
            assert network.call(call, retries=retries) == OK
            assert network.paths == [STABLE, call.path, STABLE, call.path]
            assert network.access_tokens == [None, "T1", None, "T2"]
            assert network.pauses == []

        check_rows(
            [
                (retries, call, errcode)
                for retries in [0, 2]
                for call in [READ, SEND]
                for errcode in [40001, 40014, 42001]
            ],
            check,
        )

    def test_is_the_end_if_the_next_one_is_rejected_too(self):
        def check(errcode):
            network = Network()
            network.plan("/cgi-bin/read", refusal(errcode))
            error = catch(network)
            assert (type(error), error.errcode) == (AccessTokenRejected, int(errcode))
            assert network.access_tokens == [None, "T1", None, "T2"]

        check_rows([40001, 40014, 42001, "40001"], check)

    def test_fails_the_call_if_wechat_keeps_returning_it(self, network):
        network.plan("/cgi-bin/read", refusal(40001))
        network.plan(STABLE, {"access_token": "T", "expires_in": 7200})
        assert "gives the rejected access_token again" in str(catch(network))
        assert network.paths == [STABLE, "/cgi-bin/read", STABLE, STABLE]

    def test_costs_the_same_however_often_it_happens(self):
        """At each call there are two tries at most, and one fetch; in the end the limits of the source hold."""

        def check(number):
            network = Network()
            caller = network.make(source=ClassicTokenSource())
            network.plan("/cgi-bin/read", refusal(40001))
            for _ in range(number):
                with pytest.raises(AccessTokenRejected):
                    network.run(caller.call(READ))
            assert network.paths.count(CLASSIC) <= 1 + min(number, 5)
            assert network.paths.count("/cgi-bin/read") <= 2 * number

        check_rows([(row,) for row in range(1, 8)], check)

    def test_of_a_user_is_the_users_affair(self):
        def check(errcode):
            network = Network()
            network.plan("/sns/userinfo", refusal(errcode))
            call = get_without_access_token("/sns/userinfo", dict, access_token="USERS")
            assert type(catch(network, call)) is AuthorizationExpired
            assert network.paths == ["/sns/userinfo"]

        check_rows([40001, 40014, 42001], check)

    def test_is_not_what_other_numbers_mean(self):
        def check(errcode):
            network = Network()
            network.plan("/cgi-bin/read", refusal(errcode))
            assert type(catch(network)) is not AccessTokenRejected
            assert network.paths == [STABLE, "/cgi-bin/read"]

        check_rows([42007, 40003, 41001, 40125], check)


class TestWeChatRefuses:
    def test_and_is_not_asked_again(self):
        def check(call, errcode, cls):
            network = Network()
            network.plan(call.path, refusal(errcode))
            assert type(catch(network, call)) is cls
            assert network.paths == [STABLE, call.path]
            assert network.now == NOW

        check_rows(
            [
                (call, *row)
                for call in [READ, SEND.repeatable()]
                for row in [
                    (40164, IPNotAllowed),
                    (45009, QuotaExhausted),
                    (45011, RateLimited),
                    (45015, WindowClosed),
                    (43101, UserRefused),
                    (48001, PermissionDenied),
                ]
            ],
            check,
        )

    def test_to_issue_an_access_token_and_is_not_asked_again_for_a_while(self):
        def check(source, errcode, cls, seconds):
            network = Network()
            caller = network.make(source=source)
            for path in (STABLE, CLASSIC):
                network.plan(path, refusal(errcode))
            for later in (0, 0, seconds - 0.1):
                network.now = NOW + later
                with pytest.raises(cls):
                    network.run(caller.call(READ))
            assert len(network.sent) == 1
            network.now = NOW + seconds
            with pytest.raises(cls):
                network.run(caller.call(READ))
            assert len(network.sent) == 2

        check_rows(
            [
                (source, *row)
                for source in [StableTokenSource(), ClassicTokenSource()]
                for row in [
                    (40001, InvalidCredential, 120),  # of a token this means the AppSecret
                    (40013, InvalidCredential, 120),
                    (40125, InvalidCredential, 120),
                    (40164, IPNotAllowed, 60),
                    (45009, QuotaExhausted, 60),
                    (45011, RateLimited, 20),
                ]
            ],
            check,
        )

    def test_to_issue_an_access_token_for_another_secret_at_once(self, network):
        network.plan(STABLE, refusal(40125), {"access_token": "T", "expires_in": 7200})
        assert isinstance(catch(network, secret="WRONG"), InvalidCredential)
        assert network.call(READ, secret="RIGHT") == OK

    def test_to_issue_an_access_token_for_another_shared_secret_at_once(self, network):
        network.plan("/token", refusal(40125), {"access_token": "T", "expires_in": 7200})
        wrong, right = (RemoteTokenSource(OTHER, secret) for secret in ("WRONG", "RIGHT"))
        assert isinstance(catch(network, secret=None, source=wrong), InvalidCredential)
        assert network.call(READ, secret=None, source=right) == OK

    def test_with_texts_that_show_no_secret(self, network):
        network.plan(STABLE, {"access_token": "TOKEN", "expires_in": 7200})
        network.plan("/cgi-bin/read", refusal(40003, "invalid openid TOKEN SECRET rid: 1234-5678-9012"))
        error = catch(network)
        assert (error.errmsg, error.rid) == ("invalid openid *** ***", "1234-5678-9012")


NO_ANSWERS = {
    "refused": (REFUSED, ConnectFailed),
    "unreachable": (UNREACHABLE, ConnectFailed),
    "dropped": (DROPPED, AnswerLost),
    "lost": (LOST, AnswerLost),
    "busy": (refusal(-1, "system error"), SystemBusy),
    "HTML": (HTML, UnreadableAnswer),
    "nothing": (APIResponse(200, "", b""), UnreadableAnswer),
    "half": (APIResponse(200, "application/json", b'{"errcode":0,"err'), UnreadableAnswer),
    "list": (APIResponse(200, "application/json", b"[]"), UnreadableAnswer),
    "text": (APIResponse(200, "application/json", b'"ok"'), UnreadableAnswer),
    "odd errcode": (APIResponse(200, "application/json", b'{"errcode":"x"}'), UnreadableAnswer),
    "404 without errcode": (APIResponse(404, "application/json", b"{}"), UnreadableAnswer),
    "503 without errcode": (APIResponse(503, "application/json", b'{"errcode":0}'), UnreadableAnswer),
    "redirect": (APIResponse(302, "text/html", b""), UnreadableAnswer),
}


class TestNoAnswer:
    def test_is_asked_for_again_by_calls_that_may_be_repeated(self):
        def check(retries, what, cls):
            network = Network()
            network.plan("/cgi-bin/read", what)
            assert type(catch(network, source=FIXED, retries=retries, total=1000.0)) is cls
            assert len(network.sent) == 1 + retries

        check_rows([(retries, *row) for retries in [0, 1, 2, 5] for row in NO_ANSWERS.values()], check)

    def test_is_the_end_of_what_may_have_been_done(self):
        def check(call, what, cls):
            network = Network()
            network.plan(call.path, what)
            assert type(catch(network, call, source=FIXED)) is cls
            assert len(network.sent) == (3 if cls is ConnectFailed else 1)

        check_rows(
            [(call, *row) for call in [SEND, customer_service.send("oUSER", "hi")] for row in NO_ANSWERS.values()],
            check,
        )

    def test_is_requested_again_if_the_user_allows_it(self):
        def check(what, cls):
            network = Network()
            network.plan("/cgi-bin/send", what, OK)
            assert network.call(SEND.repeatable(), source=FIXED) == OK
            assert len(network.sent) == 2
            assert network.sent[0].body == network.sent[1].body

        check_rows(NO_ANSWERS.values(), check)

    def test_can_be_followed_by_one(self):
        def check(what, cls):
            network = Network()
            network.plan("/cgi-bin/read", what, what, OK)
            assert network.call(READ, source=FIXED) == OK
            assert len(network.sent) == 3

        check_rows(NO_ANSWERS.values(), check)

    def test_to_the_request_for_an_access_token_is_requested_again_too(self):
        def check(what, cls):
            network = Network()
            network.plan(STABLE, what)
            assert type(catch(network, SEND)) is cls
            assert set(network.paths) == {STABLE}
            assert 2 <= len(network.sent) <= 3
            assert network.now - NOW <= FETCH_LIMIT + A_MOMENT

        check_rows(NO_ANSWERS.values(), check)

    def test_to_a_forced_refresh_is_not_asked_for_again(self, network):
        """A token whose answer is lost would still end the one before, and there are 20 a day."""
        network.plan("/cgi-bin/read", refusal(40001))
        same = {"access_token": "T", "expires_in": 7200}
        network.plan(STABLE, same, same, DROPPED)
        assert type(catch(network)) is AnswerLost
        assert network.paths == [STABLE, "/cgi-bin/read", STABLE, STABLE]

    def test_to_one_kind_is_no_answer_to_the_other(self, network):
        """A call that is made again after a rejection has its own tries."""
        network.plan("/cgi-bin/read", DROPPED, refusal(42001), DROPPED, DROPPED, OK)
        assert network.call(READ) == OK
        assert network.access_tokens == [None, "T1", "T1", None, "T2", "T2", "T2"]


class TestPauses:
    def test_get_longer_up_to_5_seconds(self, network):
        network.plan("/cgi-bin/read", DROPPED)
        catch(network, source=FIXED, retries=7, total=1000.0)
        assert network.pauses == [0.3, 0.6, 1.2, 2.4, 4.8, 5.0, 5.0]

    def test_are_left_to_chance(self):
        network = Network(chance=0.5)
        network.plan("/cgi-bin/read", DROPPED)
        catch(network, source=FIXED)
        assert network.pauses == [0.15, 0.3]

    def test_are_made_before_the_only_host_is_asked_again(self, network):
        network.plan("/cgi-bin/read", REFUSED)
        catch(network, source=FIXED)
        assert network.pauses == [0.3, 0.6]


# --- time ------------------------------------------------------------------------------------------------------------


class TestTheTimeOfACall:
    def test_is_over_after_total_timeout(self):
        def check(timeout, retries, total, what, cls):
            network = Network()
            for path in ("/cgi-bin/read", "/cgi-bin/send"):
                network.plan(path, what)
            options = {"total": total, "retries": retries, "connect": timeout, "read": timeout, "source": FIXED}
            assert type(catch(network, READ, **options)) is cls
            assert network.now - NOW <= total + A_MOMENT
            assert 1 <= len(network.sent) <= 1 + retries

        check_rows(
            [
                (timeout, retries, total, *row)
                for timeout in [None, 0.5, 10.0]
                for retries in [0, 2, 1000]
                for total in [0.01, 1.0, 4.0, 30.0]
                for row in NO_ANSWERS.values()
            ],
            check,
        )

    def test_is_over_then_even_if_there_is_no_access_token_yet(self):
        """A token that is being fetched gets its time, as others wait for it, too."""

        def check(source, total, what, cls):
            network = Network()
            for path in (STABLE, CLASSIC, "/cgi-bin/read"):
                network.plan(path, what)
            assert type(catch(network, total=total, retries=1000, source=source)) is cls
            assert network.now - NOW <= FETCH_LIMIT + A_MOMENT
            assert "/cgi-bin/read" not in network.paths

        check_rows(
            [
                (source, total, *row)
                for source in [StableTokenSource(), ClassicTokenSource()]
                for total in [1.0, 5.0, 30.0]
                for row in NO_ANSWERS.values()
            ],
            check,
        )

    def test_does_not_restart_after_a_rejection(self, network):
        network.plan("/cgi-bin/read", Late(6, refusal(42001)))
        network.plan(
            STABLE,
            Late(2, {"access_token": "T1", "expires_in": 7200}),
            Late(2, {"access_token": "T2", "expires_in": 7200}),
        )
        error = catch(network, total=12.0)
        assert type(error) is AnswerLost
        assert network.now - NOW <= 12 + A_MOMENT

    def test_does_not_restart_after_waiting_for_the_access_token_of_another_caller(self, network):
        caller = network.make(total=8.0)
        network.run(caller.call(READ))
        assert network.store.compare_and_set("access_token:wx1:stable:lock", None, b"somebody", 600)
        network.plan("/cgi-bin/read", Late(4, refusal(42001)))
        with pytest.raises(TransportError, match="another caller is still fetching"):
            network.run(caller.call(READ))
        assert 7.5 < network.now - NOW <= 8

    def test_that_is_over_when_the_access_token_arrives_is_not_used_to_send(self):
        """No answer can come in so short a time, so it would be unknown whether the call took effect."""

        def check(call):
            network = Network()
            caller = network.make(total=2.0)
            network.plan(STABLE, Late(2.5, {"access_token": "T1", "expires_in": 7200}))
            with pytest.raises(TransportError, match="no time") as caught:
                network.run(caller.call(call))
            assert not isinstance(caught.value, AnswerLost)
            assert network.paths == [STABLE]
            assert network.run(caller.call(call)) == OK

        check_rows([(row,) for row in [READ, SEND]], check)

    def test_is_not_spent_on_a_pause_that_nothing_could_follow(self):
        def check(total):
            network = Network()
            network.plan("/cgi-bin/read", DROPPED)
            catch(network, source=FIXED, retries=1000, total=total)
            assert sum(network.pauses) < total

        check_rows([0.2, 0.8, 2.0, 4.4, 9.2], check)


class TestTimeouts:
    def test_are_those_of_the_client(self, network):
        network.call(READ, connect=3.05, read=10.0)
        assert {(request.connect_timeout, request.read_timeout) for request in network.sent[1:]} == {(3.05, 10.0)}

    def test_are_no_longer_than_what_is_left(self, network):
        left = []

        @frozen
        class Watch:
            def happen(self, network: Network, request: Request) -> APIResponse:
                left.append((30 - (network.now - NOW), request.connect_timeout, request.read_timeout))
                network.now += 4
                raise AnswerLost("no answer")

        network.plan("/cgi-bin/read", Watch())
        catch(network, source=FIXED, retries=100)
        assert len(left) > 4
        assert [connect for _, connect, _ in left] == [pytest.approx(min(left / 4, 3.05)) for left, _, _ in left]
        assert [read for _, _, read in left] == [pytest.approx(min(left - connect, 10.0)) for left, connect, _ in left]

    def test_are_all_that_is_left_if_there_are_none(self, network):
        network.call(READ, connect=None, read=None, source=FIXED, total=20.0)
        assert (network.sent[0].connect_timeout, network.sent[0].read_timeout) == (5.0, 15.0)

    def test_are_never_0_which_means_something_else(self, network):
        network.plan("/cgi-bin/read", LOST)
        catch(network, source=FIXED, total=0.0001, retries=100)
        assert all(min(request.connect_timeout, request.read_timeout) >= A_MOMENT for request in network.sent)

    def test_of_an_access_token_are_no_longer_than_its_time_limit(self, network):
        network.call(READ, connect=None, read=None, total=1000.0)
        assert (network.sent[0].connect_timeout, network.sent[0].read_timeout) == (FETCH_LIMIT / 4, FETCH_LIMIT * 3 / 4)


# --- hosts -----------------------------------------------------------------------------------------------------------


class TestHosts:
    HOSTS = (HOST, OTHER, THIRD)

    def down(self, *hosts: str) -> Network:
        network = Network()
        for host in hosts:
            network.plan(host, REFUSED)
        return network

    def test_are_asked_one_after_the_other_without_a_pause(self):
        def check(call):
            network = self.down(HOST, OTHER)
            assert network.call(call, source=FIXED, hosts=self.HOSTS) == OK
            assert network.hosts == [HOST, OTHER, THIRD]
            assert network.pauses in ([], [0.0, 0.0])
            assert network.now == NOW

        check_rows([(row,) for row in [READ, SEND]], check)

    def test_that_cannot_be_reached_rest_for_a_minute(self):
        network = self.down(HOST)
        caller = network.make(source=FIXED, hosts=self.HOSTS)
        for later in (0, 30, 59.9, 60, 100, 119.9, 120):
            network.now = NOW + later
            network.run(caller.call(READ))
        assert network.hosts == [HOST, OTHER, OTHER, OTHER, HOST, OTHER, OTHER, OTHER, HOST, OTHER]

    def test_that_all_rest_are_asked_in_the_order_in_which_they_began_to(self):
        network = Network()
        for host in self.HOSTS:
            network.plan(host, Fails(ConnectFailed, 0.01))
        assert type(catch(network, source=FIXED, hosts=self.HOSTS, retries=6)) is ConnectFailed
        assert network.hosts == [HOST, OTHER, THIRD, HOST, OTHER, THIRD, HOST]

    def test_are_not_changed_when_an_answer_is_lost(self, network):
        network.plan(HOST, DROPPED)
        catch(network, source=FIXED, hosts=self.HOSTS)
        assert network.hosts == [HOST, HOST, HOST]

    def test_are_not_asked_instead_of_the_one_that_a_call_names(self):
        network = self.down(THIRD)
        caller = network.make(source=FIXED, hosts=(HOST, OTHER))
        with pytest.raises(ConnectFailed):
            network.run(caller.call(raw_call("GET", "/cgi-bin/read", host=THIRD)))
        network.run(caller.call(READ))
        assert network.hosts == [THIRD, THIRD, THIRD, HOST]
        assert network.pauses == [0.3, 0.6]

    def test_are_not_joined_by_the_one_that_a_call_names(self):
        network = self.down(*self.HOSTS)
        caller = network.make(source=FIXED, hosts=(HOST, OTHER), retries=6)
        for call in (raw_call("GET", "/cgi-bin/read", host=THIRD), READ):
            network.sent.clear()
            with pytest.raises(ConnectFailed):
                network.run(caller.call(call))
        assert set(network.hosts) == {HOST, OTHER}

    def test_are_shared_by_access_tokens_and_calls(self):
        network = self.down(HOST)
        network.call(READ, hosts=self.HOSTS)
        assert network.hosts == [HOST, OTHER, OTHER]

    def test_are_known_by_name_or_address(self, network):
        for host in ("api.weixin.qq.com", "https://api.weixin.qq.com", "https://api.weixin.qq.com/"):
            network.call(READ, source=FIXED, hosts=(host,))
        network.call(READ, source=FIXED, hosts=("http://127.0.0.1:8080",))
        assert network.hosts == [*["https://api.weixin.qq.com"] * 3, "http://127.0.0.1:8080"]

    NO_HOSTS = (
        "",
        " ",
        "https://",
        "ftp://a.example.com",
        "https://a.example.com?x=1",
        "https://a:99999",
        "//a",
        5,
        None,
    )

    def test_that_are_none_are_refused(self):
        def check(host):
            network = Network()
            with pytest.raises(CallError):
                Hosts([host], network.monotonic)
            if host:
                assert isinstance(catch(network, raw_call("GET", "/x", host=host), source=FIXED), CallError)
                assert network.sent == []

        check_rows(
            [(row,) for row in [*self.NO_HOSTS, "https://a.example.com#x", "https://a.exa\r\nmple.com", "a b", "/a"]],
            check,
        )

    def test_are_a_list_of_some(self):
        def check(hosts):
            network = Network()
            with pytest.raises(CallError):
                Hosts(hosts, network.monotonic)

        check_rows([(row,) for row in [(), "api.weixin.qq.com", b"api.weixin.qq.com", None, 5]], check)


# --- what is sent ----------------------------------------------------------------------------------------------------


def make_endless() -> Any:
    endless: list[Any] = []
    endless.append(endless)
    return endless


def make_deep() -> Any:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    return deep


NO_JSON = {
    "NaN": float("nan"),
    "infinity": float("inf"),
    "a set": {1, 2},
    "bytes": b"text",
    "an object": object(),
    "half a character": "\ud83d",
    "itself": make_endless(),
    "too deep": make_deep(),
    "a key that is none": {(1, 2): "x"},
}


class TestABody:
    def sent(self, json: Any) -> bytes:
        network = Network()
        network.call(raw_call("POST", "/x", json=json), source=FIXED)
        return network.sent[0].body

    def test_is_utf_8_without_escapes(self):
        assert self.sent({"content": "你好😀 \u2028"}) == '{"content":"你好😀 \u2028"}'.encode()

    def test_escapes_only_what_json_cannot_hold(self):
        assert self.sent({"content": 'a"\\\n\x01'}) == rb'{"content":"a\"\\\n\u0001"}'

    def test_may_be_empty(self):
        def check(json):
            assert self.sent(json) == {"{}": b"{}", "[]": b"[]"}.get(
                repr(json), repr(json).lower().encode().replace(b"'", b'"')
            )

        check_rows([{}, [], "", 0, False], check)

    def test_that_json_cannot_hold_is_refused(self):
        def check(value):
            network = Network()
            for body in (value, {"content": value}, {"content": [{"content": value}]}):
                error = catch(network, raw_call("POST", "/x", json=body))
                assert type(error) is CallError
                assert "the body of /x cannot be written as JSON" in str(error)
                assert (error.__cause__, error.__context__) == (None, None)
            assert network.sent == []

        check_rows({name: (row,) for name, row in NO_JSON.items()}, check)

    def test_is_the_same_for_all_tries(self, network):
        network.plan("/cgi-bin/send", DROPPED, refusal(40001), OK)
        network.call(SEND.repeatable())
        assert {request.body for request in network.sent if request.url.startswith(f"{HOST}/cgi-bin/send")} == {
            b'{"touser":"oUSER"}'
        }


class TestAQuery:
    def test_carries_any_text(self):
        def check(value):
            network = Network()
            network.call(raw_call("GET", "/x", params={"a": value, "n": 5}), source=FIXED)
            assert network.query == {"access_token": "FIXED", "a": value, "n": "5"}
            assert network.sent[0].url.isascii()
            assert urlsplit(network.sent[0].url).path == "/x"

        check_rows(["你好", "a b&c=d#e?f/g", "+%", "\r\nX: y", "", "😀"], check)

    def test_refuses_everything_else(self):
        def check(value):
            network = Network()
            error = catch(network, raw_call("GET", "/x", params={"a": value}), source=FIXED)
            assert type(error) is CallError
            assert (error.__cause__, error.__context__) == (None, None)
            assert network.sent == []

        check_rows(["\ud83d", None, 1.5, b"x", ["a"], {"a": 1}], check)


TRICKS = [
    "//evil.example.com/x",
    "@evil.example.com/",
    ".evil.example.com/",
    ":8080/x",
    "https://evil.example.com/x",
    "x",
    "",
    "/",
    "/x/",
    "/x//y",
    "/x?access_token=1",
    "/x#y",
    "/x\r\nHost: evil.example.com",
    "/x\n",
    "/x y",
    "/x%2e",
    "/\\evil.example.com",
    "/x;y",
    "/你好",
    "/x\0",
    b"/x",
    None,
    5,
    ["/x"],
]


class TestAPath:
    def test_that_could_lead_elsewhere_is_refused(self):
        def check(path):
            network = Network()
            with pytest.raises(CallError) as caught:
                network.call(raw_call("GET", path), source=FIXED)
            assert "evil" not in str(caught.value)
            assert network.sent == []

        check_rows([(row,) for row in TRICKS], check)

    def test_has_a_method_that_is_one(self):
        def check(method):
            network = Network()
            with pytest.raises((CallError, AttributeError)):
                network.call(Call(method, "/x", no_result), source=FIXED)
            assert network.sent == []

        check_rows(["", "get", "GET ", "GET\r\nX: y", "取", None, 5], check)

    def test_that_is_plain_is_taken(self):
        def check(path):
            network = Network()
            network.call(raw_call("GET", path), source=FIXED)
            assert network.paths == [path]

        check_rows(["/cgi-bin/user/info", "/sns/oauth2/access_token", "/wxa/a_b-c.d~e", "/x"], check)


# --- tokens and tickets ----------------------------------------------------------------------------------------------


class TestAFixedAccessToken:
    def test_is_sent_as_it_is(self, network):
        network.call(READ, source=FixedToken("TOKEN"))
        assert network.query == {"access_token": "TOKEN", "openid": "oUSER"}

    def test_is_asked_for_at_each_call_if_it_is_a_function(self, network):
        numbers = itertools.count(1)
        caller = network.make(source=FixedToken(lambda: f"TOKEN{next(numbers)}"))
        for _ in range(2):
            network.run(caller.call(READ))
        assert network.access_tokens == ["TOKEN1", "TOKEN2"]

    def test_is_not_sent_if_there_is_none(self, network):
        network.call(READ, source=FixedToken())
        assert network.query == {"openid": "oUSER"}

    def test_may_have_another_name(self, network):
        network.call(READ, source=FixedToken("TOKEN", param="cloudbase_access_token"))
        assert network.query == {"cloudbase_access_token": "TOKEN", "openid": "oUSER"}

    def test_must_be_an_access_token(self):
        def check(access_token):
            network = Network()
            caller = network.make(source=FixedToken(lambda: access_token))
            with pytest.raises(CallError, match="FixedToken"):
                network.run(caller.call(READ))
            assert network.paths == []

        check_rows([(row,) for row in [5, b"TOKEN", "", " ", "TO\nKEN", object()]], check)

    def test_is_not_sent_with_calls_that_need_none(self, network):
        network.call(get_without_access_token("/sns/userinfo", dict, openid="oUSER"), source=FIXED)
        assert network.query == {"openid": "oUSER"}

    def test_that_is_rejected_is_not_replaced(self):
        def check(errcode):
            network = Network()
            network.plan("/cgi-bin/read", refusal(errcode, "invalid FIXED"))
            error = catch(network, source=FIXED)
            assert (type(error), error.errmsg) == (AccessTokenRejected, "invalid ***")
            assert network.paths == ["/cgi-bin/read"]

        check_rows([40001, 40014, 42001], check)

    def test_is_not_shared_through_the_store(self, network):
        with pytest.raises(CallError, match="FixedToken"):
            network.run(network.make(source=FIXED).get_access_token())


class TestAnAccessToken:
    def test_is_given_to_others(self, network):
        caller = network.make()
        assert network.run(caller.get_access_token()).value == "T1"
        network.run(caller.call(READ))
        assert network.paths == [STABLE, "/cgi-bin/read"]

    def test_is_replaced_if_other_callers_report_its_rejection(self, network):
        caller = network.make()
        network.run(caller.get_access_token())
        assert network.run(caller.get_access_token("T1")).value == "T2"
        assert network.run(caller.get_access_token("T1")).value == "T2"
        assert network.paths == [STABLE, STABLE]

    def test_comes_from_a_token_server_which_receives_the_fingerprint_of_a_rejected_one(self, network):
        network.plan("/cgi-bin/read", refusal(42001), OK)
        source = RemoteTokenSource(OTHER + "/", "SHARED")
        assert network.call(READ, secret=None, source=source) == OK
        requests = [request for request in network.sent if request.url == f"{OTHER}/token"]
        assert [json.loads(request.body) for request in requests] == [
            {"appid": "wx1", "rejected": None},
            {"appid": "wx1", "rejected": fingerprint("T1")},
        ]
        assert {request.headers["Authorization"] for request in requests} == {"Bearer SHARED"}
        assert network.hosts.count(HOST) == 2
        assert all("Authorization" not in request.headers for request in network.sent if request not in requests)


class TestATicket:
    def test_is_stored_like_an_access_token_and_fetched_with_one(self, network):
        caller = network.make()
        assert [network.run(caller.get_ticket("jsapi")).value for _ in range(2)] == ["TICKET1", "TICKET1"]
        assert network.paths == [STABLE, "/cgi-bin/ticket/getticket"]
        assert network.query == {"access_token": "T1", "type": "jsapi"}
        assert network.run(network.make().get_ticket("jsapi")).value == "TICKET1"

    def test_of_one_kind_is_no_ticket_of_another(self, network):
        caller = network.make()
        assert network.run(caller.get_ticket("jsapi")).value == "TICKET1"
        assert network.run(caller.get_ticket("wx_card")).value == "TICKET2"
        assert network.query["type"] == "wx_card"

    def test_is_fetched_with_a_new_access_token_if_the_old_one_is_rejected(self, network):
        network.plan("/cgi-bin/ticket/getticket", refusal(42001), {**OK, "ticket": "TICKET", "expires_in": 7200})
        assert network.run(network.make().get_ticket("jsapi")).value == "TICKET"
        assert network.access_tokens == [None, "T1", None, "T2"]

    def test_can_be_fetched_with_a_fixed_access_token(self, network):
        assert network.run(network.make(source=FIXED).get_ticket("jsapi")).value == "TICKET1"
        assert network.access_tokens == ["FIXED"]

    def test_is_of_a_kind_that_there_is(self):
        def check(kind):
            network = Network()
            with pytest.raises(CallError, match="type of a ticket must be one of"):
                network.run(network.make().get_ticket(kind))
            assert network.sent == []

        check_rows(["", "jsapi:lock", "JSAPI", "x" * 500], check)

    def test_that_cannot_be_had_is_not_asked_for_again_at_once(self, network):
        caller = network.make()
        network.plan("/cgi-bin/ticket/getticket", refusal(48001))
        for _ in range(2):
            with pytest.raises(PermissionDenied):
                network.run(caller.get_ticket("jsapi"))
        assert network.paths == [STABLE, "/cgi-bin/ticket/getticket"]


def test_every_error_names_the_request(network):
    for what, _ in NO_ANSWERS.values():
        network.plan("/cgi-bin/read", what)
        error = catch(network, source=FIXED)
        assert error.__notes__ == [f"GET {HOST}/cgi-bin/read"]
        assert "FIXED" not in f"{error!r} {error}"
        assert isinstance(error, (APIError, TransportError, UnreadableAnswer))


def test_a_function_may_count_as_done_what_has_been_done_before(network):
    call: Callable[[], Call[None]] = lambda: Call("POST", "/x", no_result, json={}, also_done=frozenset({45065}))  # noqa: E731
    network.plan("/x", refusal(45065))
    assert network.call(call(), source=FIXED) is None
