"""Events: one frozen class per event, one module per topic."""

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
