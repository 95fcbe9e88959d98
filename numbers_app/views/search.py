"""Searching for numbers."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from numbers_app.errors import VendorTrouble
from numbers_app.forms.search import SearchForm
from numbers_app.permissions import Capability
from numbers_app.selectors.accounts import locations_granted
from numbers_app.selectors.search import number_search

from .http import PortalRequest, allow, one_page, template_for
from .location_id import with_account


@require_safe
def search(request: PortalRequest) -> HttpResponse:
    """The search form and what Callcap offers for it: 422 for one it would refuse, 503 when it does not answer."""
    allow(request, Capability.SEARCH)
    form = SearchForm(with_account(request.GET), locations=locations_granted(request.user))
    if not form.was_used:
        form = SearchForm(locations=locations_granted(request.user))
        return render(request, template_for(request, "search.html", "results"), {"form": form})
    context: dict[str, Any] = {"form": form, "searched": True}
    status = 200
    if not form.is_valid():
        # While somebody types, a search is unfinished rather than wrong.
        status = 200 if request.htmx else 422
    else:
        try:
            context |= _results(request, form)
        except VendorTrouble as trouble:
            context["vendor_trouble"] = trouble
            status = 503
    return render(request, template_for(request, "search.html", "results"), context, status=status)


def _results(request: PortalRequest, form: SearchForm) -> dict[str, Any]:
    result = number_search(form.criteria())
    order_query = QueryDict(mutable=True)
    if form.cleaned_data["vanity_text"]:
        order_query["vanity_text"] = form.cleaned_data["vanity_text"]
    if form.cleaned_data["account"]:
        order_query["account"] = form.cleaned_data["account"].key
    return {
        "result": result,
        "page_obj": one_page(request, result.found),
        "vanity_text": form.cleaned_data["vanity_text"],
        "order_query": order_query.urlencode(),
    }
