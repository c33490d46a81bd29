"""The life of a push between its arrival and its answer: handled once, answered always."""

from wechat_msg.endpoint.drivers import AsyncPushEndpoint, PushEndpoint
from wechat_msg.endpoint.late import AnswerLater, FallbackReply
from wechat_msg.endpoint.options import NO_DEDUP

__all__ = ["NO_DEDUP", "AnswerLater", "AsyncPushEndpoint", "FallbackReply", "PushEndpoint"]
