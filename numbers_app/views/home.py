"""The first page, by role: what to do next."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from numbers_app.forms.search import SearchForm
from numbers_app.models import OPEN
from numbers_app.permissions import Capability, capabilities_of
from numbers_app.selectors.accounts import locations_granted
from numbers_app.selectors.batches import batch_list
from numbers_app.selectors.campaigns import campaigns_disputed, inventory_declaration
from numbers_app.selectors.history import history_latest
from numbers_app.selectors.orders import order_list, orders_unknown
from numbers_app.services.batches import SUBMITTED

from .http import PortalRequest
from .queue import queue_context


@require_safe
def home(request: PortalRequest) -> HttpResponse:
    """Reps find a number, managers see what waits for them, auditors what changed last."""
    capabilities = capabilities_of(request.user)
    visible = order_list(request.user)
    context = {
        "unknown_orders": orders_unknown(request.user)[:10],
        "can_search": Capability.SEARCH in capabilities,
        "can_decide": Capability.DECIDE in capabilities,
        "sees_all": Capability.SEE_ALL in capabilities,
    }
    if Capability.SEARCH in capabilities:
        context["form"] = SearchForm(locations=locations_granted(request.user))
    if Capability.ORDER in capabilities:
        mine = visible.filter(author_id=request.user.pk)
        context["my_batches"] = batch_list(request.user).filter(author_id=request.user.pk, status__in=SUBMITTED)[:5]
        context["my_open_orders"] = mine.filter(status__in=OPEN)[:10]
        context["my_finished_orders"] = mine.exclude(status__in=OPEN)[:5]
    if Capability.DECIDE in capabilities:
        context |= queue_context(request)
        context["disputed"] = campaigns_disputed(request.user).count()
    if Capability.SEE_ALL in capabilities or Capability.DECIDE in capabilities:
        context["latest"] = history_latest(request.user, 10)
        context["declaration"] = inventory_declaration()
    return render(request, "home.html", context)
