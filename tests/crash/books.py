"""The vendor's journal against the portal's orders, mirror and history, and what of them belongs to one order."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from numbers_app.models import (
    CHANGES_A_NUMBER,
    Attempt,
    AttemptKind,
    AttemptOutcome,
    Campaign,
    Choice,
    HistoryEntry,
    Order,
    OrderKind,
    OrderStatus,
)
from numbers_app.services.doubt import doubtful_purchase
from numbers_app.services.settlement import Finding
from numbers_app.services.verification import history_verify
from tests.sandbox_server import SandboxServer

WIRE_NAMES = {
    "destination": "destination",
    "campaign_name": "campaignName",
    "memo1": "memo1",
    "stop_date": "stopDate",
}

type Problem = tuple[str, Order | None]


@dataclass
class Books:
    """The journal as it is now: what was bought, and every number's values after its last update."""

    purchases: list[str]
    values: dict[str, dict[str, Any]]
    updates: dict[str, list[dict[str, Any]]]

    @classmethod
    def of(cls, sandbox: SandboxServer) -> Books:
        books = cls([], {}, defaultdict(list))
        for entry in sandbox.journal():
            number = entry["number"]
            if entry["kind"] == "purchase":
                books.purchases.append(number)
                books.values[number] = {"campaignName": number}
            else:
                books.updates[number].append(entry["values"])
            books.values[number] |= entry["values"]
            books.values[number]["campaignName"] = books.values[number]["campaignName"] or number
        return books

    def bought_for(self, order: Order) -> list[str]:
        """What was bought of the numbers that the order wanted; nobody else wanted them."""
        wanted = order.choices.values_list("number", flat=True)
        return [number for number in self.purchases if number in wanted]

    def finding(self, order: Order) -> Finding:
        """What a manager finds who looks for an unknown order in the vendor's own interface."""
        if order.kind == OrderKind.PROVISION:
            found = doubtful_purchase(order).number in self.purchases
        else:
            found = any(self._carried_out(order, values) for values in self.updates[order.phone_number])
        return Finding.CARRIED_OUT if found else Finding.NOT_CARRIED_OUT

    def _carried_out(self, order: Order, values: dict[str, Any]) -> bool:
        return all(values.get(WIRE_NAMES[name]) == value for name, value in order.parameters.items())


def waits_for_a_person(order: Order) -> bool:
    return order.status == OrderStatus.UNKNOWN and order.execute_after is None


def orders_that_move() -> QuerySet[Order]:
    """Orders that will still come to an end by themselves: a number that waits for a person takes no other order."""
    waiting = Order.objects.filter(status=OrderStatus.UNKNOWN, execute_after=None)
    blocked = Q(status=OrderStatus.APPROVED, phone_number__in=waiting.values("phone_number")) & ~Q(phone_number="")
    open_still = Order.objects.filter(status__in=(OrderStatus.APPROVED, OrderStatus.SENDING, OrderStatus.UNKNOWN))
    return open_still.exclude(pk__in=waiting.values("pk")).exclude(blocked)


def disagreements(sandbox: SandboxServer) -> list[Problem]:
    """What does not add up between journal, mirror and orders, each with the order concerned.

    While orders wait for a person, what was bought for them may be missing in the mirror, but not in their evidence.
    """
    books = Books.of(sandbox)
    found: list[Problem] = [(problem, None) for problem in history_verify().problems]
    for order in Order.objects.order_by("pk"):
        found.extend((problem, order) for problem in _order_problems(books, order))
    found.extend(_number_problems(books))
    for attempt in Attempt.objects.exclude(outcome__in=_CONCLUDED, recorded=True):
        found.append((f"attempt {attempt.pk} is {attempt.outcome} and recorded is {attempt.recorded}", attempt.order))
    return found


_CONCLUDED = [outcome for outcome in AttemptOutcome if outcome != AttemptOutcome.SENDING]


def _order_problems(books: Books, order: Order) -> list[str]:
    bought = books.bought_for(order)
    problems = [f"it bought {', '.join(bought)}"] if len(bought) > 1 else []
    if order.status == OrderStatus.DONE and order.kind == OrderKind.PROVISION:
        if bought != [order.phone_number] or order.campaign is None or order.campaign.phone_number != bought[0]:
            problems.append(f"done with {order.phone_number}, the journal says {bought}")
    elif order.status == OrderStatus.FAILED:
        if bought:
            problems.append(f"failed ({order.result}), but {bought[0]} was bought")
        if not order.result:
            problems.append("failed without a reason")
    elif waits_for_a_person(order):
        evidence = order.attempts.filter(kind=AttemptKind.BUY, number__in=bought)
        if bought and not evidence.exists():
            problems.append(f"unknown, but no attempt names {bought[0]}, which was bought")
    elif order.status != OrderStatus.DONE and orders_that_move().filter(pk=order.pk).exists():
        problems.append(f"lost: {order.status}, due {order.execute_after}, {order.result}")
    if order.kind == OrderKind.REAPPLY and order.status == OrderStatus.FAILED and not order.attempts.exists():
        problems.append(f"a re-application was not sent: {order.result}")
    return problems


def _number_problems(books: Books) -> list[Problem]:
    found: list[Problem] = []
    found.extend(
        (f"{number} was bought {count} times", _wanted_by(number))
        for number, count in Counter(books.purchases).items()
        if count > 1
    )
    live = {campaign.phone_number: campaign for campaign in Campaign.objects.filter(ended_at=None)}
    for number in books.purchases:
        order = _wanted_by(number)
        if number not in live and not (order and waits_for_a_person(order)):
            found.append((f"{number} was bought and is not in the mirror", order))
    for number, campaign in live.items():
        order = _wanted_by(number)
        if number not in books.purchases:
            found.append((f"{number} is in the mirror and was never bought", order))
        elif not _is_open(number) and (differing := _differing(books.values[number], campaign)):
            found.append((f"{number} differs at the vendor: {differing}", order))
    return found


def _is_open(number: str) -> bool:
    """Whether a change of the number waits for a person, or could not be sent again since the vendor refused."""
    unknown = Order.objects.filter(phone_number=number, kind__in=CHANGES_A_NUMBER, status=OrderStatus.UNKNOWN)
    last = last_change(number)
    return unknown.exists() or bool(last and is_refused_reapplication(last))


def last_change(number: str) -> Order | None:
    """The change of the number that was sent last; one that was overtaken was not."""
    changes = Order.objects.filter(phone_number=number, kind__in=CHANGES_A_NUMBER).exclude(finished_at=None)
    return changes.exclude(attempts=None).order_by("finished_at").last()


def is_refused_reapplication(order: Order) -> bool:
    """Whether the vendor would not take what the mirror says: it may still have older values, which people are told."""
    return order.kind == OrderKind.REAPPLY and order.status == OrderStatus.FAILED and "refused" in order.result


def _differing(vendor: dict[str, Any], campaign: Campaign) -> str:
    """The values in which vendor and mirror differ, in words."""
    mirror = {name: getattr(campaign, name) for name in WIRE_NAMES}
    mirror["stop_date"] = mirror["stop_date"].isoformat() if mirror["stop_date"] else None
    pairs = {name: (vendor.get(wire) or None, mirror[name] or None) for name, wire in WIRE_NAMES.items()}
    return ", ".join(f"{name} {theirs} there, {ours} here" for name, (theirs, ours) in pairs.items() if theirs != ours)


def _wanted_by(number: str) -> Order | None:
    choice = Choice.objects.select_related("order").filter(number=number).first()
    return choice.order if choice else None


def report(problems: list[Problem], sandbox: SandboxServer) -> str:
    """The problems, and for each order concerned everything that happened to it."""
    lines = [f"order {order.pk if order else '-'}: {problem}" for problem, order in problems]
    concerned = {order.pk: order for _, order in problems if order}
    return "\n".join([*lines, *(timeline(order, sandbox) for order in list(concerned.values())[:10])])


def timeline(order: Order, sandbox: SandboxServer) -> str:
    """Attempts, history and journal of an order and of its number, in the order of time."""
    numbers = {order.phone_number, *order.choices.values_list("number", flat=True)} - {""}
    family = Order.objects.filter(phone_number__in=numbers) | Order.objects.filter(pk=order.pk)
    orders = list(family.values_list("pk", flat=True))
    events = [
        (entry.at.isoformat(), f"history  {entry.order_id} {entry.verb} {entry.number} {entry.changes} {entry.reason}")
        for entry in HistoryEntry.objects.filter(order_id__in=orders)
    ]
    for attempt in Attempt.objects.filter(order_id__in=orders):
        what = f"attempt  {attempt.order_id} {attempt.kind} {attempt.number} {attempt.parameters}"
        events.append((attempt.started_at.isoformat(), f"{what} starts"))
        if attempt.finished_at:
            events.append((attempt.finished_at.isoformat(), f"{what} {attempt.outcome}: {attempt.message}"))
    events += [
        (entry["time"], f"journal  {entry['kind']} {entry['number']} {entry['values']}")
        for number in numbers
        for entry in sandbox.journal(number=number)
    ]
    heads = [f"{each.pk} {each.kind} {each.status}: {each.result}" for each in family.order_by("pk").distinct()]
    return "\n".join(["", *heads, *(f"  {at[11:23]} {what}" for at, what in sorted(events))])
