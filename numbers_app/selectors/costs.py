"""What numbers cost a month, where the settings say so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import phonenumbers
from django.conf import settings

from numbers_app.models import Order, OrderKind

# "No end", as the vendor writes it.
ENDLESS_YEAR = 2099


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
    """What a purchase would cost by its first wanted number; None where no price is set."""
    first = next((choice for choice in order.choices.all() if choice.live), None)
    if order.kind != OrderKind.PROVISION or first is None:
        return None
    monthly = _monthly_price(first.number)
    if monthly is None:
        return None
    stop_date = order.parameters.get("stop_date")
    months = _started_months(order.account.today(), date.fromisoformat(stop_date)) if stop_date else 0
    return Cost(monthly, settings.PRICE_CURRENCY, months)


def _monthly_price(number: str) -> Decimal | None:
    kind = phonenumbers.number_type(phonenumbers.parse(number, "US"))
    tollfree = kind == phonenumbers.PhoneNumberType.TOLL_FREE
    price: Decimal | None = settings.MONTHLY_PRICE_TOLLFREE if tollfree else settings.MONTHLY_PRICE_LOCAL
    return price


def _started_months(first: date, last: date) -> int:
    """How many months begin from the first day to the last; 0 for no end or none at all."""
    if last.year >= ENDLESS_YEAR or last < first:
        return 0
    return (last.year - first.year) * 12 + last.month - first.month + (last.day >= first.day)
