"""Which numbers cannot be asked for: those that are ours, and those that an order asks for already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import BigIntegerField, Value

from numbers_app.models import Campaign, Choice


@dataclass(frozen=True)
class Taken:
    """Of some numbers: ``held`` are ours and have not stopped, ``wanted`` says of others which order asks for them."""

    held: set[str] = field(default_factory=set)
    wanted: dict[str, int] = field(default_factory=dict)

    def __contains__(self, number: str) -> bool:
        return number in self.held or number in self.wanted


def numbers_taken(numbers: Iterable[str]) -> Taken:
    """What is known of the given numbers, by one question to the database."""
    listed = list(numbers)
    # SQLite puts only the whole of a union in order, and that by what is selected: neither part nor whole has one.
    live = Choice.objects.filter(number__in=listed, live=True).order_by()
    ours = Campaign.objects.filter(phone_number__in=listed, ended_at=None).order_by()
    nobody = Value(None, output_field=BigIntegerField())
    wanted, held = live.values_list("number", "order_id"), ours.values_list("phone_number", nobody)
    found = list(wanted.union(held, all=True).order_by())
    return Taken(
        held={number for number, order_id in found if order_id is None},
        wanted={number: order_id for number, order_id in found if order_id is not None},
    )
