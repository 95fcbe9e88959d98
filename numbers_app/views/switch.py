"""The switch that pauses purchases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from numbers_app.errors import Conflict
from numbers_app.forms.decisions import ReasonForm
from numbers_app.permissions import Capability, can
from numbers_app.selectors.history import sending_history
from numbers_app.services.switch import purchases_pause, sending_resume, sending_switch

from .http import PortalRequest, actor_of, allow


@require_safe
def switch(request: PortalRequest) -> HttpResponse:
    """Whether anything is paused, by whom and why, and the form that changes it."""
    return _page(request, ReasonForm())


@require_POST
def pause(request: PortalRequest) -> HttpResponse:
    """Pause all purchases, with a reason that everybody reads."""
    return _turn(request, purchases_pause, "Purchases are paused. Orders can still be asked for and approved.")


@require_POST
def resume(request: PortalRequest) -> HttpResponse:
    """Let the worker send again."""
    return _turn(request, sending_resume, "Nothing is paused any more. What is due is sent now.")


def _turn(request: PortalRequest, service: Callable[..., Any], done: str) -> HttpResponse:
    allow(request, Capability.PAUSE)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        service(actor=actor_of(request), reason=form.cleaned_data["reason"])
    except Conflict as error:
        # The button below now does the opposite: what was typed stands beside the form, not in it.
        conflict = f"{error.message} Somebody was faster, and nothing of yours was carried out. You wrote: "
        return _page(request, ReasonForm(), status=409, conflict=conflict, typed=form.cleaned_data["reason"])
    messages.success(request, done)
    return redirect("sending_switch")


def _page(request: PortalRequest, form: ReasonForm, status: int = 200, **more: str) -> HttpResponse:
    context = more | {
        "switch": sending_switch(),
        "form": form,
        "may_turn": can(request.user, Capability.PAUSE),
        "history": sending_history()[:20],
    }
    return render(request, "orders/switch.html", context, status=status)
