"""Naming the filters of a list or a search, and how often a search is repeated."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import QueryDict

from numbers_app.criteria import criteria_to_query
from numbers_app.models import Account, SavedView, Watch

from .fields import PlainTextField
from .search import SearchForm

# Where the reader stands in the list is no part of a view.
PLACES = ("before", "after", "page", "all", "csrfmiddlewaretoken")
MOST_CHARACTERS = SavedView._meta.get_field("query").max_length or 0


class SavedViewForm(forms.Form):
    """The name of a view, which list it is of and the query string of its address.

    ``locations`` are those that the person may search for: of a search only what the search form accepts is kept.
    """

    page = forms.ChoiceField(choices=SavedView.Page.choices, widget=forms.HiddenInput)
    query = PlainTextField(required=False, max_length=MOST_CHARACTERS, widget=forms.HiddenInput)
    name = PlainTextField(
        max_length=100, error_messages={"required": "Give the view a name."}, help_text="One of yours is replaced."
    )
    shared = forms.BooleanField(required=False, label="Share with everybody")
    is_default = forms.BooleanField(required=False, label="Open the list with it")

    def __init__(self, data: QueryDict, *, locations: QuerySet[Account]) -> None:
        super().__init__(data)
        self._locations = locations
        if self.is_of_search:
            # A box that nobody was shown: ticked all the same, it is refused by the service.
            self.fields["is_default"].widget = forms.HiddenInput()

    @property
    def is_of_search(self) -> bool:
        return self.data.get("page") == SavedView.Page.SEARCH

    def clean_query(self) -> str:
        read = self._search if self.is_of_search else self._filters
        query = read(QueryDict(self.cleaned_data["query"]))
        # Written out again it may have become longer.
        if len(query) > MOST_CHARACTERS:
            raise ValidationError("There is too much in it to be kept. Shorten its texts first.")
        return query

    def _filters(self, given: QueryDict) -> str:
        kept = given.copy()
        for name in list(kept):
            if name in PLACES or not any(kept.getlist(name)):
                del kept[name]
        return kept.urlencode() or "all=1"

    def _search(self, given: QueryDict) -> str:
        form = SearchForm(given, locations=self._locations)
        if not form.is_valid():
            raise ValidationError([f"The search is not kept. {error}" for error in error_sentences(form)])
        query = criteria_to_query(form.criteria())
        if not query:
            raise ValidationError("There is nothing to look for in this search: fill in a field first.")
        return query


class WatchForm(forms.Form):
    """How often a search is repeated."""

    every_minutes = forms.IntegerField(
        min_value=Watch.LEAST_MINUTES,
        max_value=Watch.MOST_MINUTES,
        initial=Watch.USUAL_MINUTES,
        label="Minutes between two looks",
        error_messages={
            "required": "Say how many minutes lie between two looks.",
            "invalid": "Give a whole number of minutes, as in 15.",
            "min_value": "A search is repeated every 5 minutes at most.",
            "max_value": "A search is repeated once a day (1440 minutes) at least.",
        },
    )


def error_sentences(form: forms.Form) -> list[str]:
    """What is wrong with the form, each with the name of its field."""
    sentences: list[Any] = []
    for name, errors in form.errors.items():
        label = form[name].label if name in form.fields else ""
        sentences += [f"{label}: {error}" if label else str(error) for error in errors]
    return sentences
