"""The numbers we have: the list, and what to do first so that none is missing in it."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from numbers_app.errors import Conflict
from numbers_app.forms.inventory import DeclarationForm, InventoryFilter
from numbers_app.models import SavedView
from numbers_app.permissions import Capability, can
from numbers_app.selectors.campaigns import SORTS, campaign_sort, campaigns_imported, inventory_declaration
from numbers_app.selectors.saved_views import default_query, saved_views
from numbers_app.services.inventory import inventory_declare_complete, inventory_declare_incomplete

from .http import PER_PAGE_CHOICES, PortalRequest, actor_of, allow, one_page, per_page, status_of, template_for


@require_safe
def inventory(request: PortalRequest) -> HttpResponse:
    """The inventory by everything that is known of a number, sorted and in pages."""
    if not request.GET and (query := default_query(request.user, SavedView.Page.NUMBERS)):
        return redirect(f"{request.path}?{query}")
    filtered = InventoryFilter(request.GET, user=request.user)
    sort = request.GET.get("sort", "")
    sort = sort if sort in SORTS else "newest"
    here = request.GET.copy()
    here.pop("page", None)
    context = {
        "form": filtered.form,
        "page_obj": one_page(request, campaign_sort(filtered.qs, sort), per_page(request)),
        "status_counts": filtered.status_counts,
        "spelling": filtered.spelling,
        "sort": sort,
        "sorts": list(SORTS.items()),
        "per_page_choices": PER_PAGE_CHOICES,
        "query": here.urlencode(),
        "may_order": can(request.user, Capability.ORDER),
    }
    template = template_for(request, "numbers/list.html", "numbers")
    if template == "numbers/list.html":
        context |= {
            "more_fields": filtered.more_fields,
            "more_used": any(field.value() or field.errors for field in filtered.more_fields),
            "saved_views": saved_views(request.user, SavedView.Page.NUMBERS),
            "declaration": inventory_declaration(),
        }
    return render(request, template, context, status=status_of(filtered))


@require_safe
def first_steps(request: PortalRequest) -> HttpResponse:
    """Why numbers may be missing, how they are brought in, how far that is, and the form that ends it or not."""
    return _first_steps(request, DeclarationForm())


@require_POST
def declare_complete(request: PortalRequest) -> HttpResponse:
    """Say, with a reason, that no number is missing any more."""
    return _declare(request, inventory_declare_complete, "The inventory counts as complete from now on.")


@require_POST
def declare_incomplete(request: PortalRequest) -> HttpResponse:
    """Take that back, with a reason."""
    return _declare(request, inventory_declare_incomplete, "From now on the portal says that numbers may be missing.")


def _declare(request: PortalRequest, service: Callable[..., object], said: str) -> HttpResponse:
    allow(request, Capability.PAUSE)
    form = DeclarationForm(request.POST)
    if not form.is_valid():
        return _first_steps(request, form, status=422)
    reason = form.cleaned_data["reason"]
    try:
        service(actor=actor_of(request), reason=reason)
    except Conflict as error:
        messages.error(request, error.message)
        return _first_steps(request, DeclarationForm(), written=reason, status=409)
    messages.success(request, said)
    return redirect("inventory_first_steps")


def _first_steps(
    request: PortalRequest, form: DeclarationForm, *, written: str = "", status: int = 200
) -> HttpResponse:
    """``written`` is a reason that came too late: the form now asks for the opposite."""
    context = {
        "form": form,
        "written": written,
        "declaration": inventory_declaration(),
        "imported": campaigns_imported(request.user),
        "may_declare": can(request.user, Capability.PAUSE),
        "may_order": can(request.user, Capability.ORDER),
    }
    return render(request, "numbers/first_steps.html", context, status=status)
