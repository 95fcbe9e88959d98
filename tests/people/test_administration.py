"""What administrators do to people at /admin/ is in the history: who did it, to whom, what it was and became."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.test import Client

from numbers_app.models import Account, AuditSample, Grant, HistoryEntry, Notification, SavedView, SecurityEvent, User
from numbers_app.permissions import Role
from numbers_app.services.verification import history_verify
from numbers_app.templatetags.history import what
from tests.factories import PASSWORD, LocationFactory
from tests.orders.steps import ask, database_obeys_again, database_refuses

from .conftest import USERS, change_url, roles, told

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "a brand new passphrase"
ANN = {
    "username": "ann",
    "usable_password": "true",
    "password1": PASSWORD,
    "password2": PASSWORD,
    "first_name": "Ann",
    "last_name": "Ames",
    "email": "ann@example.com",
}


def in_words() -> list[str]:
    return [what(entry) for entry in HistoryEntry.objects.order_by("sequence")]


def test_a_person_added_with_roles_is_told(as_admin: Client) -> None:
    groups = [group.pk for group in roles(Role.MANAGER, Role.AUDITOR)]
    response = as_admin.post(f"{USERS}add/", ANN | {"groups": groups}, headers={"X-Request-ID": "request-of-admin"})
    assert response.status_code == 302
    assert told() == [
        (
            "user.added",
            {
                "user": [None, "ann"],
                "name": [None, "Ann Ames"],
                "email": [None, "ann@example.com"],
                "is_active": [None, True],
            },
        ),
        ("role.given", {"user": ["ann", "ann"], "role": [None, "Auditor"]}),
        ("role.given", {"user": ["ann", "ann"], "role": [None, "Manager"]}),
    ]
    assert in_words()[:2] == ["added the person ann", "gave ann the role Auditor"]
    entry = HistoryEntry.objects.latest("sequence")
    assert (entry.actor_name, entry.role, entry.source) == ("Admin Test", "Administrator", "web")
    assert entry.request_id == "request-of-admin"
    assert set(User.objects.get(username="ann").groups.all()) == set(roles(Role.MANAGER, Role.AUDITOR))


def test_only_what_differs_is_told_of_a_change(save: Callable[..., Any], rep: User) -> None:
    assert save(rep, email="riley@example.com", time_zone="Pacific/Honolulu").status_code == 302
    changes = {
        "user": ["rep", "rep"],
        "email": ["rep@example.com", "riley@example.com"],
        "time_zone": ["", "Pacific/Honolulu"],
    }
    assert told() == [("user.changed", changes)]
    assert in_words() == ["changed mail address, time zone of rep"]


def test_saving_without_a_change_is_told_to_nobody(save: Callable[..., Any], rep: User) -> None:
    assert save(rep).status_code == 302
    assert told() == []


@pytest.mark.parametrize(
    ("values", "change"),
    [
        ({"username": "riley"}, {"username": ["rep", "riley"]}),
        ({"is_active": None}, {"is_active": [True, False]}),
        ({"is_superuser": "on"}, {"is_superuser": [False, True]}),
        ({"is_staff": "on", "last_name": "Roe"}, {"is_staff": [False, True], "last_name": ["Test", "Roe"]}),
    ],
)
def test_name_and_rights_are_told(
    save: Callable[..., Any], rep: User, values: dict[str, Any], change: dict[str, Any]
) -> None:
    save(rep, **values)
    assert told() == [("user.changed", {"user": ["rep", "rep"]} | change)]
    rep.refresh_from_db()
    assert all(getattr(rep, name) == after for name, (_, after) in change.items())


def test_a_role_taken_and_a_role_given_are_told(save: Callable[..., Any], rep: User) -> None:
    save(rep, groups=[group.pk for group in roles(Role.MANAGER)])
    assert told() == [
        ("role.taken", {"user": ["rep", "rep"], "role": ["Sales rep", None]}),
        ("role.given", {"user": ["rep", "rep"], "role": [None, "Manager"]}),
    ]
    assert in_words() == ["took the role Sales rep from rep", "gave rep the role Manager"]
    assert list(rep.groups.all()) == roles(Role.MANAGER)


def test_a_grant_given_and_a_grant_taken_back_are_told(save: Callable[..., Any], rep: User, location: Account) -> None:
    other = LocationFactory(key="L-30", callcap_id=30)
    response = save(rep, **{"grants-0-DELETE": "on", "grants-1-account": str(other.pk)})
    assert response.status_code == 302
    assert told() == [
        ("grant.removed", {"user": ["rep", None], "account": ["L-3", None]}),
        ("grant.added", {"user": [None, "rep"], "account": [None, "L-30"]}),
    ]
    assert in_words() == ["took L-3 back from rep", "granted L-30 to rep"]
    assert [entry.account_key for entry in HistoryEntry.objects.order_by("sequence")] == ["L-3", "L-30"]
    assert [grant.account for grant in rep.grants.all()] == [other]


def test_a_grant_is_not_turned_into_another_one(save: Callable[..., Any], rep: User, location: Account) -> None:
    other = LocationFactory(key="L-30", callcap_id=30)
    save(rep, **{"grants-0-account": str(other.pk)})
    assert told() == []
    assert [grant.account for grant in rep.grants.all()] == [location]


def test_a_grant_that_is_there_already_is_refused_with_a_sentence(
    save: Callable[..., Any], rep: User, location: Account
) -> None:
    response = save(rep, **{"grants-1-account": str(location.pk)})
    assert response.status_code == 200
    assert told() == []


def test_a_password_set_by_an_administrator_is_told_without_it(as_admin: Client, rep: User) -> None:
    sent = {"usable_password": "true", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "set-password": "Set"}
    assert as_admin.post(f"{USERS}{rep.pk}/password/", sent).status_code == 302
    assert told() == [("user.changed", {"user": ["rep", "rep"], "password": ["set", "changed"]})]
    rep.refresh_from_db()
    assert rep.check_password(NEW_PASSWORD)
    assert rep.password not in HistoryEntry.objects.get().canonical
    event = SecurityEvent.objects.latest("pk")
    assert (event.kind, event.person, event.detail) == ("password_changed", "rep", "Set by Admin Test")


def test_a_password_taken_away_is_told(as_admin: Client, rep: User) -> None:
    as_admin.post(f"{USERS}{rep.pk}/password/", {"usable_password": "false", "unset-password": "Disable"})
    assert told() == [("user.changed", {"user": ["rep", "rep"], "password": ["set", "none"]})]


def test_a_password_that_is_refused_is_told_to_nobody(as_admin: Client, rep: User) -> None:
    sent = {"usable_password": "true", "password1": "short", "password2": "short"}
    assert as_admin.post(f"{USERS}{rep.pk}/password/", sent).status_code == 200
    assert as_admin.get(f"{USERS}{rep.pk}/password/").status_code == 200
    assert as_admin.get(f"{USERS}999999/password/").status_code == 404
    assert told() == []
    assert not SecurityEvent.objects.exists()


def test_a_person_removed_is_told_with_their_grants(as_admin: Client, rep: User, location: Account) -> None:
    page = as_admin.get(f"{USERS}{rep.pk}/delete/")
    assert "Are you sure" in page.content.decode()
    assert as_admin.post(f"{USERS}{rep.pk}/delete/", {"post": "yes"}).status_code == 302
    about = {
        "user": ["rep", None],
        "name": ["Rep Test", None],
        "email": ["rep@example.com", None],
        "is_active": [True, None],
        "role": ["Sales rep", None],
    }
    assert told() == [
        ("grant.removed", {"user": ["rep", None], "account": ["L-3", None]}),
        ("user.removed", about),
    ]
    assert in_words() == ["took L-3 back from rep", "removed the person rep"]
    assert not Grant.objects.exists()


def test_people_whom_the_history_knows_are_removed_with_what_is_theirs(
    as_admin: Client, rep: User, manager: User, location: Account
) -> None:
    ask(rep, location)
    SavedView.objects.create(owner=manager, page=SavedView.Page.HISTORY, name="Mine", query="")
    sample = AuditSample.objects.create(
        starts_at="2026-01-01T00:00Z",
        ends_at="2026-02-01T00:00Z",
        scope="everything",
        seed="1",
        up_to=1,
        population=1,
        drawn_by=manager,
        drawn_by_name="Manager Test",
        drawn_at="2026-02-01T00:00Z",
    )
    assert Notification.objects.filter(user=manager).exists()
    chosen = [rep.pk, manager.pk]
    sent = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    assert as_admin.post(USERS, sent).status_code == 302
    assert not User.objects.filter(pk__in=chosen).exists()
    removed = [verb for verb, _ in told() if verb.endswith("removed")]
    assert removed == ["grant.removed", "user.removed"] * 2
    sample.refresh_from_db()
    assert (sample.drawn_by, sample.drawn_by_name) == (None, "Manager Test")
    assert not history_verify().problems


def test_an_old_address_opens_the_door_no_longer(save: Callable[..., Any], rep: User) -> None:
    EmailAddress.objects.create(user=rep, email="rep@example.com", primary=True, verified=True)
    save(rep, email="riley@example.com")
    sent = {"login": "rep@example.com", "password": PASSWORD}
    assert Client().post("/accounts/login/", sent).status_code == 200
    assert Client().post("/accounts/login/", sent | {"login": "riley@example.com"}).status_code == 302


ACTIONS: dict[str, Callable[[User], tuple[str, dict[str, Any]]]] = {
    "add": lambda rep: (f"{USERS}add/", ANN),
    "password": lambda rep: (
        f"{USERS}{rep.pk}/password/",
        {"usable_password": "true", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "set-password": "Set"},
    ),
    "delete": lambda rep: (f"{USERS}{rep.pk}/delete/", {"post": "yes"}),
    "delete several": lambda rep: (
        USERS,
        {"action": "delete_selected", "_selected_action": [rep.pk], "post": "yes"},
    ),
}


def people() -> list[Any]:
    """Everything that is kept of people."""
    return [
        list(User.objects.order_by("pk").values()),
        list(User.groups.through.objects.order_by("pk").values()),
        list(Grant.objects.order_by("pk").values()),
    ]


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_of_a_person_changes_while_the_history_cannot_be_written(
    as_admin: Client, rep: User, action: str
) -> None:
    as_admin.raise_request_exception = False
    before = people()
    database_refuses("INSERT", "numbers_app_historyentry")
    url, sent = ACTIONS[action](rep)
    response = as_admin.post(url, sent)
    database_obeys_again()
    assert response.status_code == 500
    assert people() == before


@pytest.mark.parametrize(
    "values", [{"email": "x@example.com"}, {"groups": []}, {"grants-0-DELETE": "on"}, {"grants-1-account": "parent"}]
)
def test_nothing_on_a_persons_page_is_saved_while_the_history_cannot_be_written(
    as_admin: Client, save: Callable[..., Any], rep: User, location: Account, values: dict[str, Any]
) -> None:
    as_admin.raise_request_exception = False
    before = people()
    sent = {name: str(location.parent_id) if value == "parent" else value for name, value in values.items()}
    database_refuses("INSERT", "numbers_app_historyentry")
    response = save(rep, **sent)
    database_obeys_again()
    assert response.status_code == 500
    assert people() == before


def test_django_keeps_no_second_log_beside_the_history(as_admin: Client, save: Callable[..., Any], rep: User) -> None:
    save(rep, first_name="Riley")
    assert not LogEntry.objects.exists()
    response = as_admin.get(change_url(rep).replace("change", "history"))
    assert response["Location"] == "/history/?field=user"
    assert "changed first name of rep" in as_admin.get(response["Location"]).content.decode()


@pytest.mark.parametrize("field", ["last_login", "date_joined", "user_permissions", "mail_wanted", "password"])
def test_what_the_history_would_not_tell_cannot_be_changed(save: Callable[..., Any], rep: User, field: str) -> None:
    before = people()
    save(rep, **{field: "1", f"{field}_0": "2020-01-01", f"{field}_1": "00:00:00"})
    assert people() == before
    assert not rep.user_permissions.exists()
