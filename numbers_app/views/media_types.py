"""Names for Callcap's media types."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from numbers_app.errors import Conflict, InvalidInput
from numbers_app.forms.inventory import MediaTypeForm
from numbers_app.permissions import Capability, can
from numbers_app.selectors.media_types import media_types
from numbers_app.services.media_types import media_type_name, media_type_unname

from .http import PortalRequest, actor_of, allow


@require_safe
def media_type_list(request: PortalRequest) -> HttpResponse:
    """All names, and for administrators the forms that change them."""
    return _page(request, MediaTypeForm())


@require_POST
def name(request: PortalRequest) -> HttpResponse:
    """Give a media type a name, or another one; 422 for a name that another one has."""
    allow(request, Capability.NAME_MEDIA_TYPES)
    form = MediaTypeForm(request.POST)
    if form.is_valid():
        try:
            named = media_type_name(actor=actor_of(request), **form.cleaned_data)
        except InvalidInput as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, f"Media type {named.number} is called {named.name}.")
            return redirect("media_type_list")
    return _page(request, form, status=422)


@require_POST
def unname(request: PortalRequest, number: int) -> HttpResponse:
    """Take a name away; 409 when somebody has done that already."""
    allow(request, Capability.NAME_MEDIA_TYPES)
    try:
        media_type_unname(actor=actor_of(request), number=number)
    except Conflict as error:
        messages.error(request, error.message)
        return _page(request, MediaTypeForm(), status=409)
    messages.success(request, f"Media type {number} has no name any more.")
    return redirect("media_type_list")


def _page(request: PortalRequest, form: MediaTypeForm, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "media_types": media_types(),
        "may_order": can(request.user, Capability.ORDER),
        "may_name": can(request.user, Capability.NAME_MEDIA_TYPES),
    }
    return render(request, "numbers/media_types.html", context, status=status)
