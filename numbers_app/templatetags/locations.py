"""What happened to Callcap's accounts, in words."""

from __future__ import annotations

from typing import Any

from django import template

from numbers_app.models import HistoryEntry, Verb

register = template.Library()


@register.filter
def account_change(entry: HistoryEntry) -> str:
    """An entry about an account without its name, as in "renamed from Salina to Salina East"."""
    if entry.verb == Verb.ACCOUNT_ADDED:
        return "new"
    said = [_in_words(name, before, after) for name, (before, after) in entry.changes.items()]
    return ", ".join(dict.fromkeys(said))


def _in_words(name: str, before: Any, after: Any) -> str:
    if name == "name":
        return f"renamed from {before} to {after}"
    if name == "active":
        return "listed by Callcap again" if after else "no longer listed by Callcap"
    if name == "time_zone":
        return f"time zone {after}" + (f", before {before}" if before else "")
    return "moved to another place in the tree"
