"""What people change about themselves."""

from __future__ import annotations

from allauth.account.views import email
from django.http import HttpResponseBase

from numbers_app.services.users import user_recorded

from .http import PortalRequest, actor_of


def own_addresses(request: PortalRequest) -> HttpResponseBase:
    """The sign-in library's page of one's own mail addresses; what it changes has its history entry."""
    if request.method != "POST":
        page: HttpResponseBase = email(request)
        return page
    with user_recorded(actor=actor_of(request), user=request.user):
        done: HttpResponseBase = email(request)
    return done
