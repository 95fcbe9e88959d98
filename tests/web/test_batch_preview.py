"""The preview of a batch: what each row would do, the refused rows as a file, and throwing it away."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import Account, Batch, BatchKind, Campaign, Grant, User
from numbers_app.services.batch_drafts import batch_from_file, batch_from_selection
from tests.factories import CampaignFactory

from .conftest import CAKE, HTMX
from .page import Page

pytestmark = pytest.mark.django_db

MIXED = f"phone_number,destination,notes\r\n{CAKE},316-555-0100,\r\n3167349999,12,=1+1\r\n3167342254,,Cakes\r\n"

type Upload = Callable[..., Batch]


@pytest.fixture
def upload(rep: User, campaign: Campaign) -> Upload:
    """``upload(text, by=rep, kind="change")``: the draft of a file."""

    def make(text: str = MIXED, by: User = rep, kind: str = "change") -> Batch:
        return batch_from_file(
            actor=Actor.person(by),
            kind=BatchKind(kind),
            filename="spring.csv",
            data=text.encode(),
            title="Spring",
            form_token=uuid.uuid4(),
        )

    return make


def url(batch: Batch) -> str:
    return f"/batches/{batch.pk}/preview/"


def rows_on(page: Page) -> list[list[str]]:
    return [[cell.text for cell in row if cell.tag in ("th", "td")] for row in page.one("tbody").all("tr")]


def test_each_row_says_what_it_would_do(as_rep: Client, upload: Upload, location: Account) -> None:
    CampaignFactory(phone_number="3167342254", account=location, notes="Cakes", stop_date=date(2098, 1, 1))
    page = Page(as_rep.get(url(upload())))
    assert page.heading == "Preview of Spring"
    done, refused, unchanged = rows_on(page)
    assert done[:3] == ["2", "(316) 734-2253", str(location)]
    assert done[3] == "Destination: (316) 444-7896 → becomes (316) 555-0100"
    assert refused[:2] == ["3", "(316) 734-9999"]
    assert "This is not among your numbers." in refused[3]
    assert "destination “12”" in refused[3]
    assert unchanged[3] == "Nothing to change"


def test_a_stop_date_is_shown_as_everywhere(as_rep: Client, upload: Upload, location: Account) -> None:
    tomorrow = location.today() + timedelta(days=1)
    batch = upload(f"phone_number,stop_date\r\n{CAKE},{tomorrow}\r\n")
    ((_, _, _, said),) = rows_on(Page(as_rep.get(url(batch))))
    assert said.endswith(f"{tomorrow:%b} {tomorrow.day}, {tomorrow.year} (America/Chicago time) 1 day left")


def test_the_counts_lead_to_the_rows_that_stand_so(as_rep: Client, upload: Upload) -> None:
    batch = upload()
    page = Page(as_rep.get(url(batch)))
    chips = [link.text for link in page.one("nav", aria_label="Rows by state").all("a")]
    assert chips == ["All 3", "Will be done 1", "Nothing to change 0", "Cannot be done 2"]
    (there,) = page.links("Cannot be done 2")
    assert [row[0] for row in rows_on(Page(as_rep.get(there)))] == ["3", "4"]
    assert "No row stands like this" in Page(as_rep.get(url(batch), {"state": "unchanged"})).text
    assert len(rows_on(Page(as_rep.get(url(batch), {"state": "nonsense"})))) == 3


def test_many_rows_come_in_numbered_pages_and_htmx_gets_the_part(as_rep: Client, upload: Upload) -> None:
    batch = upload("phone_number\r\n" + "".join(f"316734{line:04d}\r\n" for line in range(120)))
    second = as_rep.get(url(batch), {"page": 2}, headers=HTMX)
    assert second.content.decode().count("<html") == 0
    assert rows_on(Page(second))[0][0] == "52"
    assert "51 to 100 of 120" in Page(second).text


def test_a_purchase_shows_what_is_searched_for(as_rep: Client, upload: Upload) -> None:
    heading = "phone_number,account,destination,area_code,brand"
    batch = upload(f"{heading}\r\n,L-3,3164447896,316,Blue\r\n3167342259,L-3,3164447896,620,\r\n", kind="purchase")
    by_search, by_number = rows_on(Page(as_rep.get(url(batch))))
    assert by_search[1] == "any number"
    assert by_search[3] == "Any number: area code 316 Destination: (316) 444-7896 Brand: Blue"
    assert by_number[3] == "Or any number: area code 620 Destination: (316) 444-7896"


@pytest.mark.parametrize(("kind", "words"), [("confirm", "whether it is still ours"), ("reapply", "once more")])
def test_a_selection_says_what_it_does(kind: str, words: str, as_rep: Client, rep: User, campaign: Campaign) -> None:
    batch = batch_from_selection(
        actor=Actor.person(rep), kind=BatchKind(kind), campaigns=Campaign.objects.all(), values={}
    )
    assert words in rows_on(Page(as_rep.get(url(batch))))[0][3]


def test_the_submit_form_says_who_decides(as_rep: Client, as_manager: Client, manager: User, upload: Upload) -> None:
    mine = upload()
    page = Page(as_rep.get(url(mine)))
    assert page.one("form", action=f"/batches/{mine.pk}/submit/").one("button").text == "Submit 1 row"
    assert "Somebody else decides" in page.text
    assert "needs nobody else" in Page(as_manager.get(url(upload(by=manager)))).text
    new = "phone_number,account,destination\r\n3167342259,L-3,3164447896\r\n"
    assert "Somebody else decides" in Page(as_manager.get(url(upload(new, manager, "import")))).text


def test_there_is_nothing_to_submit_without_a_row_to_be_done(as_rep: Client, upload: Upload) -> None:
    batch = upload("phone_number\r\n3167349999\r\n")
    page = Page(as_rep.get(url(batch)))
    assert page.all("form", action=f"/batches/{batch.pk}/submit/") == []
    assert "Correct the file and upload it again." in page.text


def test_refused_rows_come_as_a_file_that_can_be_corrected_and_uploaded(as_rep: Client, upload: Upload) -> None:
    batch = upload()
    (there,) = Page(as_rep.get(url(batch))).links("Refused rows as a file")
    response = as_rep.get(there)
    assert response["Content-Disposition"] == f'attachment; filename="batch-{batch.pk}-refused.csv"'
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    heading, first, _ = text.splitlines()
    assert heading == "problem,phone_number,destination,notes"
    assert first.endswith(",3167349999,12,'=1+1")
    corrected = text.replace("3167349999,12", f"{CAKE},3165550111")
    form = Page(as_rep.get("/batches/new/")).filled("/batches/new/")
    sent = as_rep.post("/batches/new/", form | {"file": SimpleUploadedFile("again.csv", corrected.encode())})
    again = Batch.objects.get(pk=sent["Location"].split("/")[2])
    row = again.rows.get(line=2)
    assert (row.state, row.parameters) == ("ready", {"destination": "3165550111", "notes": "=1+1"})
    assert again.rows.get(line=3).state == "refused"


def test_a_draft_is_its_authors_alone(as_manager: Client, upload: Upload) -> None:
    batch = upload()
    for there in (url(batch), f"/batches/{batch.pk}/refused.csv"):
        assert as_manager.get(there).status_code == 404
        assert as_manager.get(there, headers=HTMX).status_code == 404
    assert as_manager.post(f"/batches/{batch.pk}/discard/").status_code == 404
    assert Batch.objects.exists()


def test_rows_of_an_account_that_was_taken_away_are_no_longer_shown(
    as_rep: Client, upload: Upload, rep: User, elsewhere: Account
) -> None:
    batch = upload()
    Grant.objects.filter(user=rep).update(account=elsewhere)
    page = Page(as_rep.get(url(batch)))
    assert "444-7896" not in page.text
    assert [row[0] for row in rows_on(page)] == ["3", "4"]
    assert "1 row is not shown: the account is not granted to you any more." in page.text


def test_what_could_not_be_read_is_shown_as_it_was_given(as_rep: Client, upload: Upload) -> None:
    batch = upload(f"phone_number,account,destination\r\n{'x' * 500},Salina,12\r\n", kind="import")
    ((_, number, account, _),) = rows_on(Page(as_rep.get(url(batch))))
    assert (number, account) == (f"{'x' * 39}…", "Salina")


@pytest.mark.parametrize("key", ["0", "99999999999999999999999999"])
def test_a_batch_that_cannot_be_is_not_there(key: str, as_rep: Client) -> None:
    assert as_rep.get(f"/batches/{key}/preview/").status_code == 404
    assert as_rep.get(f"/batches/{key}/refused.csv").status_code == 404
    assert as_rep.post(f"/batches/{key}/discard/").status_code == 404


def test_a_submitted_batch_has_its_own_page(as_rep: Client, upload: Upload) -> None:
    batch = upload()
    Batch.objects.filter(pk=batch.pk).update(status="waiting")
    response = as_rep.get(url(batch))
    assert (response.status_code, response["Location"]) == (302, f"/batches/{batch.pk}/")
    response = as_rep.post(f"/batches/{batch.pk}/discard/")
    assert response["Location"] == f"/batches/{batch.pk}/"
    assert Batch.objects.filter(pk=batch.pk).exists()


def test_a_discarded_preview_is_gone(as_rep: Client, upload: Upload) -> None:
    batch = upload()
    form = Page(as_rep.get(url(batch))).filled(f"/batches/{batch.pk}/discard/")
    response = as_rep.post(f"/batches/{batch.pk}/discard/", form)
    assert Page(as_rep.get(response["Location"])).alerts == [
        "The preview of Spring is discarded. Nothing of it was sent."
    ]
    assert as_rep.get(url(batch)).status_code == 404


def test_what_was_uploaded_is_shown_as_text(as_rep: Client, upload: Upload) -> None:
    batch = upload(f"phone_number,notes,recording\r\n{CAKE},<script>x</script>,\r\n3167342254,,<img src=x>\r\n")
    html: Any = as_rep.get(url(batch)).content.decode()
    assert "<script>x" not in html
    assert "<img src=x>" not in html
