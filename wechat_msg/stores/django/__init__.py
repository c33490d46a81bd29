"""A Django app whose table is a store, for projects with a database and without Redis."""

from wechat_msg.stores.django._store import DjangoStore

__all__ = ["DjangoStore"]
