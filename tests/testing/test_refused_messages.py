"""Customer-service messages that the fake API refuses as WeChat does, sent with both clients."""

from __future__ import annotations

import pytest

from tests.helpers.both_clients import both
from tests.helpers.rows import check_rows
from wechat_msg.api import customer_service
from wechat_msg.errors import APIError, InvalidParameter, PermissionDenied, WindowClosed
from wechat_msg.testing import FakeWeChatAPI

LONGEST = "长" * 682 + "x"  # 2,047 bytes


def let_two_days_pass(wechat):
    wechat.advance(48 * 3600)


def let_a_minute_pass_after_a_click(wechat):
    wechat.close_window("oUSER")
    wechat.open_window("oUSER", "CLICK")
    wechat.advance(60)


def be_unverified(wechat):
    wechat.verified = False


def write_again(wechat):
    wechat.open_window("oUSER")


@both
class TestACustomerServiceMessage:
    @pytest.fixture
    def wechat(self):
        with FakeWeChatAPI() as wechat:
            yield wechat

    @pytest.fixture
    def client(self, make, wechat):
        with make(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
            yield client

    def send(self, client, text="hi", times=1):
        for _ in range(times):
            client.call(customer_service.send("oUSER", text))

    def test_that_wechat_refuses_raises_the_error_of_its_errcode(self, wechat, client):
        def check(prepare, text, errcode, error):
            prepare(wechat)
            with pytest.raises(APIError) as caught:
                self.send(client, text)
            assert (type(caught.value), caught.value.errcode) == (error, errcode)
            assert wechat.messages == []
            wechat.verified = True

        check_rows(
            [
                (be_unverified, "hi", 48001, PermissionDenied),
                (let_a_minute_pass_after_a_click, "hi", 45015, WindowClosed),
                (let_two_days_pass, "hi", 45015, WindowClosed),
                (write_again, LONGEST + "x", 45002, InvalidParameter),
            ],
            check,
        )

    def test_after_five_is_refused_until_the_user_writes_again(self, wechat, client):
        self.send(client, times=5)
        with pytest.raises(WindowClosed, match="45047"):
            self.send(client)
        wechat.open_window("oUSER")
        self.send(client)
        assert len(wechat.messages) == 6

    def test_of_2047_bytes_is_accepted(self, wechat, client):
        self.send(client, LONGEST)
        assert [message["text"]["content"] for message in wechat.messages] == [LONGEST]
