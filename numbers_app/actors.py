"""Who does something, as the history writes it down."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.core.exceptions import PermissionDenied

from .models import Source, User
from .permissions import Role, roles_by_id, roles_of


@dataclass(frozen=True)
class Actor:
    """A person or a process at work: name and role as they are now, where it comes from, and the request's id.

    ``user`` is None for the portal itself (worker, clock, commands).
    """

    user: User | None
    user_id: int | None
    name: str
    role: str
    source: Source
    request_id: str = ""

    @classmethod
    def person(cls, user: User, *, source: Source = Source.WEB, request_id: str = "") -> Actor:
        return cls(
            user=user,
            user_id=user.pk,
            name=user.display_name,
            role=_in_words(roles_of(user)),
            source=source,
            request_id=request_id,
        )

    @classmethod
    def portal(cls, name: str, *, source: Source, request_id: str = "") -> Actor:
        """The portal itself, under the name of the part that acts."""
        return cls(user=None, user_id=None, name=name, role="portal", source=source, request_id=request_id)

    def on_behalf(self, user_id: int | None, name: str) -> Actor:
        """The process that acts, in the name of the person or command whose wish or decision it carries out."""
        if not user_id:
            return Actor.portal(name, source=self.source, request_id=self.request_id)
        return replace(self, user=None, user_id=user_id, name=name, role=_in_words(roles_by_id(user_id)))

    @property
    def person_or_refuse(self) -> User:
        """The user, for services that only people may call."""
        if self.user is None:
            raise PermissionDenied("Only a person can do this.")
        return self.user


def _in_words(roles: list[Role]) -> str:
    return ", ".join(roles) or "no role"
