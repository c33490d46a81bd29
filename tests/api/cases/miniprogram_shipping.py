"""Cases of miniprogram: shipping."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from tests.api.cases.case import Case
from wechat_msg.api import miniprogram
from wechat_msg.api.call import APPID

CONTACT = {"consignor_contact": "189****1234", "receiver_contact": "138****5678"}
SHIPPING = {
    "logistics_type": 1,
    "delivery_mode": 2,
    "goods_desc": "咖啡豆",
    "finish_shipping": True,
    "finish_shipping_count": 1,
    "shipping_list": [
        {
            "express_company": "SF",
            "tracking_no": "SF1",
            "goods_desc": "咖啡豆 x1",
            "contact": CONTACT,
            "upload_time": 1700000300,
        },
        {"goods_desc": "杯子", "upload_time": "1700000301"},
    ],
}
ORDER = {
    "merchant_id": "1900000001",
    "sub_merchant_id": "1900000002",
    "merchant_trade_no": "ORDER-1",
    "transaction_id": "4200000001",
    "description": "咖啡",
    "openid": "oUSER",
    "paid_amount": 2800,
    "order_state": 2,
    "pay_time": 1700000000,
    "trade_create_time": 1699999999,
    "in_complaint": False,
    "shipping": SHIPPING,
}


def make_order():
    return miniprogram.TradeOrder(
        **{
            **ORDER,
            "shipping": miniprogram.Shipping(
                **{
                    **SHIPPING,
                    "shipping_list": (
                        miniprogram.ShippedItem(
                            express_company="SF",
                            tracking_no="SF1",
                            goods_desc="咖啡豆 x1",
                            contact=miniprogram.ShippingContact(**CONTACT),
                            upload_time=1700000300,
                        ),
                        miniprogram.ShippedItem(goods_desc="杯子", upload_time=1700000301),
                    ),
                }
            ),
        }
    )


CASES = [
    Case(
        "miniprogram.upload_shipping_info",
        miniprogram.upload_shipping_info(
            miniprogram.OrderKey(transaction_id="4200000001"),
            "oUSER",
            4,
            [miniprogram.ShippingItem(item_desc="拿铁 x1")],
            upload_time=datetime(2026, 11, 29, 13, 55, 58, 120999, timezone(timedelta(hours=8))),
        ),
        "POST",
        "/wxa/sec/order/upload_shipping_info",
        json={
            "order_key": {"order_number_type": 2, "transaction_id": "4200000001"},
            "logistics_type": 4,
            "delivery_mode": 1,
            "shipping_list": [{"item_desc": "拿铁 x1"}],
            "upload_time": "2026-11-29T13:55:58.120+08:00",
            "payer": {"openid": "oUSER"},
        },
    ),
    Case(
        "miniprogram.upload_shipping_info",
        miniprogram.upload_shipping_info(
            miniprogram.OrderKey(mchid="1900000001", out_trade_no="ORDER-1"),
            "oUSER",
            1,
            (
                miniprogram.ShippingItem(
                    item_desc="咖啡豆 x1",
                    tracking_no="SF1",
                    express_company="SF",
                    contact=miniprogram.ShippingContact(receiver_contact="138****5678"),
                ),
                miniprogram.ShippingItem(tracking_no="SF2", express_company="SF", contact=CONTACT),
                {"tracking_no": "ZTO1", "express_company": "ZTO"},
            ),
            upload_time=datetime(2026, 11, 29, 5, 55, 58, tzinfo=UTC),
            delivery_mode=2,
            is_all_delivered=True,
        ),
        "POST",
        "/wxa/sec/order/upload_shipping_info",
        json={
            "order_key": {"order_number_type": 1, "mchid": "1900000001", "out_trade_no": "ORDER-1"},
            "logistics_type": 1,
            "delivery_mode": 2,
            "is_all_delivered": True,
            "shipping_list": [
                {
                    "item_desc": "咖啡豆 x1",
                    "tracking_no": "SF1",
                    "express_company": "SF",
                    "contact": {"receiver_contact": "138****5678"},
                },
                {"tracking_no": "SF2", "express_company": "SF", "contact": CONTACT},
                {"tracking_no": "ZTO1", "express_company": "ZTO"},
            ],
            "upload_time": "2026-11-29T05:55:58.000+00:00",
            "payer": {"openid": "oUSER"},
        },
    ),
    Case(
        "miniprogram.upload_combined_shipping_info",
        miniprogram.upload_combined_shipping_info(
            {"order_number_type": 2, "transaction_id": "4200000001"},
            "oUSER",
            [
                miniprogram.SubOrder(
                    order_key=miniprogram.OrderKey(mchid="1900000001", out_trade_no="ORDER-1"),
                    logistics_type=1,
                    shipping_list=[
                        miniprogram.ShippingItem(item_desc="咖啡豆", tracking_no="SF1", express_company="SF")
                    ],
                ),
                {
                    "order_key": {"order_number_type": 2, "transaction_id": "4200000002"},
                    "logistics_type": 3,
                    "delivery_mode": 1,
                    "shipping_list": [{"item_desc": "会员"}],
                },
            ],
            upload_time="2026-11-29T13:55:58+08:00",
        ),
        "POST",
        "/wxa/sec/order/upload_combined_shipping_info",
        json={
            "order_key": {"order_number_type": 2, "transaction_id": "4200000001"},
            "sub_orders": [
                {
                    "order_key": {"order_number_type": 1, "mchid": "1900000001", "out_trade_no": "ORDER-1"},
                    "logistics_type": 1,
                    "delivery_mode": 1,
                    "shipping_list": [{"item_desc": "咖啡豆", "tracking_no": "SF1", "express_company": "SF"}],
                },
                {
                    "order_key": {"order_number_type": 2, "transaction_id": "4200000002"},
                    "logistics_type": 3,
                    "delivery_mode": 1,
                    "shipping_list": [{"item_desc": "会员"}],
                },
            ],
            "upload_time": "2026-11-29T13:55:58+08:00",
            "payer": {"openid": "oUSER"},
        },
    ),
    Case(
        "miniprogram.get_order",
        miniprogram.get_order(transaction_id="4200000001"),
        "POST",
        "/wxa/sec/order/get_order",
        json={"transaction_id": "4200000001"},
        answer={"errcode": 0, "errmsg": "ok", "order": ORDER},
        result=make_order(),
    ),
    Case(
        "miniprogram.get_order",
        miniprogram.get_order(merchant_id="1900000001", sub_merchant_id="1900000002", merchant_trade_no="ORDER-1"),
        "POST",
        "/wxa/sec/order/get_order",
        json={"merchant_id": "1900000001", "sub_merchant_id": "1900000002", "merchant_trade_no": "ORDER-1"},
        answer={"errcode": 0, "errmsg": "ok", "order": {"order_state": 1}},
        result=miniprogram.TradeOrder(order_state=1),
    ),
    Case(
        "miniprogram.get_order_list",
        miniprogram.get_order_list(),
        "POST",
        "/wxa/sec/order/get_order_list",
        json={},
        answer={"errcode": 0, "errmsg": "ok", "has_more": False},
        result=miniprogram.TradeOrderPage(),
    ),
    Case(
        "miniprogram.get_order_list",
        miniprogram.get_order_list(
            begin_time=1700000000, end_time=1700086400, order_state=2, openid="oUSER", last_index="1", page_size=50
        ),
        "POST",
        "/wxa/sec/order/get_order_list",
        json={
            "pay_time_range": {"begin_time": 1700000000, "end_time": 1700086400},
            "order_state": 2,
            "openid": "oUSER",
            "last_index": "1",
            "page_size": 50,
        },
        answer={"errcode": 0, "errmsg": "ok", "last_index": "2", "has_more": True, "order_list": [ORDER]},
        result=miniprogram.TradeOrderPage(order_list=(make_order(),), has_more=True, last_index="2"),
    ),
    Case(
        "miniprogram.notify_confirm_receive",
        miniprogram.notify_confirm_receive(1700000900, transaction_id="4200000001"),
        "POST",
        "/wxa/sec/order/notify_confirm_receive",
        json={"transaction_id": "4200000001", "received_time": 1700000900},
    ),
    Case(
        "miniprogram.notify_confirm_receive",
        miniprogram.notify_confirm_receive(
            1700000900, merchant_id="1900000001", sub_merchant_id="1900000002", merchant_trade_no="ORDER-1"
        ),
        "POST",
        "/wxa/sec/order/notify_confirm_receive",
        json={
            "merchant_id": "1900000001",
            "sub_merchant_id": "1900000002",
            "merchant_trade_no": "ORDER-1",
            "received_time": 1700000900,
        },
    ),
    Case(
        "miniprogram.set_msg_jump_path",
        miniprogram.set_msg_jump_path("pages/orders?from=wechat"),
        "POST",
        "/wxa/sec/order/set_msg_jump_path",
        json={"path": "pages/orders?from=wechat"},
    ),
    Case(
        "miniprogram.is_trade_managed",
        miniprogram.is_trade_managed(),
        "POST",
        "/wxa/sec/order/is_trade_managed",
        json={"appid": APPID},
        answer={"errcode": 0, "errmsg": "ok", "is_trade_managed": True},
        result=True,
    ),
    Case(
        "miniprogram.is_trade_managed",
        miniprogram.is_trade_managed(appid="wxfedcba9876543210"),
        "POST",
        "/wxa/sec/order/is_trade_managed",
        json={"appid": "wxfedcba9876543210"},
        answer={"errcode": 0, "errmsg": "ok", "is_trade_managed": 0},
        result=False,
    ),
    Case(
        "miniprogram.is_trade_management_confirmation_completed",
        miniprogram.is_trade_management_confirmation_completed(),
        "POST",
        "/wxa/sec/order/is_trade_management_confirmation_completed",
        json={"appid": APPID},
        answer={"errcode": 0, "errmsg": "ok", "completed": True},
        result=True,
    ),
    Case(
        "miniprogram.is_trade_management_confirmation_completed",
        miniprogram.is_trade_management_confirmation_completed(appid="wxfedcba9876543210"),
        "POST",
        "/wxa/sec/order/is_trade_management_confirmation_completed",
        json={"appid": "wxfedcba9876543210"},
        answer={"errcode": 0, "errmsg": "ok", "completed": False},
        result=False,
    ),
    Case(
        "miniprogram.get_delivery_list",
        miniprogram.get_delivery_list(),
        "POST",
        "/cgi-bin/express/delivery/open_msg/get_delivery_list",
        json={},
        answer={
            "errcode": 0,
            "errmsg": "ok",
            "delivery_list": [{"delivery_id": "SF", "delivery_name": "顺丰速运"}],
            "count": 1,
        },
        result=(miniprogram.DeliveryCompany(delivery_id="SF", delivery_name="顺丰速运"),),
    ),
]
