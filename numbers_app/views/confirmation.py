"""Asking Callcap whether a number is ours, sending everything once more, and settling a dispute."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from numbers_app.errors import Conflict, InvalidInput
from numbers_app.forms.confirmation import ConfirmForm, DisputeForm, ReapplyForm
from numbers_app.models import Campaign, Order, OrderStatus
from numbers_app.permissions import Capability, can
from numbers_app.selectors.campaigns import campaigns_disputed
from numbers_app.services.confirmation import campaign_settle_dispute, order_request_confirm, order_request_reapply
from numbers_app.services.validity import reapply_parameters

from .http import PER_PAGE, PortalRequest, actor_of, allow, one_page
from .number_access import campaign_to_act


@require_POST
def campaign_confirm(request: PortalRequest, number: str) -> HttpResponse:
    """Ask Callcap whether the number is still ours."""
    campaign = campaign_to_act(request, number, Capability.ORDER)
    try:
        order = order_request_confirm(
            actor=actor_of(request), campaign=campaign, form_token=ConfirmForm(request.POST).token
        )
    except (Conflict, InvalidInput) as error:
        messages.error(request, error.message)
        return redirect("campaign_detail", number)
    return _asked(request, order)


@require_http_methods(["GET", "HEAD", "POST"])
def campaign_reapply(request: PortalRequest, number: str) -> HttpResponse:
    """Everything that would be sent, then the order that sends it. 409 with the values of now when they moved."""
    campaign = campaign_to_act(request, number, Capability.ORDER)
    if campaign.ended_at:
        messages.error(request, "This number has stopped. Nothing can be sent for it any more.")
        return redirect("campaign_detail", number)
    if request.method != "POST":
        return _reapply_page(request, campaign, ReapplyForm(version=campaign.version))
    form = ReapplyForm(request.POST, version=campaign.version)
    if not form.is_valid():
        return _reapply_page(request, campaign, form, status=422)
    try:
        order = order_request_reapply(
            actor=actor_of(request),
            campaign=campaign,
            version=form.cleaned_data["version"],
            reason=form.cleaned_data["reason"],
            form_token=form.cleaned_data["form_token"],
        )
    except InvalidInput as error:
        form.add_error(None, error.message)
        return _reapply_page(request, campaign, form, status=422)
    except Conflict as error:
        typed = request.POST.copy()
        typed["version"] = str(campaign.version)
        form = ReapplyForm(typed, version=campaign.version)
        form.add_error(None, error.message)
        return _reapply_page(request, campaign, form, status=409)
    return _asked(request, order)


@require_http_methods(["GET", "HEAD", "POST"])
def campaign_dispute(request: PortalRequest, number: str) -> HttpResponse:
    """What Callcap said, and what a manager found out about it."""
    campaign = campaign_to_act(request, number, Capability.DECIDE)
    if not campaign.disputed_at:
        messages.info(request, "There is nothing to settle any more.")
        return redirect("campaign_detail", number)
    form = DisputeForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {"campaign": campaign, "form": form}
        return render(request, "numbers/dispute.html", context, status=422 if form.is_bound else 200)
    if _settle(request, campaign, form):
        messages.success(request, "The discrepancy is settled.")
    else:
        messages.error(request, "There is nothing to settle any more.")
    return redirect("campaign_detail", number)


@require_http_methods(["GET", "HEAD", "POST"])
def campaign_disputes(request: PortalRequest) -> HttpResponse:
    """Every number in dispute that this person may settle, and one finding and reason for those that are ticked."""
    allow(request, Capability.DECIDE)
    mine = campaigns_disputed(request.user).order_by("phone_number")
    ticked = list(dict.fromkeys(request.POST.getlist("number")))[:PER_PAGE]
    form = DisputeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and not ticked:
        form.add_error(None, "Tick the numbers that you mean.")
    if not form.is_valid():
        context = {"page_obj": one_page(request, mine), "form": form, "ticked": ticked}
        return render(request, "numbers/disputes.html", context, status=422 if form.is_bound else 200)
    settled = sum(_settle(request, campaign, form) for campaign in mine.filter(phone_number__in=ticked))
    if settled:
        messages.success(request, f"{settled} discrepanc{'y is' if settled == 1 else 'ies are'} settled.")
    if left := len(ticked) - settled:
        messages.warning(
            request, f"{left} of the ticked numbers {'was' if left == 1 else 'were'} not yours or settled meanwhile."
        )
    return redirect("campaign_disputes")


def _settle(request: PortalRequest, campaign: Campaign, form: DisputeForm) -> bool:
    """Whether there still was something to settle."""
    try:
        campaign_settle_dispute(
            actor=actor_of(request),
            campaign=campaign,
            still_ours=form.cleaned_data["finding"] == DisputeForm.STILL_OURS,
            reason=form.cleaned_data["reason"],
        )
    except Conflict:
        return False
    return True


def _reapply_page(request: PortalRequest, campaign: Campaign, form: ReapplyForm, status: int = 200) -> HttpResponse:
    context = {
        "campaign": campaign,
        "form": form,
        "values": reapply_parameters(campaign),
        "needs_approval": not can(request.user, Capability.CHANGE_ROUTING),
    }
    return render(request, "numbers/reapply.html", context, status=status)


def _asked(request: PortalRequest, order: Order) -> HttpResponse:
    waits = order.status == OrderStatus.PENDING
    messages.success(request, f"Order {order.pk} {'waits for a manager' if waits else 'is on its way to Callcap'}.")
    return redirect(order)
