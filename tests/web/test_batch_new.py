"""Uploading a file: the page with its columns, the template, and what is said of a file that cannot be read."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from numbers_app.models import Batch, Campaign, User

from .conftest import CAKE
from .page import Page

pytestmark = pytest.mark.django_db

URL = "/batches/new/"
GOOD = f"phone_number,destination\r\n{CAKE},3165550100\r\n".encode()


def sent(client: Client, data: bytes = GOOD, name: str = "spring.csv", **typed: Any) -> Any:
    """Fill in the form of the page and send it with a file."""
    form = Page(client.get(URL)).filled(URL)
    return client.post(URL, form | {"file": SimpleUploadedFile(name, data)} | typed)


@pytest.mark.parametrize(
    ("kind", "column"), [("change", "phone_number"), ("purchase", "vanity_text"), ("import", "account")]
)
def test_the_page_shows_the_columns_of_the_kind(kind: str, column: str, as_rep: Client) -> None:
    page = Page(as_rep.get(URL, {"kind": kind}))
    assert page.value("kind") == kind
    assert column in [cell.one("span", class_="code").text for cell in page.one("table").all("th", scope="row")]
    assert page.links("Empty file") == [f"/batches/template/{kind}.csv"]


def test_the_columns_are_shown_with_callcaps_names(as_rep: Client) -> None:
    table = Page(as_rep.get(URL)).one("table").text
    for words in ("phoneNumber", "mediaTypeID", "stopDate", "Last day for calls"):
        assert words in table


def test_an_unknown_kind_shows_changes(as_rep: Client) -> None:
    assert Page(as_rep.get(URL, {"kind": "nonsense"})).value("kind") == "change"


def test_an_uploaded_file_leads_to_its_preview(as_rep: Client, campaign: Campaign) -> None:
    response = sent(as_rep, title="Spring")
    batch = Batch.objects.get()
    assert response["Location"] == f"/batches/{batch.pk}/preview/"
    assert (batch.title, batch.filename, batch.rows.get().state) == ("Spring", "spring.csv", "ready")


def test_the_same_form_sent_twice_leads_to_the_same_preview(as_rep: Client, campaign: Campaign) -> None:
    form = Page(as_rep.get(URL)).filled(URL)
    first, second = (as_rep.post(URL, form | {"file": SimpleUploadedFile("a.csv", GOOD)}) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Batch.objects.count() == 1


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty."),
        (b"phone_number,colour\r\n1,red\r\n", "columns that are not known here: colour"),
        ("phone_number,notes\r\n1,Café\r\n".encode("latin-1"), "The file is not in UTF-8."),
        (b"phone_number\r\n" + b"3167342253\r\n" * 10_001, "more than 10,000 rows"),
        (b"phone_number\r\n" + b"x" * 10_000_000, "more than 10 MB"),
    ],
)
def test_a_bad_file_is_said_at_its_field_and_the_rest_is_kept(data: bytes, sentence: str, as_rep: Client) -> None:
    response = sent(as_rep, data, title="Spring", kind="import" if b"colour" in data else "change")
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.error_at("file")
    assert sentence in page.summary
    assert page.value("title") == "Spring"
    assert page.value("kind") == ("import" if b"colour" in data else "change")
    assert not Batch.objects.exists()


def test_what_is_far_too_large_is_refused_before_it_is_read(rep: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.uploads.MOST_BYTES", 1_000)
    # Forgery is looked for in the form, so that the form is read before any view has a say.
    client = Client(enforce_csrf_checks=True)
    client.force_login(rep)
    client.get(URL)
    response = client.post(URL, {"kind": "change", "file": SimpleUploadedFile("a.csv", b"x" * 1_000)})
    assert response.status_code == 413
    assert Page(response).heading == "This is too large"


def test_a_file_name_is_only_a_name(as_rep: Client, campaign: Campaign) -> None:
    sent(as_rep, name='../../etc/"x"\r\nSet-Cookie: a=b; <b>.csv')
    batch = Batch.objects.get()
    assert "/" not in batch.filename
    assert "\n" not in batch.filename
    page = as_rep.get(f"/batches/{batch.pk}/preview/")
    assert "<b>.csv" not in page.content.decode()


def test_a_form_without_a_file_says_so(as_rep: Client) -> None:
    response = as_rep.post(URL, {"kind": "change", "title": "Spring"})
    assert response.status_code == 422
    assert "Choose the file." in Page(response).error_at("file")


def test_a_kind_that_no_page_offers_is_refused(as_rep: Client) -> None:
    for kind in ("confirm", "nonsense"):
        response = sent(as_rep, kind=kind)
        assert response.status_code == 422
        assert "Choose change, purchase or import." in Page(response).summary


@pytest.mark.parametrize("kind", ["change", "purchase", "import"])
def test_the_template_is_a_file_with_the_columns(kind: str, as_rep: Client) -> None:
    response = as_rep.get(f"/batches/template/{kind}.csv")
    assert response["Content-Disposition"] == f'attachment; filename="{kind}-template.csv"'
    assert response.content.decode("utf-8-sig").startswith("phone_number,account,destination,")


def test_there_is_no_template_of_a_kind_that_is_not_uploaded(as_rep: Client) -> None:
    assert as_rep.get("/batches/template/confirm.csv").status_code == 404


def test_an_auditor_uploads_nothing(auditor: User, signed_in: Any) -> None:
    client = signed_in(auditor)
    assert client.post(URL, {"kind": "change", "file": SimpleUploadedFile("a.csv", GOOD)}).status_code == 403
    assert not Batch.objects.exists()
