"""A batch in front of people: approved and followed to its end, and cancelled half-way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from numbers_app.models import Account, Batch, BatchStatus, Campaign, User
from tests.batches.making import NEW, campaigns_at, change_draft, outcomes, submit
from tests.browser.conftest import database_url
from tests.browser.person import Person
from tests.factories import CampaignFactory
from tests.sandbox_server import ROOT, SandboxServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def clock_process(worker_process: None, tmp_path: Path) -> Iterator[None]:
    """``manage.py clock`` beside the worker."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": database_url(),
        "HISTORY_HEAD_FILE": str(tmp_path / "history-head.json"),
        "CHECKPOINT_FILE": str(tmp_path / "history-checkpoints.jsonl"),
    }
    with (tmp_path / "clock.log").open("wb") as log:
        command = [sys.executable, "manage.py", "clock"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        yield
        process.terminate()
        process.wait(20)


def tick(person: Person, line: int) -> None:
    person.page.get_by_label(f"Select line {line}").check()


@pytest.mark.usefixtures("clock_process")
def test_a_small_batch_is_approved_and_followed_to_its_end(
    visit: Any, people: dict[str, User], sandbox: SandboxServer
) -> None:
    location = Account.objects.get(key="L-3")
    numbers = [offer["phoneNumber"] for offer in sandbox.search(areaCode="316")[:3]]
    for number in numbers[:2]:
        values = {"phoneNumber": number, "account": "L-3", "destination": "3164447896"}
        headers = {"Authorization": f"Bearer {sandbox.api_key}"}
        sandbox._session.post(f"{sandbox.url}/v3/numbers/", data=values, headers=headers, timeout=10)
    campaigns = [CampaignFactory(phone_number=number, account=location) for number in numbers]
    batch = submit(people["rep"], change_draft(people["rep"], campaigns))

    manager: Person = visit("manager")
    manager.open("/")
    manager.press(f"Batch {batch.pk}: New reception", role="link")
    manager.sees("3 numbers re-routed to (316) 555-0100")
    assert manager.barriers() == []
    assert manager.small_targets() == []
    manager.press("Approve all 3 rows")
    manager.sees("3 rows are approved.")
    # The page follows by itself. Callcap sold two of the numbers, and refuses the change of the third.
    expect(manager.page.locator("#progress")).to_contain_text("2 done, 1 failed.", timeout=60_000)
    expect(manager.page.locator("#progress")).to_contain_text("100%: 3 of 3 rows")
    assert manager.barriers() == []
    manager.page.reload()
    manager.press("Failed 1", role="link")
    manager.sees("Callcap refused")
    assert sorted(entry["values"]["destination"] for entry in sandbox.journal(kind="update")) == [NEW, NEW]


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_batch_is_rejected_in_part_and_cancelled_half_way(
    visit: Any, people: dict[str, User], javascript: bool
) -> None:
    numbers: list[Campaign] = campaigns_at(Account.objects.get(key="L-3"), 4)
    batch: Batch = submit(people["rep"], change_draft(people["rep"], numbers))
    manager: Person = visit("manager", javascript=javascript, width=320)
    manager.open(batch.get_absolute_url())
    assert manager.sideways() <= 0 if javascript else True
    tick(manager, 2)
    manager.page.locator("summary").filter(has_text="Reject").click()
    manager.page.get_by_label("Reason for rejecting").fill("Wrong number")
    manager.press("Reject the selected rows")
    manager.sees("1 row is rejected. Rep Test sees your reason.")
    tick(manager, 3)
    manager.press("Approve the selected rows")
    manager.sees("1 row is approved.")
    rep: Person = visit("rep", javascript=javascript)
    rep.open(batch.get_absolute_url())
    rep.press("Cancel what is not sent")
    rep.sees("3 rows are cancelled. What is at Callcap already goes on.")
    batch.refresh_from_db()
    assert (batch.status, outcomes(batch)) == (BatchStatus.CANCELLED, {"rejected": 1, "cancelled": 3})
    assert rep.barriers() == manager.barriers() == []


def test_the_result_file_can_be_taken_again_without_loading_the_page_anew(visit: Any, people: dict[str, User]) -> None:
    batch = submit(people["rep"], change_draft(people["rep"], campaigns_at(Account.objects.get(key="L-3"), 1)))
    rep: Person = visit("rep")
    rep.open(batch.get_absolute_url())
    for _ in range(2):
        with rep.page.expect_download(timeout=10_000):
            rep.press("Result file")
