"""A local server that stands in for api.weixin.qq.com in tests."""

from wechat_msg.testing.fake_api.fake import FakeWeChatAPI
from wechat_msg.testing.fake_api.request import APIRequest

__all__ = ["APIRequest", "FakeWeChatAPI"]
