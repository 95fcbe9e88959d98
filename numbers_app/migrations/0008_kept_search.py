"""Answers of searches, kept for a minute for all processes."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations, models


def leave_unlogged(apps: Any, schema_editor: Any) -> None:
    """A cache: nothing is lost with it, and no search waits until it is on the disk."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE numbers_app_keptsearch SET UNLOGGED")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("numbers_app", "0007_inventory_and_batches")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="KeptSearch",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_index=True)),
                ("packed", models.BinaryField()),
            ],
        ),
        migrations.RunPython(leave_unlogged, migrations.RunPython.noop),
        # Where answers were kept before.
        migrations.RunSQL("DROP TABLE IF EXISTS portal_cache_searches", migrations.RunSQL.noop),
    ]
