"""Calls of the bot to the playground's API, as the page shows them."""

from __future__ import annotations

import json

import pytest

from tests.helpers.playgrounds import SETTINGS, Follower, Page, make_client, run_bot, run_playground
from tests.helpers.rows import check_rows
from tests.helpers.servers import TIMEOUT
from wechat_msg import APIError, PushEndpoint
from wechat_msg.adapters.wsgi import push_app
from wechat_msg.api import customer_service, menu


class TestTheAPI:
    def test_customer_service_messages_arrive(self, page, chat):
        client = make_client(page.playground)
        client.call(customer_service.set_typing("oUSER"))
        assert chat.wait(lambda entry: entry["id"] == "typing")["is_on"]
        items = [customer_service.MenuItem(id="1", content="好")]
        client.call(customer_service.send("oUSER", customer_service.MsgMenu(items=items)))
        shown = chat.wait(lambda entry: entry["kind"] == "service")
        assert shown["message"]["msgmenu"]["list"] == [{"id": "1", "content": "好"}]
        assert not chat.entries["typing"]["is_on"]
        wire = json.dumps(page.wire(shown["id"]))
        assert page.playground.api.stable_access_token not in wire

    def test_messages_to_others_and_refused_calls_are_no_bubbles(self, page, chat):
        client = make_client(page.playground)
        client.call(customer_service.send("oUSER2", "to somebody else"))
        with pytest.raises(APIError, match="40003"):
            client.call(customer_service.send("nobody", "hi"))
        refused = chat.wait(lambda entry: "message/custom" in entry.get("path", ""))
        assert refused["answer"]["errcode"] == 40003
        assert "to somebody else" not in json.dumps(list(chat.entries.values()))

    def test_messages_are_shown_in_the_order_in_which_the_bot_sends_them(self):
        clients = []

        def send(content):
            clients[0].call(customer_service.send("oUSER", content))

        def answer(message):
            send("before")
            return message.content

        class Body(list):
            def close(self):  # called when the answer has been written
                send("after")

        answered = push_app(PushEndpoint(SETTINGS, answer))
        with (
            run_bot(app=lambda environ, start: Body(answered(environ, start))) as url,
            run_playground(url, time_limit=TIMEOUT) as playground,
        ):
            playground.api.limits_messages = False
            clients.append(make_client(playground))
            page = Page(playground).log_in()
            chat = Follower(page)
            for _ in range(5):
                number = page.push({"MsgType": "text", "Content": "answer"})
                chat.wait(lambda entry, after=number + 3: entry["id"] == after)
            shown = [chat.entries[key]["kind"] for key in sorted(key for key in chat.entries if isinstance(key, int))]
        assert shown == ["message", "service", "reply", "service"] * 5

    def test_what_the_user_does_not_get_is_shown_with_advice(self, page, chat):
        def check(errcode, content, verified, advice):
            page.post("account", {"is_verified": verified})
            with pytest.raises(APIError, match=str(errcode)):
                client.call(customer_service.send("oUSER", content))
            refused = chat.wait(lambda entry: entry.get("answer", {}).get("errcode") == errcode and "message" in entry)
            assert refused["message"]["text"]["content"] == content
            assert advice in refused["advice"]["zh"]
            assert page.wire(refused["id"])["advice"] == refused["advice"]

        client = make_client(page.playground)
        check_rows([(48001, "hi", False, "KeepReply"), (45002, "长" * 683, True, "split_text")], check)

    def test_a_refused_secret_is_not_shown(self, page, chat):
        def check(body):
            method, path = ("POST", "/cgi-bin/stable_token") if body else ("GET", "/cgi-bin/token")
            page.ask(method, path + ("" if body else "?grant_type=client_credential&appid=wx1&secret=SECRET"), body)
            refused = chat.wait(lambda entry: entry.get("path") == path)
            assert "SECRET" not in json.dumps([refused, page.wire(refused["id"])])

        check_rows([b"", b'{"grant_type": "client_credential", "appid": "wx1", "secret": "SECRET"}'], check)

    def test_the_menu_that_the_bot_makes_is_shown(self, page, chat):
        assert chat.wait(lambda entry: entry["id"] == "menu")["is_sample"]
        client = make_client(page.playground)
        client.call(menu.create([menu.ClickButton(name="帮助", key="HELP")]))
        shown = chat.wait(lambda entry: entry["id"] == "menu" and not entry["is_sample"])
        assert shown["buttons"][0]["name"] == "帮助"
        client.call(menu.delete())
        chat.wait(lambda entry: entry["id"] == "menu" and entry["is_sample"])
