"""Shipping: what is refused, pages of orders, and what the fake API knows of an order."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.helpers.both_clients import both
from wechat_msg import Client, InvalidParameter
from wechat_msg.api import datacube, miniprogram
from wechat_msg.api.miniprogram import OrderKey, ShippingItem, SubOrder, upload_shipping_info
from wechat_msg.errors import CallError
from wechat_msg.testing import FakeWeChatAPI

NOW = datetime(2026, 11, 29, tzinfo=UTC)
KEY = OrderKey(transaction_id="4200000001")


@pytest.fixture
def wechat():
    with FakeWeChatAPI() as wechat:
        yield wechat


@pytest.mark.parametrize("time", [NOW.replace(tzinfo=None), NOW.date(), NOW.timestamp(), None])
def test_a_time_without_a_time_zone_is_refused(time):
    with pytest.raises(CallError, match="upload_time must be a datetime with a time zone"):
        upload_shipping_info(KEY, "oUSER", 4, [], upload_time=time)


@pytest.mark.parametrize("key", [None, "4200000001", ShippingItem()])
def test_an_order_of_another_class_is_refused(key):
    with pytest.raises(CallError, match="order_key must be of the class OrderKey, or a mapping"):
        upload_shipping_info(key, "oUSER", 4, [], upload_time=NOW)


@pytest.mark.parametrize("items", [None, "SF1", ["SF1"], {"tracking_no": "SF1"}])
def test_what_is_no_list_of_parcels_is_refused(items):
    with pytest.raises(CallError, match="shipping_list"):
        upload_shipping_info(KEY, "oUSER", 1, items, upload_time=NOW)
    order = SubOrder(order_key=KEY, logistics_type=1, shipping_list=items)
    with pytest.raises(CallError, match="shipping_list"):
        miniprogram.upload_combined_shipping_info(KEY, "oUSER", [order], upload_time=NOW)


def test_no_repr_shows_phone_numbers_and_goods():
    item = ShippingItem(item_desc="拿铁", contact=miniprogram.ShippingContact(receiver_contact="138****5678"))
    order = SubOrder(order_key=KEY, logistics_type=1, shipping_list=[item])

    assert "拿铁" not in repr(order)
    assert "138" not in repr(order) + repr(item.contact)


@both
def test_orders_are_listed_page_by_page(make, wechat):
    path = "/wxa/sec/order/get_order_list"
    orders = [{"order_state": 1, "transaction_id": str(number)} for number in range(3)]
    wechat.answer(path, {"order_list": orders[:2], "has_more": True, "last_index": "2"}, times=1)
    wechat.answer(path, {"order_list": orders[2:], "has_more": False, "last_index": "3"}, times=1)
    with make(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
        pages = miniprogram.iterate_orders(begin_time=1700000000, order_state=1, openid="oUSER", page_size=2)
        assert [order.transaction_id for order in client.iterate(pages)] == ["0", "1", "2"]

    wanted = {"pay_time_range": {"begin_time": 1700000000}, "order_state": 1, "openid": "oUSER", "page_size": 2}
    assert [request.json for request in wechat.requests_to(path)] == [wanted, {**wanted, "last_index": "2"}]


def test_pages_end_if_there_is_no_index_of_the_next_one():
    pages = miniprogram.iterate_orders()

    assert pages.next_of(miniprogram.TradeOrderPage(has_more=True)) is None


def test_an_order_can_be_used_more_than_once():
    order = SubOrder(order_key=KEY, logistics_type=4, shipping_list=iter([ShippingItem(item_desc="拿铁")]))
    calls = [miniprogram.upload_combined_shipping_info(KEY, "oUSER", [order], upload_time=NOW) for _ in range(2)]

    assert [call.json["sub_orders"][0]["shipping_list"] for call in calls] == [[{"item_desc": "拿铁"}]] * 2


def test_an_order_that_contains_itself_is_refused():
    parcels = []
    parcels.append(parcels)
    with pytest.raises(CallError, match="each of shipping_list must be"):
        upload_shipping_info(KEY, "oUSER", 1, [ShippingItem(item_desc=parcels)], upload_time=NOW)


def test_the_fake_knows_which_orders_are_shipped(wechat):
    with Client(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
        order = miniprogram.get_order(transaction_id="4200000001")
        assert client.call(order).order_state == 1
        items = [ShippingItem(tracking_no="SF1", express_company="SF"), ShippingItem(item_desc="杯子")]
        for is_all_delivered in (False, True):
            shipped = upload_shipping_info(
                KEY, "oUSER", 1, items, upload_time=NOW, delivery_mode=2, is_all_delivered=is_all_delivered
            )
            client.call(shipped)
            shipping = client.call(order).shipping
            assert shipping.finish_shipping is is_all_delivered
        assert [item.tracking_no for item in shipping.shipping_list] == ["SF1", ""]
        assert [each.order_state for each in client.iterate(miniprogram.iterate_orders())] == [2]


# --- statistics ------------------------------------------------------------------------------------------------------


def test_the_fake_counts_each_day_and_refuses_too_many(wechat):
    with Client(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
        days = client.call(datacube.get_user_summary("2026-11-23", "2026-11-29"))
        assert [day.ref_date for day in days] == [f"2026-11-{day}" for day in range(23, 30)]
        for begin, end in [("2026-11-22", "2026-11-29"), ("2026-11-29", "2026-11-28"), ("29.11.2026", "2026-11-29")]:
            with pytest.raises(InvalidParameter) as caught:
                client.call(datacube.get_user_summary(begin, end))
            assert caught.value.errcode == 61500


@pytest.mark.parametrize("day", [None, 20261129, b"2026-11-29"])
def test_what_is_no_date_is_refused(day):
    with pytest.raises(CallError, match="end_date must be a date, or a text such as 2026-11-29"):
        datacube.get_user_summary("2026-11-29", day)
