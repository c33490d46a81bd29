"""The life of a push between its arrival and its answer: each push is handled once, and each delivery is answered."""

from wechat_msg.endpoint.dedup import NO_DEDUP
from wechat_msg.endpoint.drivers import AsyncPushEndpoint, PushEndpoint
from wechat_msg.endpoint.late import AnswerLater, FallbackReply, KeepReply, LostReason

__all__ = ["NO_DEDUP", "AnswerLater", "AsyncPushEndpoint", "FallbackReply", "KeepReply", "LostReason", "PushEndpoint"]
