"""Orders, numbers and history in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from numbers_app.forms.campaigns import CampaignForm
from numbers_app.models import Account, Attempt, Evaluation, HistoryEntry, Order, OrderKind, Verb
from numbers_app.text import phone_text

from .shell import field_label, icon, shown, utc

register = template.Library()

ICONS = {
    Verb.ORDER_REQUESTED: "clipboard-plus",
    Verb.ORDER_AMENDED: "pencil",
    Verb.ORDER_COMMENTED: "chat-left-text",
    Verb.ORDER_URGED: "lightning",
    Verb.ORDER_APPROVED: "check2",
    Verb.ORDER_APPROVAL_UNDONE: "arrow-counterclockwise",
    Verb.ORDER_REJECTED: "slash-circle",
    Verb.ORDER_CANCELLED: "dash-circle",
    Verb.ORDER_EXPIRED: "hourglass-bottom",
    Verb.ORDER_SENDING: "send",
    Verb.ORDER_POSTPONED: "hourglass-split",
    Verb.ORDER_CHOICE_GONE: "skip-forward",
    Verb.ORDER_DONE: "check-circle",
    Verb.ORDER_FAILED: "x-octagon",
    Verb.ORDER_UNKNOWN: "question-diamond",
    Verb.ORDER_CHECKED: "search",
    Verb.ORDER_SETTLED: "person-check",
    Verb.NUMBER_BOUGHT: "telephone-plus",
    Verb.NUMBER_CHANGED: "shuffle",
    Verb.NUMBER_ENDED: "telephone-x",
    Verb.SENDING_PAUSED: "pause-circle",
    Verb.SENDING_RESUMED: "play-circle",
}
RUN_ON = "2099-01-01"


def value_in_words(name: str, value: Any) -> Any:
    """A field's value as people read it; ``shown`` renders what is left as it is."""
    if name in ("destination", "number", "phone_number", "choice"):
        return [phone_text(number) for number in value] if isinstance(value, list) else phone_text(value)
    if name == "evaluation" and value:
        return Evaluation(value).label
    if name == "execute_after" and value:
        return datetime.fromisoformat(value) if isinstance(value, str) else value
    if name == "stop_date":
        text = value.isoformat() if isinstance(value, date) else value
        return f"runs on ({RUN_ON})" if text == RUN_ON else text
    return value


@register.simple_tag
def change_rows(changes: Iterable[tuple[str, Any, Any]]) -> list[dict[str, Any]]:
    """Rows for ``diff_table.html`` from (field, before, after)."""
    return [
        {
            "label": field_label(name),
            "before": value_in_words(name, before),
            "after": value_in_words(name, after),
        }
        for name, before, after in changes
    ]


@register.simple_tag
def value_rows(values: Iterable[tuple[str, Any]]) -> list[dict[str, Any]]:
    """Rows for ``definition_list.html`` from (field, value)."""
    return [{"label": field_label(name), "value": value_in_words(name, value)} for name, value in values]


@register.filter
def entry_changes(entry: HistoryEntry) -> list[tuple[str, Any, Any]]:
    """(field, before, after) of an entry, for ``change_rows``."""
    return [(name, before, after) for name, (before, after) in in_field_order(entry.changes)]


@register.filter
def order_title(order: Order) -> str:
    """What an order is about, as in "Purchase of (316) 734-2253"."""
    numbers = [choice.number for choice in order.choices.all()] if order.kind == OrderKind.PROVISION else []
    wanted = order.phone_number or (numbers[0] if numbers else "")
    if order.kind == OrderKind.CHANGE:
        return f"Change of {phone_text(wanted)}"
    if order.kind == OrderKind.REAPPLY:
        return f"Repeat of what is set for {phone_text(wanted)}"
    others = (
        f" or {len(numbers) - 1} other choices"
        if len(numbers) > 2
        else " or another choice"
        if len(numbers) == 2
        else ""
    )
    return f"Purchase of {phone_text(wanted)}{'' if order.phone_number else others}"


@register.filter
def what(entry: HistoryEntry) -> str:
    """An entry in plain English without its actor, as in "re-routed (316) 734-2253 from … to …, approved by …"."""
    words = _IN_WORDS.get(Verb(entry.verb), _did)(entry)
    if entry.approved_by == entry.actor_name:
        return f"{words}, without needing an approval"
    return words + (f", approved by {entry.approved_by}" if entry.approved_by else "")


def _about(entry: HistoryEntry) -> str:
    """The order and the number that an entry is about."""
    return f"order {entry.order_id}" + (f", for {phone_text(entry.number)}" if entry.number else "")


def _did(entry: HistoryEntry) -> str:
    return f"{entry.get_verb_display()} {_about(entry)}" if entry.order_id else entry.get_verb_display()


def _account(entry: HistoryEntry) -> str:
    return f"{entry.get_verb_display()} account {entry.account_key}"


def _choice_gone(entry: HistoryEntry) -> str:
    gone = phone_text(entry.changes.get("choice", [entry.number])[0])
    return f"found {gone} of order {entry.order_id} no longer available"


def _paused(entry: HistoryEntry) -> str:
    everything = "everything" in entry.changes["paused"]
    return f"paused {'everything that is sent to Callcap' if everything else 'all purchases'}"


def _changed(entry: HistoryEntry) -> str:
    number, changes = phone_text(entry.number), dict(entry.changes)
    parts = []
    if "destination" in changes:
        before, after = changes.pop("destination")
        parts.append(f"re-routed {number} from {phone_text(before)} to {phone_text(after)}")
    if "stop_date" in changes:
        before, after = changes.pop("stop_date")
        moved = f"moved the stop date of {number} from {before}" if before else f"set the stop date of {number}"
        parts.append(f"{moved} to {value_in_words('stop_date', after)}")
    if changes:
        parts.append(f"changed {', '.join(field_label(name).lower() for name in changes)} of {number}")
    return " and ".join(parts)


_IN_WORDS: dict[Verb, Callable[[HistoryEntry], str]] = {
    Verb.NUMBER_BOUGHT: lambda entry: f"bought {phone_text(entry.number)}, ringing {phone_text(entry.destination)}",
    Verb.NUMBER_CHANGED: _changed,
    Verb.NUMBER_ENDED: lambda entry: f"marked {phone_text(entry.number)} as stopped",
    Verb.ACCOUNT_ADDED: _account,
    Verb.ACCOUNT_CHANGED: _account,
    Verb.GRANT_ADDED: lambda entry: f"granted {entry.account_key} to {entry.changes['user'][1]}",
    Verb.ORDER_SENDING: lambda entry: f"sent order {entry.order_id} to Callcap, for {phone_text(entry.number)}",
    Verb.ORDER_CHOICE_GONE: _choice_gone,
    Verb.ORDER_CHECKED: lambda entry: f"asked Callcap whether it carried out {_about(entry)}",
    Verb.ORDER_UNKNOWN: lambda entry: f"does not know whether Callcap carried out {_about(entry)}",
    Verb.SENDING_PAUSED: _paused,
    Verb.SENDING_RESUMED: lambda entry: "resumed what is sent to Callcap",
}


@register.simple_tag
def timeline_entries(entries: Iterable[HistoryEntry]) -> list[dict[str, Any]]:
    """Entries for ``timeline.html``."""
    return [
        {
            "time": entry.at,
            "actor": entry.actor_name,
            "text": what(entry),
            "detail": _detail(entry),
            "icon": ICONS.get(Verb(entry.verb), ""),
        }
        for entry in entries
    ]


def _detail(entry: HistoryEntry) -> str:
    lines = []
    if entry.reason:
        lines.append(entry.reason)
    # That all went well is said by what happened.
    news = entry.vendor_message not in ("", "success") and entry.vendor_message not in entry.reason
    if entry.vendor_status and news:
        lines.append(f"Callcap ({entry.vendor_status}): {entry.vendor_message}")
    return "\n".join(lines)


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
def in_words(name: str, value: Any) -> Any:
    """A field's value as people read it."""
    return shown(value_in_words(name, value))


@register.filter
def in_field_order(values: dict[str, Any]) -> list[tuple[str, Any]]:
    """The values in the order of the forms: PostgreSQL keeps JSON in one of its own."""
    places = {name: place for place, name in enumerate(CampaignForm.CAMPAIGN_FIELDS)}
    return sorted(values.items(), key=lambda item: places.get(item[0], len(places)))


@register.simple_tag
def wished_changes(order: Order) -> list[tuple[str, Any, Any]]:
    """(field, before, after) of a change order, for ``change_rows``."""
    return [(name, order.before.get(name), value) for name, value in in_field_order(order.parameters)]


@register.simple_tag
def entry_icon(entry: HistoryEntry) -> str:
    """The icon of what happened."""
    return icon(ICONS.get(Verb(entry.verb), "dot"))


@register.simple_tag
def entry_rows(entry: HistoryEntry) -> list[dict[str, Any]]:
    """Everything of an entry but its changes, for ``definition_list.html``."""
    rows = [
        ("Entry", entry.sequence),
        ("Role", entry.role),
        ("Came from", entry.get_source_display()),
        ("Account", entry.account_key),
        ("Order", entry.order_id),
        ("Reason", entry.reason),
        ("Approved by", entry.approved_by),
        ("Callcap's HTTP status", entry.vendor_status),
        ("Callcap's words", entry.vendor_message),
        ("Request", entry.request_id),
        ("Hash", entry.hash),
    ]
    return [{"label": label, "value": value} for label, value in rows if value not in ("", None)]
