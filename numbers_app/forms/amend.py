"""A waiting order, written anew: the forms of a purchase and of a change, filled in as they were asked for."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms

from numbers_app.criteria import criteria_from_json, criteria_to_query
from numbers_app.models import Account, Order

from .campaigns import ChangeForm, PurchaseForm


class AmendPurchaseForm(PurchaseForm):
    """A waiting purchase, written anew. It stays in its Location."""

    revision = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, order: Order, search: str = "") -> None:
        """``search`` is the query of one that is to take the place of the order's own."""
        numbers = [choice.number for choice in order.choices.all()]
        initial = _as_asked(order) | {"number": numbers, "account": order.account.key}
        if order.criteria or search:
            initial["criteria"] = search or criteria_to_query(criteria_from_json(order.criteria))
        super().__init__(data, initial=initial, locations=Account.objects.filter(pk=order.account_id))
        self.fields["account"].disabled = True
        self._spelled = {choice.number: choice.spelling for choice in order.choices.all()}

    def spelling(self, number: str) -> str:
        return self._spelled.get(number, "")


class AmendChangeForm(ChangeForm):
    """A waiting change, written anew. What then equals the campaign is not changed."""

    revision = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, order: Order) -> None:
        if order.campaign is None:
            raise ValueError(f"{order} changes no number.")
        super().__init__(data, campaign=order.campaign)
        self.initial.update(_as_asked(order))
        self._show_run_on()


def _as_asked(order: Order) -> dict[str, Any]:
    """The order's wish as initial values of a form; its time by the Location's clocks."""
    asked: dict[str, Any] = dict(order.parameters)
    if asked.get("stop_date"):
        asked["stop_date"] = date.fromisoformat(asked["stop_date"])
    at = order.execute_after.astimezone(order.account.zone).replace(tzinfo=None) if order.execute_after else None
    return asked | {
        "reason": order.reason,
        "urgent": order.urgent,
        "execute_after": at,
        "revision": order.revision,
    }
