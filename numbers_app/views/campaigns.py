"""One number, and changing it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from numbers_app.errors import Conflict, InvalidInput
from numbers_app.forms.campaigns import SECTIONS, ChangeForm, section_fields
from numbers_app.forms.confirmation import ConfirmForm
from numbers_app.models import RUN_ON, Campaign, OrderStatus
from numbers_app.permissions import Capability, can
from numbers_app.selectors.destinations import destination_warnings
from numbers_app.selectors.numbers import (
    change_to_put_back,
    number_history,
    number_orders,
    number_orders_open,
    numbers_ringing_too,
    values_at_version,
    values_before,
)
from numbers_app.selectors.orders import order_made_by_form
from numbers_app.services.orders import order_request_change

from .destinations import hints_context
from .http import MOST_KEY_DIGITS, PortalRequest, actor_of, not_found, template_for
from .number_access import campaign_to_act, campaigns_to_see, may_act

MOST_SHOWN = 20
THEIRS = "theirs"


@require_safe
def campaign_detail(request: PortalRequest, number: str) -> HttpResponse:
    """One number: where it rings, until when, what is coming, who changed what; and its earlier campaigns."""
    campaign, *earlier = campaigns_to_see(request, number)
    stops = None if campaign.stop_date in (None, RUN_ON) or campaign.ended_at else campaign.stop_date
    same = numbers_ringing_too(request.user, campaign)
    orders = number_orders(request.user, number)
    context = {
        "campaign": campaign,
        "earlier": earlier,
        "days_left": (stops - campaign.account.today()).days if stops else None,
        "same_destination": same[:MOST_SHOWN],
        "same_count": same.count(),
        "information": [(name, getattr(campaign, name)) for name in section_fields("information")],
        "history": number_history(request.user, number)[:50],
        "open_orders": number_orders_open(request.user, number),
        "orders": orders[:MOST_SHOWN],
        "orders_count": orders.count(),
        "may_change": may_act(request, campaign, Capability.ORDER),
        "may_settle": may_act(request, campaign, Capability.DECIDE),
        "confirm_form": ConfirmForm(),
        "needs_approval": not can(request.user, Capability.CHANGE_ROUTING),
    }
    return render(request, "numbers/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def campaign_change(request: PortalRequest, number: str) -> HttpResponse:
    """Change a number: the form, then what will change, then (``confirmed=1``) the order that changes it.

    ``?section=`` leaves a new form with the fields of one section, ``?put_back=`` with what an entry of the history
    changed, filled in as it was before.
    """
    campaign = campaign_to_act(request, number, Capability.ORDER)
    if campaign.ended_at:
        messages.error(request, "This number has stopped. It can no longer be changed.")
        return _to_the_number(request, campaign)
    if request.method != "POST":
        if "put_back" in request.GET:
            return _put_back(request, campaign, request.GET["put_back"])
        return _section_page(request, campaign, request.GET.get("section", ""))
    typed = _without_theirs(request)
    form = ChangeForm(typed, campaign=campaign)
    if not form.is_valid() or typed.get("back"):
        return _form_page(request, campaign, form, status=200 if form.is_valid() else 422)
    return _review(request, campaign, form)


def _to_the_number(request: PortalRequest, campaign: Campaign) -> HttpResponse:
    """The number's page. A section that was to be edited in place must not take it in."""
    if request.htmx:
        return HttpResponseClientRedirect(reverse("campaign_detail", args=[campaign.phone_number]))
    return redirect("campaign_detail", campaign.phone_number)


def _section_page(request: PortalRequest, campaign: Campaign, section: str) -> HttpResponse:
    """The form with the fields of a section; with all for a word that names none."""
    # Several sections can be open on one page, so the names in it are the section's own.
    auto_id = f"{section}_%s" if request.htmx and section in SECTIONS else "id_%s"
    form = ChangeForm(campaign=campaign, shown=section_fields(section), auto_id=auto_id)
    return _form_page(request, campaign, form)


def _put_back(request: PortalRequest, campaign: Campaign, sequence: str) -> HttpResponse:
    """The form with the values before an entry of the history; 404 for one that is no change of this number."""
    is_key = sequence.isascii() and sequence.isdigit() and len(sequence) <= MOST_KEY_DIGITS
    entry = change_to_put_back(request.user, campaign, int(sequence)) if is_key else None
    if entry is None:
        raise not_found(f"Entry {sequence[:MOST_KEY_DIGITS]}")
    values, problems = values_before(entry, campaign)
    if not values and not problems:
        messages.info(request, f"Everything is as it was before entry {entry.sequence}: there is nothing to put back.")
        return redirect("campaign_detail", campaign.phone_number)
    reason = f"Puts back what entry {entry.sequence} changed."
    # What has to be given anew is asked for beside what is filled in.
    form = ChangeForm(campaign=campaign, shown=[*values, *problems], values=values | {"reason": reason})
    return _form_page(request, campaign, form, entry=entry, filled=bool(values), problems=problems.values())


def _without_theirs(request: PortalRequest) -> Any:
    """What was sent, without the fields that the page of a conflict left to somebody else."""
    typed = request.POST.copy()
    for name in ChangeForm.CAMPAIGN_FIELDS:
        if typed.get(f"take_{name}") == THEIRS:
            typed.pop(name, None)
    return typed


def _review(request: PortalRequest, campaign: Campaign, form: ChangeForm) -> HttpResponse:
    """A valid form: show what will change, or carry it out when that was confirmed."""
    made = order_made_by_form(request.user, form.cleaned_data["form_token"])
    if made and form.repeats(made):
        return redirect("order_detail", made.pk)
    version = form.cleaned_data["version"] or campaign.version
    if version != campaign.version:
        return _overtaken(request, campaign, form, version)
    parameters = form.parameters()
    if not parameters and THEIRS in request.POST.values():
        messages.info(request, "The number stays as it is. Nothing was sent.")
        return redirect("campaign_detail", campaign.phone_number)
    if not parameters:
        form.add_error(None, "Nothing would change: every value is as it is now.")
        return _form_page(request, campaign, form, status=422)
    if not form.cleaned_data["confirmed"]:
        return _confirmation(request, campaign, form, parameters)
    return _request_change(request, campaign, form, version, parameters)


def _request_change(
    request: PortalRequest, campaign: Campaign, form: ChangeForm, version: int, parameters: dict[str, Any]
) -> HttpResponse:
    try:
        order = order_request_change(
            actor=actor_of(request),
            campaign=campaign,
            version=version,
            parameters=parameters,
            reason=form.cleaned_data["reason"],
            form_token=form.cleaned_data["form_token"],
            urgent=form.cleaned_data["urgent"],
            execute_after=form.cleaned_data["execute_after"],
        )
    except Conflict:
        fresh = campaigns_to_see(request, campaign.phone_number)[0]
        form = ChangeForm(form.data, campaign=fresh)
        # What the fresh number makes of the date alone could be refused now.
        if not form.is_valid():
            return _form_page(request, fresh, form, status=422)
        return _overtaken(request, fresh, form, version)
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


def _form_page(
    request: PortalRequest,
    campaign: Campaign,
    form: ChangeForm,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    context = {
        "campaign": campaign,
        "form": form,
        "needs_approval": not can(request.user, Capability.CHANGE_ROUTING),
        **hints_context(request, form),
        **more,
    }
    template = template_for(request, "numbers/change.html", "form")
    return render(request, template, context, status=status)


def _confirmation(
    request: PortalRequest, campaign: Campaign, form: ChangeForm, parameters: dict[str, Any]
) -> HttpResponse:
    """What will change, once more, with everything typed kept in hidden fields."""
    context = {
        "campaign": campaign,
        "form": form,
        "changes": [(name, getattr(campaign, name), value) for name, value in parameters.items()],
        "typed": _typed(form),
        "needs_approval": not can(request.user, Capability.CHANGE_ROUTING),
        "calls_elsewhere": "destination" in parameters,
        "warnings": destination_warnings(
            parameters["destination"], account=campaign.account, numbers=[campaign.phone_number], campaign=campaign
        )
        if "destination" in parameters
        else [],
    }
    return render(request, "numbers/confirm.html", context)


def _typed(form: ChangeForm, apart_from: tuple[str, ...] = ("confirmed",)) -> list[tuple[str, Any]]:
    """What the form was sent with, to be sent once more; one without a token is given one."""
    sent: Any = form.data
    kept = [(name, value) for name, value in sent.items() if name in form.fields and name not in apart_from]
    return kept if sent.get("form_token") else [*kept, ("form_token", form.cleaned_data["form_token"])]


def _overtaken(request: PortalRequest, campaign: Campaign, form: ChangeForm, version: int) -> HttpResponse:
    """409: what each field was in the version that was seen, is now and would be, with a choice. What the form left
    alone stays as it is now."""
    latest = campaign.last_change
    collisions = form.collisions(values_at_version(campaign, version))
    mine = [collision for collision in collisions if collision.mine]
    if not mine:
        messages.info(
            request, f"{latest.actor_name} changed this number meanwhile. Your form changes nothing of it any more."
        )
        return redirect("campaign_detail", campaign.phone_number)
    context = {
        "campaign": campaign,
        "mine": mine,
        "left_alone": [collision for collision in collisions if not collision.mine],
        "latest": latest,
        "typed": _typed(form, apart_from=("confirmed", "version", *form.CAMPAIGN_FIELDS)),
        "reason": form.cleaned_data["reason"],
    }
    return render(request, "numbers/conflict.html", context, status=409)
