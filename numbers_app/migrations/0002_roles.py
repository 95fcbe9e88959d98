"""The roles, as groups. What each may do is in ``permissions.py``; administrators put people into them."""

from typing import Any, ClassVar

from django.db import migrations

ROLES = ("Sales rep", "Manager", "Auditor", "Administrator")


def make_roles(apps: Any, schema_editor: Any) -> None:
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    for name in ROLES:
        groups.get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("numbers_app", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations: ClassVar = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
