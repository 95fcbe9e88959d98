"""The control API: arming faults, starting afresh, and buying numbers as a rival. It asks for no key."""

import json

from django.db import transaction
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox.answers import VendorError, error
from sandbox.campaigns import take_by_rival
from sandbox.faults import KINDS, TARGETS
from sandbox.models import Campaign, Fault, Held, JournalEntry, Number, State
from sandbox.parameters import ten_digits


def faults(request: HttpRequest) -> HttpResponse:
    """GET lists the armed faults and all kinds, POST arms one, DELETE disarms all."""
    if request.method == "GET":
        return JsonResponse({"faults": [describe_fault(fault) for fault in armed_faults()], "kinds": describe_kinds()})
    if request.method == "DELETE":
        Fault.objects.all().delete()
        return JsonResponse({"faults": []})
    if request.method != "POST":
        return error("Only GET, POST and DELETE are allowed here.", 405)
    try:
        fault = _read_fault(_json_object(request))
    except (TypeError, ValueError) as problem:
        return error(f"The fault cannot be read: {problem}", 400)
    fault.save()
    return JsonResponse(describe_fault(fault), status=201)


def reset(request: HttpRequest) -> HttpResponse:
    """POST returns every number to unsold and forgets journal, faults, late commits and held numbers."""
    if request.method != "POST":
        return error("Only POST is allowed here.", 405)
    with transaction.atomic():
        State.objects.update(epoch=F("epoch") + 1)
        for model in (Campaign, Held, JournalEntry, Fault):
            model.objects.all().delete()
        Number.objects.filter(taken=True).update(taken=False)
    return JsonResponse({"status": "success"})


def take(request: HttpRequest) -> HttpResponse:
    """POST `{"number": ...}` lets a rival buy the number; it is in nobody's journal here."""
    if request.method != "POST":
        return error("Only POST is allowed here.", 405)
    try:
        take_by_rival(str(_json_object(request).get("number", "")))
    except VendorError as problem:
        return error(problem.message, problem.http_status)
    except (TypeError, ValueError) as problem:
        return error(f"The number cannot be read: {problem}", 400)
    return JsonResponse({"status": "success"})


def armed_faults() -> list[Fault]:
    """The faults that can still strike, oldest first."""
    return list(Fault.objects.filter(Q(remaining=None) | Q(remaining__gt=0)).order_by("pk"))


def describe_fault(fault: Fault) -> dict[str, object]:
    """An armed fault as JSON; `times` is how often it will still strike, null for a rate without end."""
    return {
        "kind": fault.kind,
        "on": fault.on,
        "times": fault.remaining,
        "rate": fault.rate,
        "seconds": fault.seconds,
        "number": fault.number,
        "retry_after": fault.retry_after,
        "fired": fault.fired,
    }


def describe_kinds() -> dict[str, object]:
    """Every kind of fault as JSON: what it does, the endpoints where it makes sense, and whether the call is done."""
    return {name: {"summary": kind.summary, "on": kind.on, "commits": kind.commits} for name, kind in KINDS.items()}


def _json_object(request: HttpRequest) -> dict[str, object]:
    parsed = json.loads(request.body)
    if not isinstance(parsed, dict):
        raise TypeError("the body must be a JSON object")
    return parsed


def _read_fault(body: dict[str, object]) -> Fault:
    kind, on, number = str(body.get("kind")), str(body.get("on", "any")), str(body.get("number") or "")
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    if on not in TARGETS:
        raise ValueError(f"on must be one of {', '.join(TARGETS)}")
    if on not in (*KINDS[kind].on, "any"):
        raise ValueError(f"{kind} makes sense on {' and '.join(KINDS[kind].on)} only")
    if number and not ten_digits(number):
        raise ValueError("number must have ten digits")
    rate = _number(body, "rate", 1.0)
    if not 0 < rate <= 1:
        raise ValueError("rate must be above 0 and at most 1")
    endless = "rate" in body and "times" not in body
    times = None if endless else int(_number(body, "times", 1))
    seconds = _number(body, "seconds", 0.0)
    if (times is not None and times < 1) or not 0 <= seconds <= 3600:
        raise ValueError("times must be at least 1, and seconds between 0 and 3600")
    return Fault(
        kind=kind,
        on=on,
        number=ten_digits(number),
        remaining=times,
        rate=rate,
        seconds=seconds,
        retry_after=_header_text(body.get("retry_after", "")),
    )


def _number(body: dict[str, object], name: str, default: float) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number")
    return float(value)


def _header_text(value: object) -> str:
    """Any text that a header can carry, however absurd."""
    text = str(value)
    if not (text.isascii() and text.isprintable()):
        raise ValueError("retry_after must be printable ASCII")
    return text
