"""Numbers that stop: when, and letting them run longer."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from numbers_app.errors import Conflict, InvalidInput
from numbers_app.forms.stopping import STEPS, ExtendForm, ExtendSeveralForm, StoppingFilter
from numbers_app.models import RUN_ON, BatchKind, Campaign, Order, OrderStatus
from numbers_app.permissions import Capability, can, capabilities_of
from numbers_app.selectors.accounts import accounts_granted
from numbers_app.selectors.orders import order_made_by_form
from numbers_app.selectors.stopping import (
    Week,
    campaigns_stopping,
    can_be_extended,
    days_left,
    later_stop,
    orders_moving_stop,
    stops_by_week,
    stops_within,
    today_by_zone,
)
from numbers_app.services.batch_drafts import batch_from_selection
from numbers_app.services.notifications import campaign_seen
from numbers_app.services.orders import order_request_change
from numbers_app.text import phone_text

from .errors import conflict
from .http import PER_PAGE, PortalRequest, actor_of, allow, one_page, status_of
from .number_access import campaign_to_act, campaigns_to_see
from .order_access import page_before
from .reports import Cell, Row

# As many as a page of the list shows.
MOST_TICKED = PER_PAGE


@dataclass(frozen=True)
class Stop:
    """A number of the list, the order that may still move its stop date, and what this person may do about it.

    ``steps`` are (days, the date that they lead to); ``form_token`` is that of the row's form.
    """

    campaign: Campaign
    order: Order | None
    may_extend: bool
    may_take_back: bool
    steps: list[tuple[int, date]]
    form_token: uuid.UUID


@require_safe
def stopping(request: PortalRequest) -> HttpResponse:
    """What stops in the next half year, week by week, and the list of it."""
    filtered = StoppingFilter(request.GET, user=request.user)
    everything = filtered.at_any_time if filtered.is_valid() else filtered.qs
    passed = stops_within(-1, today_by_zone())
    weeks = stops_by_week(everything.exclude(passed), timezone.localdate())
    page = one_page(request, filtered.qs)
    stops = _stops(request, list(page))
    account = filtered.form.cleaned_data.get("account", "")
    context = {
        "filter": filtered,
        "form": filtered.form,
        "page_obj": page,
        "stops": stops,
        "may_order": can(request.user, Capability.ORDER),
        "may_extend_some": any(stop.may_extend for stop in stops),
        "several": ExtendSeveralForm(chosen=Campaign.objects.none()),
        "overdue": everything.filter(passed).count(),
        "series": ("Stops",),
        "week_heads": ("Week", "Numbers"),
        "weeks": [_week(week, account) for week in weeks],
        "charted": sum(week.numbers for week in weeks),
        "list_path": request.get_full_path(),
    }
    return render(request, "numbers/stopping.html", context, status=status_of(filtered))


@require_http_methods(["GET", "HEAD", "POST"])
def extend(request: PortalRequest, number: str) -> HttpResponse:
    """Move a number's stop date to a later day: the form, or the order that does it.

    A step, whose date stands on its button, needs no second look while it can be taken back: what a manager does by
    themselves is sent after the time to undo it, and what a rep asks for waits for a manager. A date that was typed,
    running on for ever, and a number whose date another order may move are shown once more.
    """
    campaign = campaign_to_act(request, number, Capability.ORDER)
    if not can_be_extended(campaign):
        return _nothing_to_extend(request, campaign)
    if request.method != "POST":
        return _form_page(request, campaign, ExtendForm(campaign=campaign))
    form = ExtendForm(request.POST, campaign=campaign)
    valid = form.is_valid()
    # First of all: what is wrong with a date may only be that the stop date has moved.
    if form.cleaned_data.get("version", campaign.version) != campaign.version:
        return _sent_again(request, campaign, form) or _overtaken(request, campaign)
    if not valid or request.POST.get("back"):
        return _form_page(request, campaign, form, status=200 if valid else 422)
    order = orders_moving_stop(request.user, [campaign]).get(campaign.pk)
    made_already = order_made_by_form(request.user, form.cleaned_data["form_token"])
    needs_a_look = _needs_a_look(request, form) or (order and not made_already)
    if needs_a_look and not form.cleaned_data["confirmed"]:
        return _confirmation(request, campaign, form, order)
    return _extend(request, campaign, form)


@require_POST
def extend_several(request: PortalRequest) -> HttpResponse:
    """One new last day for the ticked numbers, as a draft whose preview comes next. 422 with the ticks kept."""
    allow(request, Capability.ORDER)
    ticked = request.POST.getlist("number")[:MOST_TICKED]
    granted = accounts_granted(request.user)
    chosen = campaigns_stopping(request.user).filter(phone_number__in=ticked, account__in=granted)
    form = ExtendSeveralForm(request.POST, chosen=chosen)
    if gone := len(set(ticked)) - chosen.count():
        messages.warning(
            request,
            f"{gone} of the ticked numbers {'has' if gone == 1 else 'have'} no stop date to move any more, "
            "or cannot be changed by you. Left out.",
        )
    if form.is_valid():
        try:
            batch = batch_from_selection(
                actor=actor_of(request),
                kind=BatchKind.CHANGE,
                campaigns=chosen,
                values={"stop_date": form.stop_date},
                title="Later stop dates",
                form_token=form.wish_token,
            )
        except InvalidInput as error:
            form.add_error(None, error.message)
        else:
            return redirect("batch_preview", batch.pk)
    context = {"form": form, "chosen": chosen, "next": page_before(request) or reverse("campaign_stopping")}
    return render(request, "numbers/extend_several.html", context, status=422)


@require_POST
def seen(request: PortalRequest, number: str) -> HttpResponse:
    """What the person was told of the number counts as read; on to it, unless a script has only said so."""
    campaign = campaigns_to_see(request, number)[0]
    campaign_seen(actor=actor_of(request), number=number)
    return HttpResponse(status=204) if request.htmx else redirect("campaign_detail", campaign.phone_number)


def _week(week: Week, account: str) -> Row:
    query = QueryDict(mutable=True)
    query.update({"status": "stopping", "stop_from": week.first.isoformat(), "stop_to": week.last.isoformat()})
    if account:
        query["account"] = account
    return Row(
        label=date_format(week.first, "M j"),
        heading=f"{date_format(week.first, 'M j')} to {date_format(week.last, 'M j, Y')}",
        cells=[Cell(week.numbers, f"{reverse('campaign_list')}?{query.urlencode()}")],
        values=(week.numbers,),
    )


def _stops(request: PortalRequest, campaigns: Sequence[Campaign]) -> list[Stop]:
    orders = orders_moving_stop(request.user, campaigns)
    capabilities = capabilities_of(request.user)
    granted = set(accounts_granted(request.user).values_list("pk", flat=True))
    rows = []
    for campaign in campaigns:
        order = orders.get(campaign.pk)
        acts = campaign.account_id in granted and Capability.ORDER in capabilities
        extends = acts and can_be_extended(campaign)
        steps = [(days, later) for days in STEPS if (later := later_stop(campaign, days))]
        mine = order is not None and request.user.pk in (order.requester_id, order.author_id)
        open_still = order is not None and order.status in (OrderStatus.PENDING, OrderStatus.APPROVED)
        rows.append(
            Stop(
                campaign=campaign,
                order=order,
                may_extend=extends,
                may_take_back=acts and open_still and (mine or Capability.DECIDE in capabilities),
                steps=steps if extends else [],
                form_token=uuid.uuid4(),
            )
        )
    return rows


def _nothing_to_extend(request: PortalRequest, campaign: Campaign) -> HttpResponse:
    said = f"{phone_text(campaign.phone_number)} {_why_not(campaign)}"
    address = reverse("campaign_detail", args=[campaign.phone_number])
    if request.method == "POST":
        return conflict(request, Conflict(said), address)
    messages.error(request, said)
    return redirect(address)


def _why_not(campaign: Campaign) -> str:
    if campaign.ended_at:
        return "has stopped: there is no stop date to move."
    if campaign.account.active:
        return "runs on: there is no stop date to move."
    return "lies in a Location that Callcap no longer lists: no change of it can be sent."


def _needs_a_look(request: PortalRequest, form: ExtendForm) -> bool:
    sent_at_once = can(request.user, Capability.CHANGE_ROUTING) and not settings.APPROVAL_UNDO_SECONDS
    return form.is_typed or sent_at_once


def _extend(request: PortalRequest, campaign: Campaign, form: ExtendForm) -> HttpResponse:
    try:
        order = order_request_change(
            actor=actor_of(request),
            campaign=campaign,
            version=form.cleaned_data["version"],
            parameters=form.parameters(),
            reason=form.cleaned_data["reason"],
            form_token=form.cleaned_data["form_token"],
        )
    except Conflict:
        return _overtaken(request, campaigns_to_see(request, campaign.phone_number)[0])
    except InvalidInput as error:
        form.refuse(error)
        return _form_page(request, campaign, form, status=422)
    return _after(request, order, campaign)


def _after(request: PortalRequest, order: Order, campaign: Campaign) -> HttpResponse:
    number = phone_text(campaign.phone_number)
    if order.status == OrderStatus.PENDING:
        messages.success(request, f"Order {order.pk} waits for a manager. Until then {number} stops when it did.")
    else:
        undo = settings.APPROVAL_UNDO_SECONDS
        take_back = f" You can take it back for {undo} seconds." if undo else ""
        messages.success(request, f"Order {order.pk} for {number} is on its way to Callcap.{take_back}")
    before = page_before(request)
    return redirect(f"{before}#number-{campaign.phone_number}" if before else order.get_absolute_url())


def _sent_again(request: PortalRequest, campaign: Campaign, form: ExtendForm) -> HttpResponse | None:
    """To the order that this very form has made already; None when it has made none."""
    token = form.cleaned_data.get("form_token")
    made = order_made_by_form(request.user, token) if token else None
    if made is None or made.campaign_id != campaign.pk:
        return None
    messages.info(request, f"This form has made order {made.pk} already.")
    return redirect(made)


def _overtaken(request: PortalRequest, campaign: Campaign) -> HttpResponse:
    who, number = campaign.last_change.actor_name, phone_text(campaign.phone_number)
    until = campaign.stop_date if can_be_extended(campaign) else None
    stops = f" It stops on {date_format(until, 'M j, Y')}." if until else ""
    back = page_before(request) or reverse("campaign_extend", args=[campaign.phone_number])
    return conflict(request, Conflict(f"{who} changed {number} after you opened the page.{stops}"), back)


def _form_page(request: PortalRequest, campaign: Campaign, form: ExtendForm, status: int = 200) -> HttpResponse:
    context = {
        "campaign": campaign,
        "form": form,
        "next": page_before(request),
        "back_url": reverse("campaign_detail", args=[campaign.phone_number]),
        "needs_approval": not can(request.user, Capability.CHANGE_ROUTING),
        "days_left": days_left(campaign),
        "order": orders_moving_stop(request.user, [campaign]).get(campaign.pk),
    }
    return render(request, "numbers/extend.html", context, status=status)


def _confirmation(request: PortalRequest, campaign: Campaign, form: ExtendForm, order: Order | None) -> HttpResponse:
    """What will change and which order may change it too, with everything typed kept in hidden fields."""
    context = {
        "campaign": campaign,
        "order": order,
        "changes": [("stop_date", campaign.stop_date, form.stop_date)],
        "added_days": None if form.stop_date == RUN_ON else _days_between(campaign, form.stop_date),
        "typed": [(name, form.data[name]) for name in form.fields if form.data.get(name) and name != "confirmed"]
        + ([] if form.data.get("form_token") else [("form_token", form.cleaned_data["form_token"])]),
        "next": page_before(request),
        "needs_approval": not can(request.user, Capability.CHANGE_ROUTING),
    }
    return render(request, "numbers/extend_confirm.html", context)


def _days_between(campaign: Campaign, until: date) -> int:
    return (until - campaign.stop_date).days if campaign.stop_date else 0
