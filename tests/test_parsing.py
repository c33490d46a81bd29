"""From mapping to model: all registered types, unknown types, and malformed pushes."""

from __future__ import annotations

import json
from collections import Counter, UserDict
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.rows import each_row
from tests.helpers.samples import ACCOUNT, CREATE_TIME, EVENTS, MESSAGES, SAMPLES, USER
from wechat_msg import (
    Event,
    ImageMessage,
    MalformedPush,
    Message,
    MiniProgramPageMessage,
    ScanEvent,
    TextMessage,
    UnknownEvent,
    UnknownMessage,
    UserMessage,
    parse_message,
)
from wechat_msg.wire import parse_body, render_body

COMMON = {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Event"}
SECRET = "what the user wrote"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.sampled_from(["1", "event"]),
    lambda values: st.lists(values) | st.dictionaries(st.sampled_from(["item", "List", "Count", "x"]), values),
    max_leaves=5,
)
NAMES = sorted({name for sample in SAMPLES for name in json.loads(sample.json)} | {"InfoType"})


def push(**fields: Any) -> dict[str, Any]:
    return {"ToUserName": "gh_1", "FromUserName": "o1", "CreateTime": 1700000000, **fields}


def leaves_of(value: Any) -> Iterator[Any]:
    """Yield the values inside mappings and lists, except empty ones."""
    if isinstance(value, (Mapping, list, tuple)):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from leaves_of(one)
    elif value not in ("", None):
        yield value


def to_comparable(value: Any) -> Any:
    """Return the number that a value stands for, or its text; true and false are 1 and 0."""
    text = {"true": "1", "false": "0"}.get(str(value).lower(), str(value))
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def without_raw(message: Message) -> dict[str, Any]:
    return attrs.asdict(message, filter=lambda attribute, _: attribute.name != "raw")


class TestCommonFields:
    @each_row("mapping", [None, "text", b"{}", [], [("MsgType", "text")], 1])
    def test_what_is_not_a_mapping_is_malformed(self, mapping):
        with pytest.raises(MalformedPush, match="not a mapping"):
            parse_message(mapping)

    @each_row("name", ["ToUserName", "FromUserName", "CreateTime", "MsgType"])
    @each_row("msg_type", ["text", "unheard_of"])
    def test_a_message_without_one_is_malformed(self, name, msg_type):
        fields = push(MsgType=msg_type, Content=SECRET)
        del fields[name]
        with pytest.raises(MalformedPush, match=r"readable (MsgType|create_time|(to|from)_user_name)") as refusal:
            parse_message(fields)
        assert SECRET not in str(refusal.value)

    @each_row("name", ["ToUserName", "FromUserName", "CreateTime", "MsgType"])
    @each_row("value", [None, [SECRET], {"a": SECRET}, 1e20])
    def test_a_message_with_one_that_is_unreadable_is_malformed(self, name, value):
        with pytest.raises(MalformedPush) as refusal:
            parse_message({**push(MsgType="text", Content="hi"), name: value})
        assert SECRET not in str(refusal.value)

    @each_row("msg_type", ["", "  ", "\n", 0, 1, True])
    def test_a_message_whose_type_is_empty_or_not_text_is_malformed(self, msg_type):
        with pytest.raises(MalformedPush, match="MsgType"):
            parse_message(push(MsgType=msg_type))

    @pytest.mark.parametrize("event", ["CLICK", "unheard_of"])
    def test_an_event_without_a_time_is_malformed(self, event):
        with pytest.raises(MalformedPush, match="create_time"):
            parse_message(
                {"MsgType": "event", "Event": event, "EventKey": "1", "ToUserName": "gh", "FromUserName": "o"}
            )

    @pytest.mark.parametrize("fields", [{}, {"action": "CheckContainerPath"}, {"errcode": 0}])
    def test_a_document_that_is_no_push_is_malformed(self, fields):
        with pytest.raises(MalformedPush, match="MsgType"):
            parse_message(fields)

    @each_row(
        "create_time",
        [-1, "-1", 253402300800, 10**18, "99999999999999999999", "1" * 30, "tomorrow", "", "1.5", "1e9", []],
    )
    def test_a_time_outside_the_calendar_is_malformed(self, create_time):
        with pytest.raises(MalformedPush, match=r"create_time|CreateTime"):
            parse_message(push(MsgType="text", Content="hi", CreateTime=create_time))

    @pytest.mark.parametrize("create_time", [1700000000, "1700000000", " 1700000000\n", 1700000000.0])
    def test_a_time_may_be_text(self, create_time):
        message = parse_message(push(MsgType="text", Content="hi", CreateTime=create_time))
        assert message.create_time == 1700000000
        assert type(message.create_time) is int

    def test_a_refusal_keeps_no_trace_of_the_field_in_its_context(self):
        with pytest.raises(MalformedPush) as refusal:
            parse_message(push(MsgType="text", Content="hi", CreateTime=SECRET))
        assert refusal.value.__suppress_context__
        assert SECRET not in str(refusal.value)


class TestUnknown:
    @pytest.mark.parametrize("msg_type", ["unheard_of", "你好", "text2", "LOCATIONS"])
    def test_a_message_of_an_unknown_type_has_everything_in_raw(self, caplog, msg_type):
        fields = push(MsgType=msg_type, MsgId="5", Thing={"a": ["b"]})
        message = parse_message(fields)
        assert message == UnknownMessage(
            to_user_name="gh_1", from_user_name="o1", create_time=1700000000, msg_type=msg_type, msg_id="5"
        )
        assert message.raw == fields
        assert not isinstance(message, UserMessage)
        assert caplog.messages == []

    def test_a_message_of_an_unknown_type_may_lack_an_id(self):
        assert parse_message(push(MsgType="unheard_of")).msg_id is None

    @each_row("event", ["unheard_of", "unheard of", "", 5])
    def test_an_unknown_event_has_everything_in_raw(self, caplog, event):
        fields = push(MsgType="event", Event=event, detail={"a": ["b"]})
        message = parse_message(fields)
        assert message == UnknownEvent(
            to_user_name="gh_1", from_user_name="o1", create_time=1700000000, event=str(event)
        )
        assert message.raw == fields
        assert caplog.messages == []

    @pytest.mark.parametrize("fields", [{}, {"Event": None}])
    def test_an_event_without_a_name_is_unknown(self, fields):
        message = parse_message(push(MsgType="event", **fields))
        assert message == UnknownEvent(to_user_name="gh_1", from_user_name="o1", create_time=1700000000, event="")

    def test_a_push_of_a_third_party_platform_is_an_event_named_by_its_info_type(self, caplog):
        fields = {"AppId": "wx0", "CreateTime": "1413192605", "InfoType": "unheard_of", "AuthorizerAppid": "wx1"}
        message = parse_message(fields)
        assert message == UnknownEvent(create_time=1413192605, event="unheard_of")
        assert (message.to_user_name, message.from_user_name, message.msg_type) == ("", "", "event")
        assert message.raw == fields
        assert caplog.messages == []

    @each_row("sample", EVENTS)
    def test_an_event_may_be_named_by_its_info_type(self, sample):
        fields = json.loads(sample.json)
        for name in ("MsgType", "ToUserName", "FromUserName"):
            del fields[name]
        message = parse_message({**fields, "InfoType": fields.pop("Event")})
        assert message == attrs.evolve(sample.model, to_user_name="", from_user_name="")

    def test_a_push_of_a_third_party_platform_without_a_time_is_malformed(self):
        with pytest.raises(MalformedPush, match="create_time"):
            parse_message({"AppId": "wx0", "InfoType": "unauthorized"})

    def test_an_info_type_is_ignored_if_there_is_a_msg_type(self):
        assert type(parse_message(push(MsgType="text", Content="hi", InfoType="CLICK"))) is TextMessage


class TestUnreadable:
    @each_row(
        ("fields", "model", "field"),
        [
            ({"MsgType": "text"}, "TextMessage", "content"),
            ({"MsgType": "text", "Content": [SECRET]}, "TextMessage", "Content"),
            ({"MsgType": "text", "Content": SECRET, "Idx": SECRET}, "TextMessage", "Idx"),
            ({"MsgType": "image", "MediaId": [SECRET]}, "ImageMessage", "MediaId"),
            ({"MsgType": "location", "Location_X": "1", "Location_Y": SECRET}, "LocationMessage", "Location_Y"),
        ],
    )
    def test_a_message_is_unknown_and_the_log_has_the_reason_without_text_of_the_user(
        self, caplog, fields, model, field
    ):
        caplog.clear()
        message = parse_message(push(MsgId=7, **fields))
        assert type(message) is UnknownMessage
        assert (message.msg_type, message.msg_id) == (fields["MsgType"], "7")
        assert message.raw == push(MsgId=7, **fields)
        assert caplog.messages == [f"{model}: field {field} cannot be read; passed on as UnknownMessage"]
        assert [(record.name, record.levelname) for record in caplog.records] == [("wechat_msg", "WARNING")]
        assert SECRET not in caplog.text

    @each_row(
        ("fields", "model", "field"),
        [
            ({"Event": "CLICK"}, "ClickEvent", "event_key"),
            ({"Event": "location", "Latitude": SECRET, "Longitude": "1"}, "LocationEvent", "Latitude"),
            ({"Event": "scancode_push", "EventKey": "1", "ScanCodeInfo": SECRET}, "ScanCodePushEvent", "ScanCodeInfo"),
            (
                {"Event": "scancode_push", "EventKey": "1", "ScanCodeInfo": {"ScanResult": SECRET}},
                "ScanCodePushEvent",
                "ScanCodeInfo",
            ),
            ({"Event": "subscribe_msg_sent_event", "List": [SECRET]}, "SubscribeMsgSentEvent", "List"),
            ({"Event": "wxa_media_check", "trace_id": "1", "detail": {"prob": SECRET}}, "WxaMediaCheckEvent", "detail"),
        ],
    )
    def test_an_event_is_unknown_and_the_log_has_the_reason_without_text_of_the_user(
        self, caplog, fields, model, field
    ):
        caplog.clear()
        message = parse_message(push(MsgType="event", **fields))
        assert type(message) is UnknownEvent
        assert message.event == fields["Event"]
        assert message.raw == push(MsgType="event", **fields)
        assert caplog.messages == [f"{model}: field {field} cannot be read; passed on as UnknownEvent"]
        assert [(record.name, record.levelname) for record in caplog.records] == [("wechat_msg", "WARNING")]
        assert SECRET not in caplog.text


class TestEveryPush:
    @each_row("form", ["xml", "json"])
    @each_row("sample", SAMPLES)
    def test_has_every_field_read(self, caplog, sample, form):
        message = parse_message(parse_body(getattr(sample, form)))
        assert type(message) is type(sample.model)
        assert without_raw(message) == without_raw(sample.model)
        assert message == sample.model
        assert caplog.messages == []

    @each_row("sample", SAMPLES)
    def test_gives_equal_models_from_xml_and_json(self, sample):
        from_xml, from_json = (parse_message(parse_body(body)) for body in (sample.xml, sample.json))
        assert from_xml == from_json
        assert repr(without_raw(from_xml)) == repr(without_raw(from_json))  # 1, 1.0 and True are equal, too

    @each_row("form", ["xml", "json"])
    @each_row("sample", SAMPLES)
    def test_keeps_everything_as_received(self, sample, form):
        fields = {**parse_body(getattr(sample, form)), "Unheard": {"Of": ["a", "b"]}}
        message = parse_message(fields)
        assert message.raw == fields
        assert message == sample.model

    @each_row("sample", SAMPLES)
    def test_has_an_attribute_for_every_value(self, sample):
        """Those of JSON text, which is one value, are read by properties."""
        expected = Counter(map(to_comparable, leaves_of(json.loads(sample.json))))
        assert expected - Counter(map(to_comparable, leaves_of(without_raw(sample.model)))) == Counter()

    @each_row("sample", SAMPLES)
    def test_is_unknown_and_complete_if_the_value_of_one_of_its_members_is_broken(self, sample):
        fields = json.loads(sample.json)
        for name in type(sample.model).__wire__.keys() & fields.keys() - COMMON:
            broken = {**fields, name: [[]]}
            message = parse_message(broken)
            assert type(message) in (UnknownMessage, UnknownEvent), name
            assert message.raw == broken

    @each_row("form", ["xml", "json"])
    @each_row("sample", SAMPLES)
    def test_survives_being_written_again(self, sample, form):
        fields = parse_body(sample.json)
        assert parse_message(parse_body(render_body(fields, form).encode())) == sample.model

    @each_row("sample", EVENTS)
    def test_is_recognised_in_any_case_and_keeps_its_spelling(self, sample):
        swapped = sample.model.event.swapcase()
        event = parse_message({**json.loads(sample.json), "Event": swapped})
        assert event == attrs.evolve(sample.model, event=swapped)

    @each_row("sample", MESSAGES)
    def test_is_a_message_or_an_event(self, sample):
        assert isinstance(sample.model, UserMessage)
        assert not isinstance(sample.model, Event)

    @each_row("sample", SAMPLES)
    def test_loses_no_message_when_any_single_field_is_missing_or_odd(self, sample):
        fields = json.loads(sample.json)
        for name in fields.keys() - {"ToUserName", "FromUserName", "CreateTime", "MsgType"}:
            for odd in ({}, {name: None}, {name: ""}, {name: [[]]}, {name: {"x": 1}}, {name: 1.5}, {name: "\n"}):
                changed = {**{key: value for key, value in fields.items() if key != name}, **odd}
                message = parse_message(changed)
                assert type(message) in (type(sample.model), UnknownMessage, UnknownEvent)
                assert (message.to_user_name, message.from_user_name) == (ACCOUNT, USER)
                assert message.create_time == CREATE_TIME
                assert message.raw == changed


class TestMsgId:
    @pytest.mark.parametrize("msg_id", [{"a": "b"}, ["1", "2"], 2.4e16])
    def test_that_is_unreadable_loses_no_message(self, msg_id):
        fields = push(MsgType="text", Content="hi", MsgId=msg_id)
        message = parse_message(fields)
        assert (type(message), message.msg_id, message.raw) == (UnknownMessage, None, fields)

    @pytest.mark.parametrize("msg_id", [2**53 + 1, 24123456789012345, 2**63 - 1, 2**64 - 1])
    def test_is_exact_beyond_what_a_float_holds(self, msg_id):
        as_number = parse_body(json.dumps(push(MsgType="text", Content="hi", MsgId=msg_id)).encode())
        as_text = parse_body(render_body(push(MsgType="text", Content="hi", MsgId=str(msg_id)), "xml").encode())
        assert parse_message(as_number).msg_id == parse_message(as_text).msg_id == str(msg_id)

    def test_need_not_be_a_number(self):
        assert parse_message(push(MsgType="text", Content="hi", MsgId="49d7_1555684067")).msg_id == "49d7_1555684067"

    def test_may_be_missing(self):
        assert parse_message(push(MsgType="text", Content="hi")).msg_id == ""


class TestEventName:
    @pytest.mark.parametrize("event", [{"a": "b"}, ["CLICK", "VIEW"], 1e20, None])
    def test_that_is_unreadable_loses_no_event(self, event):
        fields = push(MsgType="event", Event=event)
        message = parse_message(fields)
        assert (type(message), message.event, message.raw) == (UnknownEvent, "", fields)


class TestMapping:
    def test_is_the_dict_that_a_cloud_function_gets(self):
        event = {
            "FromUserName": "oUSER",
            "ToUserName": "wx0000000000000000",
            "Content": "hi",
            "CreateTime": 1555684067,
            "MsgId": "0123456789abcdef_1555684067",
            "MsgType": "text",
        }
        message = parse_message(event)
        assert message == TextMessage(
            from_user_name="oUSER",
            to_user_name="wx0000000000000000",
            content="hi",
            create_time=1555684067,
            msg_id="0123456789abcdef_1555684067",
        )
        assert message.raw is event

    def test_is_the_dict_that_a_cloud_function_gets_for_a_card(self):
        message = parse_message(push(MsgType="miniprogrampage", Title="t", AppId="wx0", PagePath="p", MsgId="a_1"))
        assert type(message) is MiniProgramPageMessage
        assert (message.app_id, message.page_path, message.thumb_url) == ("wx0", "p", None)

    @pytest.mark.parametrize("kind", [dict, UserDict, MappingProxyType])
    def test_is_of_any_kind(self, kind):
        message = parse_message(kind(push(MsgType="image", MediaId="m")))
        assert type(message) is ImageMessage
        assert message.media_id == "m"

    def test_is_not_changed(self):
        fields = push(MsgType="event", Event="SCAN", EventKey=" 1 ")
        before = dict(fields)
        assert type(parse_message(fields)) is ScanEvent
        assert fields == before

    def test_may_have_names_that_are_not_text(self):
        assert type(parse_message({**push(MsgType="text", Content="hi"), 1: 2, None: 3})) is TextMessage

    @given(mapping=st.dictionaries(st.sampled_from(NAMES), VALUES))
    def test_of_anything_gives_a_message_or_is_malformed(self, mapping):
        check(mapping)

    @given(sample=st.sampled_from(SAMPLES), change=st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1))
    def test_changed_anyhow_gives_a_message_or_is_malformed(self, sample, change):
        check({**json.loads(sample.json), **change})


def check(mapping: dict[str, Any]) -> None:
    try:
        message = parse_message(mapping)
    except MalformedPush as error:
        assert str(error)  # noqa: PT017
    else:
        assert isinstance(message, Message)
        assert message.raw is mapping
        assert message.created_at.timestamp() == message.create_time
