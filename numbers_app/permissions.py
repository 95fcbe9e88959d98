"""Who may do what: Django groups are roles, roles have capabilities. Where they may do it comes from their grants."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied

from .models import Account, Grant, User


class Role(StrEnum):
    """The groups that the first migration makes. A person may have several."""

    SALES_REP = "Sales rep"
    MANAGER = "Manager"
    AUDITOR = "Auditor"
    ADMINISTRATOR = "Administrator"


class Capability(StrEnum):
    SEARCH = "search numbers"
    ORDER = "request purchases and changes"
    DECIDE = "approve and reject orders"
    CHANGE_ROUTING = "change routing and stop dates without asking"
    SEE_ALL = "see every account"
    AUDIT = "draw and sign off samples of the history"
    PAUSE = "pause and resume what is sent to Callcap"
    KEEP_LOCATIONS = "read the Locations from Callcap and set their time zones"
    NAME_MEDIA_TYPES = "name media types"


CAPABILITIES: dict[Role, frozenset[Capability]] = {
    Role.SALES_REP: frozenset({Capability.SEARCH, Capability.ORDER}),
    Role.MANAGER: frozenset(
        {
            Capability.SEARCH,
            Capability.ORDER,
            Capability.DECIDE,
            Capability.CHANGE_ROUTING,
            Capability.PAUSE,
            Capability.KEEP_LOCATIONS,
        }
    ),
    Role.AUDITOR: frozenset({Capability.SEE_ALL, Capability.AUDIT}),
    Role.ADMINISTRATOR: frozenset(
        {Capability.SEE_ALL, Capability.PAUSE, Capability.KEEP_LOCATIONS, Capability.NAME_MEDIA_TYPES}
    ),
}


def roles_of(user: User) -> list[Role]:
    """The user's roles, asked of the database once a request: a role taken away is gone at the next one."""
    return _roles(user.group_names) if user.is_active else []


def roles_by_id(user_id: int) -> list[Role]:
    """The roles of the user with this id; none when the user has left or is gone."""
    return _roles(Group.objects.filter(user__pk=user_id, user__is_active=True).values_list("name", flat=True))


def _roles(group_names: Iterable[str]) -> list[Role]:
    names = set(group_names)
    return [role for role in Role if role in names]


def capabilities_of(user: User) -> frozenset[Capability]:
    return capabilities_given_by(roles_of(user))


def capabilities_given_by(roles: list[Role]) -> frozenset[Capability]:
    return frozenset().union(*(CAPABILITIES[role] for role in roles))


def can(user: User, capability: Capability) -> bool:
    return capability in capabilities_of(user)


def require(user: User, capability: Capability) -> None:
    """Raise PermissionDenied with a sentence unless the user has the capability."""
    if not can(user, capability):
        raise PermissionDenied(f"Your role does not allow you to {capability}. An administrator can change your role.")


def deciders_for(account: Account) -> list[User]:
    """The people who may decide on orders of the account: granted it or an account above it."""
    return _deciders(_keys_upwards(account))


def nearest_deciders_for(account: Account, apart_from: set[int]) -> list[User]:
    """Those whose grant is nearest to the account: its own managers, or else the Division's, and so on.

    Who may not decide this time, since they wrote it, is looked past.
    """
    for key in _keys_upwards(account):
        found = [person for person in _deciders([key]) if person.pk not in apart_from]
        if found:
            return found
    return []


def administrators() -> list[User]:
    """Who looks after what nobody else does."""
    return list(User.objects.filter(is_active=True, groups__name=Role.ADMINISTRATOR).order_by("pk"))


def _keys_upwards(account: Account) -> list[str]:
    return account.path.strip("/").split("/")[::-1]


def _deciders(keys: list[str]) -> list[User]:
    deciding = [role for role, capabilities in CAPABILITIES.items() if Capability.DECIDE in capabilities]
    granted = Grant.objects.filter(account__key__in=keys).values("user_id")
    people = User.objects.filter(is_active=True, groups__name__in=deciding, pk__in=granted)
    return list(people.distinct().order_by("pk"))
