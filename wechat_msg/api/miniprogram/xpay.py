"""虚拟支付: orders, coins and goods of virtual payment. Amounts of money are in fen (分).

Each call is signed with the AppKey of its environment when it is made: it contains the signature, and the body byte for
byte, but not the AppKey. It can be stored, queued and repeated like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, TypeVar

from wechat_msg._tracebacks import clears_locals, frozen
from wechat_msg.api._arguments import as_mapping, texts, to_date, to_objects, without_none, write_json
from wechat_msg.api.call import Call
from wechat_msg.api.results import Member, Result, ResultOf, no_result
from wechat_msg.fields import content, integer, model, text, timestamp
from wechat_msg.userdata import compute_pay_signature, compute_session_signature

__all__ = [
    "CurrencyPayment",
    "UploadItem",
    "UserBalance",
    "XpayOrder",
    "XpayRefund",
    "cancel_subscribe_contract",
    "complete_complaint",
    "currency_pay",
    "download_bill",
    "get_complaint_list",
    "notify_provide_goods",
    "query_order",
    "query_subscribe_contract",
    "query_user_balance",
    "refund_order",
    "response_complaint",
    "send_subscribe_pre_payment",
    "start_upload_goods",
    "submit_subscribe_pay_order",
    "xpay_call",
]

T = TypeVar("T")

# --- any call --------------------------------------------------------------------------------------------------------


@clears_locals
def xpay_call(
    path: str,
    body: Mapping[str, Any] | str,
    *,
    appkey: str,
    session_key: str | None = None,
    is_repeatable: bool = False,
) -> Call[Mapping[str, Any]]:
    """虚拟支付接口: return a signed call for a path that has no function here; its result is the response as received.

    Args:
        path: As printed on WeChat's page, such as ``/xpay/cancel_currency_pay``.
        body: The body; a text is sent byte for byte.
        appkey: AppKey of the environment (``env``) that *body* names, from the console.
        session_key: Session key of the user, for calls that want a ``signature``; None for the others.
        is_repeatable: Whether a repeated request does no harm.

    Raises:
        CallError: *path* is no path, or *body* cannot be written as JSON.
        UserDataError: *appkey* or *session_key* is empty, damaged or not a text.

    Example:
        >>> body = '{"openid": "xxx", "user_ip": "127.0.0.1", "env": 0}'
        >>> xpay_call("/xpay/query_user_balance", body, appkey="12345").params["pay_sig"]
        'c37809f27c6d7fd1837ad2500a04512b66b34fd793a39a385fade56dca89a4b5'

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
    """
    return _sign(path, body, dict, appkey, session_key, is_repeatable=is_repeatable)


@clears_locals
def _sign(
    path: str,
    body: Mapping[str, Any] | str,
    parse: Callable[[Mapping[str, Any]], T],
    appkey: str,
    session_key: str | None = None,
    *,
    is_repeatable: bool = False,
) -> Call[T]:
    sent = body if isinstance(body, str) else write_json(as_mapping(body, "body"), "the body")
    params = {"pay_sig": compute_pay_signature(appkey, path, sent)}
    if session_key is not None:
        params["signature"] = compute_session_signature(session_key, sent)
    return Call("POST", path, parse, params, body=sent.encode(), is_repeatable=is_repeatable)


# --- orders ----------------------------------------------------------------------------------------------------------


@model
class XpayOrder:
    """An order. The meanings of the numbers of types and states are on WeChat's page.

    Attributes:
        order_id: Your id of the order.
        status: State of the order.
        wx_order_id: WeChat's id of the order.
        env_type: Environment of the order.
        order_type: Type of the order.
        biz_type: Type of the business.
        order_fee: Price, in fen.
        coupon_fee: Discount, in fen.
        paid_fee: What the user paid, in fen.
        refund_fee: What was refunded, in fen.
        left_fee: What can still be refunded, in fen.
        paid_time: Time of the payment, in seconds since the epoch.
        provide_time: Time of the delivery of the goods, in seconds since the epoch.
        create_time: Time of the order, in seconds since the epoch.
        update_time: Time of its last change, in seconds since the epoch.
        biz_meta: Your own text in the order. No repr shows it.
        token: A token of the order. No repr shows it.
        channel_order_id: Id of the order at the channel of the payment.
        wxpay_order_id: Id that WeChat Pay (微信支付) gave the payment.
        sett_state: State of the settlement.
        sett_time: Time of the settlement, in seconds since the epoch.
    """

    order_id: str
    status: int
    wx_order_id: str = ""
    env_type: int | None = None
    order_type: int | None = None
    biz_type: int | None = None
    order_fee: int | None = None
    coupon_fee: int | None = None
    paid_fee: int | None = None
    refund_fee: int | None = None
    left_fee: int | None = None
    paid_time: int | None = timestamp("paid_time", default=None)
    provide_time: int | None = timestamp("provide_time", default=None)
    create_time: int | None = timestamp("create_time", default=None)
    update_time: int | None = timestamp("update_time", default=None)
    biz_meta: str = content("biz_meta", default="")
    token: str = text("token", default="", repr=False)
    channel_order_id: str = ""
    wxpay_order_id: str = ""
    sett_state: int | None = None
    sett_time: int | None = timestamp("sett_time", default=None)


@clears_locals
def query_order(
    *,
    appkey: str,
    env: int = 0,
    order_id: str | None = None,
    wx_order_id: str | None = None,
    openid: str | None = None,
    user_ip: str | None = None,
    device_type: int | None = None,
) -> Call[XpayOrder]:
    """查询订单: get one order.

    Args:
        appkey: AppKey of the environment *env*, from the console.
        env: 0 for the live environment, 1 for the sandbox.
        order_id: Your id of the order; or give *wx_order_id*.
        wx_order_id: WeChat's id of the order.
        openid: The user.
        user_ip: IP address of the user.
        device_type: Type of the user's device, a number of WeChat's page.

    Raises:
        CallError: A value cannot be written as JSON.
        UserDataError: *appkey* is empty or not a text.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
    """
    body = without_none(
        openid=openid,
        env=env,
        user_ip=user_ip,
        device_type=device_type,
        order_id=order_id,
        wx_order_id=wx_order_id,
    )
    return _sign("/xpay/query_order", body, Member("order", XpayOrder), appkey, is_repeatable=True)


@model
class XpayRefund(Result):
    """A refund that WeChat has accepted; the event ``xpay_refund_notify`` reports its outcome.

    Attributes:
        refund_order_id: Your id of the refund.
        refund_wx_order_id: WeChat's id of the refund.
        pay_order_id: Your id of the order.
        pay_wx_order_id: WeChat's id of the order.
    """

    refund_order_id: str
    refund_wx_order_id: str = ""
    pay_order_id: str = ""
    pay_wx_order_id: str = ""


@clears_locals
def refund_order(
    refund_order_id: str,
    refund_fee: int,
    left_fee: int,
    *,
    appkey: str,
    env: int = 0,
    order_id: str | None = None,
    wx_order_id: str | None = None,
    openid: str | None = None,
    user_ip: str | None = None,
    device_type: int | None = None,
    biz_meta: str | None = None,
    refund_reason: str | None = None,
    req_from: str | None = None,
) -> Call[XpayRefund]:
    """启动订单退款任务: start the refund of an order, or of a part of it.

    Args:
        refund_order_id: Your id of the refund.
        refund_fee: What is refunded, in fen.
        left_fee: What can be refunded before this, in fen: the `left_fee` of the order.
        appkey: As for `query_order`.
        env: As for `query_order`.
        order_id: As for `query_order`.
        wx_order_id: As for `query_order`.
        openid: As for `query_order`.
        user_ip: As for `query_order`.
        device_type: As for `query_order`.
        biz_meta: Your own text.
        refund_reason: The reason, a value of WeChat's page.
        req_from: Who asks for it, a value of WeChat's page.

    Raises:
        CallError: A value cannot be written as JSON.
        UserDataError: *appkey* is empty or not a text.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
    """
    body = without_none(
        openid=openid,
        env=env,
        user_ip=user_ip,
        device_type=device_type,
        order_id=order_id,
        wx_order_id=wx_order_id,
        refund_order_id=refund_order_id,
        left_fee=left_fee,
        refund_fee=refund_fee,
        biz_meta=biz_meta,
        refund_reason=refund_reason,
        req_from=req_from,
    )
    return _sign("/xpay/refund_order", body, ResultOf(XpayRefund), appkey)


@clears_locals
def notify_provide_goods(
    *,
    appkey: str,
    env: int = 0,
    order_id: str | None = None,
    wx_order_id: str | None = None,
    openid: str | None = None,
    user_ip: str | None = None,
    device_type: int | None = None,
) -> Call[None]:
    """通知已经发货完成: tell WeChat that the goods of an order were delivered, if the answer to its push did not.

    Args:
        appkey: As for `query_order`.
        env: As for `query_order`.
        order_id: As for `query_order`.
        wx_order_id: As for `query_order`.
        openid: As for `query_order`.
        user_ip: As for `query_order`.
        device_type: As for `query_order`.

    Raises:
        CallError: A value cannot be written as JSON.
        UserDataError: *appkey* is empty or not a text.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
    """
    body = without_none(
        openid=openid,
        env=env,
        user_ip=user_ip,
        device_type=device_type,
        order_id=order_id,
        wx_order_id=wx_order_id,
    )
    return _sign("/xpay/notify_provide_goods", body, no_result, appkey)


@clears_locals
def download_bill(
    begin_ds: date | str,
    end_ds: date | str,
    *,
    appkey: str,
    env: int = 0,
    openid: str | None = None,
    user_ip: str | None = None,
    device_type: int | None = None,
) -> Call[str]:
    """下载账单: get the URL of a bill. If WeChat is still making it, sending the call raises: repeat it later.

    Args:
        begin_ds: The first day: a date, or a text such as ``20261101``. The form is unconfirmed.
        end_ds: The last day.
        appkey: As for `query_order`.
        env: As for `query_order`.
        openid: As for `query_order`.
        user_ip: As for `query_order`.
        device_type: As for `query_order`.

    Raises:
        CallError: A day is neither a date nor a text, or a value cannot be written as JSON.
        UserDataError: *appkey* is empty or not a text.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
    """
    body = without_none(
        openid=openid,
        env=env,
        user_ip=user_ip,
        device_type=device_type,
        begin_ds=to_date(begin_ds, "begin_ds", "%Y%m%d"),
        end_ds=to_date(end_ds, "end_ds", "%Y%m%d"),
    )
    return _sign("/xpay/download_bill", body, Member("url", str), appkey, is_repeatable=True)


# --- coins -----------------------------------------------------------------------------------------------------------


@model
class UserBalance(Result):
    """The coins (代币) of a user.

    Attributes:
        balance: All coins, with those that were given.
        present_balance: Coins that were given.
        sum_save: Coins that the user has bought in all.
        sum_present: Coins that were given in all.
        sum_balance: Coins that were added in all.
        sum_cost: Coins that the user has spent in all.
        first_save_flag: Flag of the first purchase of coins. Its meaning is unconfirmed.
    """

    balance: int
    present_balance: int = integer("present_balance", default=0)
    sum_save: int = integer("sum_save", default=0)
    sum_present: int = integer("sum_present", default=0)
    sum_balance: int = integer("sum_balance", default=0)
    sum_cost: int = integer("sum_cost", default=0)
    first_save_flag: bool | None = None


@clears_locals
def query_user_balance(
    openid: str,
    *,
    session_key: str,
    appkey: str,
    env: int = 0,
    user_ip: str | None = None,
    device_type: int | None = None,
) -> Call[UserBalance]:
    """查询用户代币余额: get the coins of a user.

    Args:
        openid: The user.
        session_key: Session key of the user, from `code2session`.
        appkey: As for `query_order`.
        env: As for `query_order`.
        user_ip: IP address of the user.
        device_type: As for `query_order`.

    Raises:
        CallError: A value cannot be written as JSON.
        UserDataError: *appkey* or *session_key* is empty, damaged or not a text.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
    """
    body = without_none(openid=openid, env=env, user_ip=user_ip, device_type=device_type)
    path = "/xpay/query_user_balance"
    return _sign(path, body, ResultOf(UserBalance), appkey, session_key, is_repeatable=True)


@model
class CurrencyPayment(Result):
    """Coins that a user has spent.

    Attributes:
        order_id: Your id of the order.
        balance: Coins that are left.
        used_present_amount: How many of the spent coins had been given.
    """

    order_id: str
    balance: int | None = None
    used_present_amount: int | None = None


@clears_locals
def currency_pay(
    openid: str,
    order_id: str,
    amount: int,
    *,
    session_key: str,
    appkey: str,
    env: int = 0,
    user_ip: str | None = None,
    device_type: int | None = None,
    payitem: str | None = None,
    remark: str | None = None,
) -> Call[CurrencyPayment]:
    """扣减代币: spend coins of a user.

    Args:
        openid: The user.
        order_id: Your id of the order.
        amount: Number of coins.
        session_key: As for `query_user_balance`.
        appkey: As for `query_order`.
        env: As for `query_order`.
        user_ip: IP address of the user.
        device_type: As for `query_order`.
        payitem: What the coins are spent on, a text of WeChat's page.
        remark: A remark.

    Raises:
        CallError: A value cannot be written as JSON.
        UserDataError: *appkey* or *session_key* is empty, damaged or not a text.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
    """
    body = without_none(
        openid=openid,
        env=env,
        user_ip=user_ip,
        device_type=device_type,
        order_id=order_id,
        amount=amount,
        payitem=payitem,
        remark=remark,
    )
    return _sign("/xpay/currency_pay", body, ResultOf(CurrencyPayment), appkey, session_key)


# --- goods -----------------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class UploadItem:
    """A kind of goods that users can buy.

    Attributes:
        id: Your id of the goods.
        name: Name.
        price: Price, in fen.
        remark: A remark.
        item_url: URL of a picture.
    """

    id: str
    name: str
    price: int
    remark: str | None = None
    item_url: str | None = None


@clears_locals
def start_upload_goods(
    upload_item: Iterable[UploadItem | Mapping[str, Any]],
    *,
    appkey: str,
    env: int = 0,
    openid: str | None = None,
    user_ip: str | None = None,
    device_type: int | None = None,
) -> Call[None]:
    """启动批量上传道具任务: start to upload goods; ``/xpay/query_upload_goods`` returns the outcome, see `xpay_call`.

    Args:
        upload_item: The goods.
        appkey: As for `query_order`.
        env: As for `query_order`.
        openid: As for `query_order`.
        user_ip: As for `query_order`.
        device_type: As for `query_order`.

    Raises:
        CallError: *upload_item* is not a list of `UploadItem` or mappings, or a value cannot be written as JSON.
        UserDataError: *appkey* is empty or not a text.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
    """
    body = without_none(
        openid=openid,
        env=env,
        user_ip=user_ip,
        device_type=device_type,
        upload_item=to_objects(upload_item, UploadItem, "upload_item"),
    )
    return _sign("/xpay/start_upload_goods", body, no_result, appkey)


# --- subscriptions ---------------------------------------------------------------------------------------------------


@clears_locals
def query_subscribe_contract(
    openid: str, product_id: str, out_contract_code: str, *, appkey: str
) -> Call[Mapping[str, Any]]:
    """查询签约关系: get the state of a subscription (签约); the result is the response as received.

    That this call, and the other three about subscriptions, want a ``pay_sig`` is unconfirmed.

    Args:
        openid: The user.
        product_id: Id of the product.
        out_contract_code: Your id of the subscription.
        appkey: As for `query_order`.

    Raises:
        CallError: A value cannot be written as JSON.
        UserDataError: *appkey* is empty or not a text.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
    """
    body = {"openid": openid, "product_id": product_id, "out_contract_code": out_contract_code}
    return _sign("/xpay/query_subscribe_contract", body, dict, appkey, is_repeatable=True)


@clears_locals
def send_subscribe_pre_payment(
    openid: str, product_id: str, out_contract_code: str, deduct_price: int, *, appkey: str
) -> Call[Mapping[str, Any]]:
    """发送预扣款通知: tell a user about the next payment of a subscription; the result is the response as received.

    Args:
        openid: The user.
        product_id: Id of the product.
        out_contract_code: Your id of the subscription.
        deduct_price: The payment, in fen.
        appkey: As for `query_order`.

    Raises:
        CallError: A value cannot be written as JSON.
        UserDataError: *appkey* is empty or not a text.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
    """
    body = {
        "openid": openid,
        "deduct_price": deduct_price,
        "product_id": product_id,
        "out_contract_code": out_contract_code,
    }
    return _sign("/xpay/send_subscribe_pre_payment", body, dict, appkey)


@clears_locals
def submit_subscribe_pay_order(
    openid: str,
    offer_id: str,
    product_id: str,
    order_id: str,
    deduct_price: int,
    *,
    appkey: str,
    buy_quantity: int = 1,
    env: int = 0,
    currency_type: str = "CNY",
    attach: str = "",
) -> Call[Mapping[str, Any]]:
    """提交扣款订单: have a user pay for a subscription; the result is the response as received.

    Args:
        openid: The user.
        offer_id: Id of the application (OfferID), from the console.
        product_id: Id of the product.
        order_id: Your id of the order.
        deduct_price: The payment, in fen.
        appkey: As for `query_order`.
        buy_quantity: How many are bought.
        env: As for `query_order`.
        currency_type: The currency.
        attach: Your own text, which the push about the payment returns.

    Raises:
        CallError: A value cannot be written as JSON.
        UserDataError: *appkey* is empty or not a text.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
    """
    body = {
        "openid": openid,
        "offer_id": offer_id,
        "buy_quantity": buy_quantity,
        "env": env,
        "currency_type": currency_type,
        "product_id": product_id,
        "deduct_price": deduct_price,
        "order_id": order_id,
        "attach": attach,
    }
    return _sign("/xpay/submit_subscribe_pay_order", body, dict, appkey)


@clears_locals
def cancel_subscribe_contract(
    openid: str, product_id: str, out_contract_code: str, termination_reason: str, *, appkey: str
) -> Call[Mapping[str, Any]]:
    """解除签约关系: end a subscription; the result is the response as received.

    Args:
        openid: The user.
        product_id: Id of the product.
        out_contract_code: Your id of the subscription.
        termination_reason: The reason.
        appkey: As for `query_order`.

    Raises:
        CallError: A value cannot be written as JSON.
        UserDataError: *appkey* is empty or not a text.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
    """
    body = {
        "openid": openid,
        "product_id": product_id,
        "out_contract_code": out_contract_code,
        "termination_reason": termination_reason,
    }
    return _sign("/xpay/cancel_subscribe_contract", body, dict, appkey)


# --- complaints ------------------------------------------------------------------------------------------------------


@clears_locals
def get_complaint_list(
    begin_date: date | str, end_date: date | str, *, appkey: str, env: int = 0, offset: int = 0, limit: int = 10
) -> Call[Mapping[str, Any]]:
    """获取投诉列表: list one page of complaints; the result is the response as received.

    That this call, and the other two about complaints, want a ``pay_sig`` is unconfirmed.

    Args:
        begin_date: The first day: a date, or a text such as ``2026-11-01``. The form is unconfirmed.
        end_date: The last day.
        appkey: As for `query_order`.
        env: As for `query_order`.
        offset: Number of complaints to skip.
        limit: Number of complaints to list.

    Raises:
        CallError: A day is neither a date nor a text, or a value cannot be written as JSON.
        UserDataError: *appkey* is empty or not a text.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
    """
    body = {
        "env": env,
        "begin_date": to_date(begin_date, "begin_date"),
        "end_date": to_date(end_date, "end_date"),
        "offset": offset,
        "limit": limit,
    }
    return _sign("/xpay/get_complaint_list", body, dict, appkey, is_repeatable=True)


@clears_locals
def response_complaint(
    complaint_id: str,
    response_content: str,
    *,
    appkey: str,
    env: int = 0,
    response_images: Iterable[str] = (),
) -> Call[None]:
    """回复投诉: answer a complaint.

    Args:
        complaint_id: Id of the complaint, such as that of the event ``xpay_complaint_notify``.
        response_content: The answer.
        appkey: As for `query_order`.
        env: As for `query_order`.
        response_images: Ids of uploaded pictures.

    Raises:
        CallError: *response_images* is not a list of texts, or a value cannot be written as JSON.
        UserDataError: *appkey* is empty or not a text.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
    """
    body = {
        "env": env,
        "complaint_id": complaint_id,
        "response_content": response_content,
        "response_images": texts(response_images, "response_images"),
    }
    return _sign("/xpay/response_complaint", body, no_result, appkey)


@clears_locals
def complete_complaint(complaint_id: str, *, appkey: str, env: int = 0) -> Call[None]:
    """完成投诉处理: tell WeChat that a complaint was dealt with.

    Args:
        complaint_id: As for `response_complaint`.
        appkey: As for `query_order`.
        env: As for `query_order`.

    Raises:
        CallError: A value cannot be written as JSON.
        UserDataError: *appkey* is empty or not a text.

    Source:
        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
    """
    body = {"env": env, "complaint_id": complaint_id}
    return _sign("/xpay/complete_complaint", body, no_result, appkey, is_repeatable=True)
