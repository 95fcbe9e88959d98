"""Samples of the history: who sees them, who draws them, and signing them off row by row."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import AuditSample, HistoryEntry, SampleScope, User, Verb, Verdict
from numbers_app.periods import Period
from numbers_app.services.samples import sample_sign
from tests.samples.conftest import EVER, auditor2, draw, drawn, november, sample

from .conftest import HTMX
from .page import Element, Page

# Fixtures, used by their names.
__all__ = ["auditor2", "november", "sample"]

pytestmark = pytest.mark.django_db

ASKED = {"date_from": "2026-11-01", "date_to": "2026-11-30", "scope": "everything", "size": "10", "seed": "audit-2026"}


@pytest.fixture
def as_auditor(auditor: User, signed_in: Any) -> Client:
    client: Client = signed_in(auditor)
    return client


def page_of(sample: AuditSample) -> str:
    return f"/history/samples/{sample.pk}/"


def sign_url(sample: AuditSample, sequence: int) -> str:
    return f"{page_of(sample)}entries/{sequence}/sign/"


def row(page: Page, sequence: int) -> Element:
    return page.one("article", id=f"entry-{sequence}")


def focus(page: Page) -> list[str]:
    """The ids of what is given the focus."""
    return [element.attributes.get("id", "") for element in page if "data-focus" in element.attributes]


def sign_as(person: User, sample: AuditSample, sequence: int, note: str = "") -> None:
    verdict = Verdict.FINDING if note else Verdict.IN_ORDER
    sample_sign(
        actor=Actor.person(person),
        sample_id=sample.pk,
        sequence=sequence,
        verdict=verdict,
        note=note,
        revision=sample.entries.get(entry=sequence).revision,
    )


class TestDrawing:
    def test_the_form_comes_with_a_fresh_seed_each_time(self, as_auditor: Client) -> None:
        seeds = {Page(as_auditor.get("/history/samples/")).value("seed") for _ in range(3)}
        assert len(seeds) == 3
        assert all(len(seed) == 16 for seed in seeds)

    def test_a_drawn_sample_opens(self, as_auditor: Client, november: Period) -> None:
        response = as_auditor.post("/history/samples/draw/", ASKED)
        sample = AuditSample.objects.get()
        assert (response.status_code, response["Location"]) == (302, page_of(sample))
        assert len(drawn(sample)) == 10

    def test_the_same_form_draws_the_same_entries(self, as_auditor: Client, november: Period) -> None:
        as_auditor.post("/history/samples/draw/", ASKED)
        as_auditor.post("/history/samples/draw/", ASKED)
        second, first = AuditSample.objects.all()
        assert drawn(second) == drawn(first)

    @pytest.mark.parametrize(
        ("typed", "field", "sentence"),
        [
            ({"size": "201"}, "size", "less than or equal to 200"),
            ({"size": "0"}, "size", "greater than or equal to 1"),
            ({"size": "many"}, "size", "Give a whole number from 1 to 200."),
            ({"seed": ""}, "seed", "Give a seed"),
            ({"seed": "two words"}, "seed", "Use letters A to Z"),
            ({"seed": "s" * 41}, "seed", "at most 40 characters"),
            ({"scope": "nothing"}, "scope", "valid choice"),
            ({"date_to": "2026-10-01"}, "date_to", "before the first"),
            ({"up_to": "4000"}, "up_to", "newest entry is 39"),
        ],
    )
    def test_a_form_with_something_wrong_is_refused_at_its_field(
        self, as_auditor: Client, november: Period, typed: dict[str, str], field: str, sentence: str
    ) -> None:
        response = as_auditor.post("/history/samples/draw/", ASKED | typed)
        page = Page(response)
        assert response.status_code == 422
        assert sentence in page.error_at(field)
        assert page.value("seed") == (ASKED | typed)["seed"]
        assert not AuditSample.objects.exists()

    def test_a_period_without_entries_is_refused_with_a_sentence(self, as_auditor: Client, november: Period) -> None:
        empty = {"date_from": "2020-01-01", "date_to": "2020-01-31"}
        response = as_auditor.post("/history/samples/draw/", ASKED | empty)
        page = Page(response)
        assert response.status_code == 422
        assert "nothing to draw from" in page.summary
        assert page.value("date_from") == "2020-01-01"

    def test_an_administrator_reads_and_does_not_draw(
        self, signed_in: Any, admin: User, auditor: User, sample: AuditSample
    ) -> None:
        client = signed_in(admin)
        assert client.post("/history/samples/draw/", ASKED).status_code == 403
        assert "Draw a sample" not in Page(client.get("/history/samples/")).text
        page = Page(client.get(page_of(sample)))
        assert page.all("form", method="post", class_="sign-off") == []
        assert (
            client.post(sign_url(sample, drawn(sample)[0]), {"verdict": "in_order", "revision": 0}).status_code == 403
        )

    def test_a_rep_sees_no_sample(self, as_rep: Client, sample: AuditSample) -> None:
        for path in ("/history/samples/", page_of(sample)):
            assert as_rep.get(path).status_code == 403

    def test_what_is_not_there_is_not_found(self, as_auditor: Client, sample: AuditSample) -> None:
        assert as_auditor.get("/history/samples/999999/").status_code == 404
        outside = HistoryEntry.objects.exclude(pk__in=drawn(sample)).first()
        assert outside
        signed = as_auditor.post(sign_url(sample, outside.pk), {"verdict": "in_order", "revision": 0})
        assert signed.status_code == 404


class TestReading:
    def test_the_list_shows_the_progress(self, as_auditor: Client, auditor: User, sample: AuditSample) -> None:
        first, second, *_ = drawn(sample)
        sign_as(auditor, sample, first)
        sign_as(auditor, sample, second, note="Nobody approved it.")
        row = Page(as_auditor.get("/history/samples/")).all("tr")[1]
        assert [cell.text for cell in row.all("td")][-2:] == ["2 of 10", "1"]

    def test_the_page_says_how_it_was_drawn(self, as_auditor: Client, sample: AuditSample) -> None:
        text = Page(as_auditor.get(page_of(sample))).one("section", aria_labelledby="drawn-heading").text
        assert "From Nov 1, 2026, 12:00 AM CDT 2026-11-01 05:00:00 UTC" in text
        assert "Until just before Dec 1, 2026, 12:00 AM CST 2026-12-01 06:00:00 UTC" in text
        assert "30 entries, up to entry 39" in text
        assert "Seed audit-2026" in text
        assert "SHA-256" in text

    def test_each_entry_is_in_words_with_what_it_changed(
        self, as_auditor: Client, auditor: User, november: Period
    ) -> None:
        sample = draw(auditor, november, scope=SampleScope.ROUTING, size=200)
        page = Page(as_auditor.get(page_of(sample)))
        assert [article.attributes["id"] for article in page.all("article")] == [
            f"entry-{sequence}" for sequence in drawn(sample)
        ]
        # The first of each five goes elsewhere, and five are older than November.
        article = row(page, 6)
        assert "Worker re-routed (316) 734-2253 from (316) 444-7896 to (316) 555-0100" in article.text
        assert "Destination (316) 444-7896 (316) 555-0100" in article.text
        assert "/history/6/" in [link.attributes["href"] for link in article.all("a")]


class TestSigning:
    def test_a_row_is_signed_and_the_page_returns_to_it(self, as_auditor: Client, sample: AuditSample) -> None:
        sequence = drawn(sample)[3]
        page = Page(as_auditor.get(page_of(sample)))
        filled = page.filled(sign_url(sample, sequence)) | {"verdict": "in_order", "note": "Seen the request."}
        response = as_auditor.post(sign_url(sample, sequence), filled)
        assert (response.status_code, response["Location"]) == (302, f"{page_of(sample)}#entry-{sequence}")
        text = row(Page(as_auditor.get(page_of(sample))), sequence).text
        assert "In order , signed off by Auditor Test" in text
        assert "Seen the request." in text

    def test_htmx_gets_the_row_the_progress_and_the_focus_on_the_next_one(
        self, as_auditor: Client, sample: AuditSample
    ) -> None:
        first, second, *_ = drawn(sample)
        response = as_auditor.post(sign_url(sample, first), {"verdict": "in_order", "revision": 0}, headers=HTMX)
        page = Page(response)
        assert response.status_code == 200
        assert "<html" not in page.html
        assert row(page, first).one("h3").text == f"Entry {first} In order"
        assert "1 of 10 signed off" in page.one("div", id="sample-progress").text
        assert focus(page) == [f"entry-{second}-heading"]
        assert "is signed off: in order" in page.alerts[0]

    def test_after_the_last_one_the_progress_has_the_focus(
        self, as_auditor: Client, auditor: User, sample: AuditSample
    ) -> None:
        *others, last = drawn(sample)
        for sequence in others:
            sign_as(auditor, sample, sequence)
        page = Page(as_auditor.post(sign_url(sample, last), {"verdict": "in_order", "revision": 0}, headers=HTMX))
        assert focus(page) == ["sample-progress"]

    @pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
    @pytest.mark.parametrize(
        ("typed", "field", "sentence"),
        [
            ({"verdict": "finding"}, "note", "Say what you found."),
            ({"note": "Hm"}, "verdict", "Say whether it is in order or a finding."),
            ({"verdict": "fine", "note": "Hm"}, "verdict", "valid choice"),
            ({"verdict": "in_order", "note": "A\x00b"}, "note", "Remove the null character"),
            ({"verdict": "in_order", "note": "x" * 2001}, "note", "at most 2000 characters"),
        ],
    )
    def test_a_sign_off_with_something_wrong_is_refused_at_its_field(
        self,
        as_auditor: Client,
        sample: AuditSample,
        headers: dict[str, str],
        typed: dict[str, str],
        field: str,
        sentence: str,
    ) -> None:
        sequence = drawn(sample)[0]
        response = as_auditor.post(sign_url(sample, sequence), {"revision": 0} | typed, headers=headers)
        page = Page(response)
        assert response.status_code == 422
        assert sentence in page.error_at(f"{sequence}_{field}")
        assert row(page, sequence).one("textarea").text == typed.get("note", "")
        assert not HistoryEntry.objects.filter(verb=Verb.SAMPLE_SIGNED).exists()

    @pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
    def test_who_was_slower_reads_what_the_other_wrote_and_keeps_their_note(
        self, as_auditor: Client, auditor2: User, sample: AuditSample, headers: dict[str, str]
    ) -> None:
        sequence = drawn(sample)[0]
        sign_as(auditor2, sample, sequence, note="Too late at night.")
        mine = {"verdict": "in_order", "note": "All there.", "revision": 0}
        response = as_auditor.post(sign_url(sample, sequence), mine, headers=headers)
        page = Page(response)
        article = row(page, sequence)
        assert response.status_code == 409
        assert "Auditor2 Test signed off this entry" in page.text
        assert "finding, “Too late at night.”" in page.text
        assert article.one("textarea").text == "All there."
        assert "open" in article.one("details").attributes
        again = page.filled(sign_url(sample, sequence))
        assert again["revision"] == ["1"]
        assert as_auditor.post(sign_url(sample, sequence), again).status_code == 302
        assert sample.entries.get(entry=sequence).note == "All there."

    def test_ones_own_doing_has_no_form_and_is_refused(
        self, as_auditor: Client, auditor: User, auditor2: User, sample: AuditSample
    ) -> None:
        own = HistoryEntry.objects.get(verb=Verb.SAMPLE_DRAWN)
        second = draw(auditor2, EVER, size=200)
        article = row(Page(as_auditor.get(page_of(second))), own.sequence)
        assert "This is your own doing: another auditor signs it off." in article.text
        assert article.all("form") == []
        refused = as_auditor.post(sign_url(second, own.sequence), {"verdict": "in_order", "revision": 0})
        assert refused.status_code == 403
        assert "another auditor signs it off" in refused.content.decode()


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "</textarea><b>7", "'\"><svg onload=alert(1)>"])
def test_notes_and_names_are_text(as_auditor: Client, auditor2: User, sample: AuditSample, text: str) -> None:
    first, second, *_ = drawn(sample)
    auditor2.first_name = text
    auditor2.save()
    sign_as(auditor2, sample, first, note=text)
    answers = [
        as_auditor.get(page_of(sample)),
        as_auditor.post(sign_url(sample, first), {"verdict": "in_order", "note": text, "revision": 0}),
        as_auditor.post(sign_url(sample, second), {"note": text, "revision": 0}, headers=HTMX),
        as_auditor.post("/history/samples/draw/", ASKED | {"seed": text, "date_from": text}),
    ]
    for answer in answers:
        assert answer.status_code in (200, 409, 422)
        assert text not in answer.content.decode()
    assert row(Page(answers[0]), first).one("textarea").text == text
