"""Searching for numbers."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import replace_url

from numbers_app.criteria import criteria_in_words, criteria_to_query
from numbers_app.errors import VendorTrouble
from numbers_app.forms.search import SearchForm
from numbers_app.models import Account, SavedView
from numbers_app.permissions import Capability
from numbers_app.search_box import Part, Reading, read_box
from numbers_app.selectors.accounts import locations_granted
from numbers_app.selectors.orders import order_list
from numbers_app.selectors.relaxations import relaxations
from numbers_app.selectors.saved_views import saved_views
from numbers_app.selectors.search import SORTS, FoundNumber, found_numbers, number_search, sort_offers

from .http import PER_PAGE_CHOICES, PortalRequest, allow, one_page, per_page, template_for
from .location_id import with_account
from .tray import tray_context, tray_numbers

# What is typed is searched for from this length on; shorter texts are searched for when they are sent.
LEAST_TYPED = 3


@require_safe
def search(request: PortalRequest) -> HttpResponse:
    """The search form and what Callcap offers for it: 422 for one it would refuse, 503 when it does not answer.

    What the box says is shown while somebody types; sent, it becomes the fields that it means.
    """
    allow(request, Capability.SEARCH)
    sent = request.GET
    # Links and addresses of the page are made from it: none carries fields that were left empty.
    asked = _given(with_account(sent))
    request.GET = asked  # type: ignore[assignment]
    reading = read_box(asked.get("q", ""))
    if reading.parts and not request.htmx:
        return redirect(f"{request.path}?{_settled(asked, reading).urlencode()}")
    template = template_for(request, "search.html", "results")
    whole = template == "search.html"
    meant = _meant(asked, reading)
    # Where the form is not drawn, the Locations are asked for only when one is meant.
    locations = locations_granted(request.user) if whole or meant.get("account") else Account.objects.none()
    form = SearchForm(meant, locations=locations)
    context: dict[str, Any] = {"form": form, "reading": reading, "understood": _understood(asked, reading)}
    status = 200
    if not form.was_used:
        context["form"] = SearchForm(locations=locations)
    elif request.htmx and _is_half_typed(asked, reading):
        context["half_typed"] = True
    elif not form.is_valid():
        context["searched"] = True
        # While somebody types, a search is unfinished rather than wrong.
        status = 200 if request.htmx else 422
    else:
        context["searched"] = True
        try:
            context |= _results(request, form)
        except VendorTrouble as trouble:
            context["vendor_trouble"] = trouble
            status = 503
        else:
            if "fresh" in request.GET:
                return redirect(f"{request.path}?{_without(request.GET, 'fresh').urlencode()}")
    context["tray_numbers"] = tray_numbers(request)
    if whole:
        context |= tray_context(request)
        context["saved_views"] = saved_views(request.user, SavedView.Page.SEARCH)
    response = render(request, template, context, status=status)
    if request.htmx and asked != sent:
        replace_url(response, f"{request.path}?{asked.urlencode()}")
    return response


@require_safe
def wider(request: PortalRequest) -> HttpResponse:
    """Searches that do find something, in place of one that found nothing; people without htmx see them on the page."""
    allow(request, Capability.SEARCH)
    form = SearchForm(with_account(request.GET), locations=locations_granted(request.user))
    if not request.htmx:
        return redirect(f"{reverse('search')}?{request.GET.urlencode()}")
    found = relaxations(form.criteria()) if form.is_valid() else []
    return render(request, "search_wider.html", {"wider": [(one, criteria_to_query(one.criteria)) for one in found]})


def _results(request: PortalRequest, form: SearchForm) -> dict[str, Any]:
    criteria, text = form.criteria(), form.cleaned_data["vanity_text"]
    result = number_search(criteria, fresh="fresh" in request.GET)
    sort = request.GET.get("sort", "")
    sort = sort if sort in SORTS else "best"
    page = one_page(request, sort_offers(result.offers, sort, text), per_page(request))
    found = found_numbers(list(page))
    context = {
        "result": result,
        "words": criteria_in_words(criteria),
        "query": criteria_to_query(criteria),
        "page_obj": page,
        "found_numbers": found,
        "vanity_text": text,
        "sort": sort,
        "sorts": list(SORTS.items()),
        "per_page_choices": PER_PAGE_CHOICES,
        "order_query": _order_query(form),
        "visible_orders": _visible_orders(request, found),
        "left_out": form.left_out,
    }
    if not result.offers and not request.htmx:
        context["wider"] = [(one, criteria_to_query(one.criteria)) for one in relaxations(criteria)]
    return context


def _understood(asked: QueryDict, reading: Reading) -> list[tuple[Part, str, str]]:
    """Each thing that the box means, the address without it, and the one with what else it could mean, if anything."""
    shown = []
    for part in reading.parts:
        rest = _without(asked, "page")
        rest["q"] = part.without
        instead = rest.copy()
        for name, value in part.instead.fields.items() if part.instead else ():
            instead[name] = "on" if value is True else str(value)
        shown.append((part, rest.urlencode(), instead.urlencode() if part.instead else ""))
    return shown


def _settled(asked: QueryDict, reading: Reading) -> QueryDict:
    """The address with the fields that the box means, and in the box what was not understood."""
    settled = _without(_meant(asked, reading), "q", "page")
    if reading.unread:
        settled["q"] = " ".join(reading.unread)
    return settled


def _meant(asked: QueryDict, reading: Reading) -> QueryDict:
    """What was asked for, with the fields that the box means."""
    meant = asked.copy()
    for name, value in reading.fields.items():
        meant[name] = "on" if value is True else str(value)
    return meant


def _given(query: QueryDict) -> QueryDict:
    given = query.copy()
    for name, values in query.lists():
        if not any(values):
            del given[name]
    return given


def _without(query: QueryDict, *names: str) -> QueryDict:
    rest = query.copy()
    for name in names:
        rest.pop(name, None)
    return rest


def _is_half_typed(asked: QueryDict, reading: Reading) -> bool:
    """Whether there is nothing to search for but a text too short to mean much."""
    typed = asked.get("q", "").strip() or asked.get("vanity_text", "").strip()
    others = any(value for name, value in asked.items() if name not in ("q", "vanity_text"))
    return 0 < len(typed) < LEAST_TYPED and not others


def _order_query(form: SearchForm) -> str:
    """What an order made from this search takes along."""
    query = QueryDict(mutable=True)
    if form.cleaned_data["vanity_text"]:
        query["vanity_text"] = form.cleaned_data["vanity_text"]
    if form.cleaned_data["account"]:
        query["account"] = form.cleaned_data["account"].key
    return query.urlencode()


def _visible_orders(request: PortalRequest, found: list[FoundNumber]) -> set[int]:
    """Those of the orders that want a found number which this person may open."""
    wanting = {one.wanted_by for one in found if one.wanted_by}
    return set(order_list(request.user).filter(pk__in=wanting).values_list("pk", flat=True)) if wanting else set()
