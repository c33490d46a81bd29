"""The classes of events, their own properties, and the classes that users add."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import textwrap
from typing import Any

import attrs
import pytest

from tests.helpers.rows import each_row
from wechat_msg import (
    ClickEvent,
    ComplaintCallbackEvent,
    ComplaintHistoryItem,
    Event,
    LocationEvent,
    LocationMessage,
    MiniGame,
    MinigameCoinDeliverCompletedEvent,
    PublishJobFinishEvent,
    PunishDetail,
    ScanEvent,
    SubscribeEvent,
    TemplateSendJobFinishEvent,
    UnknownEvent,
    WxaPunishEvent,
    events,
    parse_message,
    register_event,
)
from wechat_msg.events._topics import EVENTS_OF_MODULES, NAMES_OF_MODULES
from wechat_msg.events.base import EVENTS
from wechat_msg.fields import items, model, nested, text


@pytest.fixture(autouse=True)
def registry():
    """Forget the classes that a test registers."""
    with EVENTS.temporary():
        yield


def push(event: str, **fields: Any) -> dict[str, Any]:
    common = {"ToUserName": "gh_1", "FromUserName": "o1", "CreateTime": 1700000000}
    return {**common, "MsgType": "event", "Event": event, **fields}


def run(code: str) -> list[str]:
    """Run *code* in a fresh interpreter and return the lines that it prints."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


class TestEvent:
    @pytest.mark.parametrize("spelling", ["SCAN", "scan", "Scan", " SCAN\n"])
    def test_is_recognised_by_its_name_in_any_case_and_keeps_the_spelling(self, spelling):
        event = parse_message(push(spelling, EventKey="1"))
        assert type(event) is ScanEvent
        assert event.event == spelling.strip()

    @pytest.mark.parametrize("spelling", ["event", "Event", "EVENT"])
    def test_is_distinguished_from_a_message_in_any_case(self, spelling):
        event = parse_message({**push("CLICK", EventKey="1"), "MsgType": spelling})
        assert type(event) is ClickEvent
        assert event.msg_type == spelling

    def test_location_is_not_the_message_location(self):
        event = parse_message(push("LOCATION", Latitude="1", Longitude="2", Precision="3"))
        assert type(event) is LocationEvent
        assert (event.latitude, event.longitude, event.precision) == (1.0, 2.0, 3.0)
        message = parse_message({**push(""), "MsgType": "location", "Location_X": "1", "Location_Y": "2"})
        assert type(message) is LocationMessage
        assert (message.location_x, message.location_y) == (1.0, 2.0)

    def test_location_in_lower_case_is_still_the_event(self):
        assert type(parse_message(push("location", Latitude="1", Longitude="2"))) is LocationEvent

    def test_may_name_neither_side(self):
        """As in WeChat's sample of minigame_coin_deliver_completed."""
        fields = {"MsgType": "event", "Event": "minigame_coin_deliver_completed", "CreateTime": 1700000000}
        event = parse_message({**fields, "MiniGame": {"Payload": "{}", "IsMock": False}})
        assert type(event) is MinigameCoinDeliverCompletedEvent
        assert (event.to_user_name, event.from_user_name) == ("", "")
        assert event.mini_game == MiniGame(payload="{}", is_mock=0)

    def test_can_be_built_by_hand_for_the_tests_of_a_bot(self):
        event = TemplateSendJobFinishEvent(create_time=0, msg_id="1", status="success")
        assert (event.msg_type, event.event, event.to_user_name) == ("event", "TEMPLATESENDJOBFINISH", "")

    @each_row("name", ["complaint_callback", "complaint callback", "Complaint Callback"])
    def test_may_have_a_space_in_its_name_and_the_members_of_its_structure(self, name):
        fields = {"complaint_order_id": 1, "create_time": "1690000000", "history": {"content": "a", "time": 2}}
        event = parse_message(push(name, **fields))
        assert type(event) is ComplaintCallbackEvent
        assert event == parse_message(push(name, BussiCallBackInfo=fields))
        assert (event.event, event.create_time) == (name, 1700000000)
        complaint = event.bussi_call_back_info
        assert (complaint.complaint_order_id, complaint.create_time) == ("1", "1690000000")
        assert complaint.history == (ComplaintHistoryItem(content="a", time="2"),)
        assert "content" not in repr(event)

    def test_of_a_penalty_reads_its_json_text(self):
        event = parse_message(push("wxa_punish_event", detail='{"banned_days":[3],"banned_function_names":["search"]}'))
        assert event.punish_detail == PunishDetail(banned_days=("3",), banned_function_names=("search",))

    @pytest.mark.parametrize("fields", [{}, {"detail": ""}, {"detail": "a text"}, {"detail": '{"banned_days":[[]]}'}])
    def test_of_a_penalty_has_no_detail_if_its_text_is_unreadable(self, fields):
        event = parse_message(push("wxa_punish_event", **fields))
        assert type(event) is WxaPunishEvent
        assert event.punish_detail is None

    @pytest.mark.parametrize("name", ["MsgID", "MsgId"])
    def test_has_the_id_of_its_job_in_text(self, name):
        assert parse_message(push("TEMPLATESENDJOBFINISH", Status="success", **{name: 200163836})).msg_id == "200163836"

    @pytest.mark.parametrize("name", ["PUBLISHJOBFINISH", "FREEPUBLISHJOBFINISH", "publishjobfinish"])
    def test_of_a_publication_has_two_names(self, name):
        event = parse_message(push(name, PublishEventInfo={"publish_id": 1, "publish_status": 1}))
        assert type(event) is PublishJobFinishEvent
        assert event.event == name

    @pytest.mark.parametrize("name", ["subscribe_msg_sent_event", "SUBSCRIBE_MSG_SENT_EVENT"])
    def test_of_a_subscription_has_its_list_with_the_wrapper_in_json_too(self, name):
        sent = {"TemplateId": "TID", "MsgID": "1", "ErrorCode": "0", "ErrorStatus": "success"}
        wrapped = parse_message(push(name, SubscribeMsgSentEvent={"List": [sent]}))
        assert wrapped == parse_message(push(name, List=sent))
        assert [entry.msg_id for entry in wrapped.list] == ["1"]


class TestSubscribeEventScene:
    @each_row("event_key", [None, "", "last_trade_no_1", "QRSCENE_1", "123"])
    def test_is_none_if_the_user_followed_in_another_way(self, event_key):
        assert SubscribeEvent(create_time=0, event_key=event_key).scene is None

    @pytest.mark.parametrize(
        ("event_key", "scene"),
        [("qrscene_123", "123"), ("qrscene_", ""), ("qrscene_qrscene_1", "qrscene_1"), ("qrscene_渠道 1", "渠道 1")],
    )
    def test_is_the_key_without_its_prefix(self, event_key, scene):
        assert parse_message(push("subscribe", EventKey=event_key)).scene == scene

    def test_is_none_without_a_key(self):
        assert parse_message(push("subscribe")).scene is None


class TestScanEventScene:
    @pytest.mark.parametrize(
        ("event_key", "scene"), [("123", "123"), (123, "123"), ("qrscene_123", "qrscene_123"), ("", "")]
    )
    def test_is_the_key_as_it_is(self, event_key, scene):
        assert parse_message(push("SCAN", EventKey=event_key)).scene == scene


class TestRegisterEvent:
    def test_accepts_a_class_with_declared_and_nested_fields(self):
        @model
        class Action:
            action_type: int
            action_msg: str = text("ActionMsg")

        @register_event("test_express_path")
        class ExpressPathEvent(Event):
            way_bill_id: str = text("WayBillId")
            first: Action | None = nested("First", Action, default=None)
            actions: tuple[Action, ...] = items("Actions", Action)

        event = parse_message(
            push("test_express_path", WayBillId=1, Actions={"ActionType": "100001", "ActionMsg": "picked up"})
        )
        assert type(event) is ExpressPathEvent
        assert event.way_bill_id == "1"
        assert event.first is None
        assert event.actions == (Action(action_type=100001, action_msg="picked up"),)

    def test_accepts_a_class_with_annotated_fields(self):
        @register_event("test_debug")
        class DebugEvent(Event):
            debug_str: str

        assert parse_message(push("TEST_DEBUG", debug_str="x")) == DebugEvent(
            to_user_name="gh_1", from_user_name="o1", create_time=1700000000, event="TEST_DEBUG", debug_str="x"
        )

    def test_accepts_a_class_that_attrs_has_made(self):
        @register_event("test_debug")
        @attrs.frozen(kw_only=True, slots=False)
        class DebugEvent(Event):
            debug_str: str = text("debug_str")

        assert type(parse_message(push("test_debug", debug_str="x"))) is DebugEvent

    def test_accepts_a_class_without_fields_of_its_own(self):
        @register_event("test_nothing")
        class NothingEvent(Event):
            pass

        assert type(parse_message(push("test_nothing"))) is NothingEvent
        assert NothingEvent(create_time=0).event == "test_nothing"

    def test_accepts_several_names(self):
        @register_event("test_first", "Test_Second")
        class TwiceEvent(Event):
            pass

        assert type(parse_message(push("test_first"))) is TwiceEvent
        assert type(parse_message(push("test_second"))) is TwiceEvent
        assert TwiceEvent(create_time=0).event == "test_first"

    def test_replaces_a_class_of_the_package(self):
        @register_event("CLICK")
        class MenuEvent(ClickEvent):
            @property
            def action(self) -> str:
                return self.event_key.partition(":")[0]

        event = parse_message(push("CLICK", EventKey="buy:42"))
        assert type(event) is MenuEvent
        assert event.action == "buy"

    def test_accepts_a_class_for_a_push_of_a_third_party_platform(self):
        @register_event("test_verify_ticket")
        class VerifyTicketEvent(Event):
            component_verify_ticket: str = text("ComponentVerifyTicket", repr=False)

        event = parse_message(
            {"AppId": "wx0", "CreateTime": "1", "InfoType": "test_verify_ticket", "ComponentVerifyTicket": "ticket@@@"}
        )
        assert type(event) is VerifyTicketEvent
        assert (event.event, event.msg_type, event.component_verify_ticket) == (
            "test_verify_ticket",
            "event",
            "ticket@@@",
        )

    def test_gives_the_unknown_event_for_one_that_lacks_a_required_field(self, caplog):
        @register_event("test_debug")
        class DebugEvent(Event):
            debug_str: str

        event = parse_message(push("test_debug"))
        assert type(event) is UnknownEvent
        assert event.event == "test_debug"
        assert caplog.messages == ["DebugEvent: field debug_str cannot be read; passed on as UnknownEvent"]


class TestModulesOfEvents:
    def test_are_imported_when_an_event_of_theirs_arrives_or_is_named(self):
        code = """
            import sys
            from wechat_msg import PushEndpoint, parse_message
            common = {"ToUserName": "gh_1", "FromUserName": "o1", "CreateTime": 1, "MsgType": "event"}
            loaded = lambda: [name.split(".")[2] for name in sys.modules if name.startswith("wechat_msg.events.")
                              and name.split(".")[2] != "_kinds"]
            print(*loaded())
            print(type(parse_message({**common, "Event": "new_event"})).__name__, *loaded())
            print(type(parse_message({**common, "Event": "Click", "EventKey": "k"})).__name__, *loaded())
            from wechat_msg import ScanEvent
            print(ScanEvent.__name__, *loaded())
        """
        assert run(code) == [
            "_topics base",
            "UnknownEvent _topics base",
            "ClickEvent _topics base menu",
            "ScanEvent _topics base menu relation",
        ]

    def test_do_not_replace_the_classes_of_users(self):
        code = """
            from wechat_msg import Event, parse_message, register_event
            @register_event("CLICK")
            class MenuEvent(Event):
                pass
            push = {"Event": "CLICK", "EventKey": "k", "CreateTime": 1, "MsgType": "event"}
            print(type(parse_message(push)).__name__)
            from wechat_msg import ClickEvent
            print(type(parse_message(push)).__name__)
            register_event("CLICK")(ClickEvent)
            print(type(parse_message(push)).__name__)
        """
        assert run(code) == ["MenuEvent", "MenuEvent", "ClickEvent"]

    def test_are_listed_with_their_names_and_events(self):
        names, registered = {}, {}
        for found in pkgutil.iter_modules(events.__path__):
            if found.name not in ("_kinds", "_topics", "base"):
                module = importlib.import_module(f"{events.__name__}.{found.name}")
                names[found.name] = set(module.__all__)
                classes = [getattr(module, name) for name in module.__all__]
                registered[found.name] = {name for cls in classes for name in EVENTS.names_of(cls)}
        names["base"] = {"Event", "UnknownEvent", "register_event"}
        assert {module: set(each.split()) for module, each in NAMES_OF_MODULES.items()} == names
        assert {module: set(each.lower().split()) for module, each in EVENTS_OF_MODULES.items()} == registered

    def test_keep_their_events_if_they_are_imported_while_a_test_registers_others(self):
        code = """
            from wechat_msg import parse_message
            from wechat_msg.events.base import EVENTS
            push = {"Event": "CLICK", "EventKey": "k", "CreateTime": 1, "MsgType": "event"}
            with EVENTS.temporary():
                print(type(parse_message(push)).__name__)
            print(type(parse_message(push)).__name__)
        """
        assert run(code) == ["ClickEvent", "ClickEvent"]


def test_a_child_reads_events_that_a_thread_of_its_parent_was_importing():
    """A thread that holds the lock of a module does not exist in the child, so a process does not fork meanwhile."""
    code = """
        import os, threading
        from wechat_msg import parse_message
        from wechat_msg.events import _topics

        def read(name):
            return type(parse_message({"MsgType": "event", "Event": name, "EventKey": "x", "ToUserName": "a",
                                       "FromUserName": "b", "CreateTime": 1})).__name__

        names = [name for names in _topics.EVENTS_OF_MODULES.values() for name in names.lower().split()]
        thread = threading.Thread(target=lambda: [read(name) for name in names])
        thread.start()
        if not os.fork():
            read("CLICK")
            os._exit(7)
        print(os.waitstatus_to_exitcode(os.wait()[1]))
    """
    assert run(code) == ["7"]
