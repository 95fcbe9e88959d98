"""What has to be done again and again: ringing due orders, giving up on silent workers, ending stopped numbers."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Attempt, AttemptOutcome, Campaign, Order, OrderStatus, Verb
from numbers_app.tasks import execute_order

from .execution import attempts_expire
from .history import NumberState, history_append

# A worker that was told of an order and has not got to it within this time is told again.
RING_AGAIN_AFTER = timedelta(seconds=60)


def orders_sweep(*, actor: Actor) -> int:
    """Ring the worker for every order that is due or left half-way; harmless to run twice. Returns the rings."""
    attempts_expire(actor=actor)
    now = timezone.now()
    half_way = Attempt.objects.filter(recorded=False).exclude(outcome=AttemptOutcome.SENDING).values("order_id")
    due = Q(status=OrderStatus.APPROVED, execute_after__lte=now) | Q(pk__in=half_way)
    quiet = Q(rung_at=None) | Q(rung_at__lt=now - RING_AGAIN_AFTER)
    rings = 0
    for order_id in Order.objects.filter(due & quiet).order_by("pk").values_list("pk", flat=True)[:1000]:
        with transaction.atomic():
            if Order.objects.filter(quiet, pk=order_id).update(rung_at=now):
                execute_order.enqueue(order_id)
                rings += 1
    return rings


def campaigns_end_stopped(*, actor: Actor) -> int:
    """Mark numbers as ended once their stop date has passed in their Location's zone. Returns how many."""
    ended = 0
    tomorrow = timezone.now().date() + timedelta(days=1)
    for campaign_id in Campaign.objects.filter(ended_at=None, stop_date__lt=tomorrow).values_list("pk", flat=True):
        with transaction.atomic():
            ended += _end_if_stopped(actor, campaign_id)
    return ended


def _end_if_stopped(actor: Actor, campaign_id: int) -> bool:
    campaign = Campaign.objects.select_for_update(of=("self",)).select_related("account").get(pk=campaign_id)
    if campaign.ended_at or not campaign.stop_date or campaign.stop_date >= campaign.account.today():
        return False
    ended_at = timezone.now()
    entry = history_append(
        actor=actor,
        verb=Verb.NUMBER_ENDED,
        number=campaign.phone_number,
        account_key=campaign.account.key,
        changes={"ended_at": [None, ended_at.isoformat()]},
        state=NumberState(campaign.destination, campaign.stop_date, ended_at),
        reason=f"Its stop date {campaign.stop_date} has passed at the Location.",
    )
    Campaign.objects.filter(pk=campaign.pk).update(ended_at=ended_at, last_change=entry)
    return True
