"""People, roles and grants through the services: each change with its entry, and each repeated without harm."""

from __future__ import annotations

import pytest

from numbers_app.actors import Actor
from numbers_app.models import Account, Grant, HistoryEntry, Source, User
from numbers_app.permissions import Role
from numbers_app.services.accounts import grant_add, grant_remove
from numbers_app.services.users import NewUser, password_change, user_add, user_change, user_recorded, users_remove
from tests.factories import PASSWORD

from .conftest import roles, told

pytestmark = pytest.mark.django_db

COMMAND = Actor.portal("load_demo", source=Source.COMMAND)
RILEY = NewUser("riley", "Riley", "Reed", Role.SALES_REP)


def test_a_person_added_by_a_command_is_told_with_role_and_grants(location: Account) -> None:
    user_add(actor=COMMAND, new=RILEY, password=PASSWORD, accounts=[location])
    assert [verb for verb, _ in told()] == ["user.added", "role.given", "grant.added"]
    assert told()[1][1] == {"user": ["riley", "riley"], "role": [None, "Sales rep"]}
    entry = HistoryEntry.objects.get(verb="user.added")
    assert (entry.actor_name, entry.source) == ("load_demo", "command")
    assert PASSWORD not in entry.canonical


def test_a_person_who_is_there_already_is_not_added_again(location: Account) -> None:
    for _ in range(2):
        user_add(actor=COMMAND, new=RILEY, password=PASSWORD, accounts=[location])
    assert len(told()) == 3


def test_an_administrator_added_is_told_as_one(db: None) -> None:
    user_add(actor=COMMAND, new=NewUser("alex", "Alex", "Ames", Role.ADMINISTRATOR, True), password="x", accounts=[])
    assert told()[0][1]["is_superuser"] == [None, True]


def test_a_grant_taken_back_twice_is_told_once(by: Actor, rep: User, location: Account) -> None:
    for _ in range(2):
        grant_remove(actor=by, user=rep, account=location)
    assert told() == [("grant.removed", {"user": ["rep", None], "account": ["L-3", None]})]
    assert not Grant.objects.exists()


def test_a_change_is_told_as_it_is_in_the_database_not_as_it_was_read(by: Actor, rep: User) -> None:
    """Another administrator was faster: what they wrote is neither undone nor told twice."""
    User.objects.filter(pk=rep.pk).update(email="second@example.com", password="another")
    rep.email = "third@example.com"
    user_change(actor=by, user=rep, roles=roles(Role.SALES_REP))
    assert told()[0][1] == {"user": ["rep", "rep"], "email": ["second@example.com", "third@example.com"]}
    rep.refresh_from_db()
    assert rep.password == "another"


def test_a_password_is_set_and_nothing_else_is_undone(by: Actor, rep: User) -> None:
    User.objects.filter(pk=rep.pk).update(email="second@example.com")
    password_change(actor=by, user=rep, password="a quiet harbour")
    assert told() == [("user.changed", {"user": ["rep", "rep"], "password": ["set", "changed"]})]
    rep.refresh_from_db()
    assert (rep.email, rep.check_password("a quiet harbour")) == ("second@example.com", True)


def test_whoever_is_gone_gets_neither_roles_nor_grants(by: Actor, rep: User, location: Account) -> None:
    users_remove(actor=by, user_ids=[rep.pk])
    for write in (
        lambda: user_change(actor=by, user=rep, roles=roles(Role.MANAGER)),
        lambda: grant_add(actor=by, user=rep, account=location),
        lambda: users_remove(actor=by, user_ids=[rep.pk]),
    ):
        with pytest.raises(User.DoesNotExist):
            write()
    assert [verb for verb, _ in told()] == ["grant.removed", "user.removed"]


def test_an_administrator_may_remove_themself(by: Actor, admin: User) -> None:
    users_remove(actor=by, user_ids=[admin.pk])
    entry = HistoryEntry.objects.get()
    assert (entry.actor_name, entry.actor_id) == ("Admin Test", by.user_id)


def test_what_fails_within_is_neither_done_nor_told(by: Actor, rep: User) -> None:
    def fail() -> None:
        with user_recorded(actor=by, user=rep):
            User.objects.filter(pk=rep.pk).update(email="x@example.com")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert told() == []
    assert User.objects.get(pk=rep.pk).email == "rep@example.com"
