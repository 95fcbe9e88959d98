"""The only writer of people and their roles, each change with its entry in the history.

``/admin/`` is where administrators make users; what it saves goes through here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.db import transaction

from numbers_app.actors import Actor
from numbers_app.models import Account, AuditSample, User, Verb
from numbers_app.permissions import Role

from .accounts import grant_add, grant_remove, user_lock
from .history import Changes, history_append

# What the history tells of a person.
FIELDS = ("username", "first_name", "last_name", "email", "is_active", "is_staff", "is_superuser", "time_zone")


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
            user_create(actor=actor, user=user, roles=[Group.objects.get(name=new.role)])
        for account in accounts:
            grant_add(actor=actor, user=user, account=account)
    return user


def user_create(*, actor: Actor, user: User, roles: Iterable[Group]) -> None:
    """Write a person who is not in the database yet, with these roles."""
    given = list(roles)
    with transaction.atomic():
        told: Changes = {name: [None, value] for name, value in _told(user).items() if value}
        history_append(actor=actor, verb=Verb.USER_ADDED, changes={"user": [None, user.username]} | told)
        _tell_roles(actor, user, given=given)
        user.save(force_insert=True)
        user.groups.set(given)


def user_change(*, actor: Actor, user: User, roles: Iterable[Group]) -> None:
    """Write what ``user`` has other than the database, and exactly these roles. Raises User.DoesNotExist.

    A password is not written here: see ``user_recorded``.
    """
    wanted = set(roles)
    with transaction.atomic():
        kept = user_lock(user.pk)
        had = set(kept.groups.all())
        changes = _differences(kept, user)
        _tell_changes(actor, kept, changes)
        _tell_roles(actor, user, given=wanted - had, taken=had - wanted)
        if changes:
            user.save(update_fields=list(changes))
        if "email" in changes:
            # The sign-in library keeps addresses of its own: the old one must open the door no longer.
            EmailAddress.objects.filter(user=user, email__iexact=kept.email).delete()
        user.groups.set(wanted)


@contextmanager
def user_recorded(*, actor: Actor, user: User) -> Iterator[None]:
    """What a library's page does to the person within has its entry, in the same transaction.

    Of a password it tells that it was changed, and nothing else. Raises User.DoesNotExist.
    """
    with transaction.atomic():
        before = user_lock(user.pk)
        yield
        after = User.objects.get(pk=user.pk)
        changes = _differences(before, after)
        if after.password != before.password:
            words = ["set" if before.has_usable_password() else "none"]
            changes["password"] = [*words, "changed" if after.has_usable_password() else "none"]
        _tell_changes(actor, before, changes)


def password_change(*, actor: Actor, user: User, password: str) -> None:
    """Set the person's password. Raises User.DoesNotExist."""
    with user_recorded(actor=actor, user=user):
        user.set_password(password)
        user.save(update_fields=["password"])


def users_remove(*, actor: Actor, user_ids: Iterable[int]) -> None:
    """Delete people and their grants. What they did stays in orders and history under their names."""
    with transaction.atomic():
        people = [user_lock(user_id) for user_id in sorted(user_ids)]
        # Deleting takes their name off the samples they drew. Those rows are locked before the history, as everywhere.
        list(AuditSample.objects.select_for_update(no_key=True).filter(drawn_by__in=people).order_by("pk"))
        for user in people:
            for grant in user.grants.select_related("account"):
                grant_remove(actor=actor, user=user, account=grant.account)
            roles = ", ".join(sorted(group.name for group in user.groups.all()))
            told: Changes = {name: [value, None] for name, value in (_told(user) | {"role": roles}).items() if value}
            history_append(actor=actor, verb=Verb.USER_REMOVED, changes={"user": [user.username, None]} | told)
        User.objects.filter(pk__in=[user.pk for user in people]).delete()


def _differences(before: User, after: User) -> Changes:
    values = {name: [getattr(before, name), getattr(after, name)] for name in FIELDS}
    return {name: [old, new] for name, (old, new) in values.items() if old != new}


def _tell_changes(actor: Actor, user: User, changes: Changes) -> None:
    if changes:
        same_name = {"user": [user.username, user.username]}
        history_append(actor=actor, verb=Verb.USER_CHANGED, changes=same_name | changes)


def _told(user: User) -> dict[str, Any]:
    """What the history tells of a person who comes or goes: who they are, and whether they may enter ``/admin/``."""
    return {
        "name": user.get_full_name(),
        "email": user.email,
        "is_active": user.is_active,
        "is_superuser": user.is_superuser,
    }


def _tell_roles(actor: Actor, user: User, *, given: Iterable[Group] = (), taken: Iterable[Group] = ()) -> None:
    same_name = {"user": [user.username, user.username]}
    for name in sorted(group.name for group in taken):
        history_append(actor=actor, verb=Verb.ROLE_TAKEN, changes=same_name | {"role": [name, None]})
    for name in sorted(group.name for group in given):
        history_append(actor=actor, verb=Verb.ROLE_GIVEN, changes=same_name | {"role": [None, name]})
