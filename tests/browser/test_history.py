"""Auditors at work: finding entries, keeping a view, signing off a sample, taking evidence away."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from playwright.sync_api import expect

from numbers_app.actors import Actor
from numbers_app.models import Account, SampleScope, Source, User, Verb
from numbers_app.periods import Period
from numbers_app.services.history import history_append
from numbers_app.services.samples import sample_draw
from tests.factories import CampaignFactory

pytestmark = pytest.mark.browser

BOTH_WAYS = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])


@pytest.fixture
def some_history(people: dict[str, User], settings: Any) -> None:
    """60 purchases and a comment, in a portal that signs."""
    settings.HISTORY_SIGNING_KEY = bytes(range(32))
    location = Account.objects.get(key="L-3")
    for place in range(60):
        CampaignFactory(phone_number=f"31673422{place:02d}", account=location)
    with transaction.atomic():
        history_append(
            actor=Actor.portal("Worker", source=Source.WORKER), verb=Verb.ORDER_COMMENTED, account_key="L-3", order_id=1
        )


@BOTH_WAYS
@pytest.mark.usefixtures("some_history")
def test_an_auditor_pages_filters_and_keeps_the_view(visit: Any, javascript: bool) -> None:
    auditor = visit("auditor", javascript=javascript)
    auditor.open("/history/")
    auditor.press("Older", role="link")
    auditor.sees("11 entries")
    assert "before=" in auditor.page.url
    if javascript:
        # What was pressed is gone, so the focus is at the heading of what came.
        expect(auditor.page.locator(":focus")).to_have_text("11 entries")
    auditor.press("Newest", role="link")
    auditor.sees("50 entries, and older ones")
    auditor.page.locator("main").get_by_label("What happened").select_option(label="Commented on")
    auditor.press("Filter")
    auditor.sees("1 entry")
    auditor.page.locator("main").get_by_text("Save or manage views").click()
    auditor.page.locator("main").get_by_label("Name of this view").fill("Comments")
    auditor.press("Save")
    auditor.sees("The view Comments is kept.")
    auditor.page.get_by_role("link", name="What happened: Commented on Remove this filter").click()
    auditor.sees("50 entries, and older ones")
    auditor.press("Comments", role="link")
    auditor.sees("1 entry")


@BOTH_WAYS
@pytest.mark.usefixtures("some_history")
def test_an_auditor_signs_off_a_sample_with_the_keyboard(visit: Any, people: dict[str, User], javascript: bool) -> None:
    sample = sample_draw(
        actor=Actor.person(people["auditor"]),
        period=Period.latest(2),
        scope=SampleScope.EVERYTHING,
        size=2,
        seed="browser",
    )
    first, second = sample.entries.values_list("entry_id", flat=True)
    auditor = visit("auditor", javascript=javascript)
    auditor.open(f"/history/samples/{sample.pk}/")
    row = auditor.page.locator(f"#entry-{first}")
    row.get_by_label("In order").focus()
    auditor.page.keyboard.press("Space")
    row.get_by_role("button").first.focus()
    auditor.page.keyboard.press("Enter")
    auditor.sees("1 of 2")
    if javascript:
        expect(auditor.page.locator(":focus")).to_have_text(re.compile(rf"^\s*Entry {second}\b"))
    row = auditor.page.locator(f"#entry-{second}")
    row.get_by_label("Finding").check()
    row.get_by_label(f"Note on entry {second}").fill("Nobody approved it.")
    row.get_by_role("button").first.click()
    auditor.sees("2 of 2")
    auditor.sees("Nobody approved it.")


@pytest.mark.usefixtures("some_history")
def test_an_auditor_takes_evidence_away_and_checks_it(visit: Any, tmp_path: Path) -> None:
    auditor = visit("auditor")
    auditor.open("/history/evidence/")
    key = auditor.page.locator("main .code").first.inner_text()
    with auditor.page.expect_download() as started:
        auditor.press("Download the archive")
    archive = tmp_path / started.value.suggested_filename
    started.value.save_as(archive)
    subprocess.run(["unzip", "-q", archive, "verify.py"], cwd=tmp_path, check=True)
    command = [sys.executable, "-I", "verify.py", archive.name, "--public-key", key]
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@BOTH_WAYS
@pytest.mark.usefixtures("some_history")
def test_from_an_exact_moment_to_any_other(visit: Any, javascript: bool) -> None:
    auditor = visit("auditor", javascript=javascript)
    auditor.open("/history/as-of/?number=3167342200&at=2026-11-26T18:42:12.464003Z")
    auditor.sees("12:42:12 PM CST")
    auditor.page.get_by_label("Date and time").fill("2026-11-20T08:00")
    auditor.press("Show")
    auditor.sees("8:00:00 AM CST")
