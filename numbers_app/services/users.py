"""Making users by command; administrators make theirs in ``/admin/``."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db import transaction

from numbers_app.actors import Actor
from numbers_app.models import Account, User
from numbers_app.permissions import Role

from .accounts import grant_add


@dataclass(frozen=True)
class NewUser:
    """A person to be added; ``superuser`` may enter ``/admin/``."""

    username: str
    first_name: str
    last_name: str
    role: Role
    superuser: bool = False


def user_add(*, actor: Actor, new: NewUser, password: str, accounts: list[Account]) -> User:
    """Add the person with a role and grants. One who is there already keeps everything, and gets the missing grants."""
    with transaction.atomic():
        user = User.objects.filter(username=new.username).first()
        if user is None:
            user = User(
                username=new.username,
                first_name=new.first_name,
                last_name=new.last_name,
                email=f"{new.username}@example.com",
                is_staff=new.superuser,
                is_superuser=new.superuser,
            )
            user.set_password(password)
            user.save()
            user.groups.add(Group.objects.get(name=new.role))
        for account in accounts:
            grant_add(actor=actor, user=user, account=account)
    return user
