"""``manage.py confirm_numbers``: asks Callcap whether numbers are still ours."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q, QuerySet

from numbers_app.actors import Actor
from numbers_app.forms.fields import read_phone_number
from numbers_app.models import Account, Campaign, Order, OrderStatus, Source
from numbers_app.services.confirmation import numbers_confirm
from numbers_app.text import phone_text

POLL_SECONDS = 1
# So many values any database takes in one query.
CHUNK = 500
WAITING = Q(status__in=(OrderStatus.APPROVED, OrderStatus.SENDING)) | Q(
    status=OrderStatus.UNKNOWN, execute_after__isnull=False
)


class Command(BaseCommand):
    help = (
        "Ask Callcap whether numbers are still ours, by sending the campaign name that they have already. "
        "The worker sends it, behind everything else. Give --number, --account or --all."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--number", action="append", default=[], help="One of our numbers. May be repeated.")
        parser.add_argument("--account", metavar="L-3", help="All numbers of this account and those below it.")
        parser.add_argument("--all", action="store_true", help="All numbers that have not stopped.")
        parser.add_argument(
            "--wait", action="store_true", help="Wait for the answers. Exit status 1 when a number is in dispute."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaigns = _campaigns(options["number"], options["account"], options["all"])
        orders = numbers_confirm(actor=Actor.portal("confirm_numbers", source=Source.COMMAND), campaigns=campaigns)
        count = len(orders)
        self.stdout.write(f"{count} number{'' if count == 1 else 's'} to be confirmed.")
        left_out = campaigns.count() - count
        if left_out > 0:
            self.stdout.write(f"{left_out} left out: Callcap is being asked about them already.")
        if options["wait"]:
            self._wait(orders)

    def _wait(self, orders: list[int]) -> None:
        while _count(orders, WAITING):
            time.sleep(POLL_SECONDS)
        confirmed = _count(orders, Q(status=OrderStatus.DONE))
        refused = _count(orders, Q(status=OrderStatus.FAILED))
        disputed = _count(orders, Q(campaign__disputed_at__isnull=False))
        unknown = len(orders) - confirmed - refused
        self.stdout.write(f"{confirmed} confirmed, {refused} refused, {unknown} unknown, {disputed} in dispute.")
        if disputed:
            raise SystemExit(1)


def _campaigns(numbers: list[str], account_key: str | None, everything: bool) -> QuerySet[Campaign]:
    """The numbers that are meant. Raises CommandError, before anything is sent, for what names none of ours."""
    live = Campaign.objects.filter(ended_at=None).order_by("pk")
    if not (numbers or account_key or everything):
        raise CommandError("Nothing was done: give --number, --account or --all.")
    if everything:
        return live
    wanted = Q(pk__in=[])
    if account_key:
        account = Account.objects.filter(key=account_key).first()
        if account is None:
            raise CommandError(f"Nothing was done: there is no account {account_key}.")
        wanted |= Q(account__path__startswith=account.path)
    for text in numbers:
        number = _read(text)
        if not live.filter(phone_number=number).exists():
            raise CommandError(f"Nothing was done: {phone_text(number)} is not one of our numbers.")
        wanted |= Q(phone_number=number)
    return live.filter(wanted)


def _read(text: str) -> str:
    try:
        return read_phone_number(text)
    except ValidationError as error:
        raise CommandError(f"Nothing was done: {' '.join(error.messages)}") from error


def _count(orders: list[int], which: Q) -> int:
    chunks = [orders[start : start + CHUNK] for start in range(0, len(orders), CHUNK)]
    return sum(Order.objects.filter(which, pk__in=chunk).count() for chunk in chunks)
