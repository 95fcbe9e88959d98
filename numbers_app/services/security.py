"""The only writer of the security log.

It is no part of the change history and takes no lock of it: whoever knocks at the door would else queue ahead of
purchases.
"""

from __future__ import annotations

import structlog
from allauth.account.adapter import get_adapter
from allauth.core.internal import ratelimit
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import Error, transaction
from django.http import HttpRequest
from django.utils import timezone

from numbers_app.models import SecurityEvent, SecurityEventKind, User

logger = structlog.get_logger(__name__)

LONGEST_TEXT = 300
LONGEST_ADDRESS = 45
# Of a flood the log keeps one event an address and minute: it must not fill the table too.
FLOOD_NOTED = {"flood": "1/m/ip"}


def security_event_note(
    *,
    request: HttpRequest | None,
    kind: SecurityEventKind,
    user: User | None = None,
    person: str = "",
    detail: str = "",
) -> None:
    """Write one event about the request: when, from where, which page. A command has none (None).

    ``user`` is whom it is about, by default who is signed in; ``person`` is the name that was typed, by default the
    sign-in name. The request goes on whatever happens: when the database fails, the event goes to the process's log,
    and the transaction around it stays whole.
    """
    event = SecurityEvent(
        at=timezone.now(),
        kind=kind,
        person=as_kept(person),
        detail=as_kept(detail),
        **(_told_by(request) if request else {}),
    )
    try:
        with transaction.atomic():
            about = user or _signed_in(request)
            if about is not None:
                event.user_id = about.pk
                event.person = event.person or as_kept(about.username)
            event.save(force_insert=True)
    except Error:
        logger.exception(
            "security_event_not_kept",
            kind=str(kind),
            person=event.person,
            address=event.address,
            path=event.path,
            detail=event.detail,
        )


def security_flood_note(*, request: HttpRequest) -> None:
    """Note that requests are refused because there are too many of them: once a minute for each address."""
    if ratelimit.consume(request, app="numbers_app", action="flood", config=FLOOD_NOTED, limit_get=True):
        security_event_note(request=request, kind=SecurityEventKind.LOCKED_OUT, detail="Too many requests in a minute")


def as_kept(text: str) -> str:
    """The text as the log keeps it: of bounded length, on one line, with what does not print as escapes."""
    bounded = text[:LONGEST_TEXT]
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in bounded)
    return line[:LONGEST_TEXT]


def _told_by(request: HttpRequest) -> dict[str, str]:
    return {
        "address": _address_of(request),
        "path": as_kept(_path_of(request)),
        "request_id": request.META.get("HTTP_X_REQUEST_ID", ""),
    }


def _signed_in(request: HttpRequest | None) -> User | None:
    user = getattr(request, "user", None)
    return user if isinstance(user, User) else None


def _address_of(request: HttpRequest) -> str:
    """The client's address as far as trusted proxies tell it; empty when nobody does."""
    try:
        return str(get_adapter(request).get_client_ip(request))[:LONGEST_ADDRESS]
    except (ImproperlyConfigured, PermissionDenied):
        return ""


def _path_of(request: HttpRequest) -> str:
    """The page that was asked for, without the key of a mailed link: it opens an account."""
    key = request.resolver_match.kwargs.get("key", "") if request.resolver_match else ""
    return request.path.replace(str(key), "...") if key else request.path
