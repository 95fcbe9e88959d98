"""Signing in for real, from an address, and reading what was noted of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from numbers_app.models import Account, SecurityEvent, User
from numbers_app.permissions import Role
from tests.factories import PASSWORD, UserFactory

LOGIN = "/accounts/login/"
HERE = "203.0.113.7"


@pytest.fixture
def client() -> Client:
    """A browser at HERE."""
    return Client(REMOTE_ADDR=HERE)


@pytest.fixture
def admin(location: Account) -> User:
    """An administrator who may enter /admin/."""
    user: User = UserFactory(role=Role.ADMINISTRATOR, username="admin", is_staff=True, is_superuser=True)
    return user


def sign_in(client: Client, login: str = "rep", password: str = PASSWORD, **more: Any) -> Any:
    return client.post(LOGIN, {"login": login, "password": password}, **more)


def noted() -> list[tuple[str, str]]:
    """(kind, person) of all events, oldest first."""
    return list(SecurityEvent.objects.order_by("pk").values_list("kind", "person"))


def newest() -> SecurityEvent:
    return SecurityEvent.objects.latest("pk")
