"""Topic: shipping and virtual payment of Mini Programs."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from wechat_msg.testing.fake_api.fake_account import FakeAccount
from wechat_msg.testing.fake_api.response import ErrcodeError, ok
from wechat_msg.testing.fake_api.routes import Params, Serve, constant, route

# --- shipping --------------------------------------------------------------------------------------------------------

_TO_SHIP, _SHIPPED = 1, 2


@route("POST", "/wxa/sec/order/upload_shipping_info", "order_key", "payer", "shipping_list", "upload_time")
@route("POST", "/wxa/sec/order/upload_combined_shipping_info", "order_key", "payer", "sub_orders", "upload_time")
def _ship(account: FakeAccount, params: Params) -> None:
    for order in params.get("sub_orders", [params]):
        key = order["order_key"]
        number = key["out_trade_no"] if key["order_number_type"] == 1 else key["transaction_id"]
        shipped = [{**item, "goods_desc": item.get("item_desc", "")} for item in order["shipping_list"]]
        account.created("shippings")[number] = {
            "logistics_type": order["logistics_type"],
            "delivery_mode": order["delivery_mode"],
            "finish_shipping": order["delivery_mode"] == 1 or order["is_all_delivered"],
            "finish_shipping_count": 1,
            "shipping_list": [{**item, "upload_time": account.now} for item in shipped],
        }


def _get_order(account: FakeAccount, number: str) -> dict[str, Any]:
    """Return an order, which exists from now on; it is to be shipped if nothing else is known."""
    shipping = account.created("shippings").setdefault(number)
    return {
        "transaction_id": number,
        "merchant_id": "1900000001",
        "openid": next(iter(account.users)),
        "paid_amount": 2800,
        "pay_time": account.now,
        "trade_create_time": account.now,
        "in_complaint": False,
        "order_state": _TO_SHIP if shipping is None else _SHIPPED,
        "shipping": shipping,
    }


@route("POST", "/wxa/sec/order/get_order")
def _get_one_order(account: FakeAccount, params: Params) -> Any:
    return ok(order=_get_order(account, params.get("transaction_id") or params["merchant_trade_no"]))


@route("POST", "/wxa/sec/order/get_order_list")
def _list_orders(account: FakeAccount, params: Params) -> Any:
    orders = [_get_order(account, number) for number in account.created("shippings")]
    wanted = params.get("order_state")
    return ok(order_list=[order for order in orders if wanted in (None, order["order_state"])], has_more=False)


constant("POST", "/wxa/sec/order/notify_confirm_receive", "received_time")
constant("POST", "/wxa/sec/order/set_msg_jump_path", "path")
constant("POST", "/wxa/sec/order/is_trade_managed", "appid", answer=ok(is_trade_managed=True))
constant("POST", "/wxa/sec/order/is_trade_management_confirmation_completed", "appid", answer=ok(completed=True))
_COMPANIES = [{"delivery_id": "SF", "delivery_name": "顺丰速运"}, {"delivery_id": "ZTO", "delivery_name": "中通快递"}]
constant(
    "POST",
    "/cgi-bin/express/delivery/open_msg/get_delivery_list",
    answer=ok(delivery_list=_COMPANIES, count=len(_COMPANIES)),
)

# --- virtual payment -------------------------------------------------------------------------------------------------


def _pay_route(name: str, *needed: str, is_signed_by_user: bool = False) -> Callable[[Serve], Serve]:
    """Return a decorator that registers a function for a path of virtual payment, whose requests are signed."""

    def register(function: Serve) -> Serve:
        @route("POST", f"/xpay/{name}", *needed)
        def _check_and_serve(account: FakeAccount, params: Params) -> Any:
            body, query = params.request.body, params.request.query
            # Which number WeChat returns is unconfirmed.
            if query.get("pay_sig") != _sign(account.appkey, f"/xpay/{name}&".encode() + body):
                raise ErrcodeError(40035, "invalid pay_sig")
            if is_signed_by_user:
                session_key = account.created("session keys").get(params["openid"])
                if session_key is None:
                    raise ErrcodeError(87007)
                if query.get("signature") != _sign(session_key, body):
                    raise ErrcodeError(87009)
            return function(account, params)

        return function

    return register


def _sign(key: str, signed: bytes) -> str:
    return hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()


#: Paths that accept every signed request that has these members.
_ACCEPTING = {
    "notify_provide_goods": "env",
    "cancel_currency_pay": "openid",
    "present_currency": "openid",
    "start_upload_goods": "upload_item",
    "query_upload_goods": "env",
    "start_publish_goods": "env",
    "query_publish_goods": "env",
    "query_subscribe_contract": "openid product_id out_contract_code",
    "send_subscribe_pre_payment": "openid product_id out_contract_code deduct_price",
    "submit_subscribe_pay_order": "openid offer_id product_id order_id deduct_price",
    "cancel_subscribe_contract": "openid product_id out_contract_code termination_reason",
    "get_complaint_list": "begin_date end_date limit",
    "response_complaint": "complaint_id response_content",
    "complete_complaint": "complaint_id",
}
for _name, _needed in _ACCEPTING.items():
    _pay_route(_name, *_needed.split())(lambda _account, _params: None)


_PRICE = 600


@_pay_route("query_order")
def _query_order(account: FakeAccount, params: Params) -> Any:
    number = params.get("order_id") or params["wx_order_id"]
    left = account.created("fees left").get(number, _PRICE)
    fees = {"order_fee": _PRICE, "coupon_fee": 0, "paid_fee": _PRICE, "refund_fee": _PRICE - left, "left_fee": left}
    return ok(order={"order_id": number, "env_type": params["env"], "status": 2, "paid_time": account.now, **fees})


@_pay_route("refund_order", "refund_order_id", "refund_fee", "left_fee")
def _refund_order(account: FakeAccount, params: Params) -> Any:
    number = params.get("order_id") or params["wx_order_id"]
    refund, left = params["refund_order_id"], account.created("fees left").get(number, _PRICE)
    if params["left_fee"] != left or not 0 < params["refund_fee"] <= left:
        # Which number WeChat returns is unconfirmed.
        raise ErrcodeError(40035, "left_fee is not that of the order, or less than refund_fee")
    account.created("fees left")[number] = left - params["refund_fee"]
    return ok(pay_order_id=number, refund_order_id=refund, refund_wx_order_id=str(account.new_number()))


@_pay_route("download_bill", "begin_ds", "end_ds")
def _download_bill(account: FakeAccount, _: Params) -> Any:
    return ok(url=f"{account.url}/fake/bill.csv")


_FIRST_COINS = 100


@_pay_route("query_user_balance", "openid", is_signed_by_user=True)
def _query_balance(account: FakeAccount, params: Params) -> Any:
    balance = account.created("coins").get(params["openid"], _FIRST_COINS)
    coins = {"balance": balance, "sum_save": _FIRST_COINS, "sum_cost": _FIRST_COINS - balance}
    return ok(**coins, present_balance=0, sum_present=0, sum_balance=_FIRST_COINS, first_save_flag=False)


@_pay_route("currency_pay", "openid", "order_id", "amount", is_signed_by_user=True)
def _spend_coins(account: FakeAccount, params: Params) -> Any:
    coins, openid = account.created("coins"), params["openid"]
    left = coins.get(openid, _FIRST_COINS) - params["amount"]
    if left < 0:
        # Which number WeChat returns is unconfirmed.
        raise ErrcodeError(40035, "not enough coins")
    coins[openid] = left
    return ok(order_id=params["order_id"], balance=left, used_present_amount=0)
