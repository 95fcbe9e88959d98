"""Saving the filters of a list or a search under a name, and watching a saved search."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from numbers_app.actors import Actor
from numbers_app.errors import InvalidInput
from numbers_app.forms.saved_views import SavedViewForm, WatchForm
from numbers_app.models import SavedView
from numbers_app.selectors.accounts import locations_granted
from numbers_app.services.notifications import watch_seen
from numbers_app.services.saved_views import view_delete, view_save, view_set_default, view_set_shared
from numbers_app.services.watches import watch_start, watch_stop

from .http import PortalRequest, actor_of, not_found


@require_POST
def save(request: PortalRequest) -> HttpResponse:
    """Keep the filters under a name; the list opens again as it was."""
    form = SavedViewForm(request.POST, locations=locations_granted(request.user))
    if form.is_valid():
        try:
            view = view_save(
                actor=actor_of(request),
                page=SavedView.Page(form.cleaned_data["page"]),
                name=form.cleaned_data["name"],
                query=form.cleaned_data["query"],
                shared=form.cleaned_data["shared"],
                is_default=form.cleaned_data["is_default"],
            )
        except InvalidInput as error:
            form.add_error(error.field, error.message)
        else:
            messages.success(request, f"The {_what(view)} {view.name} is kept.")
            return redirect(_address(view))
    return render(request, "saved_views/save.html", {"form": form}, status=422)


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


@require_POST
def watch(request: PortalRequest, view_id: int) -> HttpResponse:
    """Let the portal repeat a saved search, or repeat it at another pace."""
    view = _own(request, view_id)
    form = WatchForm(request.POST)
    if not form.is_valid():
        return render(request, "saved_views/watch.html", {"form": form, "view": view}, status=422)
    try:
        started = watch_start(actor=actor_of(request), view=view, every_minutes=form.cleaned_data["every_minutes"])
    except InvalidInput as error:
        messages.error(request, error.message)
    else:
        said = f"The search {view.name} is looked at every {started.every_minutes} minutes from now on."
        if started.trouble:
            messages.warning(request, f"{said} You are told of nothing for now. {started.trouble}")
        else:
            messages.success(request, f"{said} You are told of numbers that are new.")
    return redirect(_address(view))


@require_POST
def unwatch(request: PortalRequest, view_id: int) -> HttpResponse:
    """No longer repeat a saved search."""
    return _change(request, view_id, lambda actor, view: watch_stop(actor=actor, view=view), "is no longer watched")


@require_POST
def seen(request: PortalRequest, view_id: int) -> HttpResponse:
    """What the watch told the person counts as read; on to the search, unless a script has only said so."""
    view = _own(request, view_id)
    watch_seen(actor=actor_of(request), view=view)
    return HttpResponse(status=204) if request.htmx else redirect(_address(view))


def _change(
    request: PortalRequest, view_id: int, service: Callable[[Actor, SavedView], object], said: str
) -> HttpResponse:
    view = _own(request, view_id)
    try:
        service(actor_of(request), view)
    except InvalidInput as error:
        # Only of something that no page offers.
        messages.error(request, error.message)
    else:
        messages.success(request, f"The {_what(view)} {view.name} {said}.")
    return redirect(_address(view))


def _own(request: PortalRequest, view_id: int) -> SavedView:
    view = SavedView.objects.filter(pk=view_id, owner=request.user).first()
    if view is None:
        raise not_found("That view")
    return view


def _what(view: SavedView) -> str:
    return "search" if view.page == SavedView.Page.SEARCH else "view"


def _address(view: SavedView) -> str:
    return f"{reverse(view.page)}?{view.query}"
