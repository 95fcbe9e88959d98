"""Asking for numbers, and reading what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from numbers_app.errors import Conflict, InvalidInput, VendorTrouble
from numbers_app.forms.amend import AmendChangeForm, AmendPurchaseForm
from numbers_app.forms.campaigns import PurchaseForm
from numbers_app.forms.decisions import CommentForm
from numbers_app.forms.filters import OrderFilter
from numbers_app.models import Order, OrderKind, OrderStatus
from numbers_app.permissions import Capability, can, capabilities_of
from numbers_app.selectors.accounts import accounts_granted, locations_granted
from numbers_app.selectors.availability import search_matches
from numbers_app.selectors.batches import batch_of_order
from numbers_app.selectors.orders import (
    order_amendments,
    order_list,
    order_queue,
    order_timeline,
    orders_expiring,
    orders_to_settle,
    orders_undoable,
    orders_unknown,
    orders_upcoming,
)
from numbers_app.selectors.reviews import order_is_news, order_review
from numbers_app.selectors.search import FoundNumber, number_places, numbers_instead
from numbers_app.selectors.stopping import campaigns_stopping, stops_within, today_by_zone
from numbers_app.services.orders import WantedNumber, order_amend, order_request_purchase
from numbers_app.services.validity import order_undo_until
from numbers_app.text import phone_text

from .destinations import hints_context
from .http import PortalRequest, actor_of, allow, not_found, one_page, status_of, template_for
from .location_id import with_account
from .order_access import order_to_act, order_to_see
from .queue import queue_context
from .tray import tray_take_out

# An order that moves this soon is watched; what is scheduled for later is not.
WATCHED = timedelta(minutes=2)
# The others send what is set already: there is nothing to write anew.
AMENDABLE = (OrderKind.PROVISION, OrderKind.CHANGE)


@require_safe
def orders(request: PortalRequest) -> HttpResponse:
    """What waits for this person's decision, and all orders they may see."""
    filtered = OrderFilter(request.GET, queryset=order_list(request.user))
    context = {
        "filter": filtered,
        "page_obj": one_page(request, filtered.qs),
        "can_decide": can(request.user, Capability.DECIDE),
        "unknown_count": orders_unknown(request.user).count(),
    }
    if context["can_decide"]:
        context |= queue_context(request)
    return render(request, "orders/list.html", context, status=status_of(filtered))


@require_safe
def upcoming(request: PortalRequest) -> HttpResponse:
    """What will happen next by itself: orders that are sent or checked, that expire, and numbers that stop."""
    context = {
        "page_obj": one_page(request, orders_upcoming(request.user)),
        "expiring": [
            (order, order.submitted_at + timedelta(days=settings.ORDER_EXPIRY_DAYS))
            for order in orders_expiring(request.user)[:20]
        ],
        "stopping": campaigns_stopping(request.user).filter(stops_within(30, today_by_zone()))[:20],
    }
    return render(request, "orders/upcoming.html", context)


@require_safe
def unknown(request: PortalRequest) -> HttpResponse:
    """The orders of unknown outcome with everything known of each."""
    page = one_page(request, orders_unknown(request.user), per_page=20)
    context = {
        "page_obj": page,
        "may_settle": orders_to_settle(request.user).filter(pk__in=[order.pk for order in page]),
        "settle_minutes": settings.CALLCAP_SETTLE_SECONDS // 60,
    }
    return render(request, "orders/unknown.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def order_new(request: PortalRequest) -> HttpResponse:
    """The form for a purchase. 422 with everything typed when something is wrong with it."""
    allow(request, Capability.ORDER)
    locations = locations_granted(request.user)
    if request.method != "POST":
        asked = with_account(request.GET)
        initial = {
            "number": asked.getlist("number")[:5],
            "account": asked.get("account"),
            "vanity_text": asked.get("vanity_text", "")[:40],
            "criteria": _search_asked(asked),
        }
        return _purchase_page(request, PurchaseForm(initial=initial, locations=locations))
    sent = with_account(request.POST)
    if instead := sent.get("instead"):
        # Another number for one that cannot be had; nothing is asked for yet, and everything typed is kept.
        kept = {name: sent.get(name) for name in PurchaseForm.base_fields} | {"number": [instead]}
        return _purchase_page(request, PurchaseForm(initial=kept, locations=locations))
    form = PurchaseForm(sent, locations=locations)
    alternatives: list[FoundNumber] = []
    if form.is_valid():
        try:
            order = _request_purchase(request, form)
        except InvalidInput as error:
            alternatives = _instead(form) if error.field == "number" else []
            form.refuse(error)
        else:
            tray_take_out(request, form.cleaned_data["number"])
            messages.success(request, f"Order {order.pk} waits for a manager.")
            return redirect(order)
    return _purchase_page(request, form, alternatives, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
def order_amend_page(request: PortalRequest, order_id: int) -> HttpResponse:
    """Rewrite a waiting order: the form, then its new revision. 409 with everything typed when it was decided first."""
    order = order_to_act(request, order_id, Capability.ORDER)
    if not _may_amend(request, order):
        raise not_found(f"Order {order_id}")
    if order.status != OrderStatus.PENDING and request.method != "POST":
        return redirect(order)
    form = _amend_form(request, order)
    if request.method != "POST":
        return _amend_page(request, order, form)
    if not form.is_valid():
        return _amend_page(request, order, form, status=422)
    try:
        _amend(request, order, form)
    except InvalidInput as error:
        form.refuse(error)
        return _amend_page(request, order, form, status=422)
    except Conflict as error:
        form.add_error(None, f"{error.message} What you typed is kept below; nothing of it was saved.")
        return _amend_page(request, order, form, status=409)
    messages.success(request, f"Order {order.pk} is rewritten. Somebody who wrote nothing of it decides.")
    return redirect(order)


@require_safe
def order_detail(request: PortalRequest, order_id: int) -> HttpResponse:
    """Everything known of one order."""
    order = order_to_see(request, order_id)
    template = template_for(request, "orders/detail.html", "progress")
    return render(request, template, detail_context(request, order))


def detail_context(request: PortalRequest, order: Order) -> dict[str, Any]:
    """What the page of an order shows, and what this person may do with it."""
    capabilities = capabilities_of(request.user)
    granted = accounts_granted(request.user).filter(pk=order.account_id).exists()
    mine = request.user.pk in (order.requester_id, order.author_id)
    decides = granted and Capability.DECIDE in capabilities
    acts = granted and Capability.ORDER in capabilities
    waiting = order.status == OrderStatus.PENDING
    return {
        "order": order,
        "review": order_review(request.user, order) if waiting else None,
        "amendments": order_amendments(order),
        "is_news": order_is_news(request.user, order),
        "attempts": order.attempts.all(),
        "children": order.children.all(),
        "batch": batch_of_order(request.user, order),
        "timeline": order_timeline(order),
        "settle_minutes": settings.CALLCAP_SETTLE_SECONDS // 60,
        "may_decide": decides and waiting and order_queue(request.user).filter(pk=order.pk).exists(),
        "waits_for_others": waiting and mine,
        "may_amend": waiting and acts and (mine or decides) and order.kind in AMENDABLE,
        "may_urge": waiting and acts and not order.urgent,
        "may_comment": acts,
        "may_settle": decides and order.status == OrderStatus.UNKNOWN and (order.self_approved or not mine),
        "may_undo": decides and orders_undoable(request.user).filter(pk=order.pk).exists(),
        "undo_until": order_undo_until(order),
        "may_cancel": acts and order.status in (OrderStatus.PENDING, OrderStatus.APPROVED) and (decides or mine),
        "comment_form": CommentForm(),
        "is_moving": _is_moving(order),
    }


def _is_moving(order: Order) -> bool:
    if order.status == OrderStatus.SENDING:
        return True
    return bool(order.is_carried_on and order.execute_after and order.execute_after < timezone.now() + WATCHED)


def _purchase_page(
    request: PortalRequest, form: PurchaseForm, alternatives: Sequence[FoundNumber] = (), status: int = 200
) -> HttpResponse:
    context = {"form": form, "alternatives": alternatives} | hints_context(request, form)
    return render(request, "orders/new.html", context, status=status)


def _instead(form: PurchaseForm) -> list[FoundNumber]:
    """Free numbers like those that were refused; none for an order that names none."""
    numbers = form.cleaned_data["number"]
    return numbers_instead(numbers, form.cleaned_data["vanity_text"]) if numbers else []


def _search_asked(asked: QueryDict) -> str:
    """The search of an address as the search page links to it: its own query with ``first_match=1``."""
    if "first_match" not in asked:
        return ""
    search = asked.copy()
    for name in ("first_match", "number"):
        search.pop(name, None)
    return search.urlencode()


def _request_purchase(request: PortalRequest, form: PurchaseForm) -> Order:
    return order_request_purchase(
        actor=actor_of(request),
        account=form.cleaned_data["account"],
        wanted=_wanted(request, form),
        criteria=form.cleaned_data["criteria"],
        parameters=form.parameters(),
        reason=form.cleaned_data["reason"],
        form_token=form.cleaned_data["form_token"],
        urgent=form.cleaned_data["urgent"],
        execute_after=form.cleaned_data["execute_after"],
    )


def _wanted(request: PortalRequest, form: PurchaseForm) -> list[WantedNumber]:
    """The numbers of a valid form, as Callcap offers them now. An absent vendor delays nothing."""
    numbers, account = form.cleaned_data["number"], form.cleaned_data["account"]
    try:
        places = number_places(numbers, account.key)
        if not numbers and not search_matches(form.cleaned_data["criteria"]).count:
            raise InvalidInput(
                "No number that matches is free right now. Change the search, or save it and watch it.", "criteria"
            )
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
    return [WantedNumber(number, places[number] or "", form.spelling(number)) for number in numbers]


def _may_amend(request: PortalRequest, order: Order) -> bool:
    mine = request.user.pk in (order.requester_id, order.author_id)
    return order.kind in AMENDABLE and (mine or can(request.user, Capability.DECIDE))


def _amend_form(request: PortalRequest, order: Order) -> AmendPurchaseForm | AmendChangeForm:
    data = request.POST if request.method == "POST" else None
    if order.kind == OrderKind.PROVISION:
        return AmendPurchaseForm(data, order=order, search=_search_asked(request.GET))
    return AmendChangeForm(data, order=order)


def _amend(request: PortalRequest, order: Order, form: AmendPurchaseForm | AmendChangeForm) -> None:
    order_amend(
        actor=actor_of(request),
        order_id=order.pk,
        revision=form.cleaned_data["revision"],
        wanted=_wanted(request, form) if isinstance(form, AmendPurchaseForm) else [],
        criteria=form.cleaned_data["criteria"] if isinstance(form, AmendPurchaseForm) else None,
        parameters=form.parameters(),
        reason=form.cleaned_data["reason"],
        urgent=form.cleaned_data["urgent"],
        execute_after=form.cleaned_data["execute_after"],
    )


def _amend_page(
    request: PortalRequest, order: Order, form: AmendPurchaseForm | AmendChangeForm, status: int = 200
) -> HttpResponse:
    context = {"order": order, "form": form} | hints_context(request, form)
    return render(request, "orders/amend.html", context, status=status)
