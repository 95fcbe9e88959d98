"""An administrator at ``/admin/``, and what the history tells of people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import Account, HistoryEntry, User
from numbers_app.permissions import Role
from tests.factories import UserFactory
from tests.web.page import Page

USERS = "/admin/numbers_app/user/"


@pytest.fixture
def admin(location: Account) -> User:
    """An administrator who may enter /admin/."""
    user: User = UserFactory(role=Role.ADMINISTRATOR, username="admin", is_staff=True, is_superuser=True)
    return user


@pytest.fixture
def as_admin(admin: User, signed_in: Any) -> Client:
    client: Client = signed_in(admin)
    return client


@pytest.fixture
def by(admin: User) -> Actor:
    return Actor.person(admin)


def told() -> list[tuple[str, dict[str, Any]]]:
    """(verb, changes) of the whole history, oldest first."""
    return list(HistoryEntry.objects.order_by("sequence").values_list("verb", "changes"))


def roles(*names: Role) -> list[Group]:
    return [Group.objects.get(name=name) for name in names]


def change_url(user: User) -> str:
    return f"{USERS}{user.pk}/change/"


@pytest.fixture
def save(as_admin: Client) -> Callable[..., Any]:
    """``save(rep, email="…")``: open the page of a person, change these fields, save. None unticks a box."""

    def change(user: User, **values: Any) -> Any:
        page = Page(as_admin.get(change_url(user)))
        form = page.one("form", id="user_form")
        names = {element.attributes["name"] for element in form if element.attributes.get("name")}
        sent: dict[str, Any] = {name: page.values(name) for name in names}
        chosen = [option.attributes["value"] for option in form.one("select", name="groups").all("option", selected="")]
        sent |= {"groups": chosen, "_save": "Save"} | values
        return as_admin.post(change_url(user), {name: value for name, value in sent.items() if value not in (None, [])})

    return change
