"""The change history: the list, one entry, and what was in force at a moment."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from numbers_app.forms.as_of import AsOfForm
from numbers_app.forms.filters import HistoryFilter
from numbers_app.models import HistoryEntry, Order, SavedView
from numbers_app.permissions import Capability, can
from numbers_app.selectors.accounts import accounts_visible
from numbers_app.selectors.as_of import numbers_as_of, numbers_of
from numbers_app.selectors.campaigns import campaign_list
from numbers_app.selectors.history import (
    actor_names,
    checkpoint_latest,
    entry_is_whole,
    history_list,
    history_neighbours,
    verification_latest,
)
from numbers_app.selectors.numbers import change_to_put_back
from numbers_app.selectors.orders import order_timeline
from numbers_app.selectors.saved_views import default_query, saved_views

from .http import PortalRequest, not_found, one_page, page_by_key, status_of, template_for
from .number_access import may_act

NUMBERS_PER_PAGE = 100


@require_safe
def history(request: PortalRequest) -> HttpResponse:
    """Who did what, newest first, by everything that an auditor asks for."""
    if not request.GET and (query := default_query(request.user, SavedView.Page.HISTORY)):
        return redirect(f"{request.path}?{query}")
    filtered = HistoryFilter(request.GET, user=request.user)
    # What proves an entry is shown on its own page: it would be most of what is read here.
    found = filtered.qs.defer("canonical", "previous_hash", "hash")
    context = {"form": filtered.form, "page": page_by_key(request, found)}
    template = template_for(request, "history/list.html", "entries")
    if template == "history/list.html":
        sees_all = can(request.user, Capability.SEE_ALL)
        context |= {
            "sees_all": sees_all,
            "saved_views": saved_views(request.user, SavedView.Page.HISTORY),
            "verification": verification_latest(),
            "checkpoint": checkpoint_latest(),
            # Who may not see everything is not told who did something elsewhere.
            "actor_names": actor_names() if sees_all else [],
        }
    return render(request, template, context, status=status_of(filtered))


@require_safe
def entry(request: PortalRequest, sequence: int) -> HttpResponse:
    """One entry with all that belongs to it: what it changed, its order from request to answer, its neighbours."""
    found = history_list(request.user).filter(sequence=sequence).first()
    if found is None:
        raise not_found(f"Entry {sequence}")
    context = {
        "entry": found,
        "neighbours": history_neighbours(request.user, found),
        "is_whole": entry_is_whole(found),
        "may_put_back": _may_put_back(request, found),
    }
    order = Order.objects.filter(pk=found.order_id).first() if found.order_id else None
    if order:
        context |= {"order": order, "timeline": order_timeline(order), "attempts": order.attempts.all()}
    return render(request, "history/entry.html", context)


def _may_put_back(request: PortalRequest, found: HistoryEntry) -> bool:
    """Whether it is a change of a number that has not stopped and that this person may change."""
    campaign = campaign_list(request.user).filter(phone_number=found.number).first()
    if campaign is None or not change_to_put_back(request.user, campaign, found.sequence):
        return False
    return may_act(request, campaign, Capability.ORDER)


@require_safe
def as_of(request: PortalRequest) -> HttpResponse:
    """Routing and stop date at a moment, of a number or of all of an account, and the entries that set them."""
    accounts = accounts_visible(request.user)
    form = AsOfForm(request.GET or None, accounts=accounts)
    context: dict[str, object] = {"form": form}
    if form.is_valid():
        number, account, moment = (form.cleaned_data[name] for name in ("number", "account", "at"))
        if account:
            accounts = accounts.filter(path__startswith=account.path)
        page = one_page(request, [number] if number else numbers_of(accounts), NUMBERS_PER_PAGE)
        context |= {"page": page, "moment": moment, "found": numbers_as_of(accounts, list(page), moment)}
    template = template_for(request, "history/as_of.html", "then")
    return render(request, template, context, status=422 if form.is_bound and not form.is_valid() else 200)
