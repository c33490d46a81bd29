"""The app, as INSTALLED_APPS finds it."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["WeChatMsgConfig"]


class WeChatMsgConfig(AppConfig):
    """The app with the table of `DjangoStore` and the command ``clear_expired``."""

    name = "wechat_msg.stores.django"
    label = "wechat_msg"
    verbose_name = "WeChat message pushes"
