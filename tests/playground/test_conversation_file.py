"""Export and import of a conversation; an imported file may be hostile."""

from __future__ import annotations

import json

import pytest

from tests.helpers.playgrounds import TOKEN, Follower, Page, make_client, run_bot, run_playground
from tests.helpers.rows import check_rows
from wechat_msg import APIError, PushSettings
from wechat_msg.api import customer_service

MESSAGE = {
    "id": 1,
    "kind": "message",
    "at": 1700000000.5,
    "user": "oUSER",
    "fields": {"MsgType": "text", "Content": "hi"},
    "document": {"MsgType": "text", "Content": "hi", "MsgId": 54775168754871453, "FromUserName": "oUSER"},
    "mode": "plain",
    "format": "xml",
    "tries": [{"number": 1, "seconds": 0.1, "outcome": "replied", "problem": None}],
}
REPLY = {
    "id": 2,
    "kind": "reply",
    "at": 1700000001,
    "user": "oUSER",
    "of": 1,
    "reply": {"MsgType": "text", "Content": "hello"},
    "number": 1,
    "answered": "",
    "mark": "",
    "part": 0,
}


def write_file(*entries, **members):
    return json.dumps({"format": "wechat-msg conversation 1", "entries": entries, **members}).encode()


def read_file(page):
    status, headers, body = page.ask("GET", "/playground/conversation")
    assert status == 200
    assert headers["content-disposition"] == 'attachment; filename="conversation.json"'
    return body


def send_file(page, body):
    status, _, answer = page.ask("POST", "/playground/conversation", body)
    return status, json.loads(answer)


class TestAFile:
    def test_contains_every_kind_of_entry_and_comes_back_the_same(self, page, chat):
        page.post("clearing", {})
        client = make_client(page.playground)
        numbers = [page.push({"MsgType": "text", "Content": content}) for content in ("hi", "news", "slow", "])><b>")]
        numbers += [
            page.push({"MsgType": "text", "Content": "hi"}, openid="oANN"),
            page.post("verification", {})[1]["id"],
        ]
        for number in numbers:
            chat.wait_done(number)
        client.call(customer_service.send("oUSER", "客服"))
        client.raw_call(
            "POST",
            "/cgi-bin/message/template/send",
            json={"touser": "oUSER", "template_id": "TEMPLATE_ID", "data": {"thing1": {"value": "x"}}},
        )
        with pytest.raises(APIError, match="45002"):
            client.call(customer_service.send("oUSER", "长" * 683))
        chat.wait(lambda entry: entry.get("kind") == "refused")
        exported = read_file(page)
        entries = json.loads(exported)["entries"]
        assert {entry["kind"] for entry in entries} == {"message", "reply", "failure", "service", "template", "refused"}
        assert TOKEN.encode() not in exported
        with run_playground("http://127.0.0.1:1/") as other:
            guest = Page(other).log_in()
            assert send_file(guest, exported) == (201, {"entries": len(entries)})
            again = json.loads(read_file(guest))["entries"]
            users = Follower(guest).wait(lambda entry: entry["id"] == "users")["users"]
        assert [one["openid"] for one in users] == ["oUSER", "oANN"]
        assert [self.simplify(one, again) for one in again] == [self.simplify(one, entries) for one in entries]

    def simplify(self, entry, entries):
        """Return an entry without what is numbered anew; `of` becomes a position."""
        numbers = [one["id"] for one in entries]
        kept = {name: value for name, value in entry.items() if name != "id" and value is not None}
        return kept | ({"of": numbers.index(entry["of"])} if entry.get("of") else {})

    def test_its_messages_are_replayed_with_their_ids(self):
        settings = PushSettings(token=TOKEN)
        with run_bot() as url, run_playground(url, settings) as playground:
            page = Page(playground).log_in()
            chat = Follower(page)
            assert send_file(page, write_file(MESSAGE, REPLY))[0] == 201
            imported = chat.wait(lambda entry: entry.get("kind") == "message")["id"]
            assert "54775168754871453" in page.wire(imported)["imported"]
            replayed = page.post("replays", {"entry": imported})[1]["id"]
            chat.wait_done(replayed)
            assert "<MsgId>54775168754871453<" in page.wire(replayed)["tries"][0]["request"]["opened"]
            assert page.post("replays", {"entry": imported, "number": 1})[0] == 404  # its request is not in the file
            copies = json.loads(page.ask("GET", f"/playground/copies/{imported}")[2])
            assert copies["curl"] is None
            assert "wechat-msg push" in copies["push"]


class TestAHostileFile:
    def test_is_refused_as_a_whole_with_the_place_of_the_error(self, page):
        before = json.loads(read_file(page))["entries"]

        def check(body, why):
            status, answer = send_file(page, body)
            assert status == 400
            assert why in answer["error"]["en"]
            assert answer["error"]["zh"].startswith("不是调试台导出的会话文件：")
            assert json.loads(read_file(page))["entries"] == before

        def change(entry, **members):
            return write_file(MESSAGE, {**entry, **members})

        deep = json.loads("[" * 200 + "]" * 200)
        check_rows(
            [
                (b"", "not JSON"),
                (b"\xff", "not JSON"),
                (b"[" * 100_000, "not JSON"),
                (b"[" * 1_000_000, "too many elements"),
                (b"[]", "format"),
                (b"{}", "format"),
                (write_file(format="other"), "format"),
                (write_file(entries={}), "format"),
                (write_file(*([MESSAGE] * 2001)), "more than 2000"),
                (write_file(5), "entry 0"),
                (write_file({}), "entry 0: kind"),
                (change(MESSAGE, kind="about"), "entry 1: kind"),
                (change(MESSAGE, kind=["message"]), "entry 1: kind"),
                (change(MESSAGE, id="1"), "entry 1: id"),
                (change(MESSAGE, id=True), "entry 1: id"),
                (change(MESSAGE, at="now"), "entry 1: at"),
                (change(MESSAGE, at=float("nan")), "entry 1"),
                (change(MESSAGE, at=float("inf")), "entry 1"),
                (change(MESSAGE, user="<b>"), "entry 1: user"),
                (change(MESSAGE, user=["oUSER"]), "entry 1: user"),
                (change(MESSAGE, fields=[]), "entry 1: fields"),
                (change(MESSAGE, fields={"Content": deep}), "entry 1"),
                (change(MESSAGE, fields={"Content": [0] * 20_000}), "entry 1"),
                (change(MESSAGE, mode="other"), "entry 1: mode"),
                (change(MESSAGE, mode=["plain"]), "entry 1: mode"),
                (change(MESSAGE, format="yaml"), "entry 1: format"),
                (change(MESSAGE, tries={}), "entry 1: tries"),
                (change(MESSAGE, tries=[{**MESSAGE["tries"][0], "outcome": "x"}]), "entry 1: tries"),
                (change(MESSAGE, tries=[{**MESSAGE["tries"][0], "problem": "x"}]), "entry 1: tries"),
                (change(REPLY, reply="hello"), "entry 1: reply"),
                (change(REPLY, mark="constructor"), "entry 1: mark"),
                (change(REPLY, of="1"), "entry 1: of"),
                (b'{"format": "wechat-msg conversation 1", "entries": [' + b"9" * 5000 + b"]}", "not JSON"),
            ],
            check,
        )

    def test_is_refused_if_it_is_too_large(self, page):
        assert page.ask("POST", "/playground/conversation", b" " * (8 << 20) + b"{}")[0] == 413

    def test_is_refused_if_it_has_too_many_users(self, page):
        status, answer = send_file(page, write_file(*({**MESSAGE, "user": f"oX{number}"} for number in range(20))))
        assert status == 400
        assert "20 users" in answer["error"]["en"]

    def test_can_refer_to_entries_that_it_does_not_contain(self, page, chat):
        assert send_file(page, write_file({**REPLY, "of": 77, "answered": "lost"}))[0] == 201
        assert chat.wait(lambda entry: entry.get("answered") == "lost")["of"] is None

    def test_cannot_add_members_that_the_page_does_not_know(self, page, chat):
        assert send_file(page, write_file({**MESSAGE, "wire": {"call": 1}, "source": 2, "is_done": False}))[0] == 201
        done = chat.wait(lambda entry: entry.get("at") == MESSAGE["at"])
        assert done["is_done"]
        assert page.wire(done["id"]).keys() == {"imported", "kind", "is_push"}
