"""Numbers that are held: neither for sale nor sold."""

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.models.deletion import PROTECT


class Migration(migrations.Migration):
    """Create the table of held numbers."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("sandbox", "0001_initial")]
    operations: ClassVar[list[Operation]] = [
        migrations.CreateModel(
            name="Held",
            fields=[("number", models.OneToOneField("sandbox.number", PROTECT, primary_key=True, serialize=False))],
        ),
    ]
