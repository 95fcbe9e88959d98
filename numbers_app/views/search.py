"""Searching for numbers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import replace_url

from numbers_app.criteria import any_number_in_words, criteria_in_words, criteria_to_query
from numbers_app.errors import VendorTrouble
from numbers_app.forms.search import SearchForm
from numbers_app.models import Account, SavedView
from numbers_app.permissions import Capability
from numbers_app.search_box import Reading, as_place, read_box
from numbers_app.search_words import Fields
from numbers_app.selectors.accounts import locations_granted
from numbers_app.selectors.orders import order_list
from numbers_app.selectors.relaxations import relaxations
from numbers_app.selectors.saved_views import saved_views
from numbers_app.selectors.search import SORTS, FoundNumber, found_numbers, number_search, numbers_ours, sort_offers

from .http import PER_PAGE_CHOICES, PortalRequest, allow, one_page, per_page, template_for
from .location_id import with_account
from .tray import tray_context, tray_numbers

# What is typed is searched for from this length on; shorter texts are searched for when they are sent.
LEAST_TYPED = 3
DIGITS = ("area_code", "exchange", "line")
# Beside any of these a short text is searched for too: there is something to search for without it.
NARROWING = (*DIGITS, "full_number", "state", "city", "rate_center", "zipcode")


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
    context: dict[str, Any] = {"form": form, "whole": whole, "reading": reading} | _understood(asked, reading, form)
    status = 200
    if not form.was_used:
        context["form"] = SearchForm(locations=locations)
    elif _is_typing(request) and _is_half_typed(asked):
        context["half_typed"] = True
    elif not form.is_valid():
        context["searched"] = True
        # While somebody types, a search is unfinished rather than wrong.
        status = 200 if request.htmx else 422
    elif "fresh" in asked:
        return _refresh(request, form)
    else:
        context |= {"searched": True} | _searched_for(asked, form)
        try:
            context |= _results(request, form)
        except VendorTrouble as trouble:
            context["vendor_trouble"] = trouble
            status = 503
    context["tray_numbers"] = tray_numbers(request)
    if whole:
        context |= tray_context(context["tray_numbers"])
        context["saved_views"] = saved_views(request.user, SavedView.Page.SEARCH)
    response = render(request, template, context, status=status)
    if request.htmx and "vendor_trouble" in context:
        # What the page showed before stays, and so does its address.
        replace_url(response, url=False)
    elif request.htmx and asked != sent:
        replace_url(response, f"{request.path}?{asked.urlencode()}")
    return response


@require_safe
def wider(request: PortalRequest) -> HttpResponse:
    """Searches that do find something, in place of one that found nothing; people without htmx see them on the page."""
    allow(request, Capability.SEARCH)
    form = SearchForm(with_account(request.GET), locations=locations_granted(request.user))
    if not request.htmx:
        return redirect(f"{reverse('search')}?{request.GET.urlencode()}")
    return render(request, "search_wider.html", _leads(form) if form.is_valid() else {})


def _refresh(request: PortalRequest, form: SearchForm) -> HttpResponse:
    """Ask Callcap anew, and on to the address that shows its answer: the last one, where there was none now."""
    try:
        number_search(form.criteria(), fresh=True)
    except VendorTrouble as trouble:
        messages.warning(request, f"This search was not refreshed. {trouble.message}")
    return redirect(f"{request.path}?{_without(request.GET, 'fresh').urlencode()}")


def _searched_for(asked: QueryDict, form: SearchForm) -> dict[str, Any]:
    """What a valid form asks for, whether or not Callcap answers."""
    criteria = form.criteria()
    return {
        "words": criteria_in_words(criteria),
        "any_number": any_number_in_words(criteria),
        "query": criteria_to_query(criteria),
        "vanity_text": form.cleaned_data["vanity_text"],
        "left_out": form.left_out,
        "as_place": _as_place(asked, form),
    }


def _leads(form: SearchForm) -> dict[str, Any]:
    relaxed = relaxations(form.criteria())
    leads = [(lead.said, criteria_to_query(lead.criteria)) for lead in relaxed.found]
    return {"wider": leads, "unanswered": relaxed.unanswered}


def _results(request: PortalRequest, form: SearchForm) -> dict[str, Any]:
    text = form.cleaned_data["vanity_text"]
    result = number_search(form.criteria())
    sort = request.GET.get("sort", "")
    sort = sort if sort in SORTS else "best"
    page = one_page(request, sort_offers(result.offers, sort, text), per_page(request))
    found = found_numbers(list(page), free_first=sort == "best")
    held = [one.offer.number for one in found if one.held]
    context = {
        "result": result,
        "page_obj": page,
        "found_numbers": found,
        "marked": tuple(name for name in DIGITS if form.cleaned_data[name]),
        "sort": sort,
        "sorts": list(SORTS.items()),
        "per_page_choices": PER_PAGE_CHOICES,
        "order_query": _order_query(form),
        "visible_orders": _visible_orders(request, found),
        "visible_ours": numbers_ours(request.user, held) if held else {},
    }
    if not result.offers and not request.htmx:
        context |= _leads(form)
    return context


def _understood(asked: QueryDict, reading: Reading, form: SearchForm) -> dict[str, Any]:
    """A chip for each thing that the box means, what else these could mean, and the fields that give way to the box."""
    chips, others = [], []
    for part in reading.parts:
        rest = _without(asked, "page")
        rest["q"] = part.without
        chips.append({"label": part.said, "there": f"?{rest.urlencode()}"})
        if part.instead:
            others.append((part.instead.said, _with(rest, part.instead.fields).urlencode()))
    overridden = [
        (form[name].label, asked[name])
        for name, value in reading.fields.items()
        if value is not True and asked.get(name, value) != value
    ]
    return {"box_chips": chips, "others": others, "overridden": overridden}


def _as_place(asked: QueryDict, form: SearchForm) -> tuple[str, str] | None:
    """The place that a word in the fields may have been meant as, and the address of that."""
    place = as_place(asked.get("vanity_text", ""))
    if place is None or form.is_tollfree_only or any(asked.get(name) for name in place.fields):
        return None
    return place.said, _with(_without(asked, "page", "vanity_text"), place.fields).urlencode()


def _settled(asked: QueryDict, reading: Reading) -> QueryDict:
    """The address with the fields that the box means, and in the box what was not understood."""
    settled = _without(_meant(asked, reading), "q", "page")
    if reading.unread:
        settled["q"] = " ".join(reading.unread)
    return settled


def _meant(asked: QueryDict, reading: Reading) -> QueryDict:
    """What was asked for, with the fields that the box means."""
    return _with(asked, reading.fields)


def _given(query: QueryDict) -> QueryDict:
    given = query.copy()
    for name, values in query.lists():
        if not any(values):
            del given[name]
    return given


def _with(query: QueryDict, fields: Fields) -> QueryDict:
    filled = query.copy()
    for name, value in fields.items():
        filled[name] = "on" if value is True else str(value)
    return filled


def _without(query: QueryDict, *names: str) -> QueryDict:
    rest = query.copy()
    for name in names:
        rest.pop(name, None)
    return rest


def _is_typing(request: PortalRequest) -> bool:
    """Whether htmx asks for the form, and not for a link: another order or page of what was searched for already."""
    return bool(request.htmx) and request.headers.get("HX-Source", "").partition("#")[0] != "a"


def _is_half_typed(asked: QueryDict) -> bool:
    """Whether there is nothing to search for but a text too short to mean much."""
    typed = asked.get("q", "").strip() or asked.get("vanity_text", "").strip()
    return 0 < len(typed) < LEAST_TYPED and not any(asked.get(name) for name in NARROWING)


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
