"""Events: one frozen class per event, one module per topic, imported when its first event arrives or is named."""

import typing

from wechat_msg import _lazy

if typing.TYPE_CHECKING:
    from wechat_msg.events import (
        cards,
        certification,
        channels_orders,
        channels_shop,
        channels_vip,
        content_check,
        customer_service,
        debug,
        dramas_books,
        guide,
        instant_delivery,
        invoices,
        jobs,
        live,
        logistics,
        menu,
        minigames,
        paid_services,
        penalties,
        poi,
        relation,
        retail,
        review,
        services,
        stores,
        subscription,
        third_party,
        trade,
        trade_component,
        trade_orders,
        user_info,
        virtual_payment,
        waybills,
        withdrawn,
    )
    from wechat_msg.events.base import Event, UnknownEvent, register_event
    from wechat_msg.events.cards import *
    from wechat_msg.events.certification import *
    from wechat_msg.events.channels_orders import *
    from wechat_msg.events.channels_shop import *
    from wechat_msg.events.channels_vip import *
    from wechat_msg.events.content_check import *
    from wechat_msg.events.customer_service import *
    from wechat_msg.events.debug import *
    from wechat_msg.events.dramas_books import *
    from wechat_msg.events.guide import *
    from wechat_msg.events.instant_delivery import *
    from wechat_msg.events.invoices import *
    from wechat_msg.events.jobs import *
    from wechat_msg.events.live import *
    from wechat_msg.events.logistics import *
    from wechat_msg.events.menu import *
    from wechat_msg.events.minigames import *
    from wechat_msg.events.paid_services import *
    from wechat_msg.events.penalties import *
    from wechat_msg.events.poi import *
    from wechat_msg.events.relation import *
    from wechat_msg.events.retail import *
    from wechat_msg.events.review import *
    from wechat_msg.events.services import *
    from wechat_msg.events.stores import *
    from wechat_msg.events.subscription import *
    from wechat_msg.events.third_party import *
    from wechat_msg.events.trade import *
    from wechat_msg.events.trade_component import *
    from wechat_msg.events.trade_orders import *
    from wechat_msg.events.user_info import *
    from wechat_msg.events.virtual_payment import *
    from wechat_msg.events.waybills import *
    from wechat_msg.events.withdrawn import *

    __all__ = ["Event", "UnknownEvent", "register_event"]
    __all__ += cards.__all__
    __all__ += certification.__all__
    __all__ += channels_orders.__all__
    __all__ += channels_shop.__all__
    __all__ += channels_vip.__all__
    __all__ += content_check.__all__
    __all__ += customer_service.__all__
    __all__ += debug.__all__
    __all__ += dramas_books.__all__
    __all__ += guide.__all__
    __all__ += instant_delivery.__all__
    __all__ += invoices.__all__
    __all__ += jobs.__all__
    __all__ += live.__all__
    __all__ += logistics.__all__
    __all__ += menu.__all__
    __all__ += minigames.__all__
    __all__ += paid_services.__all__
    __all__ += penalties.__all__
    __all__ += poi.__all__
    __all__ += relation.__all__
    __all__ += retail.__all__
    __all__ += review.__all__
    __all__ += services.__all__
    __all__ += stores.__all__
    __all__ += subscription.__all__
    __all__ += third_party.__all__
    __all__ += trade.__all__
    __all__ += trade_component.__all__
    __all__ += trade_orders.__all__
    __all__ += user_info.__all__
    __all__ += virtual_payment.__all__
    __all__ += waybills.__all__
    __all__ += withdrawn.__all__
else:
    from wechat_msg.events._topics import NAMES_OF_MODULES

    __all__ = [name for names in NAMES_OF_MODULES.values() for name in names.split()]
    __getattr__, __dir__ = _lazy.import_lazily(__name__, NAMES_OF_MODULES)
