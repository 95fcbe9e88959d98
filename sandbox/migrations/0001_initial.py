"""The whole schema. The table of numbers is written by hand: Django has no word for WITHOUT ROWID."""

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.models.deletion import PROTECT

NUMBER_TABLE = """
CREATE TABLE sandbox_number (
    number varchar(10) NOT NULL PRIMARY KEY,
    place_id bigint REFERENCES sandbox_place (id) DEFERRABLE INITIALLY DEFERRED,
    reserved_for_id varchar(12) REFERENCES sandbox_account (key) DEFERRABLE INITIALLY DEFERRED,
    taken bool NOT NULL
) WITHOUT ROWID
"""


def _id() -> "models.BigAutoField[int, int]":
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    """Create every table."""

    initial = True
    dependencies: ClassVar[list[tuple[str, str]]] = []
    operations: ClassVar[list[Operation]] = [
        migrations.CreateModel(
            name="Fault",
            fields=[
                ("id", _id()),
                ("kind", models.CharField(max_length=30)),
                ("on", models.CharField(max_length=10)),
                ("number", models.CharField(blank=True, max_length=10)),
                ("remaining", models.PositiveIntegerField(null=True)),
                ("rate", models.FloatField(default=1.0)),
                ("seconds", models.FloatField(default=0.0)),
                ("retry_after", models.CharField(blank=True, max_length=50)),
                ("fired", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="JournalEntry",
            fields=[
                ("id", _id()),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("kind", models.CharField(max_length=10)),
                ("number", models.CharField(db_index=True, max_length=10)),
                ("account", models.CharField(max_length=12)),
                ("campaign_name", models.TextField()),
                ("values", models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name="Place",
            fields=[
                ("id", _id()),
                ("country", models.CharField(max_length=2)),
                ("state", models.CharField(max_length=2)),
                ("city", models.CharField(max_length=50)),
                ("rate_center", models.CharField(max_length=50)),
                ("zipcode", models.CharField(max_length=7)),
            ],
        ),
        migrations.CreateModel(
            name="State",
            fields=[
                ("id", _id()),
                ("prepared_at", models.DateTimeField(auto_now_add=True)),
                ("numbers", models.PositiveIntegerField()),
                ("epoch", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                ("key", models.CharField(max_length=12, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=10)),
                ("account_id", models.PositiveIntegerField()),
                ("name", models.CharField(max_length=100)),
                ("time_zone", models.CharField(max_length=20)),
                ("parent", models.ForeignKey("sandbox.account", PROTECT, null=True, related_name="children")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["kind", "account_id"], name="account_id_within_kind")]
            },
        ),
        migrations.RunSQL(
            NUMBER_TABLE,
            "DROP TABLE sandbox_number",
            state_operations=[
                migrations.CreateModel(
                    name="Number",
                    fields=[
                        ("number", models.CharField(max_length=10, primary_key=True, serialize=False)),
                        ("place", models.ForeignKey("sandbox.place", PROTECT, null=True, db_index=False)),
                        (
                            "reserved_for",
                            models.ForeignKey("sandbox.account", PROTECT, null=True, db_index=False),
                        ),
                        ("taken", models.BooleanField(default=False)),
                    ],
                )
            ],
        ),
        migrations.AddIndex("number", models.Index(fields=["place", "taken", "reserved_for"], name="number_by_place")),
        migrations.AddIndex(
            "number",
            models.Index(
                fields=["reserved_for", "taken"],
                condition=models.Q(reserved_for__isnull=False),
                name="number_by_reserved_pool",
            ),
        ),
        migrations.CreateModel(
            name="Campaign",
            fields=[
                ("id", _id()),
                ("number", models.OneToOneField("sandbox.number", PROTECT)),
                ("account", models.ForeignKey("sandbox.account", PROTECT)),
                ("values", models.JSONField()),
            ],
        ),
    ]
