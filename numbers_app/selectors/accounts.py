"""Which accounts a person sees, and in which they may act."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from numbers_app.models import Account, User
from numbers_app.permissions import Capability, Role, can, roles_of


def accounts_granted(user: User) -> QuerySet[Account]:
    """The accounts granted to the user with everything below them: where they may act."""
    paths = user.grants.values_list("account__path", flat=True)
    below = Q(pk__in=[])
    for path in paths:
        below |= Q(path__startswith=path)
    return Account.objects.filter(below)


def accounts_visible(user: User) -> QuerySet[Account]:
    """The accounts whose orders, numbers and history the user may see: all for auditors and administrators."""
    return Account.objects.all() if can(user, Capability.SEE_ALL) else accounts_granted(user)


def locations_granted(user: User) -> QuerySet[Account]:
    """The active Locations in which the user may act: only Locations hold numbers."""
    return locations_once_granted(user).filter(active=True)


def locations_once_granted(user: User) -> QuerySet[Account]:
    """The same with those that Callcap no longer lists, so that it can be said of them."""
    return accounts_granted(user).filter(kind=Account.Kind.LOCATION).select_related("parent__parent")


def accounts_kept(user: User) -> QuerySet[Account]:
    """The accounts whose time zone the user may set: all for administrators, who have no grants; else those granted.

    Not those visible: whoever is an auditor too sees everything by that role, and acts by the other.
    """
    return Account.objects.all() if Role.ADMINISTRATOR in roles_of(user) else accounts_granted(user)
