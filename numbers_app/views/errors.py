"""Pages for what went wrong: what happened, what was kept, what to do. Refusals are noted in the security log."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from numbers_app.errors import PortalError
from numbers_app.models import SecurityEventKind
from numbers_app.services.security import security_event_note, security_flood_note


@login_not_required
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return render(request, "413.html", status=413)
    return render(request, "400.html", {"exception": exception}, status=400)


@login_not_required
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    security_event_note(request=request, kind=SecurityEventKind.REFUSED, detail=str(exception or ""))
    return render(request, "403.html", {"exception": exception}, status=403)


@login_not_required
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "404.html", {"exception": exception}, status=404)


@login_not_required
def too_many_requests(request: HttpRequest) -> HttpResponse:
    """What the sign-in library answers who tries too often."""
    security_flood_note(request=request)
    return render(request, "429.html", status=429)


@login_not_required
def server_error(request: HttpRequest) -> HttpResponse:
    """Needs neither the database nor a session: either may be what broke."""
    return render(None, "500.html", {"request_id": request.META.get("HTTP_X_REQUEST_ID", "")}, status=500)


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    security_event_note(request=request, kind=SecurityEventKind.REFUSED, detail=reason)
    sentence = (
        "This form was open for too long or came from another site. Nothing was done: go back, reload, send it again."
    )
    return render(request, "403.html", {"exception": sentence}, status=403)


def conflict(request: HttpRequest, error: PortalError, back_url: str) -> HttpResponse:
    """Somebody else was first."""
    context = {"message": error.message, "detail": "Nothing of yours was carried out.", "back_url": back_url}
    return render(request, "409.html", context, status=409)
