"""小程序: login, content security, codes, links, updatable messages, shipping, virtual payment, privacy, logs.

A name is imported from its module when it is first used.
"""

from typing import TYPE_CHECKING

from wechat_msg import _lazy

if TYPE_CHECKING:
    from wechat_msg.api.miniprogram import (
        content_security,
        links,
        log,
        login,
        privacy,
        shipping,
        updatable,
        wxacode,
        xpay,
    )
    from wechat_msg.api.miniprogram.content_security import *
    from wechat_msg.api.miniprogram.links import *
    from wechat_msg.api.miniprogram.log import *
    from wechat_msg.api.miniprogram.login import *
    from wechat_msg.api.miniprogram.privacy import *
    from wechat_msg.api.miniprogram.shipping import *
    from wechat_msg.api.miniprogram.updatable import *
    from wechat_msg.api.miniprogram.wxacode import *
    from wechat_msg.api.miniprogram.xpay import *

    __all__ = []
    __all__ += content_security.__all__
    __all__ += links.__all__
    __all__ += log.__all__
    __all__ += login.__all__
    __all__ += privacy.__all__
    __all__ += shipping.__all__
    __all__ += updatable.__all__
    __all__ += wxacode.__all__
    __all__ += xpay.__all__
else:
    _NAMES_OF_MODULES = {
        "content_security": (
            "MsgSecCheck MsgSecDetail MsgSecResult UserRiskRank get_user_risk_rank media_check_async msg_sec_check"
        ),
        "links": (
            "LinkInfo LinkQuota SchemeQuery UrlLinkQuery generate_nfc_scheme generate_scheme "
            "generate_short_link generate_url_link query_scheme query_url_link"
        ),
        "log": "JsErr JsErrPage get_jserr_list",
        "login": (
            "EncryptKey EncryptedMsgCheck PhoneInfo Session Watermark check_encrypted_msg check_session "
            "code2session get_paid_unionid get_phone_number get_plugin_openpid get_user_encrypt_key "
            "reset_user_session_key"
        ),
        "privacy": (
            "OwnerSetting PrivacyDesc PrivacyDescs PrivacyItem PrivacySetting get_privacy_setting "
            "set_privacy_setting upload_privacy_ext_file"
        ),
        "shipping": (
            "DeliveryCompany OrderKey ShippedItem Shipping ShippingContact ShippingItem SubOrder TradeOrder "
            "TradeOrderPage get_delivery_list get_order get_order_list is_trade_managed "
            "is_trade_management_confirmation_completed iterate_orders notify_confirm_receive "
            "set_msg_jump_path upload_combined_shipping_info upload_shipping_info"
        ),
        "updatable": "ActivityId create_activity_id send_chattool_msg send_updatable_msg",
        "wxacode": "create_wxa_qrcode get_wxacode get_wxacode_unlimit",
        "xpay": (
            "CurrencyPayment UploadItem UserBalance XpayOrder XpayRefund cancel_subscribe_contract "
            "complete_complaint currency_pay download_bill get_complaint_list notify_provide_goods "
            "query_order query_subscribe_contract query_user_balance refund_order response_complaint "
            "send_subscribe_pre_payment start_upload_goods submit_subscribe_pay_order xpay_call"
        ),
    }
    __all__ = [name for names in _NAMES_OF_MODULES.values() for name in names.split()]
    __getattr__, __dir__ = _lazy.import_lazily(__name__, _NAMES_OF_MODULES)
