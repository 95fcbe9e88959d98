"""The change history."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from numbers_app.forms.filters import HistoryFilter
from numbers_app.selectors.history import checkpoint_latest, history_list, verification_latest

from .http import PortalRequest, one_page, status_of, template_for


@require_safe
def history(request: PortalRequest) -> HttpResponse:
    """Who did what, newest first, by number, person and day."""
    filtered = HistoryFilter(request.GET, queryset=history_list(request.user))
    context = {
        "filter": filtered,
        "form": filtered.form,
        "page_obj": one_page(request, filtered.qs),
        "verification": verification_latest(),
        "checkpoint": checkpoint_latest(),
    }
    template = template_for(request, "history/list.html", "entries")
    return render(request, template, context, status=status_of(filtered))
