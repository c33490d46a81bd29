"""Events: one frozen class per event, one module per topic, imported when its first event arrives or is named."""

import typing

from wechat_msg import _lazy

if typing.TYPE_CHECKING:
    from wechat_msg.events import content_check, customer_service, jobs, menu, relation, subscription, user_info
    from wechat_msg.events.base import Event, UnknownEvent, register_event
    from wechat_msg.events.content_check import *
    from wechat_msg.events.customer_service import *
    from wechat_msg.events.jobs import *
    from wechat_msg.events.menu import *
    from wechat_msg.events.relation import *
    from wechat_msg.events.subscription import *
    from wechat_msg.events.user_info import *

    __all__ = ["Event", "UnknownEvent", "register_event"]
    __all__ += content_check.__all__
    __all__ += customer_service.__all__
    __all__ += jobs.__all__
    __all__ += menu.__all__
    __all__ += relation.__all__
    __all__ += subscription.__all__
    __all__ += user_info.__all__
else:
    from wechat_msg.events._topics import NAMES_OF_MODULES

    __all__ = [name for names in NAMES_OF_MODULES.values() for name in names.split()]
    __getattr__, __dir__ = _lazy.import_lazily(__name__, NAMES_OF_MODULES)
