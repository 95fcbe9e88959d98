"""Orders, numbers and history in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from numbers_app.criteria import any_number_in_words, criteria_from_json, criteria_in_words, criteria_to_query
from numbers_app.forms.campaigns import CampaignForm
from numbers_app.models import RUN_ON, Account, Attempt, BatchRow, Evaluation, Order, OrderKind
from numbers_app.selectors.media_types import media_type_text
from numbers_app.text import field_label, phone_text

from .shell import shown, stop_date, utc

register = template.Library()


def value_in_words(name: str, value: Any, account: Account | None = None) -> Any:
    """A field's value as people read it; ``shown`` renders what is left as it is.

    With the number's Location, a stop date says whose day it is and how far away.
    """
    if name in ("destination", "number", "phone_number", "choice"):
        return [phone_text(number) for number in value] if isinstance(value, list) else phone_text(value)
    if name == "evaluation" and value:
        return Evaluation(value).label
    if name == "media_type_id" and value:
        return media_type_text(int(value))
    if name in ("execute_after", "starts_at", "ends_at") and value:
        return datetime.fromisoformat(value) if isinstance(value, str) else value
    if name == "stop_date" and value:
        return _stop_date_in_words(date.fromisoformat(str(value)), account)
    return value


def _stop_date_in_words(day: date, account: Account | None) -> str:
    if account is None:
        return f"runs on ({day})" if day == RUN_ON else str(day)
    text = stop_date(day, account.time_zone)
    left = (day - account.today()).days
    if day == RUN_ON or left < 0:
        return text
    return format_html('{} <span class="hint">{} day{} left</span>', text, left, "" if left == 1 else "s")


@register.simple_tag
def change_rows(changes: Iterable[tuple[str, Any, Any]], account: Account | None = None) -> list[dict[str, Any]]:
    """Rows for ``diff_table.html`` from (field, before, after)."""
    return [
        {
            "label": field_label(name),
            "before": value_in_words(name, before, account),
            "after": value_in_words(name, after, account),
        }
        for name, before, after in changes
    ]


@register.simple_tag
def value_rows(values: Iterable[tuple[str, Any]], account: Account | None = None) -> list[dict[str, Any]]:
    """Rows for ``definition_list.html`` from (field, value)."""
    return [{"label": field_label(name), "value": value_in_words(name, value, account)} for name, value in values]


@register.filter
def order_title(order: Order) -> str:
    """What an order is about, as in "Purchase of (316) 734-2253"."""
    if order.kind == OrderKind.CHANGE:
        return f"Change of {phone_text(order.phone_number)}"
    if order.kind == OrderKind.REAPPLY:
        # One that follows from an order repeats what that was about; one that a person asked for sends everything.
        what = "Repeat of what is set" if order.parent_id else "Re-application of everything set"
        return f"{what} for {phone_text(order.phone_number)}"
    if order.kind == OrderKind.CONFIRM:
        return f"Confirmation of {phone_text(order.phone_number)}"
    choices = list(order.choices.all())
    given_up = [choice.number for choice in choices if choice.dropped_because]
    if order.phone_number and not (order.criteria and order.phone_number in given_up):
        return f"Purchase of {phone_text(order.phone_number)}"
    numbers = [choice.number for choice in choices if not choice.found]
    others = f" or {len(numbers) - 1} other choices" if len(numbers) > 2 else " or another choice"
    wanted = [f"{phone_text(numbers[0])}{others if len(numbers) > 1 else ''}"] if numbers else []
    if order.criteria:
        wanted.append(any_number_in_words(criteria_from_json(order.criteria)))
    return f"Purchase of {', or '.join(wanted)}"


@register.filter
def criteria_words(order: Order | BatchRow) -> str:
    """The search that a purchase falls back on, in words; empty when it has none."""
    return criteria_in_words(criteria_from_json(order.criteria)) if order.criteria else ""


@register.filter
def criteria_query(order: Order) -> str:
    """The query that opens that search on the search page."""
    return criteria_to_query(criteria_from_json(order.criteria))


register.filter("search_words", criteria_in_words)
register.filter("search_query", criteria_to_query)


@register.simple_tag
def attempt_rows(attempt: Attempt) -> list[dict[str, Any]]:
    """What was sent and what came back, for ``definition_list.html``."""
    rows: list[dict[str, Any]] = [
        {"label": "Number", "value": phone_text(attempt.number)},
        {"label": "Sent", "value": attempt.started_at},
        {"label": "Answer", "value": attempt.finished_at},
        {"label": "HTTP status", "value": attempt.http_status},
        {"label": "Callcap's words", "value": attempt.message},
    ]
    if attempt.excerpt:
        rows.append({"label": "Start of the answer", "value": attempt.excerpt})
    if attempt.preflight:
        seen = ", ".join(f"{field_label(name).lower()} {value}" for name, value in attempt.preflight.items() if value)
        rows.append({"label": "Seen just before", "value": seen})
    return rows


@register.simple_tag
def at_location(moment: datetime | None, account: Account) -> SafeString:
    """A moment as the Location's clocks show it, with the exact UTC."""
    if moment is None:
        return format_html('<span class="muted">{}</span>', "as soon as possible")
    there = moment.astimezone(account.zone)
    return format_html(
        '<time class="moment" datetime="{}">{} {}</time> <span class="hint">(time at {}; {})</span>',
        moment.isoformat(),
        date_format(there, "M j, Y, g:i A"),
        there.tzname() or "",
        account.name,
        utc(moment),
    )


@register.simple_tag
def in_words(name: str, value: Any, account: Account | None = None) -> Any:
    """A field's value as people read it."""
    return shown(value_in_words(name, value, account))


@register.filter
def in_field_order(values: dict[str, Any]) -> list[tuple[str, Any]]:
    """The values in the order of the forms: PostgreSQL keeps JSON in one of its own."""
    places = {name: place for place, name in enumerate(CampaignForm.CAMPAIGN_FIELDS)}
    return sorted(values.items(), key=lambda item: places.get(item[0], len(places)))


@register.simple_tag
def wished_changes(order: Order | BatchRow) -> list[tuple[str, Any, Any]]:
    """(field, before, after) of a change, for ``change_rows``."""
    return [(name, order.before.get(name), value) for name, value in in_field_order(order.parameters)]
