"""The first migration."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """The migration that creates the table of `Entry`."""

    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("value", models.BinaryField()),
                ("expires", models.DateTimeField(db_index=True)),
            ],
            options={"verbose_name": "entry", "verbose_name_plural": "entries"},
        ),
    )
