"""One number, and changing it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from numbers_app.errors import Conflict, InvalidInput
from numbers_app.forms.campaigns import ChangeForm
from numbers_app.models import NUMBER_VERBS, Campaign, OrderStatus
from numbers_app.permissions import Capability, can
from numbers_app.selectors.accounts import accounts_granted
from numbers_app.selectors.campaigns import campaign_list
from numbers_app.selectors.destinations import destination_warnings
from numbers_app.selectors.history import history_list
from numbers_app.selectors.orders import order_made_by_form, orders_open_for_number
from numbers_app.services.orders import order_request_change

from .destinations import hints_context
from .http import PortalRequest, actor_of, allow, not_found


@require_safe
def campaign_detail(request: PortalRequest, number: str) -> HttpResponse:
    """One number: where it rings, until when, who changed what; its newest campaign, and earlier ones."""
    campaign, *earlier = _all_of(request, number)
    context = {
        "campaign": campaign,
        "earlier": earlier,
        "information": [(name, getattr(campaign, name)) for name in ChangeForm.CAMPAIGN_FIELDS[4:]],
        "history": history_list(request.user).filter(number=number, verb__in=NUMBER_VERBS)[:50],
        "open_orders": orders_open_for_number(request.user, number),
        "may_change": _may_change(request, campaign),
    }
    return render(request, "numbers/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def campaign_change(request: PortalRequest, number: str) -> HttpResponse:
    """Change a number: the form, then what will change, then (``confirmed=1``) the order that changes it."""
    campaign = _all_of(request, number)[0]
    allow(request, Capability.ORDER)
    if not _may_change(request, campaign):
        return _stopped_or_refused(request, campaign)
    if request.method != "POST":
        return _form_page(request, campaign, ChangeForm(campaign=campaign))
    form = ChangeForm(request.POST, campaign=campaign)
    if not form.is_valid() or request.POST.get("back"):
        return _form_page(request, campaign, form, status=200 if form.is_valid() else 422)
    return _review(request, campaign, form)


def _review(request: PortalRequest, campaign: Campaign, form: ChangeForm) -> HttpResponse:
    """A valid form: show what will change, or carry it out when that was confirmed."""
    made = order_made_by_form(request.user, form.cleaned_data["form_token"])
    if made and form.repeats(made):
        return redirect("order_detail", made.pk)
    if (form.cleaned_data["version"] or campaign.version) != campaign.version:
        return _overtaken(request, campaign, form)
    parameters = form.parameters()
    if not parameters:
        form.add_error(None, "Nothing would change: every value is as it is now.")
        return _form_page(request, campaign, form, status=422)
    if not form.cleaned_data["confirmed"]:
        return _confirmation(request, campaign, form, parameters)
    return _request_change(request, campaign, form, parameters)


def _request_change(
    request: PortalRequest, campaign: Campaign, form: ChangeForm, parameters: dict[str, Any]
) -> HttpResponse:
    try:
        order = order_request_change(
            actor=actor_of(request),
            campaign=campaign,
            version=form.cleaned_data["version"] or campaign.version,
            parameters=parameters,
            reason=form.cleaned_data["reason"],
            form_token=form.cleaned_data["form_token"],
            urgent=form.cleaned_data["urgent"],
            execute_after=form.cleaned_data["execute_after"],
        )
    except Conflict:
        return _overtaken(request, _all_of(request, campaign.phone_number)[0], form)
    except InvalidInput as error:
        form.refuse(error)
        return _form_page(request, campaign, form, status=422)
    waiting = order.status == OrderStatus.PENDING
    if waiting:
        messages.success(request, f"Order {order.pk} waits for a manager.")
    elif form.cleaned_data["execute_after"]:
        messages.success(request, f"Order {order.pk} is scheduled. You can cancel it until it is sent.")
    else:
        messages.success(request, f"Order {order.pk} is on its way to Callcap.")
    return redirect("order_detail", order.pk)


def _all_of(request: PortalRequest, number: str) -> list[Campaign]:
    """The visible campaigns of a number, newest first; 404 when there is none."""
    found = list(campaign_list(request.user).filter(phone_number=number))
    if not found:
        raise not_found(f"Number {number}")
    return found


def _may_change(request: PortalRequest, campaign: Campaign) -> bool:
    granted = accounts_granted(request.user).filter(pk=campaign.account_id).exists()
    return granted and not campaign.ended_at and can(request.user, Capability.ORDER)


def _stopped_or_refused(request: PortalRequest, campaign: Campaign) -> HttpResponse:
    if not campaign.ended_at:
        raise not_found(f"Number {campaign.phone_number}")
    messages.error(request, "This number has stopped. It can no longer be changed.")
    return redirect("campaign_detail", campaign.phone_number)


def _form_page(request: PortalRequest, campaign: Campaign, form: ChangeForm, status: int = 200) -> HttpResponse:
    context = {
        "campaign": campaign,
        "form": form,
        "needs_approval": not can(request.user, Capability.CHANGE_ROUTING),
    } | hints_context(request, form)
    return render(request, "numbers/change.html", context, status=status)


def _confirmation(
    request: PortalRequest, campaign: Campaign, form: ChangeForm, parameters: dict[str, Any]
) -> HttpResponse:
    """What will change, once more, with everything typed kept in hidden fields."""
    context = {
        "campaign": campaign,
        "form": form,
        "changes": [(name, getattr(campaign, name), value) for name, value in parameters.items()],
        "typed": [(name, value) for name, value in request.POST.items() if name in form.fields and name != "confirmed"]
        + ([] if request.POST.get("form_token") else [("form_token", form.cleaned_data["form_token"])]),
        "needs_approval": not can(request.user, Capability.CHANGE_ROUTING),
        "calls_elsewhere": "destination" in parameters,
        "warnings": destination_warnings(
            parameters["destination"], account=campaign.account, numbers=[campaign.phone_number], campaign=campaign
        )
        if "destination" in parameters
        else [],
    }
    return render(request, "numbers/confirm.html", context)


def _overtaken(request: PortalRequest, campaign: Campaign, form: ChangeForm) -> HttpResponse:
    """409 with the form: their values beside what was typed, and the version to send now."""
    latest = campaign.last_change
    theirs = [
        (name, getattr(campaign, name), form.cleaned_data[name])
        for name in form.carried
        if name in form.cleaned_data and form.cleaned_data[name] != getattr(campaign, name)
    ]
    typed = request.POST.copy()
    typed["version"] = str(campaign.version)
    typed.pop("confirmed", None)
    fresh = ChangeForm(typed, campaign=campaign)
    fresh.add_error(
        None,
        f"{latest.actor_name} changed this number after you opened the form. "
        "What you typed is kept below; nothing was sent.",
    )
    context = {
        "campaign": campaign,
        "form": fresh,
        "theirs": theirs,
        "latest": latest,
        "needs_approval": not can(request.user, Capability.CHANGE_ROUTING),
    }
    return render(request, "numbers/change.html", context, status=409)
