"""What the frame of every page shows: navigation, the reader's role and unread notifications, theme, request id."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from .models import SendingSwitch
from .permissions import Capability, Role, capabilities_given_by, roles_of
from .selectors.notifications import unread_count
from .services.switch import sending_switch

THEMES = ("auto", "light", "dark")


@dataclass(frozen=True)
class NavItem:
    """A link of the main navigation. ``current`` is the value of its ``aria-current``, empty elsewhere."""

    label: str
    url: str
    icon: str
    current: str


@dataclass(frozen=True)
class Destination:
    """A page of the navigation, and the capability without which its link leads to a refusal.

    ``covers`` names pages that belong to it without lying below its address.
    """

    url_name: str
    label: str
    icon: str
    needs: Capability | None = None
    covers: tuple[str, ...] = ()


NAVIGATION = (
    Destination("search", "Search", "search", Capability.SEARCH),
    Destination("order_list", "Orders", "clipboard-check"),
    Destination("campaign_list", "Numbers", "telephone", covers=("batch_list",)),
    Destination("location_list", "Locations", "geo-alt"),
    Destination("history_list", "History", "clock-history"),
    Destination("security_list", "Security", "shield-lock", Capability.SEE_ALL),
)


def current_mark(path: str, url: str) -> str:
    """``page`` on the page itself, ``true`` on a page below it."""
    if path == url:
        return "page"
    return "true" if path.startswith(url) else ""


def nav_items(roles: list[Role], path: str) -> list[NavItem]:
    """The links that lead somewhere for somebody with these roles."""
    capabilities = capabilities_given_by(roles)
    items = []
    for destination in NAVIGATION:
        if destination.needs is not None and destination.needs not in capabilities:
            continue
        url = reverse(destination.url_name)
        covered = any(path.startswith(reverse(name)) for name in destination.covers)
        current = "true" if covered else current_mark(path, url)
        items.append(NavItem(destination.label, url, destination.icon, current))
    return items


def _paused_switch() -> SendingSwitch | None:
    """The switch when something is paused, so that every page says so."""
    switch = sending_switch()
    return switch if switch.purchases_paused else None


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of ``base.html``.

    Costs no query until the frame is really drawn: fragments leave the navigation out.
    """
    theme = request.COOKIES.get("theme", "auto")
    context: dict[str, Any] = {
        "theme": theme if theme in THEMES else "auto",
        "demo": settings.DEMO,
        "request_id": request.META.get("HTTP_X_REQUEST_ID", ""),
    }
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        context["nav_items"] = SimpleLazyObject(lambda: nav_items(roles_of(user), request.path))
        context["role_names"] = SimpleLazyObject(lambda: ", ".join(roles_of(user)) or "No role")
        context["sending_paused"] = SimpleLazyObject(_paused_switch)
        context["unread_notifications"] = SimpleLazyObject(lambda: unread_count(user))
    return context
