"""The tray: up to five numbers that a person ticked, best first, kept in the session across searches."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from numbers_app.permissions import Capability
from numbers_app.selectors.taken import numbers_taken

from .http import PortalRequest, allow

MOST = 5
TEN_DIGITS = re.compile(r"[2-9][0-9]{9}", re.ASCII)
FULL = "An order takes at most five numbers. Take one out first."


def tray_numbers(request: PortalRequest) -> list[str]:
    """The ticked numbers, best first."""
    kept: list[str] = request.session.get("tray", [])
    return kept


def tray_context(request: PortalRequest) -> dict[str, Any]:
    """What the tray shows: each number, and the order that has asked for it meanwhile or that it is ours."""
    numbers = tray_numbers(request)
    taken = numbers_taken(numbers)
    free = [number for number in numbers if number not in taken]
    query = QueryDict(mutable=True)
    query.setlist("number", free)
    return {
        "tray": [(number, taken.wanted.get(number), number in taken.held) for number in numbers],
        "tray_numbers": numbers,
        "tray_query": query.urlencode() if free else "",
    }


@require_POST
def change(request: PortalRequest) -> HttpResponse:
    """Change the tray: ``toggle``, ``remove`` or move ``up`` one number, or take over the ticks of a page of results.

    With the ticks come the numbers that were ``shown``: one shown without a tick is taken out.
    """
    allow(request, Capability.SEARCH)
    before = tray_numbers(request)
    wished = _wished(request.POST, before)
    full = len(wished) > MOST
    if not full:
        request.session["tray"] = wished
    if request.htmx:
        refused = request.POST.get("toggle", "") if full else ""
        context = tray_context(request) | {"problem": FULL if full else "", "refused": refused, "changed": True}
        return render(request, "search_tray.html", context, status=422 if full else 200)
    if full:
        messages.error(request, FULL)
    there = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(there, allowed_hosts=None)
    return redirect(there if safe and there.startswith(reverse("search")) else "search")


def _wished(sent: QueryDict, numbers: list[str]) -> list[str]:
    if number := sent.get("toggle", ""):
        return _without(numbers, number) if number in numbers else _with(numbers, number)
    if number := sent.get("remove", ""):
        return _without(numbers, number)
    if (number := sent.get("up", "")) in numbers:
        place = max(numbers.index(number) - 1, 0)
        rest = _without(numbers, number)
        return [*rest[:place], number, *rest[place:]]
    ticked = sent.getlist("number")
    kept = [number for number in numbers if number in ticked or number not in sent.getlist("shown")]
    for number in ticked:
        kept = _with(kept, number)
    return kept


def _with(numbers: list[str], number: str) -> list[str]:
    return [*numbers, number] if TEN_DIGITS.fullmatch(number) and number not in numbers else numbers


def _without(numbers: list[str], number: str) -> list[str]:
    return [other for other in numbers if other != number]
