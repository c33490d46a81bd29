"""A server that plays api.weixin.qq.com, for tests."""

from wechat_msg.testing.fake_api.fake import FakeWeChatAPI
from wechat_msg.testing.fake_api.request import APIRequest

__all__ = ["APIRequest", "FakeWeChatAPI"]
