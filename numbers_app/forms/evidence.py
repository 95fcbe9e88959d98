"""Asking for an archive of evidence."""

from __future__ import annotations

from django import forms

# The largest that the databases can look for.
MOST_SEQUENCE = 9_223_372_036_854_775_807


class EvidenceForm(forms.Form):
    """The first and the last entry wanted; both empty: all."""

    first = forms.IntegerField(required=False, min_value=1, max_value=MOST_SEQUENCE, label="First entry")
    last = forms.IntegerField(required=False, min_value=1, max_value=MOST_SEQUENCE, label="Last entry")
