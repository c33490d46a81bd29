"""``manage.py clear_expired``: deletes all expired entries at once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS

from wechat_msg.errors import StoreError
from wechat_msg.stores.django._store import DjangoStore

__all__ = ["Command"]


class Command(BaseCommand):
    """The command that deletes all expired entries and prints their number."""

    help = "Deletes the expired entries of wechat_msg's DjangoStore."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the option for the alias of the database."""
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help='Alias of the database; "default" by default.')

    def handle(self, *, database: str, **_: Any) -> None:
        """Delete the entries.

        Raises:
            CommandError: The database failed.
        """
        try:
            count = DjangoStore(database).clear_expired()
        except StoreError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{count} expired entries deleted")
