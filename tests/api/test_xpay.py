"""Virtual payment: what arrives at WeChat is what was signed, byte for byte, and no key leaves the caller."""

from __future__ import annotations

import hashlib
import hmac
import pickle
from typing import Any

import pytest

from tests.api.cases.miniprogram_xpay import APPKEY, CASES, SESSION_KEY
from tests.helpers.both_clients import both
from tests.helpers.rows import check_rows
from wechat_msg import AuthorizationExpired, Client, InvalidParameter
from wechat_msg.api import miniprogram
from wechat_msg.api.miniprogram import xpay_call
from wechat_msg.errors import CallError, UserDataError
from wechat_msg.testing import APIRequest, FakeWeChatAPI


@pytest.fixture
def wechat():
    with FakeWeChatAPI() as wechat:
        yield wechat


@pytest.fixture
def client(wechat):
    with Client(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
        yield client


def sign(key: str, signed: bytes) -> str:
    return hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()


def check_signatures(request: APIRequest) -> None:
    """Compare the signatures of a request with the bytes that arrived."""
    assert request.query["pay_sig"] == sign(APPKEY, request.path.encode() + b"&" + request.body)
    if "signature" in request.query:
        assert request.query["signature"] == sign(SESSION_KEY, request.body)


def test_a_day_that_is_no_date_is_refused_with_the_form_that_the_call_wants():
    def check(day):
        with pytest.raises(CallError, match="end_ds must be a date, or a text such as 20261129"):
            miniprogram.download_bill("20261101", day, appkey=APPKEY)

    check_rows([None, 20261129], check)


@pytest.mark.parametrize("path", [pytest.param(10**5_000, id="a huge number"), None])
def test_what_is_no_path_is_refused(path):
    with pytest.raises((CallError, UserDataError)):
        xpay_call(path, {}, appkey=APPKEY)


class TestSignatures:
    def test_are_those_of_wechats_guide(self):
        body = '{"openid": "xxx", "user_ip": "127.0.0.1", "env": 0}'
        call = xpay_call("/xpay/query_user_balance", body, appkey="12345")

        assert call.params == {"pay_sig": "c37809f27c6d7fd1837ad2500a04512b66b34fd793a39a385fade56dca89a4b5"}
        assert call.body == body.encode()

    def test_of_users_are_those_of_wechats_page(self):
        call = xpay_call("/xpay/currency_pay", '{"foo":"bar"}', appkey=APPKEY, session_key="o0q0otL8aEzpcZL/FT9WsQ==")

        assert call.params["signature"] == "654571f79995b2ce1e149e53c0a33dc39c0a74090db514261454e8dbe432aa0b"
        assert call.body == b'{"foo":"bar"}'

    @both
    def test_are_those_of_the_bytes_that_arrive(self, make, wechat):
        with make(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:

            def check(case):
                wechat.answer(case.path, case.answer, times=1)
                client.call(case.call)
                request = wechat.requests_to(case.path)[-1]
                assert request.body == case.call.body
                assert request.headers["content-type"] == "application/json"
                check_signatures(request)

            check_rows(CASES, check)

    @both
    def test_are_the_same_after_the_access_token_was_replaced(self, make):
        def check(case):
            with FakeWeChatAPI() as wechat, make(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
                client.get_access_token()
                wechat.expire_access_tokens()
                wechat.fail(case.path, 42001, times=1)
                wechat.answer(case.path, case.answer, times=1)
                assert client.call(case.call) == case.result
                first, second = wechat.requests_to(case.path)
                assert first.body == second.body == case.call.body
                assert first.query["access_token"] != second.query["access_token"]
                check_signatures(second)

        check_rows(CASES, check)

    @both
    def test_are_the_same_after_an_answer_was_lost(self, make, wechat):
        call = miniprogram.query_order(appkey=wechat.appkey, order_id="ORDER-1")
        wechat.drop(call.path, when="after")
        with make(wechat.appid, wechat.secret, hosts=[wechat.url], random=lambda: 0.0) as client:
            assert client.call(call).order_id == "ORDER-1"

        first, second = wechat.requests_to(call.path)
        assert first.body == second.body
        check_signatures(second)

    def test_do_not_change_if_its_arguments_do(self, wechat, client):
        items: list[Any] = [{"id": "sword", "name": "剑", "price": 600}]
        call = pickle.loads(pickle.dumps(miniprogram.start_upload_goods(items, appkey=wechat.appkey)))
        items[0]["price"] = 1

        client.call(call)
        assert wechat.requests_to(call.path)[0].json["upload_item"][0]["price"] == 600


class TestKeys:
    def test_are_in_no_call(self):
        def check(case):
            for key in (APPKEY, SESSION_KEY):
                assert key.encode() not in pickle.dumps(case.call)
                assert key not in repr(case.call)

        check_rows(CASES, check)

    @pytest.mark.parametrize("key", ["", None, b"key", "\ud800"])
    def test_that_sign_nothing_are_refused(self, key):
        with pytest.raises(UserDataError, match="appkey"):
            xpay_call("/xpay/x", {}, appkey=key)
        if key is not None:
            with pytest.raises(UserDataError, match="session_key"):
                xpay_call("/xpay/x", {}, appkey=APPKEY, session_key=key)


@pytest.mark.parametrize("body", [None, [], {"openid": object()}, {"openid": "\ud800"}, {"env": float("nan")}])
def test_a_body_that_is_no_json_object_is_refused(body):
    with pytest.raises(CallError, match="body"):
        xpay_call("/xpay/x", body, appkey=APPKEY)


# --- the fake API ----------------------------------------------------------------------------------------------------


def test_the_fake_refuses_another_appkey(wechat, client):
    with pytest.raises(InvalidParameter, match="pay_sig"):
        client.call(miniprogram.query_order(appkey="another", order_id="ORDER-1"))


def test_the_fake_refuses_a_body_that_was_changed_on_its_way(wechat, client):
    call = miniprogram.query_order(appkey=wechat.appkey, order_id="ORDER-1")
    with pytest.raises(InvalidParameter, match="pay_sig"):
        client.raw_call("POST", call.path, params=call.params, json={"order_id": "ORDER-1", "env": 0})


def test_the_fake_asks_for_the_session_key_of_the_user(wechat, client):
    def pay(amount, session_key):
        return miniprogram.currency_pay("oUSER", "ORDER-1", amount, session_key=session_key, appkey=wechat.appkey)

    with pytest.raises(AuthorizationExpired) as caught:
        client.call(pay(30, SESSION_KEY))
    assert caught.value.errcode == 87007

    session_key = client.call(miniprogram.code2session("CODE")).session_key
    with pytest.raises(AuthorizationExpired) as caught:
        client.call(pay(30, SESSION_KEY))
    assert caught.value.errcode == 87009
    assert client.call(pay(30, session_key)).balance == 70
    with pytest.raises(InvalidParameter, match="coins"):
        client.call(pay(71, session_key))
    balance = miniprogram.query_user_balance("oUSER", session_key=session_key, appkey=wechat.appkey)
    assert client.call(balance).balance == 70


class TestRefunds:
    def test_leave_less_of_an_order_in_the_fake(self, client):
        def refund(number, fee, left):
            return miniprogram.refund_order(number, fee, left, appkey=APPKEY, order_id="O1")

        query = miniprogram.query_order(appkey=APPKEY, order_id="O1")
        assert client.call(query).left_fee == 600
        client.call(refund("R1", 200, 600))
        order = client.call(query)
        assert (order.refund_fee, order.left_fee) == (200, 400)
        for fee, left in [(200, 600), (401, 400), (0, 400)]:
            with pytest.raises(InvalidParameter):
                client.call(refund("R2", fee, left))
        client.call(refund("R3", 400, 400))
        assert client.call(query).left_fee == 0
