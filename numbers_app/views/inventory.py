"""The numbers we have."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from numbers_app.forms.inventory import InventoryFilter
from numbers_app.selectors.campaigns import campaign_list

from .http import PortalRequest, one_page, status_of


@require_safe
def inventory(request: PortalRequest) -> HttpResponse:
    """The inventory."""
    filtered = InventoryFilter(request.GET, queryset=campaign_list(request.user))
    context = {"filter": filtered, "page_obj": one_page(request, filtered.qs)}
    return render(request, "numbers/list.html", context, status=status_of(filtered))
