"""Cases of miniprogram: virtual payment. What is signed is written out, letter by letter."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import date

from tests.api.cases.case import Case
from wechat_msg.api import miniprogram

#: The AppKey of the fake API.
APPKEY = "fedcba9876543210fedcba9876543210"
SESSION_KEY = "o0q0otL8aEzpcZL/FT9WsQ=="
ORDER = {
    "order_id": "ORDER-1",
    "env_type": 1,
    "order_type": 0,
    "status": 4,
    "biz_type": 1,
    "order_fee": 600,
    "coupon_fee": 100,
    "paid_fee": 500,
    "refund_fee": 200,
    "left_fee": 300,
    "paid_time": 1700000000,
    "provide_time": 1700000001,
    "create_time": 1699999999,
    "update_time": 1700000002,
    "biz_meta": "购物车",
    "token": "TOKEN",
    "wx_order_id": "WX-1",
    "channel_order_id": "CHANNEL-1",
    "wxpay_order_id": "4200000001",
    "sett_state": 1,
    "sett_time": 1700086400,
}
BALANCE = {
    "balance": 110,
    "present_balance": 10,
    "sum_save": 200,
    "sum_present": 10,
    "sum_balance": 210,
    "sum_cost": 100,
}
USER = '"openid":"oUSER","env":1,"user_ip":"203.0.113.7","device_type":1'
USER_OPTIONS = {"env": 1, "user_ip": "203.0.113.7", "device_type": 1}
OF_USER = {"openid": "oUSER", **USER_OPTIONS}
CONTRACT = ("oUSER", "PRODUCT", "CODE-1")


def sign(key, text):
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def make_case(function, call, body, *, session_key=None, path=None, **options):
    path = path or f"/xpay/{function}"
    signature = {} if session_key is None else {"signature": sign(session_key, body)}
    assert call.body == body.encode(), call.body
    return Case(
        f"miniprogram.{function}",
        call,
        "POST",
        path,
        params={"pay_sig": sign(APPKEY, f"{path}&{body}"), **signature},
        json=json.loads(body),
        **options,
    )


CASES = [
    make_case(
        "xpay_call",
        miniprogram.xpay_call(
            "/xpay/cancel_currency_pay",
            {"openid": "oUSER", "pay_order_id": "ORDER-1", "remark": "太贵"},
            appkey=APPKEY,
            session_key=SESSION_KEY,
        ),
        '{"openid":"oUSER","pay_order_id":"ORDER-1","remark":"太贵"}',
        path="/xpay/cancel_currency_pay",
        session_key=SESSION_KEY,
        answer={"errcode": 0, "errmsg": "ok", "order_id": "CANCEL-1"},
        result={"errcode": 0, "errmsg": "ok", "order_id": "CANCEL-1"},
    ),
    make_case(
        "xpay_call",
        miniprogram.xpay_call("/xpay/query_upload_goods", '{"env": 1}', appkey=APPKEY, is_repeatable=True),
        '{"env": 1}',
        path="/xpay/query_upload_goods",
        answer={"errcode": 0, "errmsg": "ok", "status": 3},
        result={"errcode": 0, "errmsg": "ok", "status": 3},
    ),
    make_case(
        "query_order",
        miniprogram.query_order(appkey=APPKEY, order_id="ORDER-1"),
        '{"env":0,"order_id":"ORDER-1"}',
        answer={"errcode": 0, "errmsg": "ok", "order": {"order_id": "ORDER-1", "status": 1}},
        result=miniprogram.XpayOrder(order_id="ORDER-1", status=1),
    ),
    make_case(
        "query_order",
        miniprogram.query_order(appkey=APPKEY, wx_order_id="WX-1", **OF_USER),
        f'{{{USER},"wx_order_id":"WX-1"}}',
        answer={"errcode": 0, "errmsg": "ok", "order": ORDER},
        result=miniprogram.XpayOrder(**ORDER),
    ),
    make_case(
        "refund_order",
        miniprogram.refund_order("REFUND-1", 200, 500, appkey=APPKEY, order_id="ORDER-1"),
        '{"env":0,"order_id":"ORDER-1","refund_order_id":"REFUND-1","left_fee":500,"refund_fee":200}',
        answer={"errcode": 0, "errmsg": "ok", "refund_order_id": "REFUND-1"},
        result=miniprogram.XpayRefund(refund_order_id="REFUND-1"),
    ),
    make_case(
        "refund_order",
        miniprogram.refund_order(
            "REFUND-1",
            200,
            500,
            appkey=APPKEY,
            wx_order_id="WX-1",
            biz_meta="备注",
            refund_reason="2",
            req_from="1",
            **OF_USER,
        ),
        f'{{{USER},"wx_order_id":"WX-1","refund_order_id":"REFUND-1","left_fee":500,"refund_fee":200,'
        '"biz_meta":"备注","refund_reason":"2","req_from":"1"}',
        answer={
            "errcode": 0,
            "errmsg": "ok",
            "refund_order_id": "REFUND-1",
            "refund_wx_order_id": "WX-R1",
            "pay_order_id": "ORDER-1",
            "pay_wx_order_id": "WX-1",
        },
        result=miniprogram.XpayRefund(
            refund_order_id="REFUND-1", refund_wx_order_id="WX-R1", pay_order_id="ORDER-1", pay_wx_order_id="WX-1"
        ),
    ),
    make_case(
        "notify_provide_goods",
        miniprogram.notify_provide_goods(appkey=APPKEY, order_id="ORDER-1"),
        '{"env":0,"order_id":"ORDER-1"}',
    ),
    make_case(
        "notify_provide_goods",
        miniprogram.notify_provide_goods(appkey=APPKEY, wx_order_id="WX-1", **OF_USER),
        f'{{{USER},"wx_order_id":"WX-1"}}',
    ),
    make_case(
        "download_bill",
        miniprogram.download_bill(date(2026, 11, 1), "20261130", appkey=APPKEY, **OF_USER),
        f'{{{USER},"begin_ds":"20261101","end_ds":"20261130"}}',
        answer={"errcode": 0, "errmsg": "ok", "url": "https://example.com/bill.csv"},
        result="https://example.com/bill.csv",
    ),
    make_case(
        "query_user_balance",
        miniprogram.query_user_balance("oUSER", session_key=SESSION_KEY, appkey=APPKEY),
        '{"openid":"oUSER","env":0}',
        session_key=SESSION_KEY,
        answer={"errcode": 0, "errmsg": "ok", "balance": 0},
        result=miniprogram.UserBalance(balance=0),
    ),
    make_case(
        "query_user_balance",
        miniprogram.query_user_balance("oUSER", session_key=SESSION_KEY, appkey=APPKEY, **USER_OPTIONS),
        f"{{{USER}}}",
        session_key=SESSION_KEY,
        answer={"errcode": 0, "errmsg": "ok", **BALANCE, "first_save_flag": 1},
        result=miniprogram.UserBalance(**BALANCE, first_save_flag=True),
    ),
    make_case(
        "currency_pay",
        miniprogram.currency_pay("oUSER", "ORDER-1", 30, session_key=SESSION_KEY, appkey=APPKEY),
        '{"openid":"oUSER","env":0,"order_id":"ORDER-1","amount":30}',
        session_key=SESSION_KEY,
        answer={"errcode": 0, "errmsg": "ok", "order_id": "ORDER-1"},
        result=miniprogram.CurrencyPayment(order_id="ORDER-1"),
    ),
    make_case(
        "currency_pay",
        miniprogram.currency_pay(
            "oUSER",
            "ORDER-1",
            30,
            session_key=SESSION_KEY,
            appkey=APPKEY,
            payitem='[{"productid":"皮肤","unit_price":30,"quantity":1}]',
            remark="第一次",
            **USER_OPTIONS,
        ),
        f'{{{USER},"order_id":"ORDER-1","amount":30,'
        '"payitem":"[{\\"productid\\":\\"皮肤\\",\\"unit_price\\":30,\\"quantity\\":1}]","remark":"第一次"}',
        session_key=SESSION_KEY,
        answer={"errcode": 0, "errmsg": "ok", "order_id": "ORDER-1", "balance": 80, "used_present_amount": 10},
        result=miniprogram.CurrencyPayment(order_id="ORDER-1", balance=80, used_present_amount=10),
    ),
    make_case(
        "start_upload_goods",
        miniprogram.start_upload_goods(
            [
                miniprogram.UploadItem(id="sword", name="剑", price=600),
                miniprogram.UploadItem(
                    id="hat", name="帽子", price=100, remark="新", item_url="https://example.com/hat.png"
                ),
                {"id": "cat", "name": "猫", "price": 1},
            ],
            appkey=APPKEY,
            **OF_USER,
        ),
        f'{{{USER},"upload_item":[{{"id":"sword","name":"剑","price":600}},'
        '{"id":"hat","name":"帽子","price":100,"remark":"新","item_url":"https://example.com/hat.png"},'
        '{"id":"cat","name":"猫","price":1}]}',
    ),
    make_case(
        "query_subscribe_contract",
        miniprogram.query_subscribe_contract(*CONTRACT, appkey=APPKEY),
        '{"openid":"oUSER","product_id":"PRODUCT","out_contract_code":"CODE-1"}',
        answer={"errcode": 0, "errmsg": "ok", "contract_state": 1},
        result={"errcode": 0, "errmsg": "ok", "contract_state": 1},
    ),
    make_case(
        "send_subscribe_pre_payment",
        miniprogram.send_subscribe_pre_payment(*CONTRACT, 1800, appkey=APPKEY),
        '{"openid":"oUSER","deduct_price":1800,"product_id":"PRODUCT","out_contract_code":"CODE-1"}',
        result={"errcode": 0, "errmsg": "ok"},
    ),
    make_case(
        "submit_subscribe_pay_order",
        miniprogram.submit_subscribe_pay_order("oUSER", "OFFER", "PRODUCT", "ORDER-1", 1800, appkey=APPKEY),
        '{"openid":"oUSER","offer_id":"OFFER","buy_quantity":1,"env":0,"currency_type":"CNY",'
        '"product_id":"PRODUCT","deduct_price":1800,"order_id":"ORDER-1","attach":""}',
        result={"errcode": 0, "errmsg": "ok"},
    ),
    make_case(
        "submit_subscribe_pay_order",
        miniprogram.submit_subscribe_pay_order(
            "oUSER",
            "OFFER",
            "PRODUCT",
            "ORDER-1",
            1800,
            appkey=APPKEY,
            buy_quantity=2,
            env=1,
            currency_type="USD",
            attach="备注",
        ),
        '{"openid":"oUSER","offer_id":"OFFER","buy_quantity":2,"env":1,"currency_type":"USD",'
        '"product_id":"PRODUCT","deduct_price":1800,"order_id":"ORDER-1","attach":"备注"}',
        result={"errcode": 0, "errmsg": "ok"},
    ),
    make_case(
        "cancel_subscribe_contract",
        miniprogram.cancel_subscribe_contract(*CONTRACT, "用户要求", appkey=APPKEY),
        '{"openid":"oUSER","product_id":"PRODUCT","out_contract_code":"CODE-1","termination_reason":"用户要求"}',
        result={"errcode": 0, "errmsg": "ok"},
    ),
    make_case(
        "get_complaint_list",
        miniprogram.get_complaint_list(date(2026, 11, 1), "2026-11-30", appkey=APPKEY),
        '{"env":0,"begin_date":"2026-11-01","end_date":"2026-11-30","offset":0,"limit":10}',
        answer={"errcode": 0, "errmsg": "ok", "complaints": []},
        result={"errcode": 0, "errmsg": "ok", "complaints": []},
    ),
    make_case(
        "get_complaint_list",
        miniprogram.get_complaint_list("2026-11-01", "2026-11-30", appkey=APPKEY, env=1, offset=10, limit=20),
        '{"env":1,"begin_date":"2026-11-01","end_date":"2026-11-30","offset":10,"limit":20}',
        answer={"errcode": 0, "errmsg": "ok", "complaints": []},
        result={"errcode": 0, "errmsg": "ok", "complaints": []},
    ),
    make_case(
        "response_complaint",
        miniprogram.response_complaint("COMPLAINT-1", "已退款", appkey=APPKEY),
        '{"env":0,"complaint_id":"COMPLAINT-1","response_content":"已退款","response_images":[]}',
    ),
    make_case(
        "response_complaint",
        miniprogram.response_complaint(
            "COMPLAINT-1", "已退款", appkey=APPKEY, env=1, response_images=["FILE-1", "FILE-2"]
        ),
        '{"env":1,"complaint_id":"COMPLAINT-1","response_content":"已退款","response_images":["FILE-1","FILE-2"]}',
    ),
    make_case(
        "complete_complaint",
        miniprogram.complete_complaint("COMPLAINT-1", appkey=APPKEY),
        '{"env":0,"complaint_id":"COMPLAINT-1"}',
    ),
]
