"""Kinds that answer a search wrongly: with what is gone, or with items of another shape."""

import json
from collections.abc import Callable

from django.http import HttpResponse, JsonResponse

from sandbox.answers import answered
from sandbox.faults.arming import CHANCE, Call, kind
from sandbox.models import Fault
from sandbox.search import search

type Item = dict[str, object]

SEARCH = ("search",)


@kind("stale_search", "the search answers as if no number had ever been taken", on=SEARCH, commits="no")
def answer_from_cache(call: Call, fault: Fault) -> HttpResponse:
    """Offer what was sold, as a cache does."""
    return answered(lambda: {"numbers": search(call.params, stale=True)})


@kind("null_fields", "in every number that the search finds, a field chosen by chance is null", on=SEARCH, commits="no")
def null_fields(call: Call, fault: Fault) -> HttpResponse:
    """Know less than promised."""
    return _with_items(call, lambda item: {**item, CHANCE.choice(list(item)): None})


@kind("missing_fields", "every number that the search finds lacks a field chosen by chance", on=SEARCH, commits="no")
def missing_fields(call: Call, fault: Fault) -> HttpResponse:
    """Say less than promised."""
    return _with_items(call, _without_one)


@kind("extra_fields", "every number that the search finds has fields that nobody knows", on=SEARCH, commits="no")
def extra_fields(call: Call, fault: Fault) -> HttpResponse:
    """Say more than promised."""
    return _with_items(call, lambda item: {**item, "": [], "carrier": {"name": "Example", "portable": None}})


def _without_one(item: Item) -> Item:
    missing = CHANCE.choice(list(item))
    return {name: value for name, value in item.items() if name != missing}


def _with_items(call: Call, change: Callable[[Item], Item]) -> HttpResponse:
    response = call.carry_out()
    if response.status_code != 200:
        return response
    body = json.loads(response.content)
    return JsonResponse({**body, "numbers": [change(item) for item in body["numbers"]]})
