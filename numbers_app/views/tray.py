"""The tray: up to five numbers that a person ticked, best first, kept in the session across searches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from numbers_app.errors import InvalidInput
from numbers_app.permissions import Capability
from numbers_app.selectors.taken import numbers_taken
from numbers_app.services.tray import tray_change

from .http import PortalRequest, actor_of, allow

TEN_DIGITS = re.compile(r"[2-9][0-9]{9}", re.ASCII)


def tray_numbers(request: PortalRequest) -> list[str]:
    """The ticked numbers, best first."""
    kept: list[str] = request.session.get("tray", [])
    return kept


def tray_context(numbers: list[str]) -> dict[str, Any]:
    """What the tray shows: each number, and the order that has asked for it meanwhile or that it is ours."""
    taken = numbers_taken(numbers)
    free = [number for number in numbers if number not in taken]
    query = QueryDict(mutable=True)
    query.setlist("number", free)
    return {
        "tray": [(number, taken.wanted.get(number), number in taken.held) for number in numbers],
        "tray_numbers": numbers,
        "tray_query": query.urlencode() if free else "",
    }


def tray_take_out(request: PortalRequest, numbers: Iterable[str]) -> None:
    """Take these numbers out, as once they are ordered."""
    gone = set(numbers)
    if gone.intersection(tray_numbers(request)):
        _change(request, lambda kept: [number for number in kept if number not in gone])


@require_POST
def change(request: PortalRequest) -> HttpResponse:
    """Change the tray: ``remove`` or move ``up`` one number, or take over ticks.

    The ticks are those of a page of results, sent with the numbers that were ``shown``: one shown without a tick is
    taken out. ``tick`` names the only one that counts. Nothing is ever turned over, since a page may be an old one.
    """
    allow(request, Capability.SEARCH)
    before, problem = tray_numbers(request), ""
    try:
        numbers = _change(request, lambda kept: _wished(request.POST, kept))
    except InvalidInput as error:
        numbers, problem = before, error.message
    if request.htmx:
        context = tray_context(numbers) | {
            "problem": problem,
            # Boxes elsewhere on the page that must follow.
            "untick": request.POST.get("tick" if problem else "remove", ""),
            "focus": _next_focus(request.POST, before, numbers),
            "changed": True,
        }
        return render(request, "search_tray.html", context, status=422 if problem else 200)
    if problem:
        messages.error(request, problem)
    there = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(there, allowed_hosts=None)
    return redirect(there if safe and there.startswith(reverse("search")) else "search")


def _change(request: PortalRequest, wish: Callable[[list[str]], list[str]]) -> list[str]:
    return tray_change(actor=actor_of(request), session_key=request.session.session_key, wish=wish)


def _wished(sent: QueryDict, numbers: list[str]) -> list[str]:
    if number := sent.get("remove", ""):
        return _without(numbers, number)
    if (number := sent.get("up", "")) in numbers:
        place = max(numbers.index(number) - 1, 0)
        rest = _without(numbers, number)
        return [*rest[:place], number, *rest[place:]]
    shown, ticked = sent.getlist("shown"), sent.getlist("number")
    if number := sent.get("tick", ""):
        shown, ticked = [number], [number] if number in ticked else []
    kept = [number for number in numbers if number in ticked or number not in shown]
    for number in ticked:
        kept = _with(kept, number)
    return kept


def _next_focus(sent: QueryDict, before: list[str], numbers: list[str]) -> str:
    """The number that has the focus next: the one that moved, or the one after the one taken out."""
    if (gone := sent.get("remove", "")) in before:
        return next(iter(numbers[before.index(gone) :]), "")
    return sent.get("up", "")


def _with(numbers: list[str], number: str) -> list[str]:
    return [*numbers, number] if TEN_DIGITS.fullmatch(number) and number not in numbers else numbers


def _without(numbers: list[str], number: str) -> list[str]:
    return [other for other in numbers if other != number]
