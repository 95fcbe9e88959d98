"""Saving the filters of a list under a name."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from numbers_app.actors import Actor
from numbers_app.forms.saved_views import SavedViewForm
from numbers_app.models import SavedView
from numbers_app.services.saved_views import view_delete, view_save, view_set_default, view_set_shared

from .http import PortalRequest, actor_of, not_found


@require_POST
def save(request: PortalRequest) -> HttpResponse:
    """Keep the filters under a name; the list opens again as it was."""
    form = SavedViewForm(request.POST)
    if not form.is_valid():
        return render(request, "saved_views/save.html", {"form": form}, status=422)
    view = view_save(
        actor=actor_of(request),
        page=SavedView.Page(form.cleaned_data["page"]),
        name=form.cleaned_data["name"],
        query=form.cleaned_data["query"],
        shared=form.cleaned_data["shared"],
        is_default=form.cleaned_data["is_default"],
    )
    messages.success(request, f"The view {view.name} is kept.")
    return redirect(_address(view))


@require_POST
def delete(request: PortalRequest, view_id: int) -> HttpResponse:
    """Forget a view."""
    return _change(request, view_id, lambda actor, view: view_delete(actor=actor, view=view), "is forgotten")


@require_POST
def set_shared(request: PortalRequest, view_id: int) -> HttpResponse:
    """Share a view with everybody, or no longer."""
    shared = request.POST.get("shared") == "1"
    said = "is shared with everybody" if shared else "is yours alone"
    return _change(request, view_id, lambda actor, view: view_set_shared(actor=actor, view=view, shared=shared), said)


@require_POST
def set_default(request: PortalRequest, view_id: int) -> HttpResponse:
    """Open the list with a view, or with everything again."""
    default = request.POST.get("is_default") == "1"
    said = "opens with the list from now on" if default else "no longer opens with the list"
    return _change(
        request, view_id, lambda actor, view: view_set_default(actor=actor, view=view, is_default=default), said
    )


def _change(
    request: PortalRequest, view_id: int, service: Callable[[Actor, SavedView], None], said: str
) -> HttpResponse:
    view = SavedView.objects.filter(pk=view_id, owner=request.user).first()
    if view is None:
        raise not_found("That view")
    service(actor_of(request), view)
    messages.success(request, f"The view {view.name} {said}.")
    return redirect(_address(view))


def _address(view: SavedView) -> str:
    return f"{reverse(view.page)}?{view.query}"
