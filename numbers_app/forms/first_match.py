"""The search that a purchase carries: a query of the search page, checked by the search form."""

from __future__ import annotations

from dataclasses import replace

from django.core.exceptions import ValidationError
from django.http import QueryDict

from numbers_app.callcap import SearchCriteria
from numbers_app.models import Account

from .search import SearchForm

MOST_CHARACTERS = 2000


def search_checked(query: str, account: Account | None) -> SearchCriteria:
    """The search that the query stands for, in the account's own reserved pool where it asks for one.

    Raises ValidationError with a sentence for each field that is wrong.
    """
    form = _form(query, account)
    if not form.is_valid():
        raise ValidationError(
            [f"{form[name].label}: {sentence}" for name, found in form.errors.items() for sentence in found]
        )
    return _search(form)


def search_shown(query: str, account: Account | None) -> SearchCriteria:
    """The search as far as it is understood, to be shown beside what is wrong with it."""
    form = _form(query, account)
    form.full_clean()
    return _search(form)


def _form(query: str, account: Account | None) -> SearchForm:
    data = QueryDict(query, mutable=True)
    for name in ("account", "q"):
        data.pop(name, None)
    if account:
        data["account"] = account.key
    return SearchForm(data, locations=Account.objects.filter(key=data.get("account", "")))


def _search(form: SearchForm) -> SearchCriteria:
    criteria = form.criteria()
    return criteria if criteria.show_reserved_pool else replace(criteria, account="")
