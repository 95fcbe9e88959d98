"""What numbers cost a month, where the settings say so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import phonenumbers
from django.conf import settings

from numbers_app.callcap.matching import PLACES
from numbers_app.models import RUN_ON, Order, OrderKind
from numbers_app.places import TOLLFREE_CODES


@dataclass(frozen=True)
class Cost:
    """A purchase's price a month; with a stop date also for how many started months and how much in all."""

    monthly: Decimal
    currency: str
    months: int = 0

    @property
    def total(self) -> Decimal:
        return self.monthly * self.months


def order_cost(order: Order) -> Cost | None:
    """What a purchase would cost by its first wanted number, or by its search; None where no price is set or known."""
    if order.kind != OrderKind.PROVISION:
        return None
    first = next((choice for choice in order.choices.all() if choice.live), None)
    monthly = _monthly_price(_is_tollfree(first.number) if first else _finds_tollfree(order.criteria))
    if monthly is None:
        return None
    stop_date = order.parameters.get("stop_date")
    months = _started_months(order.account.today(), date.fromisoformat(stop_date)) if stop_date else 0
    return Cost(monthly, settings.PRICE_CURRENCY, months)


def _monthly_price(tollfree: bool | None) -> Decimal | None:
    prices: dict[bool | None, Decimal | None] = {
        True: settings.MONTHLY_PRICE_TOLLFREE,
        False: settings.MONTHLY_PRICE_LOCAL,
    }
    return prices.get(tollfree)


def _is_tollfree(number: str) -> bool:
    kind = phonenumbers.number_type(phonenumbers.parse(number, "US"))
    return bool(kind == phonenumbers.PhoneNumberType.TOLL_FREE)


def _finds_tollfree(search: dict[str, Any]) -> bool | None:
    """Whether a purchase's search brings toll-free numbers alone, or local ones alone; None when it may bring both."""
    area_code = search.get("area_code")
    if area_code:
        return area_code in TOLLFREE_CODES
    if search.get("show_tollfree") != search.get("show_local"):
        return bool(search.get("show_tollfree"))
    return False if any(search.get(name) for name in PLACES) else None


def _started_months(first: date, last: date) -> int:
    """How many months begin from the first day to the last; 0 for no end or none at all."""
    if last >= RUN_ON or last < first:
        return 0
    return (last.year - first.year) * 12 + last.month - first.month + (last.day >= first.day)
