"""``manage.py clear_expired``: deletes what has expired, at once instead of little by little."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS

from wechat_msg.errors import StoreError
from wechat_msg.stores.django.store import DjangoStore

__all__ = ["Command"]


class Command(BaseCommand):
    """Deletes every expired entry and says how many there were."""

    help = "Deletes the expired entries of wechat_msg's DjangoStore."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the alias of the database."""
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help='Alias of the database; "default" by default.')

    def handle(self, *, database: str, **_: Any) -> None:
        """Delete them.

        Raises:
            CommandError: The database cannot do it.
        """
        try:
            count = DjangoStore(database).clear_expired()
        except StoreError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{count} expired entries deleted")
