"""Client and AsyncClient as they are used: made, shared, closed; what they send where, and how often."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
import requests

from tests.helpers.both_clients import SECRET, TOKEN, both, catch, make_fixed
from tests.helpers.raw_http import PATIENCE, Connection, answering, listen, refuse, render
from tests.helpers.rows import check_rows
from tests.helpers.servers import run
from tests.helpers.waiting import wait_until
from wechat_msg import AsyncClient, Client, MemoryStore
from wechat_msg.api import customer_service, jsapi, user
from wechat_msg.api.call import raw_call
from wechat_msg.api.miniprogram import iterate_orders
from wechat_msg.client import ClassicTokenSource, FixedToken, RemoteTokenSource, StableTokenSource
from wechat_msg.errors import (
    AnswerLost,
    CallError,
    ConnectFailed,
    InvalidParameter,
    SystemBusy,
    UserNotFound,
)
from wechat_msg.replies import TextReply
from wechat_msg.stores import in_thread
from wechat_msg.testing import FakeWeChatAPI

APPID = "wx0123456789abcdef"
STABLE, TICKET = "/cgi-bin/stable_token", "/cgi-bin/ticket/getticket"
INFO, LIST, SEND = "/cgi-bin/user/info", "/cgi-bin/user/get", "/cgi-bin/message/custom/send"
ANYTHING = raw_call("GET", "/cgi-bin/anything")


def greet() -> Any:
    return customer_service.send("oUSER", TextReply(content="你好"))


@pytest.fixture
def wechat():
    with FakeWeChatAPI() as wechat:
        yield wechat


@pytest.fixture
def connect(make, wechat):
    """Make clients of the fake, which are closed in the end."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(
            make(wechat.appid, wechat.secret, **{"hosts": [wechat.url], "random": lambda: 0.0, **options})
        )


def keep_answering(connection: Connection, body: bytes = b"{}") -> None:
    while True:
        connection.read_request()
        connection.answer(body)


# --- made ------------------------------------------------------------------------------------------------------------

BAD_OPTIONS = {
    "appid_empty": {"appid": ""},
    "appid_none": {"appid": None},
    "appid_bytes": {"appid": b"wx0123456789abcdef"},
    "appid_with_line_break": {"appid": "wx0123456789abcdef\n"},
    "appid_chinese": {"appid": "公众号"},
    "appid_without_end": {"appid": "w" * 1000},
    "secret_empty": {"secret": ""},
    "secret_number": {"secret": 5},
    "secret_with_line_break": {"secret": "secret\r\nX: 1"},
    "hosts_empty": {"hosts": []},
    "hosts_text": {"hosts": "https://api.weixin.qq.com"},
    "hosts_none": {"hosts": None},
    "host_none": {"hosts": [None]},
    "host_empty": {"hosts": [""]},
    "host_without_name": {"hosts": ["https://"]},
    "host_of_another_protocol": {"hosts": ["ftp://api.weixin.qq.com"]},
    "host_with_query": {"hosts": ["https://api.weixin.qq.com?a=1"]},
    "host_with_fragment": {"hosts": ["https://api.weixin.qq.com#a"]},
    "host_with_odd_port": {"hosts": ["https://api.weixin.qq.com:99999"]},
    "host_with_port_0": {"hosts": ["https://api.weixin.qq.com:0"]},
    "host_with_bracket": {"hosts": ["https://[api.weixin.qq.com"]},
    "host_with_line_break": {"hosts": ["https://api.weixin.qq.com\n"]},
    "host_with_blank": {"hosts": ["https://api.weixin.qq.com /"]},
    "timeout_0": {"timeout": 0},
    "timeout_negative": {"timeout": -1},
    "timeout_text": {"timeout": "10"},
    "timeout_of_one": {"timeout": (1,)},
    "timeout_of_three": {"timeout": (1, 2, 3)},
    "timeout_with_0": {"timeout": (3, 0)},
    "timeout_with_text": {"timeout": (3, "10")},
    "timeout_infinite": {"timeout": float("inf")},
    "timeout_not_a_number": {"timeout": float("nan")},
    "total_timeout_none": {"total_timeout": None},
    "total_timeout_0": {"total_timeout": 0},
    "total_timeout_text": {"total_timeout": "30"},
    "total_timeout_infinite": {"total_timeout": float("inf")},
    "retries_negative": {"retries": -1},
    "retries_fraction": {"retries": 1.5},
    "retries_none": {"retries": None},
    "token_source_class": {"token_source": StableTokenSource},
    "token_source_fixed_class": {"token_source": FixedToken},
    "token_source_text": {"token_source": "T"},
    "store_class": {"store": MemoryStore},
    "store_dict": {"store": {}},
    "store_text": {"store": "redis://localhost"},
    "session_of_another_kind": {"session": object()},
    "session_text": {"session": "https://proxy"},
}


class TestOptions:
    @both
    def test_that_cannot_be_are_refused_at_once(self, make):
        def check(options):
            given = {"appid": APPID, "secret": SECRET, **options}
            error = catch(CallError, make, **given)

            assert isinstance(error, ValueError)
            assert str(error)

        check_rows({name: (row,) for name, row in BAD_OPTIONS.items()}, check)

    def test_of_the_other_client_are_refused(self):
        catch(CallError, Client, APPID, SECRET, store=in_thread(MemoryStore()))
        catch(CallError, Client, APPID, SECRET, session=httpx2.AsyncClient())
        catch(CallError, AsyncClient, APPID, SECRET, session=requests.Session())

    @both
    def test_that_can_be_are_taken(self, make):
        def check(options):
            make(APPID, SECRET, **options).close()

        check_rows(
            [
                {},
                {"hosts": ["api.weixin.qq.com", "http://127.0.0.1:8080/", "https://gateway.example.com/weixin"]},
                {"hosts": ("https://api.weixin.qq.com",)},
                {"timeout": None},
                {"timeout": 5},
                {"timeout": (None, 5.5)},
                {"retries": 0, "total_timeout": 0.5},
                {"store": MemoryStore()},
                {"token_source": ClassicTokenSource()},
                {"token_source": RemoteTokenSource("https://tokens.example.com", SECRET)},
                {"token_source": FixedToken(lambda: TOKEN)},
            ],
            check,
        )

    def test_of_async_clients_may_be_sync_or_async_stores(self, wechat):
        async def main(store: Any) -> None:
            async with AsyncClient(wechat.appid, wechat.secret, hosts=[wechat.url], store=store) as client:
                await client.call(user.get_info("oUSER"))

        store = MemoryStore()
        asyncio.run(main(store))
        asyncio.run(main(in_thread(store)))

        assert len(wechat.requests_to(STABLE)) == 1

    @both
    def test_do_not_let_a_call_wait_without_limit(self, make):
        """Whatever the HTTP library does by itself."""
        with listen(keep_answering) as server:
            assert timeouts_of(make, server.url) == pytest.approx((3.05, 10), abs=0.01)
            assert timeouts_of(make, server.url, timeout=(1, 2)) == pytest.approx((1, 2), abs=0.01)
            assert timeouts_of(make, server.url, timeout=None) == pytest.approx((7.5, 22.5), abs=1)
            assert timeouts_of(make, server.url, total_timeout=2) == pytest.approx((0.5, 1.5), abs=0.25)

    @both
    def test_without_secret_are_enough_until_it_is_needed(self, make, wechat):
        with make(wechat.appid, hosts=[wechat.url]) as client:
            error = catch(CallError, client.call, user.get_info("oUSER"))

        assert "AppSecret" in str(error)
        assert wechat.requests == []


def timeouts_of(make: Any, url: str, **options: Any) -> tuple[float, float]:
    """Return the timeouts of a call as the HTTP library gets them: to connect, to read."""
    told: list[Any] = []

    class Session(requests.Session):
        def request(self, *args: Any, **given: Any) -> requests.Response:
            told.append(given["timeout"])
            return super().request(*args, **given)

    async def record_timeouts(request: httpx2.Request) -> None:
        told.append((request.extensions["timeout"]["connect"], request.extensions["timeout"]["read"]))

    if make is Client:
        with Session() as session, make_fixed(make, url, session=session, **options) as client:
            client.call(ANYTHING)
    else:
        session = httpx2.AsyncClient(event_hooks={"request": [record_timeouts]})
        with make_fixed(make, url, session=session, **options) as client:
            client.call(ANYTHING)
            client.run(session.aclose())
    return told[0]


ENVIRON = {"WECHAT_APPID": f" {APPID}\n", "WECHAT_SECRET": SECRET, "SHOP_APPID": "wxSHOP", "SHOP_SECRET": "s"}


class TestFromEnv:
    def test_makes_a_client(self):
        def check(cls):
            client = cls.from_env(environ=ENVIRON, retries=0)

            assert type(client) is cls
            assert client.appid == APPID

        check_rows([(row,) for row in [Client, AsyncClient]], check)

    def test_takes_another_prefix(self):
        assert Client.from_env("SHOP_", environ=ENVIRON).appid == "wxSHOP"

    def test_reads_the_environment_of_the_program(self, monkeypatch):
        for name, value in ENVIRON.items():
            monkeypatch.setenv(name, value)

        assert Client.from_env().appid == APPID

    def test_names_the_variables_that_are_missing(self):
        def check(environ, missing):
            error = catch(CallError, Client.from_env, "OTHER_", environ=environ)

            assert f"{missing}（" in str(error)

        check_rows(
            [
                ({}, "OTHER_APPID, OTHER_SECRET"),
                ({"OTHER_APPID": APPID}, "OTHER_SECRET"),
                ({"OTHER_APPID": " ", "OTHER_SECRET": SECRET}, "OTHER_APPID"),
            ],
            check,
        )

    def test_passes_the_options_on(self, wechat):
        environ = {"WECHAT_APPID": wechat.appid, "WECHAT_SECRET": wechat.secret}
        with Client.from_env(environ=environ, hosts=[wechat.url]) as client:
            assert client.call(user.get_info("oUSER")).openid == "oUSER"

    @pytest.mark.parametrize("make_listed", ["{url}", " {url} , ", "http://127.0.0.1:1,{url}"])
    def test_takes_the_hosts_of_the_api(self, wechat, make_listed):
        listed = make_listed.format(url=wechat.url)
        environ = {"WECHAT_APPID": wechat.appid, "WECHAT_SECRET": wechat.secret, "WECHAT_API_HOSTS": listed}
        with Client.from_env(environ=environ) as client:
            assert client.call(user.get_info("oUSER")).openid == "oUSER"

    def test_prefers_the_hosts_that_are_given(self, wechat):
        environ = {"WECHAT_APPID": wechat.appid, "WECHAT_SECRET": wechat.secret, "WECHAT_API_HOSTS": "127.0.0.1:1"}
        with Client.from_env(environ=environ, hosts=[wechat.url]) as client:
            assert client.call(user.get_info("oUSER")).openid == "oUSER"

    def test_names_the_variable_whose_hosts_are_none(self):
        def check(listed):
            error = catch(CallError, Client.from_env, "SHOP_", environ={**ENVIRON, "SHOP_API_HOSTS": listed})

            assert "SHOP_API_HOSTS: " in str(error)

        check_rows([",", "ftp://api.weixin.qq.com", "api.weixin.qq.com;api2.weixin.qq.com", "a b"], check)

    def test_needs_no_secret_where_others_fetch_the_access_token(self):
        def check(source):
            assert Client.from_env(environ={"WECHAT_APPID": APPID}, token_source=source).appid == APPID

        check_rows([(row,) for row in [FixedToken(TOKEN), RemoteTokenSource("http://127.0.0.1:1", SECRET)]], check)

    def test_refuses_options_that_cannot_be(self):
        catch(CallError, Client.from_env, environ=ENVIRON, retries=-1)


@both
class TestRepr:
    def test_shows_the_appid_and_nothing_secret(self, make, connect, wechat):
        client = connect()
        access_token = client.get_access_token().access_token
        shown = repr(client)

        assert shown == f"{'Client' if make is Client else 'AsyncClient'}('{wechat.appid}')"
        assert re.fullmatch(r"AccessToken\(expires_in=7\d{3}\)", repr(client.get_access_token()))
        assert access_token not in shown


# --- calls -----------------------------------------------------------------------------------------------------------

NO_CALLS = [None, "/cgi-bin/user/info", {}, user.get_info, user.iterate_openids(), FixedToken("T")]


@both
class TestCall:
    def test_returns_the_result(self, make, connect, wechat):
        wechat.add_user("oUSER", remark="朋友")
        info = connect().call(user.get_info("oUSER", lang="zh_CN"))

        assert (info.openid, info.remark) == ("oUSER", "朋友")
        assert wechat.requests_to(INFO)[0].query == {
            "access_token": wechat.stable_access_token,
            "openid": "oUSER",
            "lang": "zh_CN",
        }

    def test_sends_characters_as_they_are(self, make, connect, wechat):
        connect().call(greet())

        assert "你好".encode() in wechat.requests_to(SEND)[0].body
        assert wechat.messages[0]["text"] == {"content": "你好"}

    def test_raises_the_error_that_wechat_returns(self, make, connect):
        error = catch(UserNotFound, connect().call, user.get_info("oNOBODY"))

        assert error.errcode == 40003
        assert error.rid
        assert error.__notes__[0].startswith("GET http://127.0.0.1:")

    def test_refuses_what_is_no_call(self, make, connect, wechat):
        client = connect()

        def check(value):
            catch(CallError, client.call, value)

            assert wechat.requests == []

        check_rows([(row,) for row in NO_CALLS], check)

    def test_may_be_for_another_host(self, make, connect, wechat):
        with listen(keep_answering) as other:
            connect().call(raw_call("GET", "/cgi-bin/showqrcode", host=other.url, needs_access_token=False))

        assert [request.line for request in other.requests] == ["GET /cgi-bin/showqrcode HTTP/1.1"]
        assert wechat.requests == []

    def test_sends_the_name_of_the_client(self, make, connect, wechat):
        connect().call(user.get_info("oUSER"))

        assert wechat.requests[0].headers["user-agent"].startswith("wechat_msg")


@both
class TestRawCall:
    def test_gives_the_answer_as_it_is(self, make, connect, wechat):
        wechat.answer("/cgi-bin/draft/count", {"total_count": 2**63, "new": [1]})

        assert connect().raw_call("GET", "/cgi-bin/draft/count") == {"total_count": 2**63, "new": [1]}

    def test_sends_what_it_is_given(self, make, connect, wechat):
        wechat.answer("/new", {"errcode": 0})
        connect().raw_call("POST", "/new", params={"a": "1 & 2", "b": 3}, json={"名": ["值"]})
        request = wechat.requests_to("/new")[0]

        assert request.method == "POST"
        assert {name: request.query[name] for name in "ab"} == {"a": "1 & 2", "b": "3"}
        assert request.json == {"名": ["值"]}
        assert request.headers["content-type"] == "application/json"

    def test_raises_the_error_that_wechat_returns(self, make, connect):
        assert catch(InvalidParameter, connect().raw_call, "GET", "/cgi-bin/nothing").errcode == 40066

    def test_refuses_what_cannot_be_sent(self, make, connect, wechat):
        client = connect(token_source=FixedToken(TOKEN))

        def check(arguments, options):
            catch(CallError, client.raw_call, *arguments, **options)

            assert wechat.requests == []

        check_rows(
            [
                (("GET", "cgi-bin/user/info"), {}),
                (("GET", "//evil.example.com/cgi-bin"), {}),
                (("GET", "/cgi-bin/user/info?openid=o"), {}),
                (("GET", "/cgi-bin/用户"), {}),
                (("GET", "@evil.example.com/"), {}),
                (("GET", None), {}),
                (("G ET", "/a"), {}),
                (("GET\r\nX: 1", "/a"), {}),
                ((None, "/a"), {}),
                (("GET", "/a"), {"params": {"a": None}}),
                (("GET", "/a"), {"params": {"a": "\ud800"}}),
                (("GET", "/a"), {"params": [("a", "b")]}),
                (("POST", "/a"), {"json": {"a": object()}}),
                (("POST", "/a"), {"json": {"a": float("nan")}}),
                (("POST", "/a"), {"json": {"a": "\ud800"}}),
                (("POST", "/a"), {"json": {"a": b"bytes"}}),
                (("GET", "/a"), {"host": "ftp://example.com"}),
            ],
            check,
        )


@both
class TestIterate:
    def test_gives_all_items_of_all_pages(self, make, connect, wechat):
        wechat.page_size = 2
        assert list(connect().iterate(user.iterate_openids())) == ["oUSER", "oUSER2", "oUSER3"]

    def test_asks_for_a_page_only_when_it_is_needed(self, make, connect, wechat):
        wechat.page_size = 2
        items = connect().iterate(user.iterate_openids())
        asked = [len(wechat.requests_to(LIST))]
        for _ in range(3):
            next(items)
            asked.append(len(wechat.requests_to(LIST)))

        assert asked == [0, 1, 1, 2]

    def test_asks_for_nothing_more_when_it_is_left(self, make, connect, wechat):
        wechat.page_size = 1
        client = connect()
        for _ in client.iterate(user.iterate_openids()):
            break
        client.close()

        assert len(wechat.requests_to(LIST)) == 1

    def test_ends_if_the_next_page_would_be_the_same_again(self, make, connect, wechat):
        path = "/wxa/sec/order/get_order_list"
        wechat.answer(path, {"order_list": [], "has_more": True, "last_index": "7"}, times=None)
        assert list(connect().iterate(iterate_orders())) == []
        assert len(wechat.requests_to(path)) == 2

    def test_raises_what_goes_wrong_between_two_pages(self, make, connect, wechat):
        wechat.page_size = 1
        items = connect().iterate(user.iterate_openids())
        next(items)
        wechat.fail(LIST, 40035)

        catch(InvalidParameter, next, items)

    def test_ends_with_the_client(self, make, connect, wechat):
        wechat.page_size = 1
        client = connect()
        items = client.iterate(user.iterate_openids())
        next(items)
        client.close()

        if make is Client:
            catch(CallError, next, items)


# --- tokens and tickets ----------------------------------------------------------------------------------------------


@both
class TestAccessToken:
    def test_is_fetched_once_and_returned_to_every_caller(self, make, connect, wechat):
        client = connect()
        access_token = client.get_access_token()
        client.call(user.get_info("oUSER"))

        assert access_token.access_token == wechat.stable_access_token == client.get_access_token().access_token
        assert 7190 <= access_token.expires_in <= 7200
        assert len(wechat.requests_to(STABLE)) == 1

    def test_has_the_seconds_that_it_is_still_valid(self, make, connect, wechat):
        client = connect(clock=wechat.clock)
        client.get_access_token()
        wechat.advance(1000)

        assert 6190 <= client.get_access_token().expires_in <= 6200

    def test_that_was_rejected_is_replaced(self, make, connect, wechat):
        client = connect()
        first = client.get_access_token().access_token
        wechat.revoke_access_tokens()
        second = client.get_access_token(rejected=first).access_token

        assert second == wechat.stable_access_token != first
        assert client.get_access_token(rejected=first).access_token == second
        assert len(wechat.requests_to(STABLE)) == 2

    def test_comes_from_the_source_that_was_chosen(self, make, connect, wechat):
        access_token = connect(token_source=ClassicTokenSource()).get_access_token()

        assert access_token.access_token == wechat.access_token
        assert wechat.requests_to(STABLE) == []

    def test_of_another_source_is_not_returned(self, make, connect):
        catch(CallError, connect(token_source=FixedToken(TOKEN)).get_access_token)

    def test_may_change_from_call_to_call(self, make):
        access_tokens = iter(["FIRST", "SECOND"])
        source = FixedToken(lambda: next(access_tokens))
        with listen(keep_answering) as server, make_fixed(make, server.url, token_source=source) as client:
            client.call(ANYTHING)
            client.call(ANYTHING)

        assert [request.line.split("=")[1] for request in server.requests] == ["FIRST HTTP/1.1", "SECOND HTTP/1.1"]

    def test_is_not_sent_where_the_platform_adds_it(self, make):
        with listen(keep_answering) as server, make_fixed(make, server.url, token_source=FixedToken()) as client:
            client.call(ANYTHING)

        assert server.requests[0].line == "GET /cgi-bin/anything HTTP/1.1"


@both
class TestTicket:
    def test_is_fetched_once(self, make, connect, wechat):
        client = connect()
        tickets = {client.get_ticket().ticket for _ in range(3)}

        assert len(tickets) == 1
        assert 7190 <= client.get_ticket().expires_in <= 7200
        assert [request.query["type"] for request in wechat.requests_to(TICKET)] == ["jsapi"]

    def test_is_another_one_for_cards(self, make, connect, wechat):
        client = connect()

        assert client.get_ticket("wx_card").ticket != client.get_ticket("jsapi").ticket
        assert [request.query["type"] for request in wechat.requests_to(TICKET)] == ["wx_card", "jsapi"]

    def test_may_be_fetched_with_an_access_token_of_another_source(self, make):
        answer = render(b'{"ticket":"T","expires_in":7200}')
        with listen(answering(answer)) as server, make_fixed(make, server.url) as client:
            assert client.get_ticket().ticket == "T"

    def test_is_fetched_again_by_the_call_itself(self, make, connect, wechat):
        client = connect()
        client.get_ticket()
        client.call(jsapi.get_ticket())

        assert len(wechat.requests_to(TICKET)) == 2

    def test_of_another_kind_is_refused(self, make, connect):
        client = connect()

        def check(kind):
            catch(CallError, client.get_ticket, kind)

        check_rows(["", "jssdk", None, 5, ["jsapi"]], check)


# --- tries -----------------------------------------------------------------------------------------------------------


@both
class TestNextHost:
    def test_is_asked_when_the_first_one_refuses_the_connection(self, make, connect, wechat):
        with refuse() as closed:
            connect(hosts=[closed, wechat.url]).call(user.get_info("oUSER"))

        assert len(wechat.requests_to(INFO)) == 1

    def test_gets_messages_too_as_they_were_never_sent(self, make, connect, wechat):
        with refuse() as closed:
            connect(hosts=[closed, wechat.url], retries=1).call(greet())

        assert len(wechat.messages) == 1

    def test_is_not_asked_when_there_are_no_retries(self, make, connect, wechat):
        with refuse() as closed:
            catch(ConnectFailed, connect(hosts=[closed, wechat.url], retries=0).call, greet())

        assert wechat.requests == []

    def test_is_not_asked_when_the_first_one_may_have_done_it(self, make, connect, wechat):
        with listen(lambda connection: connection.read_request()) as first:
            client = connect(hosts=[first.url, wechat.url], token_source=FixedToken(TOKEN))
            catch(AnswerLost, client.call, greet())

        assert len(first.requests) == 1
        assert wechat.requests == []

    def test_is_not_asked_when_the_call_names_its_own(self, make, connect, wechat):
        with refuse() as closed:
            client = connect(token_source=FixedToken(TOKEN))
            catch(ConnectFailed, client.raw_call, "GET", "/cgi-bin/anything", host=closed)

        assert wechat.requests == []

    def test_of_which_there_is_none_is_an_error(self, make, connect):
        with refuse() as first, refuse() as second:
            catch(ConnectFailed, connect(hosts=[first, second]).call, greet())


@both
class TestRepetition:
    def test_of_a_message_never_happens_when_its_answer_is_lost(self, make, connect, wechat):
        wechat.drop(SEND, when="after")
        error = catch(AnswerLost, connect().call, greet())

        assert len(wechat.requests_to(SEND)) == 1
        assert len(wechat.messages) == 1
        assert error.__notes__[0].startswith("POST http://127.0.0.1:")

    def test_of_a_message_happens_if_the_user_allows_it(self, make, connect, wechat):
        wechat.drop(SEND, when="after")
        connect().call(greet().repeatable())

        assert len(wechat.messages) == 2

    def test_of_a_message_never_happens_when_wechat_is_busy(self, make, connect, wechat):
        wechat.fail(SEND, -1)
        catch(SystemBusy, connect().call, greet())

        assert len(wechat.requests_to(SEND)) == 1

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_of_what_only_reads_happens_when_the_answer_is_lost(self, make, connect, wechat, when):
        wechat.drop(INFO, when=when, times=2)

        assert connect().call(user.get_info("oUSER")).openid == "oUSER"
        assert len(wechat.requests_to(INFO)) == 3

    def test_of_what_only_reads_happens_when_wechat_is_busy(self, make, connect, wechat):
        wechat.fail(INFO, -1, times=2)

        assert connect().call(user.get_info("oUSER")).openid == "oUSER"

    def test_of_what_only_reads_happens_when_a_page_comes_instead(self, make, connect, wechat):
        wechat.answer(INFO, b"<html>", status=502, content_type="text/html", times=2)

        assert connect().call(user.get_info("oUSER")).openid == "oUSER"

    def test_ends_after_the_tries_that_there_are(self, make, connect, wechat):
        wechat.drop(INFO, times=None)
        catch(AnswerLost, connect(retries=4).call, user.get_info("oUSER"))

        assert len(wechat.requests_to(INFO)) == 5

    def test_ends_when_the_time_is_over(self, make, connect, wechat):
        client = connect(total_timeout=1.0, retries=1000, random=lambda: 0.05, token_source=FixedToken(TOKEN))
        wechat.drop(INFO, times=None)
        catch(AnswerLost, client.call, user.get_info("oUSER"))

        assert 1 <= len(wechat.requests_to(INFO)) < 100

    def test_of_a_slow_answer_begins_after_the_time_that_it_may_take(self, make, connect, wechat):
        client = connect(timeout=(PATIENCE, 0.5))
        client.get_access_token()
        wechat.delay(INFO, PATIENCE, times=1)

        assert client.call(user.get_info("oUSER")).openid == "oUSER"
        assert len(wechat.requests_to(INFO)) == 2

    def test_does_not_happen_on_a_connection_that_the_server_has_closed_meanwhile(self, make):
        """Servers end idle connections; that is no reason to lose the answer to a message."""
        ended = threading.Semaphore(0)

        def answer_once(connection: Connection) -> None:
            connection.read_request()
            connection.answer(b'{"errcode":0}')
            connection.socket.close()
            ended.release()

        with listen(answer_once) as server, make_fixed(make, server.url) as client:
            for _ in range(3):
                client.call(greet())
                assert ended.acquire(timeout=PATIENCE)
                time.sleep(0.05)  # for the news to arrive

        assert len(server.requests) == 3


def fail() -> None:
    raise ConnectionRefusedError("password of the database")


class TestWhileAnotherErrorIsHandled:
    """As by a program that tells its user of it: that error says nothing about the call."""

    def test_a_message_is_not_sent_twice(self, wechat):
        wechat.drop(SEND, when="after", times=None)
        with Client(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
            try:
                fail()
            except ConnectionRefusedError:
                with pytest.raises(AnswerLost) as caught:
                    client.call(greet())

        assert len(wechat.messages) == 1
        assert "password" not in str(caught.value)

    def test_a_message_is_not_sent_twice_by_the_async_client(self, wechat):
        async def main() -> Exception:
            async with AsyncClient(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
                try:
                    fail()
                except ConnectionRefusedError:
                    with pytest.raises(AnswerLost) as caught:
                        await client.call(greet())
            return caught.value

        wechat.drop(SEND, when="after", times=None)
        error = asyncio.run(main())

        assert len(wechat.messages) == 1
        assert "password" not in str(error)


# --- shared ----------------------------------------------------------------------------------------------------------


@both
class TestSharing:
    def test_by_50_threads(self, make, connect, wechat):
        openids = [f"oUSER{number}" for number in range(50)]
        for openid in openids:
            wechat.add_user(openid, remark=f"remark of {openid}")
        client = connect()

        def ask(openid: str) -> list[str]:
            return [client.call(user.get_info(openid)).remark for _ in range(4)]

        with ThreadPoolExecutor(50) as pool:
            remarks = list(pool.map(ask, openids))

        assert remarks == [[f"remark of {openid}"] * 4 for openid in openids]
        assert len(wechat.requests_to(STABLE)) == 1

    def test_of_one_store_by_several_clients(self, make, connect, wechat):
        store = MemoryStore()
        clients = [connect(store=store) for _ in range(5)]
        for client in clients:
            client.call(user.get_info("oUSER"))

        assert len(wechat.requests_to(STABLE)) == 1

    def test_of_one_store_by_several_accounts(self, make, connect, wechat):
        store = MemoryStore()
        with FakeWeChatAPI(appid="wxOTHER") as other:
            first, second = connect(store=store), make("wxOTHER", other.secret, hosts=[other.url], store=store)
            with second:
                access_tokens = [client.get_access_token().access_token for client in (first, second)]

        assert access_tokens == [wechat.stable_access_token, other.stable_access_token]


class TestEventLoop:
    def test_has_many_calls_at_once(self, wechat):
        async def main() -> list[str]:
            async with AsyncClient(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
                calls = [client.call(user.get_info("oUSER")) for _ in range(100)]
                return [info.openid for info in await asyncio.gather(*calls)]

        assert asyncio.run(main()) == ["oUSER"] * 100
        assert len(wechat.requests_to(STABLE)) == 1

    def test_continues_after_a_cancelled_call(self, wechat):
        async def main() -> str:
            async with AsyncClient(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
                await client.get_access_token()
                wechat.delay(INFO, PATIENCE, times=1)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(client.call(user.get_info("oUSER")), 0.1)
                return (await client.call(user.get_info("oUSER"))).openid

        assert asyncio.run(main()) == "oUSER"

    def test_gives_the_others_the_access_token_when_the_fetching_call_is_cancelled(self, wechat):
        async def main() -> str:
            async with AsyncClient(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
                wechat.delay(STABLE, PATIENCE, times=1)
                first = asyncio.create_task(client.call(user.get_info("oUSER")))
                await asyncio.to_thread(wait_until, lambda: wechat.requests_to(STABLE))
                second = asyncio.create_task(client.call(user.get_info("oUSER2")))
                await asyncio.sleep(0.05)
                first.cancel()
                return (await asyncio.wait_for(second, PATIENCE)).openid

        assert asyncio.run(main()) == "oUSER2"


# --- closed ----------------------------------------------------------------------------------------------------------


@both
class TestClose:
    def test_refuses_every_call_from_then_on(self, make, connect, wechat):
        client = connect()
        client.call(user.get_info("oUSER"))
        client.close()
        wechat.clear()
        ways = {
            client.call: (user.get_info("oUSER"),),
            client.raw_call: ("GET", "/cgi-bin/anything"),
            client.get_access_token: (),
            client.get_ticket: (),
        }
        for function, arguments in ways.items():
            assert "closed" in str(catch(CallError, function, *arguments))

        assert wechat.requests == []

    def test_may_be_called_twice(self, make, connect):
        client = connect()
        client.close()
        client.close()

    def test_of_a_client_that_was_never_used(self, make):
        make(APPID, SECRET).close()

    def test_closes_its_own_connections(self, make):
        hung_up = threading.Event()

        def handle(connection: Connection) -> None:
            try:
                keep_answering(connection)
            finally:
                hung_up.set()

        with listen(handle) as server:
            client = make_fixed(make, server.url)
            client.call(ANYTHING)
            assert not hung_up.is_set()
            client.close()

            assert hung_up.wait(PATIENCE)

    def test_happens_at_the_end_of_the_with_statement(self, make, wechat):
        with make(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
            assert client.call(user.get_info("oUSER")).openid == "oUSER"

        catch(CallError, client.call, user.get_info("oUSER"))

    def test_happens_when_the_with_statement_is_left_with_an_error(self, make, wechat):
        with pytest.raises(KeyError), make(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
            raise KeyError

        catch(CallError, client.call, user.get_info("oUSER"))


class TestSession:
    def test_of_the_user_is_used_and_left_open(self):
        with listen(keep_answering) as server, requests.Session() as session:
            session.headers["X-Mine"] = "1"
            for _ in range(2):
                with make_fixed(Client, server.url, session=session) as client:
                    client.call(ANYTHING)
            session.get(server.url, timeout=PATIENCE)

        assert [request.headers["x-mine"] for request in server.requests] == ["1"] * 3
        assert len(server.connections) == 1

    def test_of_the_user_is_used_and_left_open_by_the_async_client(self):
        async def main(url: str) -> None:
            async with httpx2.AsyncClient(headers={"X-Mine": "1"}) as session:
                for _ in range(2):
                    async with make_fixed(AsyncClient, url, session=session) as client:
                        await client.call(ANYTHING)
                assert not session.is_closed
                await session.get(url)

        with listen(keep_answering) as server:
            asyncio.run(main(server.url))

        assert [request.headers["x-mine"] for request in server.requests] == ["1"] * 3
        assert len(server.connections) == 1

    def test_keeps_its_hooks(self):
        seen = []
        with listen(answering(render(b"{}", "302 Found", location="/"))) as server, requests.Session() as session:
            session.hooks["response"].append(lambda response, **_: seen.append(response.headers["Location"]))
            with make_fixed(Client, server.url, session=session) as client, contextlib.suppress(Exception):
                client.call(ANYTHING)

        assert seen == ["/"]

    def test_may_have_an_adapter_that_makes_answers_itself(self):
        class Adapter(requests.adapters.BaseAdapter):
            def send(self, request: Any, **_: Any) -> requests.Response:
                response = requests.Response()
                response.status_code, response.url, response.raw = 200, request.url, io.BytesIO(b'{"a":1}')
                return response

            def close(self) -> None:
                pass

        with requests.Session() as session:
            session.mount("http://", Adapter())
            with make_fixed(Client, "http://api.weixin.test", session=session) as client:
                assert client.call(ANYTHING) == {"a": 1}

    def test_may_be_a_mock(self):
        async def main() -> Any:
            transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json={"a": 1}))
            async with httpx2.AsyncClient(transport=transport) as session:
                client = make_fixed(AsyncClient, "http://api.weixin.test", session=session)
                return await client.call(ANYTHING)

        assert asyncio.run(main()) == {"a": 1}


@contextlib.contextmanager
def through(make: Any, proxy: str, host: str = "http://api.weixin.test") -> Iterator[Any]:
    """Make a client with a session that asks a proxy."""
    if make is Client:
        with requests.Session() as session:
            session.proxies = {"http": proxy, "https": proxy}
            with make_fixed(make, host, session=session) as client:
                yield client
    else:
        session = httpx2.AsyncClient(proxy=proxy)
        with make_fixed(make, host, session=session) as client:
            yield client
            client.run(session.aclose())


PROXIES = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"]


@both
class TestProxy:
    def test_of_the_session_is_asked(self, make):
        with listen(answering(render(b'{"a":1}'))) as proxy, through(make, proxy.url) as client:
            assert client.call(ANYTHING) == {"a": 1}

        line = f"GET http://api.weixin.test/cgi-bin/anything?access_token={TOKEN} HTTP/1.1"
        assert [request.line for request in proxy.requests] == [line]

    def test_that_cannot_be_reached_means_that_nothing_was_sent(self, make):
        with refuse() as closed, through(make, closed) as client:
            catch(ConnectFailed, client.call, ANYTHING)

    def test_that_does_not_want_to_means_that_nothing_was_sent(self, make):
        refusal = answering(render(b"no", "403 Forbidden"))
        with listen(refusal) as proxy, through(make, proxy.url, "https://api.weixin.test") as client:
            catch(ConnectFailed, client.call, ANYTHING)

        assert proxy.requests[0].line.startswith("CONNECT api.weixin.test:443")

    def test_of_the_environment_is_asked(self, make, monkeypatch):
        with listen(answering(render(b'{"a":1}'))) as proxy:
            set_proxy(monkeypatch, proxy.url)
            with make_fixed(make, "http://api.weixin.test") as client:
                assert client.call(ANYTHING) == {"a": 1}

    def test_of_the_environment_is_not_asked_for_hosts_that_it_excepts(self, make, monkeypatch):
        with listen(answering(render(b"{}"))) as proxy, listen(answering(render(b'{"direct":1}'))) as server:
            set_proxy(monkeypatch, proxy.url, no_proxy="127.0.0.1")
            with make_fixed(make, server.url) as client:
                assert client.call(ANYTHING) == {"direct": 1}

        assert proxy.connections == []


def set_proxy(monkeypatch: pytest.MonkeyPatch, url: str, **others: str) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in {"http_proxy": url, **others}.items():
        monkeypatch.setenv(name, value)


def test_proxy_that_needs_another_package_means_that_nothing_was_sent():
    """Of the async client it is httpx2 that says so, when its session is made."""
    with refuse() as closed, through(Client, closed.replace("http:", "socks5:")) as client:
        catch(ConnectFailed, client.call, ANYTHING)


@both
def test_passwords_of_a_netrc_file_do_not_replace_the_header_of_a_call(make, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    answer = b'{"access_token":"T","expires_in":7200}'
    with listen(lambda connection: keep_answering(connection, answer)) as server:
        source = RemoteTokenSource(server.url, SECRET)
        with make(APPID, token_source=source) as client:
            assert client.get_access_token().access_token == "T"

    assert [request.headers["authorization"] for request in server.requests] == [f"Bearer {SECRET}"]


# --- renewed in the background ---------------------------------------------------------------------------------------


@both
class TestRenewal:
    def test_happens_while_calls_still_use_the_old_access_token(self, make, connect, wechat):
        client = connect(clock=wechat.clock)
        old = client.get_access_token().access_token
        wechat.advance(7000)
        wechat.delay(STABLE, 0.3, times=1)
        client.call(user.get_info("oUSER"))

        assert wechat.requests_to(INFO)[0].query["access_token"] == old

    def test_is_waited_for_by_close(self, make, connect, wechat):
        store = MemoryStore()
        client = connect(clock=wechat.clock, store=store)
        old = client.get_access_token().access_token
        wechat.advance(7000)
        wechat.delay(STABLE, 0.3, times=1)
        assert client.get_access_token().access_token == old
        client.close()

        assert [thread.name for thread in threading.enumerate() if thread.name == "wechat_msg.renew"] == []
        assert len(wechat.requests_to(STABLE)) == 2
        new = connect(clock=wechat.clock, store=store).get_access_token().access_token
        assert new == wechat.stable_access_token != old
        assert len(wechat.requests_to(STABLE)) == 2

    def test_that_fails_is_no_error_of_a_call(self, make, connect, wechat, caplog):
        client = connect(clock=wechat.clock)
        old = client.get_access_token().access_token
        wechat.advance(7000)
        wechat.fail(STABLE, -1)
        assert client.get_access_token().access_token == old
        client.close()

        assert "could not be renewed yet" in caplog.text
        assert old not in caplog.text
        assert wechat.secret not in caplog.text


RENEWING = """
import asyncio, sys, time
from wechat_msg import AsyncClient, Client
url, appid, secret, kind = sys.argv[1:]
ahead = 0

def clock():
    return time.time() + ahead

def main_sync():
    global ahead
    client = Client(appid, secret, hosts=[url], clock=clock)
    client.get_access_token()
    ahead = 7000
    client.get_access_token()

async def main_async():
    global ahead
    client = AsyncClient(appid, secret, hosts=[url], clock=clock)
    await client.get_access_token()
    ahead = 7000
    await client.get_access_token()
    await asyncio.sleep(0.1)

main_sync() if kind == "sync" else asyncio.run(main_async())
print("end")
"""


class TestEndOfTheProgram:
    """While a renewal is under way, and without close."""

    def test_waits_for_the_new_access_token(self, wechat):
        wechat.delay(STABLE, 0.5)
        status, output = run("-c", RENEWING, wechat.url, wechat.appid, wechat.secret, "sync")

        assert (status, output) == (0, "end\n")
        assert len(wechat.requests_to(STABLE)) == 2

    def test_is_quiet_with_the_async_client(self, wechat):
        wechat.delay(STABLE, 0.5)
        status, output = run("-c", RENEWING, wechat.url, wechat.appid, wechat.secret, "async")

        assert (status, output) == (0, "end\n")


FORKING = """
import os, sys
from wechat_msg import Client
from wechat_msg.api import user
url, appid, secret = sys.argv[1:]
client = Client(appid, secret, hosts=[url])
client.call(user.get_info("oUSER"))
barrier, gate = os.pipe()
children = []
for openid in ("oUSER", "oUSER2", "oUSER3"):
    children.append(os.fork())
    if not children[-1]:
        os.close(gate)
        os.read(barrier, 1)
        answers = {client.call(user.get_info(openid)).openid for _ in range(100)}
        os._exit(answers != {openid})
os.close(gate)
print([os.waitpid(child, 0)[1] for child in children])
"""


class TestFork:
    def test_leaves_each_process_the_access_token_and_its_own_answers(self, wechat):
        status, output = run("-c", FORKING, wechat.url, wechat.appid, wechat.secret)

        assert (status, output) == (0, "[0, 0, 0]\n")
        assert len(wechat.requests_to(STABLE)) == 1


class TestImport:
    CODE = "import sys; {}; print(sorted({{'requests', 'urllib3', 'httpx2', 'httpcore2'}} & set(sys.modules)))"

    def test_brings_in_an_http_library_only_with_the_client_that_needs_it(self):
        def check(statement, loaded):
            assert run("-c", self.CODE.format(statement)) == (0, f"{loaded}\n")

        check_rows(
            [
                ("import wechat_msg", "[]"),
                ("import wechat_msg.client", "[]"),
                ("from wechat_msg import AsyncClient, Client", "[]"),
                ("from wechat_msg import Client; Client('wx1', 's')", "['requests', 'urllib3']"),
                ("from wechat_msg import AsyncClient; AsyncClient('wx1', 's')", "['httpcore2', 'httpx2']"),
            ],
            check,
        )

    def test_names_the_missing_package(self, tmp_path):
        (tmp_path / "httpx2.py").write_text("raise ModuleNotFoundError('No module named httpx2', name='httpx2')")
        code = "from wechat_msg import AsyncClient; AsyncClient('wx1', 's')"
        status, output = run("-c", code, environ={"PYTHONPATH": str(tmp_path)})

        assert status == 1
        assert "httpx2" in output.splitlines()[-1]
