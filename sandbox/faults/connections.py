"""Kinds about the connection and about time: lost answers, late and held purchases, waiting, dripping, half answers."""

import threading
import time
from collections.abc import Callable

from django.db import connection, transaction
from django.http import HttpResponse

from sandbox.answers import VendorError, error
from sandbox.campaigns import hold_number, provision, release_number
from sandbox.connection import as_bytes, close_connection, drip_and_close
from sandbox.faults.arming import WRITES, Call, kind
from sandbox.models import Fault, State


@kind("drop_before_commit", "the connection is closed without an answer and nothing is done", commits="no")
def drop_before_commit(call: Call, fault: Fault) -> HttpResponse:
    """Lose the call."""
    return close_connection(call.request)


@kind("drop_after_commit", "the call is carried out and the connection is closed without an answer", commits="yes")
def drop_after_commit(call: Call, fault: Fault) -> HttpResponse:
    """Lose the answer."""
    call.carry_out()
    return close_connection(call.request)


@kind(
    "late_commit",
    "the connection is closed without an answer and the call is carried out `seconds` later",
    on=WRITES,
    commits="late",
)
def late_commit(call: Call, fault: Fault) -> HttpResponse:
    """Lose the answer at once and do the work later."""
    _later(fault.seconds, _epoch(), call.carry_out)
    return close_connection(call.request)


@kind(
    "hold",
    "the number leaves the searches at once, the connection is closed without an answer, and the number is sold "
    "`seconds` later",
    on=("provision",),
    commits="late",
)
def hold(call: Call, fault: Fault) -> HttpResponse:
    """Hide the number long before it is bought: gone from the searches, and not ours yet."""
    _hold(call, fault.seconds, lambda number: provision({**call.params, "phoneNumber": number}))
    return close_connection(call.request)


@kind(
    "hold_and_release",
    "the number leaves the searches at once, the connection is closed without an answer, and the number is "
    "available again `seconds` later",
    on=("provision",),
    commits="no",
)
def hold_and_release(call: Call, fault: Fault) -> HttpResponse:
    """Hide a number that is never bought."""
    _hold(call, fault.seconds, lambda number: None)
    return close_connection(call.request)


@kind("slow", "the call waits `seconds` before it is carried out and answered", commits="late")
def slow(call: Call, fault: Fault) -> HttpResponse:
    """Keep the caller waiting; a caller that gives up is served all the same."""
    epoch = _epoch()
    time.sleep(fault.seconds)
    with transaction.atomic():
        if _epoch() == epoch:
            return call.carry_out()
    return error("The sandbox was reset while this call waited.", 500)


@kind("drip", "the call is carried out, and head and body come byte by byte over `seconds`", commits="yes")
def drip(call: Call, fault: Fault) -> HttpResponse:
    """Let every read succeed soon, and the whole take as long as it likes."""
    head, body = as_bytes(call.carry_out())
    return drip_and_close(call.request, b"", head + body, fault.seconds)


@kind(
    "drip_body",
    "the call is carried out; the head comes at once and the body byte by byte over `seconds`",
    commits="yes",
)
def drip_body(call: Call, fault: Fault) -> HttpResponse:
    """Drip where a caller that looked at the head already counts on an answer."""
    head, body = as_bytes(call.carry_out())
    return drip_and_close(call.request, head, body, fault.seconds)


@kind("truncated", "the call is carried out, but only half of the announced answer arrives", commits="yes")
def truncate(call: Call, fault: Fault) -> HttpResponse:
    """Announce the whole answer and close the connection halfway through it."""
    head, body = as_bytes(call.carry_out())
    return close_connection(call.request, head + body[: len(body) // 2])


@kind(
    "truncated_without_length",
    "the call is carried out, but only half of the answer arrives, and its length was not announced",
    commits="yes",
)
def truncate_without_length(call: Call, fault: Fault) -> HttpResponse:
    """End halfway where HTTP sees a whole answer: only the JSON shows that something is missing."""
    head, body = as_bytes(call.carry_out(), with_length=False)
    return close_connection(call.request, head + body[: len(body) // 2])


def _epoch() -> int:
    return State.objects.get().epoch


def _later(seconds: float, epoch: int, work: Callable[[], object]) -> None:
    """Do the work `seconds` from now, unless the sandbox is reset meanwhile: the work belongs to its epoch."""

    def run() -> None:
        try:
            with transaction.atomic():
                if _epoch() == epoch:
                    work()
        finally:
            connection.close()

    timer = threading.Timer(seconds, run)
    timer.daemon = True
    timer.start()


def _hold(call: Call, seconds: float, end: Callable[[str], object]) -> None:
    """Hold the number that the call would buy, and `seconds` later release it and `end` it in one transaction."""
    try:
        with transaction.atomic():
            epoch = _epoch()
            number = hold_number(call.params)
    except VendorError:
        return  # what cannot be bought is not held either

    def release_and_end() -> None:
        release_number(number)
        end(number)

    _later(seconds, epoch, release_and_end)
