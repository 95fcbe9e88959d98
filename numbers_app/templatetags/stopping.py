"""Stop dates as people read them."""

from __future__ import annotations

from django import template

from numbers_app.models import Campaign
from numbers_app.selectors import stopping

register = template.Library()


@register.filter
def days_left(campaign: Campaign) -> str:
    """How long the number still takes calls, by the date at its Location: "34 days", "today is the last day"."""
    days = stopping.days_left(campaign)
    if days == 0:
        return "today is the last day"
    plural = "" if abs(days) == 1 else "s"
    return f"{days} day{plural}" if days > 0 else f"passed {-days} day{plural} ago"
