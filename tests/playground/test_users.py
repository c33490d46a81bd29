"""Several users: who writes, and who gets the answers."""

from __future__ import annotations

import pytest

from tests.helpers.playgrounds import Follower, Page, make_client, run_bot, run_playground
from tests.helpers.rows import check_rows
from wechat_msg import SettingsError
from wechat_msg.api import customer_service
from wechat_msg.playground import make_app


class TestUsers:
    def test_each_gets_the_answers_to_their_own_messages(self, page, chat):
        assert page.post("users", {"openid": "oANN"}) == (201, {})
        for openid in ("oUSER", "oANN"):
            number = page.push({"MsgType": "text", "Content": openid}, openid=openid)
            reply = chat.wait(lambda entry, number=number: entry.get("of") == number)
            assert (reply["user"], reply["reply"]["ToUserName"], reply["reply"]["Content"]) == (openid, openid, openid)
        make_client(page.playground).call(customer_service.send("oANN", "for Ann"))
        assert chat.wait(lambda entry: entry.get("kind") == "service")["user"] == "oANN"

    def test_follow_the_account_independently(self, page, chat):
        page.post("users", {"openid": "oBOB"})
        chat.wait_done(page.push({"MsgType": "event", "Event": "unsubscribe"}, openid="oBOB"))
        users = chat.entries["users"]["users"]
        assert {one["openid"]: one["is_follower"] for one in users}.items() >= {"oUSER": True, "oBOB": False}.items()

    def test_the_sender_in_a_push_is_its_user(self, page, chat):
        done = chat.wait_done(page.push({"MsgType": "text", "Content": "hi", "FromUserName": "oEVE"}))
        assert done["user"] == "oEVE"
        assert "oEVE" in [one["openid"] for one in chat.entries["users"]["users"]]

    def test_names_that_are_no_openids_are_refused(self, page):
        check_rows(
            ["", " ", "o USER", "o" * 65, "<b>", "用户", None, 5, ["oUSER"], {}],
            lambda openid: self.check_refused(page, openid, "OpenID"),
        )
        with pytest.raises(SettingsError, match="OpenID"):
            make_app(page.playground.settings, "http://127.0.0.1:1/", openid="<b>")

    def test_there_are_twenty_at_most(self):
        with run_bot() as url, run_playground(url) as playground:
            page = Page(playground).log_in()
            for number in range(19):
                assert page.post("users", {"openid": f"o{number}"})[0] == 201
            self.check_refused(page, "oMORE", "20")
            assert len(Follower(page).wait(lambda entry: entry["id"] == "users")["users"]) == 20

    def check_refused(self, page, openid, why):
        status, answer = page.post("users", {"openid": openid})
        assert status == 400
        assert why in answer["error"]["en"]
