"""Deciding on orders: one function a verb. From the queue each answers htmx with the queue as it is afterwards."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from numbers_app.errors import Conflict, InvalidInput
from numbers_app.forms.decisions import ApproveForm, ApproveSeveralForm, CommentForm, RejectForm, SettleForm
from numbers_app.models import Order, OrderStatus
from numbers_app.permissions import Capability
from numbers_app.selectors.availability import Availability, order_availability
from numbers_app.selectors.orders import orders_undoable, purchase_in_doubt
from numbers_app.services.decisions import (
    order_approve,
    order_cancel,
    order_comment,
    order_mark_urgent,
    order_refuse_writer,
    order_reject,
    order_undo_approval,
)
from numbers_app.services.settlement import Finding, order_settle
from numbers_app.text import phone_text

from .errors import conflict
from .http import PortalRequest, actor_of, allow, template_for
from .order_access import back, order_to_act, order_to_see, page_before
from .orders import detail_context
from .queue import queue_context


@require_POST
def approve(request: PortalRequest, order_id: int) -> HttpResponse:
    """Approve the revision that was seen; 409 when it is not the one that stands, or no number is left to buy."""
    order = order_to_act(request, order_id, Capability.DECIDE)
    form = ApproveForm(request.POST)
    if not form.is_valid():
        return render(request, "orders/detail.html", detail_context(request, order), status=422)
    try:
        _approve(request, order, form.cleaned_data["revision"])
    except Conflict as error:
        return _refused(request, order, error)
    return _decided(request, order)


@require_POST
def approve_several(request: PortalRequest) -> HttpResponse:
    """Approve each of the orders that were ticked; what cannot be approved is named with the reason."""
    allow(request, Capability.DECIDE)
    form = ApproveSeveralForm(request.POST)
    if not form.is_valid():
        messages.warning(request, "Nothing is approved: tick the orders that you want to approve first.")
        return _queue(request, status=422)
    ticked = [
        (order_to_act(request, order_id, Capability.DECIDE), revision)
        for order_id, revision in form.cleaned_data["order"]
    ]
    approved = 0
    for order, revision in ticked:
        try:
            _approve(request, order, revision, quietly=True)
            approved += 1
        except (Conflict, PermissionDenied) as error:
            messages.error(request, f"Order {order.pk} is not approved. {error}")
    if approved:
        messages.success(request, f"{approved} order{'' if approved == 1 else 's'} approved. {_effect(request)}")
    return _queue(request)


@require_POST
def undo_approval(request: PortalRequest, order_id: int) -> HttpResponse:
    """Take back one's own approval before it takes effect."""
    order = order_to_act(request, order_id, Capability.DECIDE)
    try:
        order_undo_approval(actor=actor_of(request), order_id=order.pk)
    except Conflict as error:
        return _refused(request, order, error)
    messages.success(request, f"The approval of order {order.pk} is taken back. It waits again.")
    return _queue(request, focus=order) if request.htmx else back(request, order)


@require_http_methods(["GET", "HEAD", "POST"])
def reject(request: PortalRequest, order_id: int) -> HttpResponse:
    """Reject with a reason; 409 with the reason kept when somebody else decided first."""
    order = order_to_act(request, order_id, Capability.DECIDE)
    if request.method != "POST":
        form = RejectForm(initial={"revision": order.revision})
        return render(request, "orders/reject.html", {"order": order, "form": form})
    form = RejectForm(request.POST)
    if not form.is_valid():
        return _reject_page(request, order, form, status=422)
    try:
        order_reject(actor=actor_of(request), order_id=order.pk, **form.cleaned_data)
    except Conflict as error:
        form.add_error(None, f"{error.message} Your reason is kept below; nothing of yours was carried out.")
        return _reject_page(request, order, form, status=409)
    messages.success(request, f"Order {order.pk} is rejected. {order.requester_name} sees your reason.")
    return _decided(request, order)


@require_POST
def cancel(request: PortalRequest, order_id: int) -> HttpResponse:
    """Take an order back before it is sent."""
    order = order_to_act(request, order_id, Capability.ORDER)
    try:
        order_cancel(actor=actor_of(request), order_id=order.pk)
    except Conflict as error:
        return conflict(request, error, order.get_absolute_url())
    messages.success(request, f"Order {order.pk} is cancelled. Nothing was sent to Callcap.")
    return back(request, order)


@require_POST
def comment(request: PortalRequest, order_id: int) -> HttpResponse:
    """Say something about an order; 422 with the text kept when there is nothing in it."""
    order = order_to_act(request, order_id, Capability.ORDER)
    form = CommentForm(request.POST)
    if not form.is_valid():
        context = detail_context(request, order) | {"form": form, "comment_form": form}
        return render(request, "orders/detail.html", context, status=422)
    order_comment(actor=actor_of(request), order_id=order.pk, text=form.cleaned_data["text"])
    messages.success(request, "Your comment stands in the timeline. Those who take part in this order are told.")
    return back(request, order)


@require_POST
def mark_urgent(request: PortalRequest, order_id: int) -> HttpResponse:
    """Tell every manager of the account at once."""
    order = order_to_act(request, order_id, Capability.ORDER)
    try:
        order_mark_urgent(actor=actor_of(request), order_id=order.pk)
    except Conflict as error:
        return conflict(request, error, order.get_absolute_url())
    messages.success(request, f"Order {order.pk} is urgent now: every manager of {order.account} is told.")
    return redirect(order)


@require_http_methods(["GET", "HEAD", "POST"])
def settle(request: PortalRequest, order_id: int) -> HttpResponse:
    """Everything known of an unknown order, and the form that settles it by hand."""
    order = order_to_act(request, order_id, Capability.DECIDE)
    if order.status != OrderStatus.UNKNOWN:
        return redirect(order)
    if not order.self_approved:
        order_refuse_writer(request.user, order)
    form = SettleForm(request.POST or None, order=order, purchase=purchase_in_doubt(order))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            finding = Finding(form.cleaned_data["finding"])
            try:
                order_settle(
                    actor=actor_of(request), order_id=order.pk, finding=finding, reason=form.cleaned_data["reason"]
                )
            except Conflict as error:
                form.add_error(None, f"{error.message} What you wrote is kept below.")
                status = 409
            except InvalidInput as error:
                form.add_error(error.field or None, error.message)
            else:
                messages.success(request, f"Order {order.pk} is settled.")
                return redirect(order)
    context = {"order": order, "form": form, "attempts": order.attempts.all()}
    return render(request, "orders/settle.html", context, status=status)


@require_safe
def availability(request: PortalRequest, order_id: int) -> HttpResponse:
    """Whether the numbers of an order are still offered, asked of Callcap now."""
    order = order_to_see(request, order_id)
    context = {"order": order, "availability": order_availability(order)}
    return render(request, template_for(request, "orders/availability.html", "availability"), context)


@require_safe
def just_approved(request: PortalRequest) -> HttpResponse:
    """The approvals that can still be taken back; the queue refreshes this part by itself."""
    allow(request, Capability.DECIDE)
    if not request.htmx:
        return redirect("order_list")
    return render(request, "orders/just_approved.html", queue_context(request))


def _approve(request: PortalRequest, order: Order, revision: int, quietly: bool = False) -> None:
    """Look whether there still is something to buy, then approve. An absent vendor keeps nobody from approving."""
    look = order_availability(order) if order.status == OrderStatus.PENDING else Availability({})
    if look.all_gone:
        raise Conflict(f"{_nothing_left(look)}, so there is nothing to approve. It still waits.")
    order_approve(actor=actor_of(request), order_id=order.pk, revision=revision)
    if look.trouble:
        messages.warning(
            request,
            f"{look.trouble} Whether the numbers of order {order.pk} are still available "
            "is checked before anything is bought.",
        )
    elif look.gone:
        gone = ", ".join(phone_text(number) for number in look.gone)
        instead = "its next choice" if any(look.offered.values()) else "the best number that matches its search"
        messages.warning(request, f"{gone} of order {order.pk} is gone: {instead} will be bought.")
    if not quietly:
        messages.success(request, f"Order {order.pk} is approved. {_effect(request)}")


def _nothing_left(look: Availability) -> str:
    if not look.offered:
        return "No free number matches its search"
    return "Callcap no longer offers any of its numbers" + (", and none matches its search" if look.matches else "")


def _effect(request: PortalRequest) -> str:
    if orders_undoable(request.user).exists():
        return "This takes effect in a few seconds; until then you can undo it."
    return "This is on its way to Callcap."


def _decided(request: PortalRequest, order: Order) -> HttpResponse:
    if request.htmx:
        return _queue(request, after=order)
    return back(request, order)


def _refused(request: PortalRequest, order: Order, error: Conflict) -> HttpResponse:
    if request.htmx:
        messages.error(request, f"Order {order.pk}: {error.message}")
        return _queue(request, after=order, status=409)
    return conflict(request, error, order.get_absolute_url())


def _reject_page(request: PortalRequest, order: Order, form: RejectForm, status: int) -> HttpResponse:
    if request.htmx:
        return _queue(request, after=order, status=status, rejecting=order, reject_form=form)
    return render(request, "orders/reject.html", {"order": order, "form": form}, status=status)


def _queue(request: PortalRequest, *, after: Order | None = None, status: int = 200, **context: Any) -> HttpResponse:
    """The queue as it is now, with the focus on what follows the order just dealt with; without htmx, its page."""
    if not request.htmx:
        return redirect(page_before(request) or "order_list")
    shown = queue_context(request)
    waiting = [review.order for review in shown["queue"]]
    following = [order for order in waiting if after and (not order.urgent, order.pk) > (not after.urgent, after.pk)]
    focus = next(iter(following or waiting), None)
    return render(request, "orders/queue.html", shown | {"focus": focus} | context, status=status)
