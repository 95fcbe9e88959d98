"""The change history: the list, one entry, and what was in force at a moment."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from numbers_app.forms.as_of import AsOfForm
from numbers_app.forms.filters import HistoryFilter
from numbers_app.models import HistoryEntry, SavedView
from numbers_app.permissions import Capability, can
from numbers_app.selectors.accounts import accounts_visible
from numbers_app.selectors.actors import actor_labels, actor_suggestions
from numbers_app.selectors.as_of import numbers_as_of, numbers_of
from numbers_app.selectors.campaigns import campaign_list
from numbers_app.selectors.history import (
    checkpoint_latest,
    entry_is_whole,
    history_neighbours,
    verification_is_old,
    verification_latest,
)
from numbers_app.selectors.history_chain import history_chain, history_entry
from numbers_app.selectors.numbers import change_to_put_back
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
    parts = [part.defer("canonical", "previous_hash", "hash") for part in filtered.parts]
    context = {"form": filtered.form, "page": page_by_key(request, *parts)}
    template = template_for(request, "history/list.html", "entries")
    if template == "history/list.html":
        sees_all, verification = can(request.user, Capability.SEE_ALL), verification_latest()
        context |= {
            "sees_all": sees_all,
            "saved_views": saved_views(request.user, SavedView.Page.HISTORY),
            "verification": verification,
            "is_old": verification is not None and verification_is_old(verification),
            "checkpoint": checkpoint_latest(),
            # Who may not see everything is not told who did something elsewhere.
            "actor_names": actor_suggestions() if sees_all else [],
        }
    return render(request, template, context, status=status_of(filtered))


@require_safe
def entry(request: PortalRequest, sequence: int) -> HttpResponse:
    """One entry with all that belongs to it: what it changed, its order or batch from the start, its neighbours."""
    found = history_entry(request.user, sequence)
    if found is None:
        raise not_found(f"Entry {sequence}")
    chain = history_chain(request.user, found)
    [actor_label] = actor_labels([(found.actor_name, found.actor_id)]).values()
    context = {
        "entry": found,
        "actor_label": actor_label,
        "chain": chain,
        "attempts": chain.order.attempts.all() if chain.order else [],
        "neighbours": history_neighbours(request.user, found),
        "is_whole": entry_is_whole(found),
        "may_put_back": _may_put_back(request, found),
    }
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
        found = numbers_as_of(accounts, list(page), moment)
        context |= {"page": page, "moment": moment, "earlier": form.earlier, "found": found}
    template = template_for(request, "history/as_of.html", "then")
    return render(request, template, context, status=422 if form.is_bound and not form.is_valid() else 200)
