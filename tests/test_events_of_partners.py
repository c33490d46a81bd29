"""Events of partners, payments, platforms and shops, in the forms in which their members arrive."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.helpers.pushes import PUSHES
from tests.helpers.rows import each_row
from wechat_msg import (
    CooperationShopOrder,
    CooperationShopOrderEvent,
    InsuranceClaim,
    MinigameH5GoodsDeliverNotifyEvent,
    MiniGameOrder,
    NotifyThirdFastverifybetaappEvent,
    OrderPathApplyResult,
    OrderPathApplyResultNotifyEvent,
    PushMessageApiNotify,
    QuerySingleWaybillEvent,
    RetailRefundNotifyEvent,
    WidgetSlot,
    WxainsuranceClaimResultEvent,
    WxalivePushMessageNotifyEvent,
    WxaPrivacyApplyEvent,
    WxaWidgetDataEvent,
    parse_message,
)
from wechat_msg.events.base import EVENTS
from wechat_msg.testing.documents import write_document
from wechat_msg.wire import parse_body

ROWS = list(PUSHES.items())


def push(event: str, fields: dict[str, Any]) -> dict[str, Any]:
    common = {"ToUserName": "gh_1", "FromUserName": "o1", "CreateTime": 1700000000}
    return {**common, "MsgType": "event", "Event": event, **fields}


def change_leaves(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {name: change_leaves(part, change) for name, part in value.items()}
    return [change_leaves(part, change) for part in value] if isinstance(value, list) else change(value)


def write_as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class TestEveryEvent:
    @each_row("form", ["xml", "json"])
    @each_row(("event", "fields"), ROWS)
    def test_is_the_same_if_its_numbers_are_text(self, event, fields, form):
        fields = push(event, fields)
        document = write_document(change_leaves(fields, write_as_text), form)
        assert parse_message(parse_body(document)) == parse_message(fields)

    @each_row("empty", ["", "\n"])
    @each_row(("event", "fields"), ROWS)
    def test_is_typed_if_its_members_are_empty(self, event, fields, empty):
        message = parse_message(push(event, change_leaves(fields, lambda _: empty)))
        assert type(message) is EVENTS.find(event)

    @each_row(("event", "fields"), ROWS)
    def test_shows_neither_secrets_nor_addresses_in_its_repr(self, event, fields):
        assert "secret" not in repr(parse_message(push(event, fields)))


class TestListOfAnEvent:
    @pytest.mark.parametrize("wrap", [lambda one: one, lambda one: [one], lambda one: {"item": one}])
    def test_may_be_one_entry_an_array_or_items(self, wrap):
        entry = {"appid": "wx1", "ret_code": "0"}
        event = parse_message(push("order_path_apply_result_notify", {"list": wrap(entry)}))
        assert isinstance(event, OrderPathApplyResultNotifyEvent)
        assert event.list == (OrderPathApplyResult(appid="wx1", ret_code=0),)


class TestMembersOfAnEvent:
    def test_of_a_platform_have_two_appids(self):
        fields = PUSHES["notify_third_fastverifybetaapp"]
        event = parse_message({"InfoType": "notify_third_fastverifybetaapp", "CreateTime": 1700000000, **fields})
        assert isinstance(event, NotifyThirdFastverifybetaappEvent)
        assert (event.app_id, event.appid) == (fields["AppId"], fields["appid"])

    def test_of_a_refund_have_a_time_that_is_not_that_of_the_push(self):
        event = parse_message(push("retail_refund_notify", {"order_id": "1", "create_time": "2026-11-29 10:00:11"}))
        assert isinstance(event, RetailRefundNotifyEvent)
        assert (event.create_time, event.own_create_time) == (1700000000, "2026-11-29 10:00:11")

    def test_of_a_live_stream_may_lack_their_wrapper(self):
        event = parse_message(push("wxalive_push_message_notify", {"message_id": "1", "room_id": 2}))
        assert isinstance(event, WxalivePushMessageNotifyEvent)
        assert event.push_message_api_notify == PushMessageApiNotify(message_id="1", room_id="2")

    def test_of_a_claim_may_lack_their_wrapper(self):
        event = parse_message(push("wxainsurance_claim_result", {"OrderNo": "1", "Status": 6, "PayFailReason": "x"}))
        assert isinstance(event, WxainsuranceClaimResultEvent)
        assert event.upload_event == InsuranceClaim(order_no="1", status=6, pay_fail_reason="x")

    @each_row("name", ["WayBillID", "WaybillId"])
    def test_of_a_waybill_have_two_spellings(self, name):
        event = parse_message(push("query_single_waybill", {name: "42"}))
        assert isinstance(event, QuerySingleWaybillEvent)
        assert event.way_bill_id == "42"

    @each_row("name", ["Data", "EventData"])
    @each_row("event_name", ["cooperation_shop_order", "related_shop_order_submission"])
    def test_of_an_order_of_another_shop_have_two_names(self, event_name, name):
        event = parse_message(push(event_name, {name: {"order_id": "1", "shop_appid": "wx1"}}))
        assert isinstance(event, CooperationShopOrderEvent)
        assert event.data == CooperationShopOrder(order_id="1", shop_appid="wx1")

    def test_of_a_review_may_have_numbers_in_quotation_marks(self):
        result = {"api_name": '"wx.choosePoi"', "apply_time": '"1644805538"', "status": '"2"'}
        event = parse_message(push("wxa_privacy_apply", {"result_info": result}))
        assert isinstance(event, WxaPrivacyApplyEvent)
        assert (event.result_info.apply_time, event.result_info.status) == (1644805538, 2)

    def test_of_a_search_widget_are_read_from_json_text(self):
        event = parse_message(push("wxa_widget_data", PUSHES["wxa_widget_data"]))
        assert isinstance(event, WxaWidgetDataEvent)
        assert event.widget_query is not None
        assert event.widget_query.slot_list == (WidgetSlot(key="city", value="secret"),)
        assert (event.widget_query.longitude, event.widget_query.latitude) == (113.35, 23.13)


class TestOrderOfAMiniGame:
    def test_is_read_from_the_payload(self):
        payload = json.dumps({"OutTradeNo": "1", "Env": 0, "GoodsInfo": {"ZoneId": 2, "Quantity": "3"}})
        event = parse_message(push("minigame_h5_goods_deliver_notify", {"MiniGame": {"Payload": payload}}))
        assert isinstance(event, MinigameH5GoodsDeliverNotifyEvent)
        assert isinstance(event.order, MiniGameOrder)
        assert (event.order.out_trade_no, event.order.env) == ("1", 0)
        assert event.order.goods_info is not None
        assert (event.order.goods_info.zone_id, event.order.goods_info.quantity) == ("2", 3)

    @pytest.mark.parametrize("payload", ["", "{}", "[]", "null", '{"OpenId": ', "[" * 100_000, '{"OutTradeNo": []}'])
    def test_is_none_if_the_payload_is_unreadable(self, payload):
        event = parse_message(push("minigame_h5_goods_deliver_notify", {"MiniGame": {"Payload": payload}}))
        assert isinstance(event, MinigameH5GoodsDeliverNotifyEvent)
        assert event.order is None
