"""The key and the record of a push, and every step of its deliveries; performed by hand, without clock and threads."""

from __future__ import annotations

from typing import Any

import attrs

from tests.helpers.rows import each_row
from wechat_msg import (
    Acknowledgement,
    ClickEvent,
    PushSettings,
    TextMessage,
    TextReply,
    UnknownEvent,
    parse_message,
)
from wechat_msg.endpoint.dedup import is_unshared, make_key, make_unshared_key
from wechat_msg.endpoint.handling import Handled
from wechat_msg.messages import Message
from wechat_msg.replies import RenderedReply

TEXT = TextMessage(from_user_name="oUSER", to_user_name="gh_1", create_time=1700000000, content="hi", msg_id="42")
EVENT = {"ToUserName": "gh_1", "FromUserName": "oUSER", "CreateTime": 1700000000, "MsgType": "event", "Event": "CLICK"}
SETTINGS = PushSettings(token="spamtest")
REPLY = RenderedReply(documents={"xml": "<xml><A>1</A></xml>", "json": '{"A":1}'})
HANDLED = Handled(REPLY, TextReply(content="hi"))
SUCCESS = Acknowledgement()
PAYMENT = UnknownEvent(to_user_name="gh_1", from_user_name="oUSER", create_time=1, event="xpay_goods_deliver_notify")
FALLBACK = TextReply(content="请稍候")


def event(**fields: Any) -> Message:
    return parse_message({**EVENT, **fields})


# --- the key ---------------------------------------------------------------------------------------------------------


class TestTheKeyOfAMessage:
    @each_row(
        "change",
        [{"msg_id": "43"}, {"from_user_name": "oOTHER"}, {"to_user_name": "gh_2"}, {"create_time": 1700000001}],
    )
    def test_differs_if_one_of_its_four_parts_does(self, change):
        assert make_key(TEXT) != make_key(attrs.evolve(TEXT, **change))

    def test_does_not_depend_on_other_members(self):
        assert make_key(TEXT) == make_key(attrs.evolve(TEXT, content="ho", raw={"Content": "ho"}))

    def test_is_the_same_in_xml_and_json(self):
        fields = {"ToUserName": "gh_1", "FromUserName": "oUSER", "MsgType": "text", "Content": "hi"}
        messages = [
            parse_message({**fields, "CreateTime": time, "MsgId": msg_id})
            for time, msg_id in ((1700000000, 6054768590064713728), ("1700000000", "6054768590064713728"))
        ]
        assert len(set(map(make_key, messages))) == 1

    def test_takes_everything_into_account_if_there_is_no_msg_id(self):
        fields = {"ToUserName": "gh_1", "FromUserName": "oUSER", "MsgType": "text", "CreateTime": 1}
        contents = ("hi", "ho", "hi")
        keys = [make_key(parse_message({**fields, "Content": content})) for content in contents]
        assert (keys[0] == keys[2], keys[0] == keys[1]) == (True, False)

    def test_is_that_of_the_msg_id_for_unknown_messages_too(self):
        fields = {"ToUserName": "gh_1", "FromUserName": "oUSER", "MsgType": "telepathy", "CreateTime": 1}
        keys = [make_key(parse_message({**fields, "MsgId": msg_id, "X": x})) for msg_id, x in ((1, 1), (1, 2), (2, 1))]
        assert (keys[0] == keys[1], keys[0] == keys[2]) == (True, False)

    def test_is_made_for_unknown_messages_without_any_id(self):
        fields = {"ToUserName": "gh_1", "FromUserName": "oUSER", "CreateTime": 1}
        keys = {make_key(parse_message({**fields, "MsgType": name})) for name in ("telepathy", "telekinesis")}
        assert len(keys) == 2

    def test_is_printable_and_short_and_contains_no_text(self):
        long = attrs.evolve(TEXT, from_user_name="o用户" * 1000, msg_id="\ud800" * 1000)
        for message in (TEXT, long, event()):
            key = make_key(message)
            assert key.isascii()
            assert key.isprintable()
            assert len(f"{key}:tries") <= 200
            assert "oUSER" not in key

    def test_cannot_be_forged_by_moving_text_from_one_part_to_another(self):
        first = attrs.evolve(TEXT, to_user_name="a", from_user_name="bc")
        assert make_key(first) != make_key(attrs.evolve(TEXT, to_user_name="ab", from_user_name="c"))


class TestTheKeyOfAnEvent:
    @each_row(
        "change",
        [
            {"EventKey": "SELL"},
            {"FromUserName": "oOTHER"},
            {"ToUserName": "gh_2"},
            {"CreateTime": 1700000001},
            {"Event": "VIEW"},
            {"Extra": ""},
            {"Nested": {"A": "1", "List": [1, 2]}},
        ],
    )
    def test_differs_if_anything_does(self, change):
        same = {"EventKey": "BUY", "Nested": {"A": "1", "List": [1, 3]}}
        assert make_key(event(**same)) != make_key(event(**{**same, **change}))

    def test_differs_if_a_list_has_another_order(self):
        assert make_key(event(List=[1, 2])) != make_key(event(List=[2, 1]))

    def test_does_not_depend_on_the_order_of_members(self):
        fields = {**EVENT, "EventKey": "BUY", "Nested": {"A": 1, "B": 2}}
        turned = {**dict(reversed(fields.items())), "Nested": {"B": 2, "A": 1}}
        assert make_key(parse_message(fields)) == make_key(parse_message(turned))

    def test_is_the_same_whether_numbers_are_text_or_not(self):
        text = event(Count="2", Nothing="", List=["1", "2"], Nested={"Latitude": "23.5"})
        assert make_key(text) == make_key(event(Count=2, Nothing=None, List=[1, 2], Nested={"Latitude": 23.5}))

    def test_does_not_depend_on_the_case_of_the_event(self):
        keys = {make_key(ClickEvent(**COMMON, event=name, event_key="BUY")) for name in ("CLICK", "click")}
        assert len(keys) == 1

    def test_leaves_out_the_count_of_retries(self):
        keys = {make_key(event(Event="xpay_refund_notify", RetryTimes=number)) for number in (0, 1, "2")}
        assert len(keys | {make_key(event(Event="xpay_refund_notify"))}) == 1

    def test_takes_the_count_of_retries_of_a_member_into_account(self):
        assert make_key(event(Nested={"RetryTimes": 1})) != make_key(event(Nested={"RetryTimes": 2}))

    def test_does_not_rely_on_a_msg_id_which_means_something_else(self):
        """It is the id of a message that was sent; several events report it."""
        sent = {"Event": "TEMPLATESENDJOBFINISH", "MsgID": "1"}
        assert event(**sent, Status="a").msg_id == "1"
        assert make_key(event(**sent, Status="a")) != make_key(event(**sent, Status="b"))

    def test_differs_from_that_of_a_message_with_the_same_text(self):
        assert make_key(event(Event="text")) != make_key(parse_message({**EVENT, "MsgType": "text", "Content": "hi"}))

    def test_is_made_of_an_event_that_names_no_user(self):
        fields = {"InfoType": "component_verify_ticket", "AppId": "wx1", "CreateTime": 1}
        keys = {make_key(parse_message({**fields, "ComponentVerifyTicket": ticket})) for ticket in ("a", "b")}
        assert len(keys) == 2


COMMON = {"to_user_name": "gh_1", "from_user_name": "oUSER", "create_time": 1}


class TestTheKeyByDedupKey:
    def test_depends_on_the_content_only(self):
        assert make_key(TEXT, content="x") == make_key(attrs.evolve(TEXT, msg_id="1", create_time=2), content="x")

    @each_row("other", ["y", "", None])
    def test_differs_for_other_content(self, other):
        assert make_key(TEXT, content="x") != make_key(TEXT, content=other)

    def test_differs_for_other_accounts(self):
        assert make_key(TEXT, content="x") != make_key(attrs.evolve(TEXT, to_user_name="gh_2"), content="x")


class TestTheIdentity:
    def test_begins_the_key(self):
        for content in (None, "x"):
            assert make_key(TEXT, "wx1", content).startswith("wx1:push:")

    @each_row("message", [TEXT, event(), attrs.evolve(TEXT, to_user_name="")])
    @each_row("content", [None, "x"])
    def test_separates_accounts_whose_pushes_are_equal(self, message, content):
        assert make_key(message, "wx1", content) != make_key(message, "wx2", content)

    def test_leaves_room_for_what_follows(self):
        assert len(f"{make_key(TEXT, 'i' * 64)}:tries") <= 200

    def test_never_makes_a_key_look_unshared(self):
        assert not is_unshared(make_key(TEXT, "unshared"))


class TestAnUnsharedKey:
    def test_is_unique(self):
        assert len({make_unshared_key() for _ in range(100)} | {make_key(TEXT)}) == 101

    def test_is_recognised(self):
        assert is_unshared(make_unshared_key())
        assert not is_unshared(make_key(TEXT))
