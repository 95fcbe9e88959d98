"""Choosing a number by an order's search. The portal chooses, never the vendor.

What is chosen is written down as a choice of the order before anything else is done with it: from then on it is looked
at, bought, checked and dropped like a number that was asked for by name, and no other order can want it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import IntegrityError, transaction
from django.db.models import Max

from numbers_app.actors import Actor
from numbers_app.callcap import AvailableNumber, CallcapError, SearchAnswer, SearchCriteria, vanity
from numbers_app.callcap.matching import matches
from numbers_app.criteria import criteria_from_json, criteria_in_words
from numbers_app.models import Campaign, Choice, Order, OrderStatus, Verb
from numbers_app.protocol import Next
from numbers_app.ranking import best_first
from numbers_app.steps import reached
from numbers_app.text import phone_text
from numbers_app.vendor import vendor_search

from .doubt import after_last_choice
from .recording import order_fail
from .sending import order_put_off, vendor_ask
from .transition import order_lock, order_transition

PLACE_ROOM = 200
WATCH = "Nothing was bought. To be told when one appears, save this search and watch it."


def choice_find(*, actor: Actor, order: Order) -> None:
    """Make the best number that matches, and that nobody has or wants, the order's next choice; fail without one."""
    criteria = criteria_from_json(order.criteria)
    try:
        answer = vendor_ask(actor, order, lambda: vendor_search(criteria, fresh=True, batch=True).answer)
    except CallcapError:
        return
    reached("searched")
    matching = [offer for offer in answer.numbers if matches(criteria, offer)]
    for offer in _free(order, best_first(matching, criteria.vanity_text)):
        try:
            _choose(actor, order, criteria, offer)
        except IntegrityError:
            # Another order has asked for it just now.
            continue
        return
    if answer.skipped and not matching:
        order_put_off(order, "Callcap's answer to the search could not be read.")
        return
    order_fail_unsent(actor=actor, order=order, why=_none_left(criteria, answer, matching))


def order_fail_unsent(*, actor: Actor, order: Order, why: str) -> None:
    """End an approved order that nothing is wanted for any more, unless it has moved on meanwhile."""
    with transaction.atomic():
        locked = order_lock(order.pk)
        if _stands_without_choice(order, locked):
            order_fail(actor=actor, order=locked, why=why)


def _free(order: Order, offers: Sequence[AvailableNumber]) -> Iterator[AvailableNumber]:
    """Those that are not ours, that no order wants, that this one has not tried, and that its calls do not ring.

    What other orders want is left out here to save trying: that it stays theirs is up to the database.
    """
    numbers = [offer.number for offer in offers]
    taken = {order.parameters["destination"], *order.choices.values_list("number", flat=True)}
    taken.update(Choice.objects.filter(number__in=numbers, live=True).values_list("number", flat=True))
    held = Campaign.objects.filter(phone_number__in=numbers, ended_at=None)
    taken.update(held.values_list("phone_number", flat=True))
    return (offer for offer in offers if offer.number not in taken)


def _choose(actor: Actor, order: Order, criteria: SearchCriteria, offer: AvailableNumber) -> None:
    """Write the choice down, durably. Raises IntegrityError when another order wants the number."""
    with transaction.atomic(durable=True):
        locked = order_lock(order.pk)
        # Whether a number may still be found is decided again behind the lock: the order may have moved on.
        if not _stands_without_choice(order, locked) or after_last_choice(locked) != Next.FIND:
            return
        order_transition(
            actor=actor,
            order=locked,
            to=OrderStatus.APPROVED,
            verb=Verb.ORDER_CHOICE_FOUND,
            reason=f"{phone_text(offer.number)} is the best number that matches: {criteria_in_words(criteria)}.",
            changes={"choice": [None, offer.number]},
            phone_number=offer.number,
        )
        last = locked.choices.aggregate(last=Max("rank"))["last"] or 0
        text = criteria.vanity_text
        Choice.objects.create(
            order=locked,
            number=offer.number,
            rank=last + 1,
            found=True,
            place=(offer.place or {"tollfree": "Toll-free"}.get(offer.number_type, ""))[:PLACE_ROOM],
            spelling=vanity.spell(offer.number, text) if text else "",
        )


def _stands_without_choice(order: Order, locked: Order) -> bool:
    seen = (order.status, order.revision, order.execute_after)
    stands = (locked.status, locked.revision, locked.execute_after) == seen and locked.status == OrderStatus.APPROVED
    return stands and not locked.choices.filter(live=True).exists()


def _none_left(criteria: SearchCriteria, answer: SearchAnswer, matching: Sequence[AvailableNumber]) -> str:
    words = criteria_in_words(criteria)
    if matching:
        return f"Every number that matches ({words}) is ours, wanted by another order, or was tried. {WATCH}"
    if answer.numbers:
        return f"Callcap offers numbers for this search, but none that matches it ({words}). Nothing was bought."
    return f"No number matches any more ({words}). {WATCH}"
