"""The fields that entries carry, as the history's filter offers them."""

from __future__ import annotations

import ast
from pathlib import Path

from numbers_app import services
from numbers_app.forms.campaigns import CampaignForm
from numbers_app.forms.filters import FIELD_CHOICES, FIELDS
from numbers_app.services.settings_record import RECORDED
from numbers_app.services.users import FIELDS as PERSON_FIELDS
from numbers_app.text import LABELS


def written_fields() -> set[str]:
    """Every name that the services write as {"name": [before, after]}, or set as changes["name"] = [before, after]."""
    found = set()
    for path in Path(services.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Dict(keys=keys, values=values) if values and all(_is_pair(value) for value in values):
                    found |= {key.value for key in keys if isinstance(key, ast.Constant)}
                case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str(name)))], value=value):
                    found |= {name} if _is_pair(value) else set()
    return found


def _is_pair(node: ast.expr) -> bool:
    return isinstance(node, ast.List) and len(node.elts) == 2


def test_every_field_that_services_write_can_be_asked_for() -> None:
    offered = {name for names in FIELDS.values() for name in names}
    written = written_fields()
    assert {"status", "dispute", "batch", "password", "verdict"} <= written
    assert {*written, *PERSON_FIELDS, *CampaignForm.CAMPAIGN_FIELDS} - offered == set()


def test_each_is_offered_once_with_a_label_of_its_own() -> None:
    labels = [label for _, choices in FIELD_CHOICES for _, label in choices]
    assert sorted(labels) == sorted(set(labels))


def test_settings_have_labels_in_plain_words() -> None:
    assert {*RECORDED, "HISTORY_PUBLIC_KEY"} <= LABELS.keys()
