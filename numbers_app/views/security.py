"""The security log."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from numbers_app.forms.security import SecurityFilter
from numbers_app.permissions import Capability
from numbers_app.selectors.security import security_events

from .http import PortalRequest, allow, page_by_key, status_of, template_for


@require_safe
def security(request: PortalRequest) -> HttpResponse:
    """Who came in and who was kept out, newest first, by kind, person, address and day."""
    allow(request, Capability.SEE_ALL)
    filtered = SecurityFilter(request.GET, queryset=security_events())
    context = {"form": filtered.form, "page": page_by_key(request, filtered.qs)}
    template = template_for(request, "security/list.html", "events")
    return render(request, template, context, status=status_of(filtered))
