"""Every 403 is noted, and noting breaks nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.test import Client, RequestFactory

from numbers_app.models import HistoryEntry, SecurityEvent, SecurityEventKind, User
from numbers_app.services.security import security_event_note
from tests.factories import UserFactory
from tests.orders.steps import database_obeys_again, database_refuses
from tests.project.test_logs import Log, log  # noqa: F401

from .conftest import HERE, newest, noted, sign_in

pytestmark = pytest.mark.django_db

TABLE = "numbers_app_securityevent"


def test_a_page_that_a_role_does_not_include_is_noted(client: Client, auditor: User) -> None:
    client.force_login(auditor)
    assert client.get("/search/").status_code == 403
    event = newest()
    assert (event.kind, event.person, event.user_id, event.address) == ("refused", "auditor", auditor.pk, HERE)
    assert event.path == "/search/"
    assert event.detail.startswith("Your role does not allow you to search numbers.")


def test_a_form_from_elsewhere_is_noted_also_of_a_stranger(rep: User) -> None:
    client = Client(enforce_csrf_checks=True, REMOTE_ADDR=HERE)
    assert client.post("/accounts/login/", {"login": "rep", "password": "x"}).status_code == 403
    event = newest()
    assert (event.kind, event.person, event.user_id, event.path) == ("refused", "", None, "/accounts/login/")
    assert event.detail == "CSRF cookie not set."
    client.force_login(rep)
    client.post("/orders/new/")
    assert (newest().person, newest().user_id) == ("rep", rep.pk)


@pytest.mark.parametrize("path", ["/admin/", "/admin/numbers_app/user/", "/admin/login/"])
def test_entering_the_administration_without_the_right_is_noted_with_the_page(client: Client, path: str) -> None:
    client.force_login(UserFactory(role=None, username="staff", is_staff=True))
    assert client.get(path).status_code == 403
    event = newest()
    assert (event.kind, event.person, event.path) == ("refused", "staff", path)
    assert event.detail == "Only administrators with superuser rights may come in here."


def test_adding_a_record_of_the_domain_by_hand_is_noted(client: Client, admin: User) -> None:
    client.force_login(admin)
    assert client.get("/admin/numbers_app/historyentry/add/").status_code == 403
    assert (newest().kind, newest().path) == ("refused", "/admin/numbers_app/historyentry/add/")


def test_what_is_not_found_or_allowed_is_not_noted(client: Client, rep: User) -> None:
    client.force_login(rep)
    client.get("/nowhere/")
    client.get("/orders/")
    assert noted() == []


def test_nothing_of_it_goes_into_the_change_history(client: Client, rep: User) -> None:
    sign_in(client, "rep", "wrong")
    client.force_login(rep)
    client.get("/admin/")
    assert SecurityEvent.objects.count() == 2
    assert not HistoryEntry.objects.exists()


def test_a_database_that_refuses_costs_the_event_and_not_the_page(
    client: Client,
    auditor: User,
    log: Log,  # noqa: F811
) -> None:
    client.force_login(auditor)
    database_refuses("INSERT", TABLE)
    response = client.get("/search/")
    database_obeys_again()
    assert response.status_code == 403
    assert "Your role does not allow you to search numbers." in response.content.decode()
    assert noted() == []
    [line] = [line for line in log.lines if "security_event_not_kept" in line]
    for word in ("refused", "auditor", HERE, "/search/"):
        assert word in line


def test_a_database_that_refuses_leaves_the_callers_transaction_whole(rf: RequestFactory, rep: User) -> None:
    database_refuses("INSERT", TABLE)
    with transaction.atomic():
        rep.first_name = "Riley"
        rep.save()
        security_event_note(request=rf.get("/"), kind=SecurityEventKind.REFUSED)
        assert User.objects.filter(first_name="Riley").exists()
    database_obeys_again()
    assert User.objects.filter(first_name="Riley").exists()


def test_a_transaction_that_is_broken_already_is_no_reason_to_fail(rf: RequestFactory, rep: User) -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        security_event_note(request=rf.get("/"), kind=SecurityEventKind.REFUSED)
        connection.needs_rollback = False
    assert noted() == []


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("rep\r\n2026-01-01 [info] all is well", r"rep\r\n2026-01-01 [info] all is well"),
        ("\x1b[2Jrep\x00", r"\x1b[2Jrep\x00"),
        ("\ud800rep\u202e", r"\ud800rep\u202e"),
        ("Zoë Ångström", "Zoë Ångström"),
        ("x" * 5000, "x" * 300),
        ("\n" * 300, r"\n" * 150),
    ],
)
def test_a_name_is_kept_on_one_line_and_bounded(rf: RequestFactory, typed: str, kept: str) -> None:
    security_event_note(request=rf.get("/"), kind=SecurityEventKind.SIGN_IN_FAILED, person=typed, detail=typed)
    event = newest()
    assert (event.person, event.detail) == (kept, kept)


def test_a_typed_line_break_forges_no_line_of_the_log(client: Client, rep: User, log: Log) -> None:  # noqa: F811
    database_refuses("INSERT", TABLE)
    sign_in(client, "rep\n2026-01-01 [info] all is well", "wrong")
    database_obeys_again()
    assert any("security_event_not_kept" in line for line in log.lines)
    assert not any(line.startswith("2026-01-01") for line in log.lines)


def test_a_path_as_long_as_a_url_may_be_is_bounded(client: Client, rep: User, rf: RequestFactory) -> None:
    security_event_note(request=rf.get("/" + "a" * 3000), kind=SecurityEventKind.REFUSED)
    assert newest().path == "/" + "a" * 299


def refuse(*args: Any, **kwargs: Any) -> None:
    raise PermissionDenied


def test_a_refusal_without_words_is_noted_too(client: Client, rep: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numbers_app.views.home.order_list", refuse)
    client.force_login(rep)
    assert client.get("/").status_code == 403
    assert (newest().path, newest().detail) == ("/", "")
