"""What views share: a request with a signed-in person, that person as an actor, one page of a list."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django_htmx.middleware import HtmxDetails

from numbers_app.actors import Actor
from numbers_app.models import User
from numbers_app.permissions import Capability, require
from numbers_app.selectors.keyset import KeysetPage, keyset_page

PER_PAGE = 50
# What readers of the long lists can choose from.
PER_PAGE_CHOICES = (25, 50, 100)
# More digits than the largest key of a row are no key.
MOST_KEY_DIGITS = 18


class PortalRequest(HttpRequest):
    """A request that came through the middleware: signed in, and marked as htmx or not."""

    user: User
    htmx: HtmxDetails


def actor_of(request: PortalRequest) -> Actor:
    """The person behind the request, with the request's id for the history."""
    return Actor.person(request.user, request_id=request.META["HTTP_X_REQUEST_ID"])


def allow(request: PortalRequest, capability: Capability) -> None:
    """403 unless the person has the capability."""
    require(request.user, capability)


def one_page(request: PortalRequest, items: Any, per_page: int = PER_PAGE) -> Page[Any]:
    """The page of a list that ``?page=`` names; nonsense leads to the first or the last one."""
    return Paginator(items, per_page).get_page(request.GET.get("page"))


def per_page(request: PortalRequest) -> int:
    """How many items a page has: ``?per_page=`` where that is one of the choices, else the usual number."""
    given = request.GET.get("per_page", "")
    return int(given) if given in map(str, PER_PAGE_CHOICES) else PER_PAGE


def page_by_key(request: PortalRequest, *parts: QuerySet[Any]) -> KeysetPage[Any]:
    """The page of a list that grows for ever which ``?before=`` or ``?after=`` names; nonsense leads to the newest.

    The list may come in parts: see ``keyset_page``.
    """

    def key(name: str) -> int | None:
        given = request.GET.get(name, "")
        return int(given) if given.isascii() and given.isdigit() and len(given) <= MOST_KEY_DIGITS else None

    return keyset_page(*parts, before=key("before"), after=key("after"))


def status_of(filtered: Any) -> int:
    """200, or 422 for a list whose filter (of django-filter) has something wrong with it."""
    return 422 if filtered.is_bound and not filtered.is_valid() else 200


def template_for(request: PortalRequest, template: str, fragment: str) -> str:
    """The whole page, or its fragment for a request of htmx that does not restore history."""
    wants_fragment = request.htmx and not request.htmx.history_restore_request and not request.htmx.boosted
    return f"{template}#{fragment}" if wants_fragment else template


def not_found(what: str) -> Http404:
    return Http404(f"{what} is not there, or lies in an account that you were not granted.")
