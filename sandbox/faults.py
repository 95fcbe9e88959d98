"""Faults on demand: what each kind does to a call, and which armed one a call meets.

A kind is one function that gets the call and the armed fault; it decides whether and when the call is carried
out (`call.carry_out()`) and what the caller sees. To add a kind, write the function and register it.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse

from sandbox.answers import error, unauthorized
from sandbox.connection import close_connection
from sandbox.models import Fault, State

TARGETS = ("search", "provision", "update", "accounts", "any")


@dataclass(frozen=True)
class Call:
    """A call of the API: which one, about which number ("" if none), and how to carry it out."""

    target: str
    number: str
    request: HttpRequest
    carry_out: Callable[[], HttpResponse]


type FaultFunction = Callable[[Call, Fault], HttpResponse]


class Kind(NamedTuple):
    """A kind of fault with a sentence for the page and the control API's errors."""

    run: FaultFunction
    summary: str


KINDS: dict[str, Kind] = {}


def kind(name: str, summary: str) -> Callable[[FaultFunction], FaultFunction]:
    """Register the decorated function as the fault `name`."""

    def register(function: FaultFunction) -> FaultFunction:
        KINDS[name] = Kind(function, summary)
        return function

    return register


def armed_fault(call: Call) -> Fault | None:
    """The oldest armed fault that this call meets. A counted one is used up by exactly one call."""
    matching = Fault.objects.filter(
        Q(remaining=None) | Q(remaining__gt=0), on__in=[call.target, "any"], number__in=["", call.number]
    )
    for fault in matching.order_by("pk"):
        if random.random() >= fault.rate:  # noqa: S311 (chance, not secrecy)
            continue
        still_armed = matching.filter(pk=fault.pk)
        if still_armed.update(remaining=F("remaining") - 1, fired=F("fired") + 1) == 1:
            return fault
    return None


@kind("drop_before_commit", "the connection is closed without an answer and nothing is done")
def drop_before_commit(call: Call, fault: Fault) -> HttpResponse:
    """Lose the call."""
    return close_connection(call.request)


@kind("drop_after_commit", "the call is carried out and the connection is closed without an answer")
def drop_after_commit(call: Call, fault: Fault) -> HttpResponse:
    """Lose the answer."""
    call.carry_out()
    return close_connection(call.request)


@kind("late_commit", "the connection is closed without an answer and the call is carried out `seconds` later")
def late_commit(call: Call, fault: Fault) -> HttpResponse:
    """Lose the answer at once and do the work later, unless the sandbox is reset meanwhile."""
    epoch = State.objects.get().epoch

    def carry_out_late() -> None:
        try:
            with transaction.atomic():
                if State.objects.get().epoch == epoch:
                    call.carry_out()
        finally:
            connection.close()

    timer = threading.Timer(fault.seconds, carry_out_late)
    timer.daemon = True
    timer.start()
    return close_connection(call.request)


@kind("slow", "the call waits `seconds` before it is carried out and answered")
def slow(call: Call, fault: Fault) -> HttpResponse:
    """Keep the caller waiting; a caller that gives up is served all the same."""
    time.sleep(fault.seconds)
    return call.carry_out()


@kind("401", "the key is refused and nothing is done")
def refuse_key(call: Call, fault: Fault) -> HttpResponse:
    """Answer as if the key had been revoked."""
    return unauthorized()


@kind("404", "the answer is 404 and nothing is done")
def deny_existence(call: Call, fault: Fault) -> HttpResponse:
    """Answer as if the resource did not exist."""
    return error("The requested resource did not exist or did not have anything to say.", 404)


@kind("429", "too many requests, with `retry_after` as the Retry-After header if given; nothing is done")
def limit_rate(call: Call, fault: Fault) -> HttpResponse:
    """Answer that there were too many calls."""
    response = error("Too many requests. Please slow down.", 429)
    if fault.retry_after:
        response.headers["Retry-After"] = fault.retry_after
    return response


@kind("500", "a server error in JSON; nothing is done")
def fail(call: Call, fault: Fault) -> HttpResponse:
    """Answer with a server error."""
    return error("An unexpected error occurred.", 500)


@kind("html", "200 with an HTML page instead of JSON; nothing is done")
def answer_html(call: Call, fault: Fault) -> HttpResponse:
    """Answer like a gateway that shows a page of its own."""
    return HttpResponse("<!doctype html><title>Maintenance</title><h1>We will be back shortly</h1>")


@kind("truncated", "the call is carried out, but only half of the JSON answer arrives")
def truncate(call: Call, fault: Fault) -> HttpResponse:
    """Announce the whole answer and close the connection halfway through it."""
    body = call.carry_out().content
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return close_connection(call.request, head.encode() + body[: len(body) // 2])
