"""Finding the order that an address names, for those who may see it or act on it."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from numbers_app.models import Order
from numbers_app.permissions import Capability
from numbers_app.selectors.accounts import accounts_granted
from numbers_app.selectors.orders import order_list

from .http import PortalRequest, allow, not_found


def order_to_see(request: PortalRequest, order_id: int) -> Order:
    """The order, or 404 where the person sees none."""
    order = order_list(request.user).filter(pk=order_id).first()
    if order is None:
        raise not_found(f"Order {order_id}")
    return order


def order_to_act(request: PortalRequest, order_id: int, capability: Capability) -> Order:
    """An order to be acted on: 404 unseen, 403 without the capability, 404 where the person only sees."""
    order = order_to_see(request, order_id)
    allow(request, capability)
    if not accounts_granted(request.user).filter(pk=order.account_id).exists():
        raise not_found(f"Order {order_id}")
    return order


def page_before(request: PortalRequest) -> str:
    """The page of ours that a form was sent from; empty when it names none."""
    target = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if ours and target.startswith("/") else ""


def back(request: PortalRequest, order: Order) -> HttpResponse:
    """To the page that the decision was made on, when it is one of ours; else to the order."""
    return redirect(page_before(request) or order)
