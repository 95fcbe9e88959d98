"""Naming the filters of a list."""

from __future__ import annotations

from django import forms
from django.http import QueryDict

from numbers_app.models import SavedView

from .fields import PlainTextField

# Where the reader stands in the list is no part of a view.
PLACES = ("before", "after", "page", "all", "csrfmiddlewaretoken")


class SavedViewForm(forms.Form):
    """The name of a view, which list it is of and the query string of its address."""

    page = forms.ChoiceField(choices=SavedView.Page.choices, widget=forms.HiddenInput)
    query = PlainTextField(required=False, max_length=2000, widget=forms.HiddenInput)
    name = PlainTextField(
        max_length=100, error_messages={"required": "Give the view a name."}, help_text="One of yours is replaced."
    )
    shared = forms.BooleanField(required=False, label="Share with everybody")
    is_default = forms.BooleanField(required=False, label="Open the list with it")

    def clean_query(self) -> str:
        given = QueryDict(self.cleaned_data["query"], mutable=True)
        for name in list(given):
            if name in PLACES or not any(given.getlist(name)):
                del given[name]
        return given.urlencode() or "all=1"
