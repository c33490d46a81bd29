"""A Django app whose one table is a store, for projects that have a database and no Redis."""

from wechat_msg.stores.django.store import DjangoStore

__all__ = ["DjangoStore"]
