"""The table of `DjangoStore`; all of its rows expire."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

__all__ = ["Entry"]


class Entry(models.Model):
    """A value and when it expires.

    Keys are stored as SHA-256 in hex: MySQL's usual collations, and others, treat "a" and "A", or "a" and "a ", as
    equal. OpenIDs may differ only in case.
    """

    digest: models.CharField[str, str] = models.CharField(max_length=64, primary_key=True)
    value: models.BinaryField[bytes, bytes] = models.BinaryField()
    expires: models.DateTimeField[object, object] = models.DateTimeField(db_index=True)

    objects: ClassVar[models.Manager[Entry]] = models.Manager()

    class Meta:
        """Its names."""

        verbose_name = "entry"
        verbose_name_plural = "entries"
