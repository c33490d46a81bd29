"""Properties of all models of pushes, and of the classes that users add for messages."""

from __future__ import annotations

import copy
import functools
import inspect
import json
import pickle
import pkgutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import attrs
import pytest

import wechat_msg.events
import wechat_msg.messages
from tests.helpers.rows import each_row
from tests.helpers.samples import OTHER_NAMES, SAMPLES
from wechat_msg import (
    Event,
    Message,
    TextMessage,
    UnknownEvent,
    UnknownMessage,
    UserMessage,
    VoiceMessage,
    parse_message,
    register_message,
)
from wechat_msg.fields import content, integer, snake_case, text
from wechat_msg.messages import MESSAGES

MODULES = [
    wechat_msg.messages,
    *(import_module(found.name) for found in pkgutil.iter_modules(wechat_msg.events.__path__, "wechat_msg.events.")),
]
MODELS = [
    value
    for module in MODULES
    for value in vars(module).values()
    if isinstance(value, type) and "__wire__" in vars(value) and value.__module__ == module.__name__
]
REGISTERED = [model for model in MODELS if issubclass(model, Message) and vars(model).get("wire_type")]
#: Names of fields that hold what the user wrote, said, chose or scanned, or that say where the user is.
WORDS = {
    *("Content", "Recognition", "Label", "Title", "Description", "ScanResult", "Poiname", "Url"),
    *("title", "tax_no", "addr", "phone", "bank_type", "bank_no", "attach", "VerifyCode", "RemarkAmount"),
    *("phone_number", "customer_material_content", "history", "ComplaintDetail", "Payload"),
}
PLACES = {"Location_X", "Location_Y", "Latitude", "Longitude", "Country", "Province", "City", "RegionCode"}
SECRETS = {"ComponentVerifyTicket", "AuthorizationCode", "PreAuthCode", "auth_code", "legal_persona_name", "wxuser"}


@pytest.fixture(autouse=True)
def registry():
    """Forget the classes that a test registers."""
    with MESSAGES.temporary():
        yield


def push(**fields: Any) -> dict[str, Any]:
    return {"ToUserName": "gh_1", "FromUserName": "o1", "CreateTime": 1700000000, **fields}


def words_in(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from words_in(value)
        elif name in WORDS | PLACES | SECRETS:
            yield str(value)


def parts_of(model: Any) -> Iterator[Any]:
    """Yield *model* and every model inside it, or that one of its properties reads."""
    yield model
    properties = [name for name, value in inspect.getmembers(type(model)) if isinstance(value, property)]
    for name in [*attrs.fields_dict(type(model)), *properties]:
        value = getattr(model, name)
        for part in value if isinstance(value, tuple) else (value,):
            if hasattr(part, "__wire__"):
                yield from parts_of(part)


@functools.cache
def parts_of_samples() -> list[Any]:
    return [part for sample in SAMPLES for part in parts_of(sample.model)]


class TestEveryModel:
    @each_row("model", MODELS)
    def test_has_attributes_named_mechanically(self, model):
        for wire_name, (attribute, _) in model.__wire__.items():
            if snake_case(wire_name) != attribute:
                is_wrapper = attribute == "list" and wire_name == model.__name__
                assert OTHER_NAMES.get(wire_name) == attribute or is_wrapper

    @each_row("model", MODELS)
    def test_has_a_wire_name_for_every_attribute(self, model):
        names = {attribute.name for attribute in attrs.fields(model)} - {"raw"}
        assert {attribute for attribute, _ in model.__wire__.values()} == names

    def test_is_found_by_this_test(self):
        assert {TextMessage, VoiceMessage, Message, Event, wechat_msg.PicItem, wechat_msg.SubscribeMsgSent} <= {*MODELS}

    @each_row("model", REGISTERED)
    def test_has_a_sample(self, model):
        assert model in {type(sample.model) for sample in SAMPLES}

    @each_row(
        "model",
        [model for model in MODELS if model not in (UnknownMessage, UnknownEvent)],
    )
    def test_has_a_value_for_every_field_in_some_sample(self, model):
        parts = [part for part in parts_of_samples() if isinstance(part, model)]
        own = [each for each in attrs.fields(model) if not each.inherited and each.name != "raw"]
        empty = {each.name for each in own if all(getattr(part, each.name) in (None, ()) for part in parts)}
        assert empty == set()

    @each_row("sample", SAMPLES)
    def test_is_frozen(self, sample):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            sample.model.from_user_name = "somebody else"

    @each_row("sample", SAMPLES)
    def test_is_slotted(self, sample):
        assert not any(hasattr(part, "__dict__") for part in parts_of(sample.model))

    @each_row("model", MODELS)
    def test_accepts_keywords_only(self, model):
        with pytest.raises(TypeError, match="positional"):
            model("gh_1")

    @each_row("sample", SAMPLES)
    def test_compares_by_value_without_raw_and_is_hashable(self, sample):
        same = attrs.evolve(sample.model, raw={"A": "other"})
        other = attrs.evolve(sample.model, create_time=1)
        assert sample.model == same != other
        assert {sample.model: 1}[same] == 1

    @each_row("sample", SAMPLES)
    def test_can_be_copied_and_pickled_with_raw(self, sample):
        message = parse_message(json.loads(sample.json))
        for twin in (copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
            assert twin == message
            assert twin.raw == message.raw

    @each_row("sample", SAMPLES)
    def test_shows_neither_words_nor_places_of_the_user_nor_secrets_in_its_repr(self, sample):
        shown = repr(parse_message({**json.loads(sample.json), "Extra": "a secret of raw"}))
        for words in filter(None, [*words_in(json.loads(sample.json)), "a secret of raw"]):
            assert words not in shown
            assert repr(words)[1:-1] not in shown

    @each_row("sample", SAMPLES)
    def test_shows_who_and_what_in_its_repr(self, sample):
        assert repr(sample.model).startswith(f"{type(sample.model).__name__}(")
        assert sample.model.from_user_name in repr(sample.model)


class TestMessage:
    def test_has_its_time_in_utc(self):
        created_at = TextMessage(to_user_name="gh", from_user_name="o", create_time=1700000000, content="").created_at
        assert created_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
        assert created_at.tzinfo is UTC

    def test_has_its_time_up_to_the_end_of_the_calendar(self):
        message = parse_message(push(MsgType="x", CreateTime="253402300799"))
        assert message.created_at.year == 9999

    def test_can_be_built_by_hand_for_the_tests_of_a_bot(self):
        message = TextMessage(to_user_name="gh_1", from_user_name="o1", create_time=0, content="hi")
        assert (message.msg_type, message.msg_id, message.raw) == ("text", "", {})
        assert message == parse_message(push(MsgType="text", CreateTime=0, Content="hi"))

    def test_of_a_user_has_an_id_in_text(self):
        assert parse_message(push(MsgType="text", Content="", MsgId=24123456789012345)).msg_id == "24123456789012345"


class TestOptionalMembers:
    @each_row(
        ("msg_type", "cls"),
        [
            ("image", wechat_msg.ImageMessage),
            ("voice", VoiceMessage),
            ("video", wechat_msg.VideoMessage),
            ("shortvideo", wechat_msg.ShortVideoMessage),
        ],
    )
    def test_of_a_message_are_empty_if_they_are_missing(self, msg_type, cls):
        message = parse_message(push(MsgType=msg_type))
        assert type(message) is cls
        assert message.media_id == ""


class TestAsText:
    @each_row("sample", SAMPLES)
    def test_keeps_sender_receiver_time_ids_and_raw(self, sample):
        text = sample.model.as_text("你好")
        assert type(text) is TextMessage
        assert text.content == "你好"
        kind = UserMessage if isinstance(sample.model, UserMessage) else Message
        for name in {each.name for each in attrs.fields(kind)} - {"msg_type"}:
            assert getattr(text, name) == getattr(sample.model, name)
        assert text.msg_type == "text"

    def test_of_an_event_has_no_ids(self):
        event = wechat_msg.ClickEvent(to_user_name="gh", from_user_name="o", create_time=1, event_key="help")
        assert event.as_text("/help") == TextMessage(
            to_user_name="gh", from_user_name="o", create_time=1, content="/help"
        )


class TestRegisterMessage:
    def test_accepts_a_class_with_declared_fields(self):
        @register_message("test_poke")
        class PokeMessage(UserMessage):
            poked_part: str = text("PokedPart")
            times: int = integer("Times", default=1)
            remark: str = content("Remark", default="")

        message = parse_message(push(MsgType="test_poke", PokedPart=" nose ", Times="3", Remark=" ouch ", MsgId=5))
        assert type(message) is PokeMessage
        assert (message.poked_part, message.times, message.remark, message.msg_id) == ("nose", 3, " ouch ", "5")
        assert "ouch" not in repr(message)

    def test_accepts_a_class_with_annotated_fields(self):
        @register_message("test_poke")
        class PokeMessage(Message):
            poked_part: str
            times: int | None = None

        message = parse_message(push(MsgType="test_poke", PokedPart="nose", times="3"))
        assert message == PokeMessage(
            to_user_name="gh_1", from_user_name="o1", create_time=1700000000, poked_part="nose", times=3
        )

    def test_accepts_a_class_that_attrs_has_made(self):
        @register_message("test_poke")
        @attrs.frozen(kw_only=True)
        class PokeMessage(UserMessage):
            poked_part: str = attrs.field(validator=attrs.validators.max_len(4))

        assert parse_message(push(MsgType="test_poke", PokedPart="nose")).poked_part == "nose"
        assert type(parse_message(push(MsgType="test_poke", PokedPart="nostril"))) is UnknownMessage

    def test_accepts_a_class_without_fields_of_its_own(self):
        @register_message("test_nudge")
        class NudgeMessage(UserMessage):
            pass

        message = parse_message(push(MsgType="test_nudge", MsgId="1"))
        assert type(message) is NudgeMessage
        assert message.msg_id == "1"
        assert NudgeMessage(to_user_name="gh", from_user_name="o", create_time=0).msg_type == "test_nudge"

    def test_keeps_methods_and_properties(self):
        @register_message("test_sum")
        class SumMessage(UserMessage):
            """A sum."""

            left: int
            right: int

            @property
            def total(self) -> int:
                return self.left + self.right

        assert parse_message(push(MsgType="test_sum", Left="1", Right="2")).total == 3
        assert SumMessage.__doc__ == "A sum."

    def test_ignores_case(self):
        @register_message("Test_Nudge")
        class NudgeMessage(UserMessage):
            pass

        message = parse_message(push(MsgType="TEST_nudge"))
        assert type(message) is NudgeMessage
        assert message.msg_type == "TEST_nudge"

    def test_lets_the_last_class_win(self):
        @register_message("test_nudge")
        class FirstMessage(UserMessage):
            pass

        @register_message("test_nudge")
        class LastMessage(UserMessage):
            pass

        assert type(parse_message(push(MsgType="test_nudge"))) is LastMessage

    def test_accepts_one_class_for_several_types(self):
        @register_message("test_nudge")
        @register_message("test_shove")
        class NudgeMessage(UserMessage):
            pass

        assert type(parse_message(push(MsgType="test_nudge"))) is NudgeMessage
        assert type(parse_message(push(MsgType="test_shove"))) is NudgeMessage

    def test_replaces_a_class_of_the_package(self):
        @register_message("text")
        class LoudMessage(TextMessage):
            volume: int = integer("Volume", default=11)

        message = parse_message(push(MsgType="text", Content="hi", Volume="3"))
        assert type(message) is LoudMessage
        assert isinstance(message, TextMessage)
        assert (message.content, message.volume) == ("hi", 3)

    def test_gives_the_unknown_message_for_one_that_lacks_a_required_field(self, caplog):
        @register_message("test_poke")
        class PokeMessage(UserMessage):
            poked_part: str

        message = parse_message(push(MsgType="test_poke"))
        assert type(message) is UnknownMessage
        assert caplog.messages == ["PokeMessage: field poked_part cannot be read; passed on as UnknownMessage"]

    @pytest.mark.parametrize("error", [KeyError, TypeError, ZeroDivisionError, ValueError])
    def test_gives_the_unknown_message_if_the_class_fails(self, caplog, error):
        def fail(value: str) -> str:
            raise error(value)

        @register_message("test_poke")
        class PokeMessage(UserMessage):
            poked_part: str = text("PokedPart", converter=fail)

        message = parse_message(push(MsgType="test_poke", PokedPart="a secret"))
        assert type(message) is UnknownMessage
        assert message.raw["PokedPart"] == "a secret"
        assert caplog.messages == [f"PokeMessage: {error.__name__}; passed on as UnknownMessage"]
