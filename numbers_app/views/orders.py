"""Asking for numbers and deciding on orders."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from numbers_app.errors import Conflict, InvalidInput, VendorTrouble
from numbers_app.forms.campaigns import PurchaseForm
from numbers_app.forms.decisions import ApproveForm, RejectForm
from numbers_app.forms.filters import OrderFilter
from numbers_app.models import Order, OrderStatus
from numbers_app.permissions import Capability, can, capabilities_of
from numbers_app.selectors.accounts import accounts_granted, locations_granted
from numbers_app.selectors.orders import order_list, order_queue, order_timeline
from numbers_app.selectors.search import number_places
from numbers_app.services.decisions import order_approve, order_cancel, order_reject
from numbers_app.services.orders import WantedNumber, order_request_purchase
from numbers_app.text import phone_text

from .errors import conflict
from .http import PortalRequest, actor_of, allow, not_found, one_page, status_of, template_for
from .location_id import with_account


@require_safe
def orders(request: PortalRequest) -> HttpResponse:
    """What waits for this person's decision, and all orders they may see."""
    filtered = OrderFilter(request.GET, queryset=order_list(request.user))
    context = {
        "filter": filtered,
        "page_obj": one_page(request, filtered.qs),
        "queue": order_queue(request.user) if can(request.user, Capability.DECIDE) else [],
        "can_decide": can(request.user, Capability.DECIDE),
    }
    return render(request, "orders/list.html", context, status=status_of(filtered))


@require_http_methods(["GET", "HEAD", "POST"])
def order_new(request: PortalRequest) -> HttpResponse:
    """The form for a purchase. 422 with everything typed when something is wrong with it."""
    allow(request, Capability.ORDER)
    locations = locations_granted(request.user)
    if request.method != "POST":
        asked = with_account(request.GET)
        form = PurchaseForm(
            initial={"number": asked.getlist("number")[:5], "account": asked.get("account")},
            locations=locations,
        )
        return render(request, "orders/new.html", {"form": form})
    form = PurchaseForm(with_account(request.POST), locations=locations)
    if form.is_valid():
        try:
            order = _request_purchase(request, form)
        except InvalidInput as error:
            form.refuse(error)
        else:
            messages.success(request, f"Order {order.pk} waits for a manager.")
            return redirect("order_detail", order.pk)
    return render(request, "orders/new.html", {"form": form}, status=422)


def _request_purchase(request: PortalRequest, form: PurchaseForm) -> Order:
    """Ask whether the numbers are still there, then write the order down. An absent vendor delays nothing."""
    numbers, account = form.cleaned_data["number"], form.cleaned_data["account"]
    try:
        places = number_places(numbers, account.key)
    except VendorTrouble as trouble:
        places = dict.fromkeys(numbers, "")
        messages.warning(
            request,
            f"{trouble.message} Your order is kept. "
            "Whether the numbers are still available is checked before anything is bought.",
        )
    for number, place in places.items():
        if place is None:
            raise InvalidInput(
                f"{phone_text(number)} is not available to {account} any more. Choose another one.", "number"
            )
    return order_request_purchase(
        actor=actor_of(request),
        account=account,
        wanted=[WantedNumber(number, places[number] or "") for number in numbers],
        parameters=form.parameters(),
        reason=form.cleaned_data["reason"],
        form_token=form.cleaned_data["form_token"],
    )


@require_safe
def order_detail(request: PortalRequest, order_id: int) -> HttpResponse:
    """Everything known of one order."""
    order = _get(request, order_id)
    template = template_for(request, "orders/detail.html", "progress")
    return render(request, template, _detail(request, order))


@require_POST
def approve(request: PortalRequest, order_id: int) -> HttpResponse:
    """Approve the revision that was seen; 409 when it is not the one that stands."""
    order = _get_to_act(request, order_id, Capability.DECIDE)
    form = ApproveForm(request.POST)
    if not form.is_valid():
        return render(request, "orders/detail.html", _detail(request, order), status=422)
    try:
        order_approve(actor=actor_of(request), order_id=order.pk, revision=form.cleaned_data["revision"])
    except Conflict as error:
        return conflict(request, error, reverse("order_detail", args=[order.pk]))
    messages.success(request, f"Order {order.pk} is approved and on its way to Callcap.")
    return _back(request, order)


@require_http_methods(["GET", "HEAD", "POST"])
def reject(request: PortalRequest, order_id: int) -> HttpResponse:
    """Reject with a reason; 409 when somebody else decided first."""
    order = _get_to_act(request, order_id, Capability.DECIDE)
    if request.method != "POST":
        return render(
            request,
            "orders/reject.html",
            {"order": order, "form": RejectForm(initial={"revision": order.revision})},
        )
    form = RejectForm(request.POST)
    if not form.is_valid():
        return render(request, "orders/reject.html", {"order": order, "form": form}, status=422)
    try:
        order_reject(actor=actor_of(request), order_id=order.pk, **form.cleaned_data)
    except Conflict as error:
        return conflict(request, error, reverse("order_detail", args=[order.pk]))
    messages.success(request, f"Order {order.pk} is rejected. {order.author_name} sees your reason.")
    return _back(request, order)


@require_POST
def cancel(request: PortalRequest, order_id: int) -> HttpResponse:
    """Take an order back before it is sent."""
    order = _get_to_act(request, order_id, Capability.ORDER)
    try:
        order_cancel(actor=actor_of(request), order_id=order.pk)
    except Conflict as error:
        return conflict(request, error, reverse("order_detail", args=[order.pk]))
    messages.success(request, f"Order {order.pk} is cancelled. Nothing was sent to Callcap.")
    return redirect("order_detail", order.pk)


def _get(request: PortalRequest, order_id: int) -> Order:
    order = order_list(request.user).filter(pk=order_id).first()
    if order is None:
        raise not_found(f"Order {order_id}")
    return order


def _get_to_act(request: PortalRequest, order_id: int, capability: Capability) -> Order:
    """An order to be decided on: 404 unseen, 403 without the capability, 404 where the person only sees."""
    order = _get(request, order_id)
    allow(request, capability)
    if not accounts_granted(request.user).filter(pk=order.account_id).exists():
        raise not_found(f"Order {order_id}")
    return order


def _detail(request: PortalRequest, order: Order) -> dict[str, Any]:
    capabilities = capabilities_of(request.user)
    granted = accounts_granted(request.user).filter(pk=order.account_id).exists()
    mine = order.author_id == request.user.pk
    decides = granted and Capability.DECIDE in capabilities
    waiting = order.status == OrderStatus.PENDING
    return {
        "order": order,
        "attempts": order.attempts.all(),
        "children": order.children.all(),
        "timeline": order_timeline(order),
        "settle_minutes": settings.CALLCAP_SETTLE_SECONDS // 60,
        "may_decide": decides and waiting and not mine,
        "waits_for_others": waiting and mine,
        "may_cancel": granted
        and order.status in (OrderStatus.PENDING, OrderStatus.APPROVED)
        and (decides or (mine and Capability.ORDER in capabilities)),
        "is_moving": order.status in (OrderStatus.APPROVED, OrderStatus.SENDING),
    }


def _back(request: PortalRequest, order: Order) -> HttpResponse:
    """To the page that the decision was made on, when it is one of ours; else to the order."""
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return redirect(target)
    return redirect("order_detail", order.pk)
