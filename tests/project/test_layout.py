"""House rules that a glance at the files can hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.apps import apps

from numbers_app.callcap.schemas import SEARCH_WIRE_NAMES, WRITE_WIRE_NAMES

from .environment import ROOT

TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))
PYTHON = sorted([*(ROOT / "numbers_app").rglob("*.py"), *(ROOT / "portal").rglob("*.py")])
TESTS = sorted(path for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__))

# What the content policy forbids, or what htmx would have to evaluate.
FORBIDDEN = {
    "an inline style": r"""\sstyle\s*=""",
    "a style element": r"<style\b",
    "an inline script": r"<script(?![^>]*\ssrc=)",
    "an event handler": r"\son[a-z]+\s*=",
    "htmx's event handler": r"\bhx-on\b",
    "a filter of a trigger": r"hx-trigger=\"[^\"]*\[",
    "a script address": r"javascript:|\bjs:",
    "an address of elsewhere": r"(?:src|href)=\"(?:https?:)?//",
    # The help texts are the forms' own.
    "unescaped text": r"(?<!field\.help_text)\|\s*safe\b",
}


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_no_template_has_what_the_content_policy_forbids(template: Path) -> None:
    text = read(template)
    found = [what for what, pattern in FORBIDDEN.items() if re.search(pattern, text)]
    assert found == []


def test_escaping_is_off_only_in_plain_text_mails() -> None:
    off = {path.relative_to(ROOT) for path in TEMPLATES if "autoescape off" in read(path)}
    assert {path.suffix for path in off} <= {".txt"}


def test_callcaps_own_names_stand_in_the_callcap_package_alone() -> None:
    names = {name for name in (*SEARCH_WIRE_NAMES.values(), *WRITE_WIRE_NAMES.values()) if not name.islower()}
    names |= {"phoneNumber", "locationID", "campaignID", "phoneNumbers"}
    wire = re.compile(rf"\b({'|'.join(sorted(names))})\b")
    elsewhere = [path for path in (*PYTHON, *TEMPLATES) if "callcap" not in path.relative_to(ROOT).parts]
    assert {
        str(path.relative_to(ROOT)): wire.findall(read(path)) for path in elsewhere if wire.search(read(path))
    } == {}


def test_only_the_callcap_package_imports_a_client_for_http() -> None:
    imports = re.compile(r"^\s*(?:from|import) (?:requests|urllib3|http\.client|urllib\.request)\b", re.MULTILINE)
    offenders = [path for path in PYTHON if imports.search(read(path)) and "callcap" not in path.parts]
    assert offenders == []


def test_only_services_write_models() -> None:
    writes = re.compile(r"\.(?:create|bulk_create|bulk_update|update_or_create|get_or_create|delete)\(|\.save\(")
    # Gates and breaker below numbers_app/vendor are counters of calls, which need no actor and no history.
    allowed = {"services", "migrations", "vendor"}
    offenders = {
        str(path.relative_to(ROOT)): writes.findall(read(path))
        for path in PYTHON
        if not allowed & set(path.parts) and writes.search(read(path))
    }
    assert offenders == {}


def test_every_model_has_a_test_that_speaks_of_it() -> None:
    text = "\n".join(read(path) for path in TESTS)
    models = [model.__name__ for model in apps.get_app_config("numbers_app").get_models()]
    assert [name for name in models if not re.search(rf"\b{name}\b", text)] == []


def test_no_file_is_too_long_to_read() -> None:
    assert {
        str(path): lines
        for path in PYTHON
        if (lines := read(path).count("\n")) > 400 and "migrations" not in path.parts
    } == {}


def test_nothing_is_left_to_be_done_in_the_code() -> None:
    mark = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
    assert [path for path in (*PYTHON, *TEMPLATES) if mark.search(read(path))] == []
