"""Names for media types: who keeps them, and that they are shown wherever the number is."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from numbers_app.actors import Actor
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.forms.fields import MediaTypeField
from numbers_app.models import Account, Campaign, HistoryEntry, MediaType, Order, User, Verb
from numbers_app.selectors.media_types import media_type_text
from numbers_app.services.history import history_append
from numbers_app.services.media_types import media_type_name, media_type_unname
from tests.factories import CampaignFactory

from .page import Page

pytestmark = pytest.mark.django_db

LIST, NAME, REMOVE = "/numbers/media-types/", "/numbers/media-types/name/", "/numbers/media-types/7/remove/"


@pytest.fixture
def as_admin(admin: User, signed_in: Any) -> Client:
    client: Client = signed_in(admin)
    return client


def names(client: Client) -> dict[str, str]:
    """Number by name, as the page lists them."""
    bodies = Page(client.get(LIST)).all("tbody")
    rows = bodies[0].all("tr") if bodies else []
    return {row.one("th").text: row.one("td", data_label="Media type ID").text for row in rows}


def test_an_administrator_adds_renames_and_removes_a_name(as_admin: Client, as_rep: Client) -> None:
    page = Page(as_admin.get(LIST))
    assert "No names yet" in page.text
    added = Page(as_admin.post(NAME, page.filled(NAME) | {"number": "7", "name": "Radio"}, follow=True))
    assert added.alerts == ["Media type 7 is called Radio."]
    as_admin.post(NAME, {"number": "7", "name": "Radio spots"}, follow=True)
    assert names(as_rep) == {"Radio spots": "7"}
    removed = Page(as_admin.post(REMOVE, follow=True))
    assert removed.alerts == ["Media type 7 has no name any more."]
    assert names(as_rep) == {}
    entries = HistoryEntry.objects.filter(verb=Verb.MEDIA_TYPE_NAMED).order_by("sequence")
    assert [entry.changes for entry in entries] == [
        {"media_type_id": [None, 7], "name": [None, "Radio"]},
        {"media_type_id": [None, 7], "name": ["Radio", "Radio spots"]},
        {"media_type_id": [None, 7], "name": ["Radio spots", None]},
    ]


def test_the_same_name_again_changes_nothing(as_admin: Client) -> None:
    for _ in range(2):
        assert as_admin.post(NAME, {"number": "7", "name": "Radio"}).status_code == 302
    assert HistoryEntry.objects.filter(verb=Verb.MEDIA_TYPE_NAMED).count() == 1


@pytest.mark.parametrize(
    ("sent", "field", "sentence"),
    [
        ({"number": "8", "name": "RADIO"}, "name", "Media type 7 is called Radio."),
        ({"number": "", "name": "TV"}, "number", "Give Callcap's number for it."),
        ({"number": "seven", "name": "TV"}, "number", "Give a whole number"),
        ({"number": "0", "name": "TV"}, "number", "greater than or equal to 1"),
        ({"number": "2147483648", "name": "TV"}, "number", "less than or equal to"),
        ({"number": "8", "name": ""}, "name", "Give it a name"),
        ({"number": "8", "name": "x" * 101}, "name", "at most 100 characters"),
        ({"number": "8", "name": "T\x00V"}, "name", "null character"),
    ],
)
def test_bad_input_is_refused_at_its_field_with_what_was_typed(
    as_admin: Client, sent: dict[str, str], field: str, sentence: str
) -> None:
    MediaType.objects.create(number=7, name="Radio")
    response = as_admin.post(NAME, sent)
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.error_at(field)
    assert page.one("input", id="id_number").attributes.get("value", "") == sent["number"]
    assert MediaType.objects.count() == 1


def test_removing_what_somebody_removed_is_a_conflict(as_admin: Client) -> None:
    response = as_admin.post(REMOVE)
    assert response.status_code == 409
    assert Page(response).alerts == ["Media type 7 has no name any more."]


@pytest.mark.parametrize("person", ["rep", "manager", "auditor"])
def test_others_read_names_and_change_none(request: pytest.FixtureRequest, signed_in: Any, person: str) -> None:
    user: User = request.getfixturevalue(person)
    MediaType.objects.create(number=7, name="Radio")
    client = signed_in(user)
    assert names(client) == {"Radio": "7"}
    assert not Page(client.get(LIST)).all("form", action=NAME)
    assert client.post(NAME, {"number": "7", "name": "TV"}).status_code == client.post(REMOVE).status_code == 403
    with pytest.raises(PermissionDenied):
        media_type_name(actor=Actor.person(user), number=7, name="TV")
    with pytest.raises(PermissionDenied):
        media_type_unname(actor=Actor.person(user), number=7)
    assert MediaType.objects.get().name == "Radio"


def test_the_services_refuse_what_cannot_be(admin: User) -> None:
    actor = Actor.person(admin)
    assert str(media_type_name(actor=actor, number=7, name="Radio")) == "Radio (7)"
    with pytest.raises(InvalidInput):
        media_type_name(actor=actor, number=8, name="radio")
    with pytest.raises(Conflict):
        media_type_unname(actor=actor, number=8)


class TestShown:
    @pytest.fixture(autouse=True)
    def _radio(self, db: None) -> None:
        MediaType.objects.create(number=7, name="Radio")

    def test_a_name_stands_with_its_number(self) -> None:
        assert (media_type_text(7), media_type_text(8)) == ("Radio (7)", "8")

    def test_a_numbers_page_shows_it(self, as_rep: Client, location: Account) -> None:
        number: Campaign = CampaignFactory(account=location, media_type_id=7)
        assert "Radio (7)" in Page(as_rep.get(f"/numbers/{number.phone_number}/")).text

    def test_the_history_shows_it_and_asks_once_for_all_entries(self, as_rep: Client, location: Account) -> None:
        for before, after in ((None, 7), (7, 8), (8, 7)):
            with transaction.atomic():
                history_append(
                    actor=Actor.portal("Worker", source="worker"),
                    verb=Verb.NUMBER_CHANGED,
                    number="3167342253",
                    account_key=location.key,
                    changes={"media_type_id": [before, after]},
                )
        with CaptureQueriesContext(connection) as captured:
            page = Page(as_rep.get("/history/"))
        assert page.text.count("Radio (7)") == 3
        assert sum("mediatype" in query["sql"] for query in captured.captured_queries) == 1

    def test_the_next_request_shows_a_name_that_changed(self, as_rep: Client, location: Account) -> None:
        CampaignFactory(account=location, media_type_id=7)
        assert "Radio (7)" in Page(as_rep.get("/numbers/")).text
        MediaType.objects.update(name="Wireless")
        assert "Wireless (7)" in Page(as_rep.get("/numbers/")).text

    def test_outside_of_requests_nothing_is_remembered(self, as_rep: Client, location: Account) -> None:
        CampaignFactory(account=location, media_type_id=7)
        as_rep.get("/numbers/")
        MediaType.objects.update(name="Wireless")
        assert media_type_text(7) == "Wireless (7)"


class TestAskedFor:
    """In the forms that set a number's media type."""

    @pytest.fixture(autouse=True)
    def _names(self, db: None) -> None:
        MediaType.objects.create(number=7, name="Radio")
        MediaType.objects.create(number=9, name="TV (8)")

    @pytest.mark.parametrize(
        ("typed", "number"),
        [
            ("7", 7),
            ("12", 12),
            ("radio", 7),
            (" Radio (7) ", 7),
            ("Wireless (7)", 7),
            ("TV (8)", 9),
            ("TV (8) (9)", 9),
            ("", None),
            (" ", None),
        ],
    )
    def test_a_name_or_a_number_can_be_typed(self, typed: str, number: int | None) -> None:
        assert MediaTypeField(required=False).clean(typed) == number

    @pytest.mark.parametrize("typed", ["TV", "0", "-7", "Radio (0)", "7.5", "\x00", "9" * 5000])
    def test_anything_else_is_refused(self, typed: str) -> None:
        with pytest.raises(ValidationError):
            MediaTypeField().clean(typed)

    def test_the_forms_offer_the_names_and_show_the_one_that_is_set(self, as_rep: Client, location: Account) -> None:
        number: Campaign = CampaignFactory(account=location, media_type_id=7)
        page = Page(as_rep.get(f"/numbers/{number.phone_number}/change/"))
        field = page.one("input", name="media_type_id").attributes
        assert field["value"] == "Radio (7)"
        offered = page.one("datalist", id=field["list"]).all("option")
        assert [option.attributes["value"] for option in offered] == ["Radio (7)", "TV (8) (9)"]

    def test_without_names_the_number_alone_is_asked_for(self, as_rep: Client, location: Account) -> None:
        MediaType.objects.all().delete()
        number: Campaign = CampaignFactory(account=location, media_type_id=7)
        field = Page(as_rep.get(f"/numbers/{number.phone_number}/change/")).one("input", name="media_type_id")
        assert field.attributes["value"] == "7"
        assert "list" not in field.attributes

    def test_a_change_by_name_sends_the_number(self, as_rep: Client, location: Account) -> None:
        number: Campaign = CampaignFactory(account=location)
        path = f"/numbers/{number.phone_number}/change/"
        form = Page(as_rep.get(path)).filled(path) | {
            "media_type_id": "radio",
            "confirmed": "on",
            "reason": "Known now",
        }
        assert as_rep.post(path, form).status_code == 302
        assert Order.objects.get().parameters == {"media_type_id": 7}
