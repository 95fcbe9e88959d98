"""Callcap's account tree: what is where, reading it anew, and the Locations' time zones."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from numbers_app.errors import InvalidInput
from numbers_app.forms.locations import ZoneForm
from numbers_app.models import Account
from numbers_app.permissions import Capability, can
from numbers_app.selectors.accounts import accounts_kept, accounts_visible
from numbers_app.selectors.locations import account_news, accounts_last_read, locations_tree, month_start
from numbers_app.services.account_sync import accounts_sync_state
from numbers_app.services.accounts import account_set_zone, accounts_sync_ask

from .http import PortalRequest, actor_of, allow, not_found, template_for

NEWS_SHOWN = 20


@require_safe
def locations(request: PortalRequest) -> HttpResponse:
    """The tree as far as the person may see it; while it is being read, htmx asks again and again."""
    may_keep = can(request.user, Capability.KEEP_LOCATIONS)
    branches = locations_tree(request.user)
    names = {branch.account.key: str(branch.account) for branch in branches}
    news = [
        (entry, names.get(entry.account_key, entry.account_key)) for entry in account_news(request.user)[:NEWS_SHOWN]
    ]
    context = {
        "sync": accounts_sync_state(),
        "branches": branches,
        "last_read": accounts_last_read(),
        "month_start": month_start(),
        "news": news,
        "more_news": len(news) == NEWS_SHOWN,
        "may_sync": may_keep,
        "kept": set(accounts_kept(request.user).values_list("pk", flat=True)) if may_keep else set(),
    }
    return render(request, template_for(request, "locations/list.html", "tree"), context)


@require_POST
def sync(request: PortalRequest) -> HttpResponse:
    """Let the worker read the tree from Callcap; ``even_if_many_are_gone`` when that was looked into."""
    if accounts_sync_ask(actor=actor_of(request), even_if_many_are_gone="even_if_many_are_gone" in request.POST):
        messages.success(request, "The Locations are being read from Callcap. This page shows when that is done.")
    else:
        messages.info(request, "The Locations are being read already.")
    return redirect("location_list")


@require_http_methods(["GET", "HEAD", "POST"])
def zone(request: PortalRequest, key: str) -> HttpResponse:
    """Set a Location's time zone: the form, or what it says."""
    account = _to_keep(request, key)
    form = ZoneForm(request.POST if request.method == "POST" else None, account=account)
    if form.is_valid():
        try:
            account_set_zone(actor=actor_of(request), account=account, time_zone=form.cleaned_data["time_zone"])
        except InvalidInput as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, f"The time zone of {account} is {form.cleaned_data['time_zone']}.")
            return redirect("location_list")
    status = 422 if form.errors else 200
    return render(request, "locations/zone.html", {"account": account, "form": form}, status=status)


def _to_keep(request: PortalRequest, key: str) -> Account:
    """The Location: 404 unseen, 403 without the capability, 404 where the person only sees, and for what is none."""
    account = accounts_visible(request.user).filter(key=key, kind=Account.Kind.LOCATION).first()
    if account is None:
        raise not_found(f"Location {key}")
    allow(request, Capability.KEEP_LOCATIONS)
    if not accounts_kept(request.user).filter(pk=account.pk).exists():
        raise not_found(f"Location {key}")
    return account
